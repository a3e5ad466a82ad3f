"""The catalogue as a table, for eyes and for the README."""

from __future__ import annotations

from pathlib import Path

import pytest

from parley.catalog.spec import Catalogue, ModelSpec
from parley.catalog.table import BEGIN, END, between_markers, markdown_table, parameters, table

CATALOGUE = Catalogue(
    (
        ModelSpec("guide", "Guide", path=Path("/x/weights/guide"), parameters=4_100_000),
        ModelSpec(
            "ja",
            "日本語",
            repo="o/ja|x",
            parameters=1_700_000_000,
            license="MIT",
            context_trained=8192,
        ),
        ModelSpec("far", "Far", path=Path("/y/far")),
    ),
    (Path("/x/models.yaml"),),
)


def test_a_table_is_aligned_also_with_wide_letters():
    assert table(CATALOGUE).splitlines() == [
        "id     name    parameters  licence  context  source",
        "guide  Guide         4.1M                    weights/guide",
        "ja     日本語        1.7B  MIT        8,192  o/ja|x",
        "far    Far                                   /y/far",
    ]


def test_the_same_in_markdown():
    assert markdown_table(CATALOGUE).splitlines() == [
        "| Id | Name | Parameters | Licence | Context | Source |",
        "| --- | --- | ---: | --- | ---: | --- |",
        "| `guide` | Guide | 4.1M |  |  | `weights/guide` |",
        "| `ja` | 日本語 | 1.7B | MIT | 8,192 | [o/ja\\|x](https://huggingface.co/o/ja|x) |",
        "| `far` | Far |  |  |  | `/y/far` |",
    ]


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (None, ""),
        (950, "950"),
        (135_000_000, "135M"),
        (494_032_768, "494M"),
        (999_900_000, "1B"),
        (1_700_000_000, "1.7B"),
        (46_700_000_000, "46.7B"),
        (1_000_000_000_000, "1T"),
    ],
)
def test_parameters_are_said_as_people_say_them(count, said):
    assert parameters(count) == said


def test_a_table_goes_between_its_markers():
    page = f"a\n{BEGIN}\nold\n{END}\nb\n"
    once = between_markers(page, "new")
    assert once == f"a\n{BEGIN}\nnew\n{END}\nb\n"
    assert between_markers(once, "new") == once


@pytest.mark.parametrize("page", ["", BEGIN, f"{END}{BEGIN}", f"{BEGIN}{BEGIN}{END}"])
def test_a_page_without_its_markers_is_refused(page):
    with pytest.raises(ValueError, match="needs one"):
        between_markers(page, "new")
