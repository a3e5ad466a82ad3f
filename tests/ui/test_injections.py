"""Nothing that a model or a person writes runs, or loads anything from elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from parley.chats.records import owner_of
from parley.chats.store import Store
from tests.ui.conftest import Person

CORPUS = (Path(__file__).parent / "injections.txt").read_text(encoding="utf-8").splitlines()
STRINGS = [line for line in CORPUS if line.strip() and not line.startswith("#")]


@pytest.fixture
def visitor(browser, server):
    person = Person(browser, server.url)
    yield person
    person.close()


def test_the_corpus_is_large_enough():
    assert len(STRINGS) >= 100


def test_a_hostile_conversation_is_only_text(visitor, server):
    """Every string as a question, an answer, a chat's title and a thought, in one chat."""
    owner = owner_of(visitor.page.evaluate("Parley.owner"))
    store = Store(server.data)
    chat = store.create_chat(owner, "quick")
    parent = None
    for text in STRINGS:
        question = store.add_user(chat.id, parent, text)
        answer = store.begin_answer(chat.id, question.id, "quick", text[:80])
        store.end_answer(answer.id, "done", text, thinking=text, reason="stop")
        parent = answer.id
    store.rename(owner, chat.id, STRINGS[0])
    store.close()

    asked: list[str] = []
    dialogs: list[str] = []
    page = visitor.page
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(f"{server.url}/#/c/{chat.id}")
    page.reload()
    visitor.ready()
    assert page.locator(".msg.assistant").count() == len(STRINGS)
    # Whatever waits for a pointer gets one.
    page.evaluate(
        """() => document.querySelectorAll('.messages *').forEach(node => {
          for (const name of ['mouseover', 'focus', 'error', 'load', 'toggle', 'animationstart'])
            node.dispatchEvent(new Event(name));
        })"""
    )
    page.wait_for_timeout(500)
    active = page.evaluate(
        """() => [...document.querySelectorAll('.messages *')].flatMap(node =>
          [...node.attributes].filter(a => /^on/i.test(a.name) ||
            /^\\s*(javascript|data|vbscript):/i.test(a.value)).map(a => a.name + '=' + a.value)
            .concat(['SCRIPT', 'IFRAME', 'OBJECT', 'EMBED', 'FORM', 'LINK', 'META', 'BASE', 'IMG']
              .includes(node.tagName) ? [node.tagName] : []))"""
    )
    assert active == []
    assert dialogs == []
    assert [url for url in asked if not url.startswith((server.url, "data:", "blob:"))] == []
    assert page.title() == "Parley"
    assert page.url.startswith(server.url)
