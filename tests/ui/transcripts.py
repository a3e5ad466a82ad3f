"""Conversations that a test puts into the store, and answers that it lets arrive in the page."""

from __future__ import annotations

from parley.chats.records import ChatMessage, owner_of
from parley.events import Delta, Finished, Started, Stats
from parley.ui.live import LiveAnswer

BOX = ".composer textarea"
LAST = ".msg.assistant:last-child"

CODE = f"""Here is some code:

```python
def f(x):
    return [x for _ in range(100)]  # longer than any screen is wide {"!" * 200}
```

| {" | ".join(["a wide head"] * 24)} |
| {" | ".join(["---"] * 24)} |
| {" | ".join(["a cell"] * 24)} |
"""


def written(person, store, *turns, **meta) -> str:
    """A chat that this person has had, as its address; each turn is a question and an answer."""
    owner = owner_of(person.page.evaluate("Parley.owner"))
    chat, parent = store.create_chat(owner, "quick").id, None
    for said, text in turns:
        question = store.add_user(chat, parent, said)
        parent = store.begin_answer(chat, question.id, "quick", "Quick Llama").id
        store.end_answer(parent, "done", text, reason="stop", meta=meta)
    person.page.goto(f"{person.url}/#/c/{chat}")
    person.page.reload()
    person.ready()
    return chat


class Stream:
    """An answer that arrives in the page just as a real one does, when the test says so."""

    def __init__(self, page) -> None:
        self._page = page
        answer = ChatMessage("live", "q", "assistant", "", model="quick", model_name="Quick Llama")
        self._live = LiveAnswer(answer)
        page.evaluate("Parley.chats.view('chat')")
        page.evaluate("Parley.transcript.upsert({ id: 'q', role: 'user', text: 'Well?' })")
        self.show()

    def show(self, meta=None) -> None:
        self._page.evaluate("v => { Parley.transcript.upsert(v) }", self._live.view(meta))

    def say(self, text: str = "", thinking: str = "") -> None:
        self._live.take(Delta(text, thinking, 1))
        self.show()

    def start(self) -> None:
        self._live.take(Started(3))
        self.show()

    def end(self, **stats) -> None:
        self._live.take(Finished("stop", Stats(**stats)))
        self.show({"stats": stats})


def texts(page, selector: str) -> list[str]:
    return page.eval_on_selector_all(selector, "all => all.map(n => n.innerText)")


def said(page) -> list[str]:
    return texts(page, ".msg.user .said")
