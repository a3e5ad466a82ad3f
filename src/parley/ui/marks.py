"""What stands around the messages of a conversation: which alternatives there are, what was changed
before an answer, what its reader thought of it, what can still be done with it.

Pure: a tree of messages in, plain data out. The page finds the words. Knows nothing of how a
message is drawn or kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from parley.catalog.spec import Sampling
from parley.chats import tree
from parley.chats.records import ChatMessage

FORM = ("json_schema", "regex")
"""Two settings that a person sees as one: what the answer has to look like."""

_NUMBERS = frozenset(
    {field.name for field in fields(Sampling)} - {"stop", "logit_bias", "json_schema", "regex"}
)

Mark = dict[str, Any]


def marks(messages: Sequence[ChatMessage], leaf: str | None) -> dict[str, Mark]:
    """For each message from the first one down to ``leaf``, by its id.

    ``turn`` of ``turns`` is its place among the alternatives, oldest first, and ``beside`` the
    names of the models that wrote them (None for a question). Answers have more: ``changes``, see
    ``between``; ``feedback`` as it is kept; ``cut`` says that it met its token limit with
    nothing below it, so that it can go on; ``edited`` that a person wrote it anew.
    """
    # Grouped once: asking for each message's siblings would read the whole tree each time.
    below = tree.children(messages)
    found: dict[str, Mark] = {}
    answered: ChatMessage | None = None
    for message in tree.path(messages, leaf):
        family = below[message.parent]
        mark: Mark = {
            "turn": [one.id for one in family].index(message.id) + 1,
            "turns": len(family),
            "beside": [one.model_name for one in family],
        }
        if message.role == "assistant":
            mark |= {
                "changes": between(answered, message) if answered else [],
                "feedback": dict(message.feedback) if message.feedback else None,
                "cut": message.finish_reason == "length" and message.id not in below,
                "edited": bool(message.meta.get("edited")),
            }
            answered = message
        found[message.id] = mark
    return found


def between(before: ChatMessage, after: ChatMessage) -> list[Mark]:
    """What differs between how two answers came to be: ``what`` has changed, and for a number
    ``old`` and ``new`` as text, "" for a seed that is drawn anew each time. The model comes first.

    A model that ended before it was told anything left nothing to compare with.
    """
    changes: list[Mark] = []
    name = after.model_name or after.model
    if name and before.model != after.model:  # of an imported answer nobody may know the model
        changes.append({"what": "model", "new": name})
    old, new = before.meta, after.meta
    told, now = old.get("system_prompt"), new.get("system_prompt")
    if told is not None and now is not None and told != now:
        changes.append({"what": "system_prompt"})
    if old.get("sampling") and new.get("sampling"):
        changes += _settings(old["sampling"], new["sampling"])
    return changes


def _settings(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Mark]:
    changes: list[Mark] = []
    for field in fields(Sampling):
        name = field.name
        if name not in old or name not in new or plain(old[name]) == plain(new[name]):
            continue
        if name in _NUMBERS:
            changes.append({"what": name, "old": number(old[name]), "new": number(new[name])})
        else:
            what = "form" if name in FORM else name
            if not any(change["what"] == what for change in changes):
                changes.append({"what": what})
    return changes


def plain(value: Any) -> Any:
    """A setting as it comes back from the store: JSON knows no tuples."""
    return [plain(one) for one in value] if isinstance(value, list | tuple) else value


def number(value: float | int | None) -> str:
    """As a person types it: 0.7, 1, 512; "" for none."""
    return "" if value is None else str(value) if isinstance(value, int) else f"{value:g}"
