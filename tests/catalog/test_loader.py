"""What a catalogue file that is right becomes."""

from __future__ import annotations

from pathlib import Path

import pytest

from parley.catalog.loader import load
from parley.catalog.spec import Catalogue, Link, ModelSpec, OpennessItem, Sampling

ROOT = Path(__file__).parents[2]


def read(folder: Path, text: str) -> Catalogue:
    file = folder / "models.yaml"
    file.write_text(text, encoding="utf-8")
    return load([file])


def only(folder: Path, keys: str) -> ModelSpec:
    (model,) = read(folder, f"- id: a\n  repo: o/m\n  {keys}\n").models
    return model


def test_three_lines_are_enough(folder):
    text = "models:\n  - id: qwen3\n    repo: Qwen/Qwen3-0.6B\n"
    catalogue = read(folder, text)
    assert catalogue.models == (ModelSpec("qwen3", "Qwen3-0.6B", repo="Qwen/Qwen3-0.6B"),)
    assert catalogue.files == (folder / "models.yaml",)


def test_a_bare_list_will_do(folder):
    assert [m.id for m in read(folder, "- {id: b, repo: o/m}\n- {id: a, path: tiny}").models] == [
        "b",
        "a",
    ]


def test_every_key_arrives(folder):
    model = only(
        folder,
        """revision: 12e45
  name: A model
  description: >-
    Folded
    text.
  logo: "🧭"
  family: Fam
  base_model: o/base
  developer: Dev
  released: 2024-11-28
  license: licenseref-mine
  license_url: https://a.org/licence
  gated: true
  parameters: 1.7B
  context: {trained: 2048, max: 32768}
  languages: [en, no, zh-Hans]
  domain: medicine
  tasks: [chat]
  dtype: bfloat16
  prompt_format: transcript
  system_prompt: Be brief.
  examples: ["Hi: there", 12]
  sampling: {temperature: 0, top_p: 0.9, top_k: 4, min_p: 1e-2, typical_p: 0.95,
             repetition_penalty: 1.1, frequency_penalty: -0.5, presence_penalty: 2,
             max_new_tokens: 1_000, stop: ["\\n", "User: "], seed: 7}
  notice: Careful.
  links: [{label: Home, url: "https://a.org"}]
  openness:
    weights: {state: open, evidence: tiny, as_of: 2026-11, note: Yes.}
    training_data: {state: unknown}
  engine: local""",
    )
    assert model == ModelSpec(
        id="a",
        name="A model",
        repo="o/m",
        revision="12e45",
        description="Folded text.",
        logo="🧭",
        family="Fam",
        base_model="o/base",
        developer="Dev",
        released="2024-11-28",
        license="LicenseRef-mine",
        license_url="https://a.org/licence",
        gated=True,
        parameters=1_700_000_000,
        context_trained=2048,
        context_max=32768,
        languages=("en", "no", "zh-Hans"),
        domain="medicine",
        tasks=("chat",),
        dtype="bfloat16",
        prompt_format="transcript",
        system_prompt="Be brief.",
        examples=("Hi: there", "12"),
        sampling=Sampling(
            temperature=0,
            top_p=0.9,
            top_k=4,
            min_p=0.01,
            typical_p=0.95,
            repetition_penalty=1.1,
            frequency_penalty=-0.5,
            presence_penalty=2,
            max_new_tokens=1000,
            stop=("\n", "User: "),
            seed=7,
        ),
        notice="Careful.",
        links=(Link("Home", "https://a.org"),),
        openness={
            "weights": OpennessItem("open", "tiny", "2026-11", "Yes."),
            "training_data": OpennessItem("unknown"),
        },
    )


@pytest.mark.parametrize(
    ("written", "count"),
    [
        ("135000000", 135_000_000),
        ("135M", 135_000_000),
        ("1.7b", 1_700_000_000),
        ("7 B", 7 * 10**9),
    ],
)
def test_parameters_may_be_short(folder, written, count):
    assert only(folder, f"parameters: {written}").parameters == count


def test_one_context_is_both(folder):
    model = only(folder, "context: 4096")
    assert (model.context_trained, model.context_max, model.context) == (4096, 4096, 4096)


@pytest.mark.parametrize("written", ["8_192", "+8192", "8192_"])
def test_a_whole_number_may_be_grouped(folder, written):
    assert only(folder, f"context: {written}").context == 8192


@pytest.mark.parametrize("released", ["2024", "2024-11", "2024-11-28"])
def test_a_date_is_as_exact_as_known(folder, released):
    assert only(folder, f"released: {released}").released == released


def test_links_may_be_a_mapping(folder):
    links = only(folder, "links: {Home: https://a.org, Paper: http://b.org/1}").links
    assert links == (Link("Home", "https://a.org"), Link("Paper", "http://b.org/1"))


@pytest.mark.parametrize("written", ["apache-2.0", "Apache-2.0"])
def test_a_licence_is_spelt_as_spdx_spells_it(folder, written):
    assert only(folder, f"license: {written}").license == "Apache-2.0"


def test_a_licence_may_be_an_expression(folder):
    assert only(folder, "license: mit or apache-2.0").license == "MIT OR Apache-2.0"


@pytest.mark.parametrize("logo", ["A", "Ab", "🧭", "👩‍🚀", "👍🏽", "🇫🇷", "é", "日本", "❤️"])
def test_a_logo_may_be_two_characters(folder, logo):
    assert only(folder, f'logo: "{logo}"').logo == logo


def test_a_logo_may_be_a_picture(folder):
    assert only(folder, "logo: ./logo.png").logo == str(folder / "logo.png")


def test_a_path_is_relative_to_its_file(folder, monkeypatch):
    monkeypatch.chdir("/")
    (model,) = read(folder, "- {id: a, path: ./empty/../tiny}").models
    assert (model.path, model.name, model.source) == (
        folder / "tiny",
        "tiny",
        str(folder / "tiny"),
    )


def test_a_path_may_start_at_home(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    (model,) = read(folder, "- {id: a, path: ~/tiny}").models
    assert model.path == folder / "tiny"


def test_a_key_with_nothing_behind_it_is_left_out(folder):
    assert only(folder, "base_model: null\n  sampling:\n  name: ~") == only(folder, "")


def test_anchors_and_merges_save_writing(folder):
    catalogue = read(
        folder,
        """
- id: a
  repo: o/a
  sampling: &calm {temperature: 0.3, top_p: 0.9}
- id: b
  repo: o/b
  sampling: {<<: *calm, top_p: 0.5, seed: 1}
- &c
  id: c
  repo: o/c
  license: MIT
  sampling: *calm
- <<: [*c]
  id: d
""",
    )
    a, b, c, d = catalogue.models
    assert a.sampling == c.sampling == Sampling(temperature=0.3, top_p=0.9)
    assert b.sampling == Sampling(temperature=0.3, top_p=0.5, seed=1)
    assert (d.id, d.repo, d.license, d.sampling) == ("d", "o/c", "MIT", a.sampling)


def test_a_mark_at_the_start_and_foreign_line_ends_do_no_harm(folder):
    file = folder / "models.yaml"
    file.write_bytes(b"\xef\xbb\xbfmodels:\r\n- id: a\r\n  repo: o/m\r\n")
    assert load([file]).default.id == "a"


def test_a_later_file_replaces_whole_entries_in_place_and_adds(folder):
    first, later = folder / "models.yaml", folder / "mine.yaml"
    first.write_text(
        "- {id: a, repo: o/a, gated: true, name: A}\n- {id: b, repo: o/b}\n- {id: c, repo: o/c}\n"
    )
    later.write_text("- {id: new, repo: o/n}\n- {id: a, path: tiny}\n")
    catalogue = load([first, later])
    assert [m.id for m in catalogue.models] == ["a", "b", "c", "new"]
    assert catalogue.default == ModelSpec("a", "tiny", path=folder / "tiny")
    assert catalogue.files == (first, later)


def test_the_files_may_be_named_relative_to_the_working_folder(folder, monkeypatch):
    read(folder, "- {id: a, path: tiny}")
    monkeypatch.chdir(folder)
    assert load([Path("models.yaml")]).default.path == folder / "tiny"


@pytest.mark.skipif(
    not (ROOT / "src/parley/guide/weights/guide-mini/config.json").is_file(),
    reason="the embedded guides are not trained yet",
)
def test_our_own_catalogue_is_right():
    catalogue = load([ROOT / "models.yaml"])
    assert [m.id for m in catalogue.models[:2]] == ["parley-guide", "parley-guide-mini"]
    assert len(catalogue.models) >= 14
    for model in catalogue.models:
        assert model.description
        assert model.developer
        assert model.license
        assert model.context
        assert 3 <= len(model.examples) <= 6
        assert model.openness["weights"].state != "unknown"
        assert model.path or any(link.url.endswith(model.repo) for link in model.links)
