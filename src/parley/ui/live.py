"""One answer while it is being written, as the page draws it.

Folds the engine's events into the value that is sent at every tick: finished Markdown blocks are
appended once, only the open tail changes. Knows nothing of Gradio or of time.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from parley.chats.records import ChatMessage
from parley.events import Delta, Event, Failed, Finished, Loading, Queued, Started
from parley.speech import Said
from parley.ui import stats, views
from parley.ui.markdown import StreamingMarkdown


class LiveAnswer:
    """``take`` events, then read ``view``: plain data, a new value at each call."""

    def __init__(
        self, answer: ChatMessage, turn: int = 1, turns: int = 1, thought: float = 0.0
    ) -> None:
        """It is the ``turn``-th of the ``turns`` answers to its question; ``thought`` is how many
        seconds it had thought when its reader came."""
        self._head = {
            "id": answer.id,
            "role": "assistant",
            "model": answer.model,
            "model_name": answer.model_name,
            "turn": turn,
            "turns": turns,
            # The page counts on from here: it was not there when the thinking began.
            "thinking_for": round(thought, 1),
        }
        self._markdown = StreamingMarkdown()
        self._thinking: list[str] = []
        self._state = "waiting"
        self._status: str = Said("Getting ready")
        self._progress: float | None = None
        self._waits_for = ""
        self._download = _Speed()
        self._notes: tuple[str, ...] = ()
        self._end: Finished | Failed | None = None
        self._text: list[str] = []

    def take(self, event: Event) -> None:
        match event:
            case Queued():
                self._status, self._progress = Said(views.queued(event)), None
                self._waits_for = "place"
            case Loading():
                speed = self._download.take(event) if event.phase == "download" else None
                self._status = Said(views.loading(event, speed))
                self._progress = views.progress(event)
                self._waits_for = "model"
            case Started():
                self._notes = event.notes
                self._status, self._progress = Said("Reading the prompt"), None
                self._waits_for = ""
            case Delta():
                self._state = "streaming"
                self._status = ""
                if event.thinking:
                    self._thinking.append(event.thinking)
                if event.text:
                    self._text.append(event.text)
                    self._markdown.feed(event.text)
            case Finished() | Failed():
                self._end = event
                self._status = ""
                self._state = _end_state(event)
                self._markdown.finish()

    @property
    def begun(self) -> bool:
        """The first text is there."""
        return self._state == "streaming"

    @property
    def ended(self) -> bool:
        return self._end is not None

    def view(self, meta: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """``meta`` is what the store keeps of a finished answer; given once it has ended."""
        end = self._end
        spent = (meta or {}).get("stats") or {}
        thought = spent.get("thinking_seconds") or 0.0
        reason = end.reason if isinstance(end, Finished) else None
        return self._head | {
            "state": self._state,
            "status": self._status,
            "progress": self._progress,
            # What the person may call off by Cancel: a "place" in the queue, a "model" that loads.
            "waits_for": self._waits_for if self._state == "waiting" else "",
            "notes": [Said(note) for note in self._notes],
            "thinking": "".join(self._thinking),
            "thinking_label": Said(views.thought(thought) if end else "Thinking"),
            "blocks": list(self._markdown.blocks),
            "tail": self._markdown.tail,
            # Another number makes the page draw the blocks anew.
            "version": int(self._markdown.replaced),
            "text": "".join(self._text) if end else "",
            "stats": Said(stats.line(spent, reason) if end else ""),
            "figures": stats.figures(spent, reason) if end else None,
            "error": views.refusal(end) if isinstance(end, Failed) else None,
        }


def _end_state(event: Finished | Failed) -> str:
    """As the store keeps it, so that the page shows the same before and after a reload."""
    if isinstance(event, Failed):
        return "failed"
    return "stopped" if event.reason == "cancelled" else "done"


class _Speed:
    """Bytes per second of a download, over the last few seconds of its reports."""

    LOOK_BACK = 5.0

    def __init__(self) -> None:
        self._reports: deque[Loading] = deque()

    def take(self, event: Loading) -> float | None:
        """None until there is a second's worth to judge by. The first report may count what an
        earlier try has left on the disk, so only growth is speed."""
        if self._reports and event.done < self._reports[-1].done:
            self._reports.clear()
        self._reports.append(event)
        while event.seconds - self._reports[0].seconds > self.LOOK_BACK:
            self._reports.popleft()
        first = self._reports[0]
        span = event.seconds - first.seconds
        return (event.done - first.done) / span if span >= 1 else None


def merged(events: Sequence[Event]) -> Iterator[Event]:
    """The same events with neighbouring deltas as one: rendering Markdown costs by the feed."""
    for is_text, group in itertools.groupby(events, lambda event: isinstance(event, Delta)):
        if not is_text:
            yield from group
            continue
        deltas = [event for event in group if isinstance(event, Delta)]
        yield Delta(
            "".join(d.text for d in deltas),
            "".join(d.thinking for d in deltas),
            sum(d.tokens for d in deltas),
        )
