"""A request as token ids that fit the model's window.

Whole turns are left out where a conversation has grown too long, and the prompt's notes say so.
Knows nothing of how tokens are computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from parley.engines.base import Message, Request
from parley.engines.embeddings import vocabulary
from parley.engines.loading import Loaded
from parley.errors import PromptError
from parley.prompts.render import Prompt, render
from parley.prompts.trim import fit, note


@dataclass(frozen=True, slots=True)
class Task:
    """``limit`` is how many tokens may be written. ``given`` are the tokens of an answer, or of a
    text, that is to be read instead: then nothing is written."""

    prompt: Prompt
    limit: int
    given: tuple[int, ...] | None = None


def task(loaded: Loaded, request: Request) -> Task:
    """Raises PromptError where there is no way to make the request fit, or to render it."""
    if request.scored is None:
        prompt = _fitting(loaded, request)
        limit = _room(loaded, prompt, request.sampling.max_new_tokens)
        return Task(_known(loaded, prompt), limit)
    given = _encoded(loaded, request.scored)
    if not given:
        raise PromptError("empty_text", "There is no text to read.", "Write something first.")
    if request.messages:
        prompt = render(
            loaded.tokenizer, request.messages, loaded.spec.prompt_format, loaded.spec.name
        )
    else:
        # A text that stands alone begins as the model's texts do; where they begin with nothing,
        # its first token follows nothing, and has no score.
        first = getattr(loaded.tokenizer, "bos_token_id", None)
        lead, given = ((first,), given) if first is not None else (given[:1], given[1:])
        prompt = Prompt(ids=lead, tail="")
    _room(loaded, replace(prompt, ids=(*prompt.ids, *given)), 0, spare=0)
    return Task(_known(loaded, prompt), 0, tuple(given))


def _encoded(loaded: Loaded, text: str) -> tuple[int, ...]:
    # Never as control tokens: what a person pastes is text.
    tokens = loaded.tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True)
    return tuple(tokens)


def _known(loaded: Loaded, prompt: Prompt) -> Prompt:
    if prompt.ids and max(prompt.ids) >= vocabulary(loaded.model):
        raise PromptError(
            "outside_vocabulary",
            f"The tokenizer of {loaded.spec.name} knows tokens that its model does not.",
            "The checkpoint's files do not belong together; download it again or pick another.",
        )
    return prompt


def _fitting(loaded: Loaded, request: Request) -> Prompt:
    """The prompt of as much of the conversation as leaves room for an answer."""
    spec = loaded.spec

    def rendered(messages: Sequence[Message]) -> Prompt:
        return render(loaded.tokenizer, messages, spec.prompt_format, spec.name)

    whole = rendered(request.messages)
    window = loaded.window
    if window is None:
        return whole
    # An answer should not be cut short for the sake of old turns, nor these for an endless answer.
    limit = window - min(request.sampling.max_new_tokens, window // 4)
    if len(whole.ids) <= limit:
        return whole
    kept, dropped = fit(request.messages, lambda some: len(rendered(some).ids), limit)
    if not dropped:
        return whole
    shorter = rendered(kept)
    return replace(shorter, notes=(*shorter.notes, note(dropped, window)))


def _room(loaded: Loaded, prompt: Prompt, wanted: int, spare: int = 1) -> int:
    """How many tokens the answer may have; ``spare`` is the least that must be left."""
    if loaded.window is None:
        return max(spare, wanted)
    room = loaded.window - len(prompt.ids)
    if room < spare:
        raise PromptError(
            "prompt_too_long",
            f"This conversation is {len(prompt.ids):,} tokens long; {loaded.spec.name} can read "
            f"{loaded.window:,}.",
            "Start a new chat, shorten the message, or pick a model with a larger window.",
        )
    return max(spare, min(wanted, room))
