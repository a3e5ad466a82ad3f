"""The leaderboard in a real browser, over votes in a real store."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

from parley.arena.votes import VoteBox
from tests.arena.voting import many, vote
from tests.ui.conftest import running
from tests.ui.test_accessibility import LOOKS, findings

STRENGTHS = {"quick": 200.0, "other": 0.0, "slow": -200.0}


@pytest.fixture(scope="module")
def server(models_file, tmp_path_factory):
    with running(models_file, tmp_path_factory.mktemp("board")) as started:
        yield started


@pytest.fixture(scope="module")
def empty(models_file, tmp_path_factory):
    with running(models_file, tmp_path_factory.mktemp("empty")) as started:
        yield started


@pytest.fixture(scope="module")
def box(server):
    opened = VoteBox(server.data)
    many(opened, STRENGTHS, 240)
    opened.cast(vote("torn", "nobody's-model", "left", category="coding"))
    yield opened
    opened.close()


@pytest.fixture
def board(people, box):
    """A page that shows the board."""

    def show(**options):
        page = people(**options).page
        page.evaluate("Parley.stage.go('board')")
        page.wait_for_selector(".ratings")
        return page

    return show


def models(page) -> list[list[str]]:
    """By group, in order."""
    return page.eval_on_selector_all(
        ".ratings",
        "all => all.map(t => [...t.querySelectorAll('tbody tr')].map(r => r.dataset.model))",
    )


def test_models_stand_in_order_with_ranges_and_intervals(board):
    page = board()
    assert models(page)[0] == ["quick", "other", "slow"]
    first = page.locator(".ratings tbody tr").first.inner_text()
    assert "Quick Llama" in first
    assert re.search(r"\d+ ± \d+", first)
    assert page.locator(".ratings .whisker circle").count() >= 3
    assert page.locator(".pairs tbody td.ahead").count() >= 3


def test_those_who_never_met_stand_apart_and_without_ranks(board):
    page = board()
    # By name, not by rating, though the one vote there is was for the other.
    assert models(page)[1] == ["nobody's-model", "torn"]
    assert page.locator(".apart").is_visible()
    few = page.locator(".few").last.inner_text()
    assert "Not enough votes" in few
    ranks = page.locator(".standing >> nth=1").locator("tbody .rank").all_inner_texts()
    assert ranks == ["–", "–"]


def test_a_filter_changes_which_votes_count(board):
    page = board()
    everything = page.inner_text(".lead")
    page.select_option(".board select >> nth=0", "coding")
    expect(page.locator(".lead")).not_to_have_text(everything)
    expect(page.locator(".ratings")).to_have_count(1)
    assert sorted(models(page)[0]) == ["nobody's-model", "torn"]
    page.click("[data-act=board-clear]")
    expect(page.locator(".lead")).to_have_text(everything)


def test_ties_are_left_out_of_the_ratings_and_stay_out_after_a_reload(board):
    page = board()
    votes = page.locator(".ratings tbody .votes").first
    everything = votes.text_content()
    page.click(".board .filter:has-text('Drop ties')")
    expect(votes).not_to_have_text(everything)
    fewer = votes.text_content()
    page.reload()
    page.wait_for_selector(".ratings")
    expect(page.locator(".board .filter[aria-pressed=true]")).to_have_text("Drop ties")
    expect(votes).to_have_text(fewer)


def test_of_two_models_each_has_what_the_other_lacks(board):
    cells = board().eval_on_selector_all(
        ".standing:first-of-type .pairs tbody td:not(.self)",
        "all => all.map(td => [parseInt(td.querySelector('b').textContent), td.title])",
    )
    shares = [share for share, _ in cells]
    # Quick over other, quick over slow; other over quick, over slow; slow over quick, over other.
    for one, back in ((0, 2), (1, 4), (3, 5)):
        assert abs(shares[one] + shares[back] - 100) <= 1
    assert re.search(r"Quick Llama against .+: \d+% \(\d+–\d+%\)", cells[0][1])


def test_the_middle_of_the_ratings_is_marked(board):
    page = board()
    assert page.locator(".ratings >> nth=0").locator(".axis .middle").text_content() == "1000"
    marks = page.locator(".ratings >> nth=0").locator(".whisker .middle")
    expect(marks).to_have_count(3)


def test_a_new_vote_is_seen_without_a_reload(board, box):
    page = board()
    before = page.inner_text(".lead")
    box.cast(vote("quick", "slow", "left"))
    expect(page.locator(".lead")).not_to_have_text(before, timeout=30_000)


@pytest.mark.parametrize(("format", "rows"), [("jsonl", 200), ("csv", 200)])
def test_votes_are_exported(board, format, rows):
    page = board()
    found = page.evaluate(f"Parley.ask('export_votes', {{ format: '{format}' }})")
    assert found["name"].endswith(format)
    assert len(found["text"].splitlines()) > rows


def test_votes_are_exported_to_a_file_and_imported_by_another(board, people, empty, tmp_path):
    page = board()
    page.click("[data-act=board-export]")
    with page.expect_download() as coming:
        page.click("[role=menuitem]:has-text('JSON Lines')")
    file = tmp_path / "votes.jsonl"
    coming.value.save_as(file)
    line = json.loads(file.read_text().splitlines()[0])
    assert line["outcome"] in ("left", "right", "tie", "both_bad")
    page.goto(empty.url + "/#/board")
    page.wait_for_selector(".board .empty")
    page.set_input_files(".board input[type=file]", str(file))
    page.wait_for_selector(".ratings")
    assert "imported" in page.inner_text(".board .news")


def test_without_votes_it_says_how_to_begin(people, empty):
    page = people().page
    page.goto(empty.url + "/#/board")
    page.wait_for_selector(".parley[data-ready]")
    page.click(".board .empty [data-room=blind]")
    page.wait_for_selector(".voting")


@pytest.mark.parametrize("look", LOOKS)
def test_nothing_grave_is_found_on_the_board(board, look):
    page = board(**LOOKS[look])
    assert findings(page) == []
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
