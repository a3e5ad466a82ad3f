"""The leaderboard of some of the votes: which ones count, ranked, as plain values for a page.

Filters first, then ``ranking.rank``, which knows nothing of them. Pure: tallies in, JSON out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from parley.arena.ballots import Ballot, Style
from parley.arena.ranking import Rules, rank
from parley.arena.records import CATEGORIES, HUMAN
from parley.arena.votes import Tally

JudgeKind = Literal["human", "model", "all"]
ModeKind = Literal["blind", "open", "all"]

DAY = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Filters:
    """Which votes count; None is no limit. ``since`` is seconds since the epoch. In mode "blind"
    those that rank; "open" are those cast with names in sight, and "all" are both. A leaked round
    is in none of them."""

    category: str | None = None
    language: str | None = None
    mine: bool = False
    judge: JudgeKind = "human"
    mode: ModeKind = "blind"
    since: float | None = None
    imported: bool = True

    def counts(self, vote: Tally, me: str) -> bool:
        # A contestant is no judge of itself.
        if vote.judge in (vote.left, vote.right):
            return False
        return (
            self.category in (None, vote.category)
            and self.language in (None, vote.language)
            and (not self.mine or vote.imported or vote.voter == me)
            and (self.judge == "all" or (vote.judge == HUMAN) == (self.judge == "human"))
            and _in_mode(vote, self.mode)
            and (self.since is None or vote.created >= self.since)
            and (self.imported or not vote.imported)
        )


def _in_mode(vote: Tally, mode: ModeKind) -> bool:
    blind, seen = vote.mode == "blind" and vote.ranked, vote.mode == "open"
    return {"blind": blind, "open": seen, "all": blind or seen}[mode]


def filters_of(asked: Mapping[str, Any], now: float) -> Filters:
    """What a page asks for; what is not understood is no limit. ``days`` is how far back."""
    days = asked.get("days")
    good = isinstance(days, int | float) and not isinstance(days, bool) and 0 < days < 1e5
    judge, mode = asked.get("judge"), asked.get("mode")
    language = asked.get("language")
    return Filters(
        category=asked.get("category") if asked.get("category") in CATEGORIES else None,
        language=language if isinstance(language, str) and language else None,
        mine=asked.get("mine") is True,
        judge=judge if judge in get_args(JudgeKind) else "human",  # type: ignore[arg-type] # is one
        mode=mode if mode in get_args(ModeKind) else "blind",  # type: ignore[arg-type] # is one
        since=now - days * DAY if good else None,  # type: ignore[operator] # good says it is one
        imported=asked.get("imported") is not False,
    )


def ballots(tallies: Iterable[Tally], filters: Filters, me: str) -> list[Ballot]:
    """The votes that count. A person is one voter wherever they sat; so is a model that judges."""
    return [
        Ballot(
            vote.left,
            vote.right,
            vote.outcome,  # type: ignore[arg-type] # checked when it was cast
            vote.voter if vote.judge == HUMAN else f"model:{vote.judge}",
            (Style(*vote.style[0]), Style(*vote.style[1])),
        )
        for vote in tallies
        if filters.counts(vote, me)
    ]


def board(
    tallies: Sequence[Tally],
    filters: Filters,
    me: str,
    *,
    style: bool = False,
    drop_ties: bool = False,
) -> dict[str, Any]:
    """The board of ``ranking.Board`` as JSON, and what can be chosen from: ``facets``. ``all`` is
    how many votes there are, whatever counts."""
    made = rank(ballots(tallies, filters, me), Rules(drop_ties=drop_ties, style=style))
    languages = Counter(vote.language for vote in tallies)
    categories = Counter(vote.category for vote in tallies)
    return asdict(made) | {
        "all": len(tallies),
        "enough": Rules().enough,
        "facets": {
            "languages": dict(languages.most_common()),
            "categories": {name: categories[name] for name in CATEGORIES if categories[name]},
            "imported": sum(vote.imported for vote in tallies),
            "mine": sum(vote.voter == me and not vote.imported for vote in tallies),
            "open": sum(vote.mode == "open" for vote in tallies),
            "judged": sum(vote.judge != HUMAN for vote in tallies),
            "leaked": sum(vote.mode == "blind" and not vote.ranked for vote in tallies),
        },
    }
