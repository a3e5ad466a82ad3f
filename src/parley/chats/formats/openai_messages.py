"""Messages as OpenAI's chat interface writes them, and as many data sets do.

One line of conversation: of a tree, the branch that is read now. Texts only. Parley keeps a system
prompt with the answers that were written under it, so that is where one of these goes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from parley.chats import tree
from parley.chats.formats import values
from parley.chats.records import Chat, ChatMessage, MessageRole, storable

ROLES: dict[str, MessageRole | None] = {
    "system": None,
    "developer": None,
    "user": "user",
    "assistant": "assistant",
}
"""What they become; None goes into a system prompt."""

TEXT_PARTS = ("text", "input_text", "output_text")


def to_openai(chat: Chat, messages: Sequence[ChatMessage]) -> str:
    """The branch that is read now as {"messages": [...]}, after the system prompt of its last
    answer. An answer without a word is left out, and so are thoughts."""
    branch = tree.path(messages, chat.leaf)
    prompts = [message.meta.get("system_prompt") for message in branch if _answer(message)]
    written = [{"role": "system", "content": prompts[-1]}] if prompts and prompts[-1] else []
    written += [
        {"role": message.role, "content": message.content}
        for message in branch
        if message.content.strip()
    ]
    return storable(json.dumps({"messages": written}, ensure_ascii=False, indent=1))


def from_value(value: object, where: str) -> tuple[Chat, tuple[ChatMessage, ...]]:
    """One conversation out of a file that has been read as JSON: an object with messages, or their
    list. ``where`` is its place in the file, "" for the whole. Times are 0: they are not known.
    Raises StoreError("bad_import") that names the place."""
    at = f"{where}.messages" if where else "messages"
    model = None
    if isinstance(value, dict):
        model = values.text_or_none(value.get("model"), f"{where}.model".lstrip("."))
        value = value.get("messages")
    else:
        at = where or "messages"
    messages: list[ChatMessage] = []
    prompts: list[str] = []
    for n, item in enumerate(values.a_list(value, at)):
        place = f"{at}[{n}]"
        found = values.an_object(item, place)
        role = values.one_of(found.get("role"), f"{place}.role", tuple(ROLES))
        content = _content(found.get("content"), f"{place}.content")
        become = ROLES[role]
        if become is None:
            prompts.append(content)
            continue
        answer = become == "assistant"
        messages.append(
            ChatMessage(
                id=str(len(messages)),
                parent=messages[-1].id if messages else None,
                role=become,
                content=content,
                model=model if answer else None,
                model_name=model if answer else None,
                meta={"system_prompt": "\n\n".join(prompts)} if answer and prompts else {},
            )
        )
    if not messages:
        raise values.bad(
            f"{at} holds nothing that a user or an assistant said.",
            "Put a message there, then import it again.",
        )
    return Chat("", "", "", 0.0, 0.0, None, messages[-1].id), tuple(messages)


def _answer(message: ChatMessage) -> bool:
    return message.role == "assistant"


def _content(value: object, where: str) -> str:
    if not isinstance(value, list):
        return values.text(value, where)
    texts: list[str] = []
    for n, part in enumerate(value):
        place = f"{where}[{n}]"
        found: dict[str, Any] = values.an_object(part, place)
        values.one_of(found.get("type"), f"{place}.type", TEXT_PARTS)
        texts.append(values.text(found.get("text"), f"{place}.text"))
    return "\n\n".join(texts)
