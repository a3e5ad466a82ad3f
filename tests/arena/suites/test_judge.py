"""The judge: each pair twice with the seats swapped, and what it decides is kept."""

from __future__ import annotations

import asyncio

import pytest

from parley.arena.suites import plan as plans
from parley.arena.suites.journal import Journal
from parley.arena.suites.judge import Judge, counts, question, verdicts
from parley.catalog.spec import Sampling
from parley.grammar import fault
from tests.arena.suites.made import answer, index, make


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "run"
    make(folder, [{"prompt": "Say it", "expected": "it"}, {"prompt": "Again"}], judge="j")
    answer(folder, 0, "a", "from a")
    answer(folder, 0, "b", "from b")
    answer(folder, 1, "a", "only a")
    return folder


def judged(folder, says):
    """What is kept after a judge that answers each prompt by ``says``; and the prompts."""
    prompts = []

    async def weigh(prompt):
        prompts.append(prompt)
        return says(prompt)

    async def all_():
        with Journal(folder / plans.JUDGED) as journal:
            judge = Judge(index(folder), journal)
            for pair in list(judge.left()):
                await judge.decide(pair, weigh)

    asyncio.run(all_())
    return list(verdicts(folder)), prompts


@pytest.mark.parametrize(
    ("says", "verdict"),
    [
        (lambda prompt: "A" if "A: from a" in prompt else "B", "left"),
        (lambda prompt: "A" if "A: from b" in prompt else "B", "right"),
        (lambda prompt: "T", "tie"),
        (lambda prompt: "A", "abstain"),
        (lambda prompt: "B", "abstain"),
        (lambda prompt: "?", "abstain"),
        (lambda prompt: "T" if "A: from a" in prompt else "A", "abstain"),
    ],
)
def test_only_what_survives_the_swap_is_a_verdict(folder, says, verdict):
    (found,), prompts = judged(folder, says)
    assert (found.row, found.left, found.right, found.verdict) == (0, "a", "b", verdict)
    # The row with one answer is not judged; the other one twice.
    assert len(prompts) == 2
    assert "A: from a" in prompts[0]
    assert "A: from b" in prompts[1]
    assert "[Expected answer]\nit" in prompts[0]
    # Nothing is asked again.
    assert judged(folder, says)[1] == []


def test_a_judge_that_is_not_heard_leaves_the_pair_over(folder):
    assert judged(folder, lambda prompt: None)[0] == []
    found, prompts = judged(folder, lambda prompt: "T")
    assert len(found) == 1
    assert len(prompts) == 2


def test_counts(folder):
    judged(folder, lambda prompt: "A" if "A: from a" in prompt else "B")
    assert counts(folder) == {
        **{"pairs": 1, "flips": 0},
        **{"wins": {"a": 1}, "losses": {"b": 1}, "ties": {}},
    }


def test_the_judge_can_say_one_letter_only():
    sampling = Judge.sampling(Sampling(temperature=1.0, json_schema="{}"))
    assert fault(sampling) is None
    assert (sampling.temperature, sampling.regex) == (0.0, "[ABT]")


def test_long_answers_are_cut_for_the_judge(folder):
    row = index(folder).row(0)
    assert len(question(row, ["x" * 100_000], ["y"])) < 10_000
