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
from parley.engines.openings import opening_ids, plain_ids
from parley.engines.thinking import is_brick, is_tag
from parley.errors import PromptError
from parley.prompts.render import Prompt, render, render_open
from parley.prompts.trim import fit, note


@dataclass(frozen=True, slots=True)
class Task:
    """``limit`` is how many tokens may be written behind ``opening``. ``given`` are the tokens of
    an answer, or of a text, that is to be read instead: then nothing is written."""

    prompt: Prompt
    limit: int
    given: tuple[int, ...] | None = None
    opening: tuple[int, ...] = ()

    @property
    def context(self) -> tuple[int, ...]:
        """All that stands before the first token that is written, or read."""
        return (*self.prompt.ids, *self.opening)


def task(loaded: Loaded, request: Request) -> Task:
    """Raises PromptError where there is no way to make the request fit, or to render it."""
    _own(loaded, request.opening)
    if request.scored is None:
        prompt, messages = _fitting(loaded, request)
        opening = _opening(loaded, request, prompt, messages)
        length = len(prompt.ids) + len(opening)
        limit = _room(loaded, length, request.sampling.max_new_tokens)
        return _known(loaded, Task(prompt, limit, opening=opening))
    _own(loaded, request.scored)
    given = _encoded(loaded, request.scored)
    if not given:
        raise PromptError("empty_text", "There is no text to read.", "Write something first.")
    opening = ()
    if request.messages:
        prompt = _rendered(loaded, request, request.messages)
        opening = _opening(loaded, request, prompt, request.messages)
    else:
        # A text that stands alone begins as the model's texts do; where they begin with nothing,
        # its first token follows nothing, and has no score.
        first = getattr(loaded.tokenizer, "bos_token_id", None)
        if first is None or given[0] == first:
            lead, given = given[:1], given[1:]
        else:
            lead = (first,)
        if not given:
            raise PromptError(
                "empty_text",
                "This text is a single token: nothing comes before it by which to judge it.",
                "Write more, or ask a question before it.",
            )
        prompt = Prompt(ids=lead, tail="")
    _room(loaded, len(prompt.ids) + len(opening) + len(given), 0, spare=0)
    return _known(loaded, Task(prompt, 0, given, opening))


def _encoded(loaded: Loaded, text: str | tuple[int, ...]) -> tuple[int, ...]:
    # Never as control tokens: what a person pastes is text.
    return tuple(plain_ids(loaded.tokenizer, text)) if isinstance(text, str) else text


def _opening(
    loaded: Loaded, request: Request, prompt: Prompt, messages: Sequence[Message]
) -> tuple[int, ...]:
    opening = request.opening
    if not opening or not isinstance(opening, str):
        return opening or ()
    tokenizer = loaded.tokenizer
    tags = {
        number: token.content
        for number, token in tokenizer.added_tokens_decoder.items()
        if is_tag(token.content) or (token.special and is_brick(token.content))
    }
    templated = render_open(
        tokenizer, messages, opening, loaded.spec.prompt_format, request.thinking
    )
    return opening_ids(tokenizer, prompt.ids, opening, templated, tags)


def _own(loaded: Loaded, ids: str | tuple[int, ...]) -> None:
    size = vocabulary(loaded.model)
    if not isinstance(ids, str) and not all(0 <= token < size for token in ids):
        raise PromptError(
            "unknown_token",
            f"These token ids are not all {loaded.spec.name}'s, which has {size:,} tokens.",
            "Give the text instead, or ask the model that wrote them.",
        )


def _known(loaded: Loaded, task: Task) -> Task:
    if max(*task.context, *(task.given or ()), 0) >= vocabulary(loaded.model):
        raise PromptError(
            "outside_vocabulary",
            f"The tokenizer of {loaded.spec.name} knows tokens that its model does not.",
            "The checkpoint's files do not belong together; download it again or pick another.",
        )
    return task


def _rendered(loaded: Loaded, request: Request, messages: Sequence[Message]) -> Prompt:
    spec = loaded.spec
    return render(loaded.tokenizer, messages, spec.prompt_format, spec.name, request.thinking)


def _fitting(loaded: Loaded, request: Request) -> tuple[Prompt, Sequence[Message]]:
    """The prompt of as much of the conversation as leaves room for an answer, and that much."""
    whole = _rendered(loaded, request, request.messages)
    window = loaded.window
    if window is None:
        return whole, request.messages
    # An answer should not be cut short for the sake of old turns, nor these for an endless answer.
    limit = window - min(request.sampling.max_new_tokens, window // 4)
    limit -= len(_encoded(loaded, request.opening))
    if len(whole.ids) <= limit:
        return whole, request.messages
    kept, dropped = fit(
        request.messages, lambda some: len(_rendered(loaded, request, some).ids), limit
    )
    if not dropped:
        return whole, request.messages
    shorter = _rendered(loaded, request, kept)
    return replace(shorter, notes=(*shorter.notes, note(dropped, window))), kept


def _room(loaded: Loaded, length: int, wanted: int, spare: int = 1) -> int:
    """How many tokens may follow ``length`` others; ``spare`` is the least that must be left."""
    if loaded.window is None:
        return max(spare, wanted)
    room = loaded.window - length
    if room < spare:
        raise PromptError(
            "prompt_too_long",
            f"This conversation is {length:,} tokens long; {loaded.spec.name} can read "
            f"{loaded.window:,}.",
            "Start a new chat, shorten the message, or pick a model with a larger window.",
        )
    return max(spare, min(wanted, room))
