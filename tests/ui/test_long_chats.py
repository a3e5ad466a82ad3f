"""A conversation of hundreds of messages is as usable as one of two, in a real browser."""

from __future__ import annotations

import pytest

from parley.chats.store import Store
from tests.ui.transcripts import LAST, written


@pytest.fixture
def store(server):
    opened = Store(server.data)
    yield opened
    opened.close()


def long_chat(person, store, messages: int = 500) -> None:
    turns = [(f"Question number {n}", f"Answer number {n}.\n\n" * 4) for n in range(messages // 2)]
    written(person, store, *turns)


def test_of_five_hundred_messages_every_one_can_be_reached(person, store):
    page = person.page
    long_chat(person, store)
    assert page.locator(".msg").count() == 500
    # It opens at its end, and the end is the end.
    page.wait_for_timeout(300)
    end = """() => {
      const box = document.querySelector('.scroll');
      return box.scrollHeight - box.scrollTop - box.clientHeight;
    }"""
    assert page.evaluate(end) < 2
    assert page.locator(".msg.user >> nth=249").is_visible()
    in_view = """n => {
      const box = document.querySelector('.scroll').getBoundingClientRect();
      const here = n.getBoundingClientRect();
      return here.bottom > box.top && here.top < box.bottom;
    }"""
    assert page.locator(".msg.assistant >> nth=249").evaluate(in_view)
    page.focus(".scroll")
    page.keyboard.press("Home")
    page.wait_for_timeout(500)
    assert page.locator(".msg.user >> nth=0").evaluate(in_view)
    page.keyboard.press("End")
    # What comes into view is laid out then, and may differ from what was guessed.
    page.wait_for_function(f"({end})() < 2")
    for n in (17, 123, 240):
        node = page.locator(f".msg.user >> nth={n}")
        node.evaluate("n => Parley.scroll.to(n, 100)")  # as the search does
        page.wait_for_timeout(100)
        assert node.evaluate(in_view)
        assert node.inner_text() == f"Question number {n}"


def test_find_in_page_finds_what_is_not_in_view(person, store):
    page = person.page
    long_chat(person, store)
    assert page.evaluate("window.find('Question number 7', false, false, true)")
    assert page.evaluate("getSelection().toString()") == "Question number 7"
    # A browser then scrolls to what it has found, and it is there.
    page.evaluate("getSelection().focusNode.parentElement.scrollIntoView({ block: 'center' })")
    page.wait_for_timeout(300)
    found = page.evaluate(
        """() => {
          const at = getSelection().getRangeAt(0).getBoundingClientRect();
          const box = document.querySelector('.scroll').getBoundingClientRect();
          return at.height > 0 && at.bottom > box.top && at.top < box.bottom;
        }"""
    )
    assert found


def test_a_message_sent_from_far_above_is_pinned_near_the_top(person, store):
    page = person.page
    long_chat(person, store, 300)
    page.focus(".scroll")
    page.keyboard.press("Home")
    page.wait_for_timeout(300)
    person.send("From far above")
    person.wait_until_done()
    page.wait_for_timeout(900)
    above = page.evaluate(
        """() => [...document.querySelectorAll('.msg.user')].at(-1).getBoundingClientRect().top
          - document.querySelector('.scroll').getBoundingClientRect().top"""
    )
    assert 30 <= above <= 80


def test_turning_a_page_leaves_the_rest_of_a_long_chat_alone(person, store):
    page = person.page
    long_chat(person, store, 60)
    page.evaluate("document.querySelectorAll('.msg').forEach(n => { n.mine = true; })")
    page.click(f"{LAST} [data-act=retry]")
    person.wait_until_done()
    page.wait_for_selector(f"{LAST} .turns:has-text('2/2')")
    page.click(f"{LAST} .turns [data-step='-1']")
    page.wait_for_selector(f"{LAST} .turns:has-text('1/2')")
    kept = "[...document.querySelectorAll('.msg')].filter(n => n.mine).length"
    assert page.evaluate(kept) == 59
