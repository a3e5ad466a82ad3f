"""Choosing a model: search, filters, favourites, what was used last; all of it by keyboard."""

from __future__ import annotations

import pytest
import yaml

from parley.ui.views import is_permissive
from tests.ui.conftest import Person, running

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DATA = {"state": "open", "evidence": "https://example.org/data", "as_of": "2026-11"}
MANY = 200


def entries(folders) -> list[dict]:
    quick, other = str(folders["quick"]), str(folders["other"])
    return [
        {
            "id": "alpha-small",
            "name": "Alpha Small 0.5B",
            "path": quick,
            "family": "Alpha",
            "parameters": "500M",
            "license": "Apache-2.0",
            "domain": "general",
            "languages": ["en"],
            "openness": {"training_data": DATA},
        },
        {
            "id": "alpha-large",
            "name": "Alpha Large 7B",
            "path": quick,
            "family": "Alpha",
            "parameters": "7B",
            "license": "MIT",
            "domain": "code",
            "languages": ["en", "pt-BR"],
        },
        {
            "id": "beta",
            "name": "Bêta 2.5B",
            "path": other,
            "family": "Beta",
            "parameters": "2.5B",
            "license": "LicenseRef-House",
            "license_url": "https://example.org/licence",
            "domain": "medicine",
            "languages": ["de"],
            "openness": {"training_data": {**DATA, "state": "closed"}},
        },
        {
            "id": "giant",
            "name": "Giant 70B",
            "repo": "lab/giant",
            "family": "Giant",
            "parameters": "70B",
            "license": "Apache-2.0 OR LicenseRef-House",
            "license_url": "https://example.org/licence",
            "domain": "general",
            "languages": ["en"],
        },
        {"id": "plain", "name": "Plain", "path": other},
    ]


@pytest.fixture(scope="module")
def server(checkpoint_folders, tmp_path_factory):
    home = tmp_path_factory.mktemp("picker")
    file = home / "models.yaml"
    file.write_text(yaml.safe_dump({"models": entries(checkpoint_folders)}))
    with running(file, home / "data", PARLEY_MEMORY="500MB") as started:
        yield started


def opened(person) -> None:
    person.page.click("button.picker")
    person.page.wait_for_selector("dialog.sheet[open]")


def listed(person) -> list[str]:
    return person.page.eval_on_selector_all(
        ".options .row", "all => all.map(node => node.dataset.key)"
    )


def sections(person) -> list[tuple[str, list[str]]]:
    """Every heading that is shown, with the models right below it."""
    found = person.page.evaluate(
        """() => [...document.querySelectorAll('.options .section')].map(node => [
          [...node.querySelectorAll('h3, h4')].filter(h => !h.hidden).map(h => h.textContent),
          [...node.querySelectorAll('.row')].map(row => row.dataset.key)])"""
    )
    return [(" / ".join(headings), keys) for headings, keys in found]


def on(person) -> str | None:
    """The row that Enter would pick, as a screen reader hears it."""
    return person.page.evaluate(
        """() => {
          const search = document.querySelector('dialog.sheet[open] input');
          const node = document.getElementById(search.getAttribute('aria-activedescendant'));
          const marked = document.querySelectorAll('.options .option[aria-selected=true]');
          const one = marked.length === 1 && marked[0] === node;
          return one ? node.closest('.row').dataset.key : null;
        }"""
    )


def count(person) -> str:
    return person.page.inner_text(".filters .count [role=status]")


def filter_by(person, label: str) -> None:
    person.page.click(f".filters .filter:text-is('{label}')")


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("alpha", ["alpha-small", "alpha-large"]),
        ("  LARGE--alpha! ", ["alpha-large"]),
        ("0 5b", ["alpha-small"]),
        ("0.5b", ["alpha-small"]),
        ("beta", ["beta"]),
        ("alphalarge", ["alpha-large"]),
        ("medicine", ["beta"]),
        ("alpha medicine", []),
    ],
)
def test_every_word_of_a_search_must_occur_whatever_stands_between(person, typed, found):
    opened(person)
    person.page.fill("dialog.sheet[open] input", typed)
    assert listed(person) == found
    assert count(person) == f"{len(found)} of 5 models"
    if found:
        assert on(person) == found[0]


def test_all_models_stand_under_their_families(person):
    opened(person)
    assert sections(person) == [
        ("All models / Alpha", ["alpha-small", "alpha-large"]),
        ("Beta", ["beta"]),
        ("Giant", ["giant"]),
        ("Without a family", ["plain"]),
    ]
    assert count(person) == "5 models"


def test_filters_combine_are_counted_remembered_and_cleared(person):
    opened(person)
    filter_by(person, "Permissive licence")
    assert listed(person) == ["alpha-small", "alpha-large", "giant"]
    filter_by(person, "≤ 1B")
    filter_by(person, "4–10B")
    assert listed(person) == ["alpha-small", "alpha-large"]
    assert count(person) == "2 of 5 models"
    person.page.select_option(".filters select[aria-label=Language]", label="Portuguese")
    assert listed(person) == ["alpha-large"]
    person.page.reload()
    person.ready()
    opened(person)
    assert listed(person) == ["alpha-large"]
    pressed = person.page.locator(".filters [aria-pressed=true]")
    assert pressed.all_inner_texts() == ["≤ 1B", "4–10B", "Permissive licence"]
    person.page.click(".filters .clear")
    assert len(listed(person)) == 5
    assert pressed.count() == 0
    person.page.reload()
    person.ready()
    opened(person)
    assert len(listed(person)) == 5


def test_filters_know_the_machine_the_data_and_the_domain(person):
    opened(person)
    person.page.locator(".row[data-key=giant]", has_text="Too large").wait_for()
    filter_by(person, "Fits this machine")
    assert "giant" not in listed(person)
    assert "alpha-small" in listed(person)
    person.page.click(".filters .clear")
    filter_by(person, "Open data")
    assert listed(person) == ["alpha-small"]
    person.page.click(".filters .clear")
    person.page.select_option(".filters select[aria-label=Domain]", "medicine")
    assert listed(person) == ["beta"]


def test_when_nothing_is_left_it_says_which_filter_to_lift(person):
    opened(person)
    filter_by(person, "Open data")
    person.page.select_option(".filters select[aria-label=Domain]", "code")
    ways = person.page.locator(".sheet .none button")
    assert "No model matches." in person.page.inner_text(".sheet .none")
    assert ways.all_inner_texts() == ["Without “Open data” (1)", "Without “Domain: code” (1)"]
    person.page.fill("dialog.sheet[open] input", "small")
    # One step only leads somewhere.
    assert ways.all_inner_texts() == ["Without “Domain: code” (1)"]
    ways.first.click()
    assert listed(person) == ["alpha-small"]
    person.page.fill("dialog.sheet[open] input", "zebra")
    ways.filter(has_text="Without the search (1)").click()
    assert person.page.input_value("dialog.sheet[open] input") == ""
    assert listed(person) == ["alpha-small"]


def test_a_filter_that_finds_nothing_here_is_not_offered(person):
    opened(person)
    shown = person.page.locator(".filters .filter:visible").all_inner_texts()
    assert "> 10B" in shown
    person.page.evaluate("Parley.models = Parley.models.filter(m => m.id !== 'giant')")
    person.page.evaluate("Parley.picker.refresh()")
    assert "> 10B" not in person.page.locator(".filters .filter:visible").all_inner_texts()


def test_arrows_walk_over_all_sections_and_enter_picks(person):
    page = person.page
    page.keyboard.press("Control+k")
    assert on(person) == "alpha-small"
    seen = []
    for _ in range(6):
        seen.append(on(person))
        page.keyboard.press("ArrowDown")
    assert seen == ["alpha-small", "alpha-large", "beta", "giant", "plain", "alpha-small"]
    page.keyboard.press("End")
    assert on(person) == "plain"
    page.keyboard.press("Home")
    assert on(person) == "alpha-small"
    page.keyboard.press("ArrowUp")
    assert on(person) == "plain"
    page.keyboard.press("Enter")
    assert not page.is_visible("dialog.sheet[open]")
    assert page.inner_text("button.picker .name") == "Plain"


def test_filters_are_reached_by_tab_and_left_by_an_arrow(person):
    page = person.page
    page.keyboard.press("Control+k")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "filter"
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"
    assert listed(person) == ["alpha-small"]
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.type") == "search"
    assert on(person) == "alpha-large"


def test_a_favourite_comes_first_the_next_time(person):
    page = person.page
    page.keyboard.press("Control+k")
    page.keyboard.press("End")
    page.keyboard.press("Control+d")
    star = page.locator(".row[data-key=plain] .star")
    assert star.get_attribute("aria-pressed") == "true"
    # Nothing moves away under a hand.
    assert on(person) == "plain"
    assert sections(person)[0][0] == "All models / Alpha"
    assert "is a favourite now" in page.inner_text(".sheet .heard")
    page.click(".row[data-key=beta] .star")
    assert page.is_visible("dialog.sheet[open]")
    page.keyboard.press("Escape")
    page.reload()
    person.ready()
    opened(person)
    assert sections(person)[:2] == [
        ("Favourites", ["plain", "beta"]),
        ("Other models / Alpha", ["alpha-small", "alpha-large"]),
    ]
    assert sorted(listed(person)) == sorted(
        ["alpha-small", "alpha-large", "beta", "giant", "plain"]
    )
    page.click(".row[data-key=plain] .star")
    page.keyboard.press("Escape")
    opened(person)
    assert sections(person)[0] == ("Favourites", ["beta"])


def test_what_was_used_last_comes_next(person):
    person.pick("Plain")
    person.pick("Bêta")
    opened(person)
    # With what was there at first.
    assert sections(person)[0] == ("Recent", ["beta", "plain", "alpha-small"])
    assert on(person) == "beta"
    person.page.keyboard.press("Control+d")
    person.page.keyboard.press("Escape")
    opened(person)
    assert sections(person)[:2] == [
        ("Favourites", ["beta"]),
        ("Recent", ["plain", "alpha-small"]),
    ]


def test_a_model_can_be_chosen_for_another_purpose(person):
    page = person.page
    page.evaluate(
        "Parley.picker.choose({ title: 'Write it again with', onPick: id => { window.got = id; } })"
    )
    assert page.inner_text("dialog.sheet[open] h2") == "Write it again with"
    assert page.locator(".option .name .icon").count() == 0
    page.click(".option:has-text('Alpha Small')")  # the one that answers next can be meant too
    assert page.evaluate("window.got") == "alpha-small"
    page.evaluate("Parley.picker.choose({ title: 'x', onPick: id => { window.got = id; } })")
    page.click(".option:has-text('Plain')")
    assert page.evaluate("window.got") == "plain"
    assert page.inner_text("button.picker .name") == "Alpha Small 0.5B"
    opened(person)
    assert page.inner_text("dialog.sheet[open] h2") == "Choose a model"
    page.click(".option:has-text('Bêta')")
    assert page.inner_text("button.picker .name") == "Bêta 2.5B"
    assert page.evaluate("window.got") == "plain"


def test_a_phone_has_the_filters_and_keeps_the_keyboard_away(people):
    phone = people(**PHONE)
    opened(phone)
    assert phone.page.evaluate("document.activeElement.tagName") != "INPUT"
    phone.page.tap(".filters .filter:text-is('≤ 1B')")
    assert listed(phone) == ["alpha-small"]
    phone.page.tap(".filters .filter:text-is('Open data')")  # swept into view
    box = phone.page.locator(".filters .clear").bounding_box()
    assert box["x"] + box["width"] <= 390
    phone.page.tap(".row[data-key=alpha-small] .star")
    assert phone.page.is_visible("dialog.sheet[open]")
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_two_hundred_models_are_all_there(browser, checkpoint_folders, tmp_path_factory):
    home = tmp_path_factory.mktemp("many")
    many = [
        {
            "id": f"m{i}",
            "name": f"Model {i}",
            "path": str(checkpoint_folders["quick"]),
            "family": f"Family {i % 12}",
            "description": "A long list has to stay quick to search.",
            "languages": ["en"],
        }
        for i in range(MANY)
    ]
    file = home / "models.yaml"
    file.write_text(yaml.safe_dump({"models": many}))
    with running(file, home / "data") as started:
        person = Person(browser, started.url)
        opened(person)
        assert len(listed(person)) == MANY
        assert len(sections(person)) == 12
        person.page.keyboard.press("End")
        last = on(person)
        assert person.page.locator(f".row[data-key={last}]").is_visible()
        person.page.keyboard.type("model 19")
        assert sorted(listed(person)) == sorted(
            ["m19", "m119", *(f"m{i}" for i in range(190, 200))]
        )
        assert person.faults == []
        person.close()


@pytest.mark.parametrize(
    ("licence", "free"),
    [
        ("Apache-2.0", True),
        ("MIT OR LicenseRef-House", True),
        ("MIT AND CC-BY-NC-4.0", False),
        ("MIT AND Apache-2.0", True),
        ("GPL-3.0-only", False),
        ("Apache-2.0 WITH LLVM-exception", False),
        ("(MIT OR Apache-2.0) AND CC-BY-NC-4.0", False),
        ("LicenseRef-House", False),
        (None, False),
    ],
)
def test_which_licences_are_permissive(licence, free):
    assert is_permissive(licence) is free
