"""Blind rounds, in a real browser: nothing names a model before the vote, and a vote is one."""

from __future__ import annotations

import json
import re

import pytest

from parley.arena.votes import VoteBox

NAMES = re.compile(
    r"quick llama|other olmo|slow llama|torn llama|\b(llama|olmo2?)\b", re.IGNORECASE
)


@pytest.fixture
def box(server):
    opened = VoteBox(server.data)
    yield opened
    opened.close()


class Round:
    def __init__(self, person) -> None:
        self.person, self.page = person, person.page

    def begin(self, text: str = "Babble") -> None:
        page = self.page
        page.click("[data-room=blind]")
        page.wait_for_selector(".voting.early")
        # Of all models here, the two quick ones, so that a round ends.
        page.evaluate("Parley.blind.among = ['quick', 'other']")
        self.person.send(text)
        page.wait_for_selector(".voting:not(.early)")
        self.person.wait_until_done()

    def vote(self, outcome: str) -> None:
        self.page.click(f".outcome.{outcome}")
        self.page.wait_for_selector(".model-card")

    def ask(self, question: str, **data):
        return self.page.evaluate(f"Parley.ask('{question}', {json.dumps(data)})")

    @property
    def key(self) -> str:
        return self.page.evaluate("Parley.compare.id")


@pytest.fixture
def round(person):
    return Round(person)


def test_a_round_from_prompt_to_reveal(round, person, box, server):
    page = round.page
    heard: list[str] = []
    page.on("response", lambda reply: "queue/data" in reply.url and heard.append(reply.url))
    round.begin("What shall we say?")
    seen = page.inner_text(".compare")
    assert not NAMES.search(seen), seen
    assert "tok/s" not in seen
    assert page.locator(".col .figures:visible").count() == 0
    page.click(".why summary")
    page.click(".tags .chip:has-text('Clear')")
    page.fill(".why input[type=text]", "Reads better.")
    round.vote("left")
    cards = page.locator(".model-card").all_inner_texts()
    assert {"Quick Llama" in card or "Other OLMo" in card for card in cards} == {True}
    assert page.locator(".model-card.won").count() == 1
    assert page.locator(".col .figures:visible").count() == 2
    vote = list(box.votes("nobody"))[-1]
    assert vote.outcome == "left"
    assert vote.ranked
    assert vote.mode == "blind"
    assert vote.tags == ("clear",)
    assert vote.comment == "Reads better."
    assert {vote.left.model, vote.right.model} == {"quick", "other"}
    assert vote.left.text
    assert vote.left.seed is not None
    assert vote.left.tokens_per_second
    assert vote.prompt[-1] == {"role": "user", "content": "What shall we say?"}
    assert page.locator(".col .pick .name").first.inner_text() in cards[0]


def test_a_second_vote_is_refused(round, box):
    page = round.page
    round.begin()
    before = len(list(box.votes("nobody")))
    key = round.key
    round.vote("tie")
    for outcome in ("left", "tie"):
        reply = round.ask("vote_round", chat=key, outcome=outcome)
        assert "voted" in reply["error"]["sentence"].lower()
    assert len(list(box.votes("nobody"))) == before + 1
    page.reload()
    round.person.ready()
    page.wait_for_selector(".col .msg.assistant")
    assert page.locator(".voting").count() == 0


def test_votes_have_keys(round, box):
    round.begin()
    round.page.locator(".col .scroll").first.focus()
    round.page.keyboard.press("4")
    round.page.wait_for_selector(".model-card")
    assert list(box.votes("nobody"))[-1].outcome == "both_bad"


def test_a_round_that_was_left_can_be_voted_on_later(round, person):
    page = round.page
    round.begin()
    page.reload()
    person.ready()
    page.wait_for_selector(".voting:not(.early)")
    assert not NAMES.search(page.inner_text(".compare"))
    round.vote("right")
    assert page.locator(".model-card.won").count() == 1


def test_names_seen_without_a_vote_end_the_round(round):
    round.begin()
    key = round.key
    round.page.click("[data-act=give-up]")
    round.page.wait_for_selector(".model-card")
    assert "error" in round.ask("vote_round", chat=key, outcome="left")


def test_nothing_that_is_sent_before_the_vote_names_a_model(round):
    page = round.page
    round.begin()
    found = round.ask("open_comparison", chat=round.key)
    for column in found["comparison"]["columns"]:
        assert column["model"] == ""
        assert column["side"] in ("left", "right")
        answer = column["messages"][-1]
        shown = json.dumps({k: v for k, v in answer.items() if k not in ("text", "blocks", "tail")})
        assert not NAMES.search(shown), shown
        assert answer["stats"] == ""
        assert answer["figures"] is None
    exported = round.ask("export_chats", chats=[round.key], format="markdown")
    assert "error" in exported
    page.click(".outcome.left")
    page.wait_for_selector(".model-card")
    assert "text" in round.ask("export_chats", chats=[round.key], format="markdown")


def test_the_next_round_begins_afresh(round):
    page = round.page
    round.begin()
    first = round.key
    round.vote("left")
    page.click("[data-act=next-round]")
    page.wait_for_selector(".voting.early")
    assert page.locator(".col .msg").count() == 0
    assert round.key != first
