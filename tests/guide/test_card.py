"""The card: true figures, and scores only for the weights that were measured."""

from __future__ import annotations

from pathlib import Path

import pytest

import parley.guide
from parley.guide.card import card, weights_digest

WEIGHTS = Path(parley.guide.__file__).with_name("weights")
COUNTS = {"app_help": {"passed": 9, "n": 10}}


@pytest.mark.parametrize(("name", "limit"), [("guide", 4_900_000), ("guide-mini", 1_300_000)])
def test_the_card_states_the_size(name: str, limit: int) -> None:
    text = card(WEIGHTS / name, {})
    [row] = [line for line in text.splitlines() if line.startswith("| parameters")]
    assert 500_000 < int(row.split("|")[2].replace(",", "")) <= limit


def test_scores_of_other_weights_are_not_shown() -> None:
    folder = WEIGHTS / "guide"
    scored = {"sha256": weights_digest(folder), "categories": COUNTS, "overall": COUNTS["app_help"]}
    assert "| app_help | 9 of 10 |" in card(folder, {"models": {"guide": scored}})
    other = scored | {"sha256": "0" * 64}
    assert "9 of 10" not in card(folder, {"models": {"guide": other}})
    assert "Not measured yet" in card(folder, {})
