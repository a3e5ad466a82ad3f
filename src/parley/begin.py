"""How a turn begins: what the store gets before anything else, and what the engine is asked.

A question and an empty answer stand in the store when this returns; a refused turn leaves no trace.
Knows nothing of pools, streams or pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from parley import turns
from parley.catalog.spec import ModelSpec
from parley.chats import tree
from parley.chats.records import Chat, ChatMessage, title_of
from parley.chats.store import Store
from parley.engines.base import Request
from parley.errors import PoolError, StoreError
from parley.turns import Turn


@dataclass(frozen=True, slots=True)
class Begun:
    """The turn as it now stands in the store. ``question`` is None where nobody said anything new;
    ``answer`` is the ``turn``-th of the ``turns`` beside each other, with what it begins with.
    ``earlier`` are the stats of an answer that is gone on with."""

    chat: Chat
    question: ChatMessage | None
    answer: ChatMessage
    turn: int
    turns: int
    request: Request
    earlier: Mapping[str, Any] = field(default_factory=dict)


def begin(store: Store, spec: ModelSpec, turn: Turn) -> Begun:
    """Store ``turn`` and make the request of it. Raises ParleyError with nothing stored."""
    # Checked before anything is stored: a refused turn leaves no trace.
    turns.sampling(spec.sampling, turn.settings)
    if turn.continue_of is not None:
        return _go_on(store, spec, turn, turn.continue_of)
    again = turn.branch.of if turn.branch else turn.retry_of
    if again is None:
        said(turn)
    messages: Sequence[ChatMessage] = ()
    question: ChatMessage | None = None
    if turn.chat is None:
        chat = store.create_chat(turn.owner, spec.id)
    else:
        chat, messages = store.chat(turn.owner, turn.chat)
    if again is not None:
        parent = _question_of(messages, again)
    else:
        # Below what the chat ends with now, not what a page may still be showing: a second tab's
        # turn must not vanish onto a branch that nobody asked for.
        above = chat.leaf if turn.edit_of is None else _place_of(messages, turn.edit_of)
        question = store.add_user(chat.id, above, turn.text)
        messages = [*messages, question]
        parent = question.id
    opening = turn.branch.opening if turn.branch else ""
    made = replace(
        request(spec, turn, tree.path(messages, parent)), opening=opening, tell_opening=True
    )
    count = 1 + sum(m.parent == parent for m in messages)
    answer = store.begin_answer(chat.id, parent, spec.id, spec.name, _meta(spec, turn))
    # As the store now has it; reading it back would read the whole conversation again.
    title = chat.title or (title_of(question.content) if question else "")
    chat = replace(chat, title=title, updated=answer.created, model=spec.id, leaf=answer.id)
    return Begun(chat, question, answer, count, count, made)


def request(spec: ModelSpec, turn: Turn, history: Sequence[ChatMessage]) -> Request:
    """What the engine is asked, with ``history`` as the conversation."""
    return Request(
        turns.prompt(system_prompt(spec, turn), history) if history else (),
        turns.sampling(spec.sampling, turn.settings),
        turn.logprobs,
        turn.scored,
        thinking=turn.thinking,
    )


def system_prompt(spec: ModelSpec, turn: Turn) -> str:
    return spec.system_prompt if turn.system_prompt is None else turn.system_prompt


def said(turn: Turn) -> str:
    """What the person wrote. Raises PoolError("empty_message")."""
    if not turn.text.strip():
        raise PoolError("empty_message", "The message is empty.", "Write something first.")
    return turn.text


def _go_on(store: Store, spec: ModelSpec, turn: Turn, answer_id: str) -> Begun:
    """The same answer grows, by the model that began it."""
    chat, messages = store.chat(turn.owner, turn.chat or "")
    kept = _answer(messages, answer_id)
    if kept.model != spec.id:
        raise StoreError(
            "another_model",
            f"{kept.model_name} wrote this answer, and only it can go on with it.",
            "Retry it with the other model instead.",
        )
    made = request(spec, turn, tree.path(messages, kept.parent))
    # Its very tokens, where they are known: the same text may be cut into others.
    opening = tuple(kept.meta.get("token_ids") or ()) or kept.content
    answer = store.reopen_answer(answer_id)
    family = [m.id for m in tree.siblings(messages, answer_id)]
    return Begun(
        replace(chat, leaf=answer_id),
        None,
        answer,
        family.index(answer_id) + 1,
        len(family),
        replace(made, opening=opening),
        kept.meta.get("stats") or {},
    )


def _meta(spec: ModelSpec, turn: Turn) -> dict[str, Any]:
    """What is known of an answer before it begins; the rest comes with its end."""
    return {
        "engine": "local",
        "repo": spec.repo,
        "prompt_format": spec.prompt_format,
        "system_prompt": system_prompt(spec, turn),
        "thinking": turn.thinking,
    }


def _place_of(messages: Sequence[ChatMessage], question_id: str) -> str | None:
    """Below what the edited message stands."""
    found = next((m for m in messages if m.id == question_id and m.role == "user"), None)
    if found is None:
        raise StoreError(
            "not_found", "The message to edit is gone.", "Reload the page, then send it again."
        )
    return found.parent


def _question_of(messages: Sequence[ChatMessage], answer_id: str) -> str:
    parent = _answer(messages, answer_id).parent
    if parent is None:  # an imported conversation may begin with an answer
        raise _gone()
    return parent


def _answer(messages: Sequence[ChatMessage], answer_id: str) -> ChatMessage:
    answer = next((m for m in messages if m.id == answer_id and m.role == "assistant"), None)
    if answer is None:
        raise _gone()
    return answer


def _gone() -> StoreError:
    return StoreError(
        "not_found", "The answer to retry is gone.", "Reload the page, then ask again."
    )
