"""Messages to token ids, by the tokenizer's own chat template.

Control tokens in what a person wrote stay text. Exactly one BOS, where the tokenizer has one. What
had to be bent to fit the template is said in ``notes``. Knows nothing of models, devices or
sampling, and imports no torch: the tokenizer is handed in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from jinja2 import TemplateError, TemplateSyntaxError, UndefinedError
from jinja2.exceptions import SecurityError

from parley.catalog.spec import PromptFormat
from parley.engines.base import Message
from parley.errors import PromptError
from parley.prompts.formats import TRANSCRIPT_STOPS, transcript
from parley.prompts.switches import variables

NO_TEMPLATE = (
    "This model has no chat template; the conversation was given to it as a plain transcript."
)
FOLDED = (
    "This model's template has no system role; the system prompt was put before the first message."
)
PICK_ANOTHER = "Pick another model, or set prompt_format: transcript for this one in models.yaml."


class Tokenizer(Protocol):
    """As much of a transformers tokenizer as rendering needs."""

    @property
    def chat_template(self) -> object: ...
    @property
    def bos_token_id(self) -> int | None: ...
    def apply_chat_template(
        self,
        conversation: list[dict[str, str]],
        *,
        add_generation_prompt: bool,
        continue_final_message: bool,
        sanitize_control_tokens: bool,
        return_dict: bool,
        **variables: Any,
    ) -> object: ...
    def encode(
        self, text: str, *, add_special_tokens: bool, split_special_tokens: bool = ...
    ) -> list[int]: ...
    def decode(self, token_ids: list[int], *, skip_special_tokens: bool) -> object: ...


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model is given. ``tail`` is the end of it as text, control tokens included."""

    ids: tuple[int, ...]
    tail: str
    stops: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def render(
    tokenizer: Tokenizer,
    messages: Sequence[Message],
    form: PromptFormat,
    name: str,
    thinking: bool | None = None,
) -> Prompt:
    """The conversation as ``tokenizer``'s model wants to see it; ``name`` is for the sentences.
    ``thinking`` is as in ``Request``."""
    if not messages:
        raise PromptError(
            "empty_conversation", "There is no message to answer.", "Write something first."
        )
    notes: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()
    if form == "template" and not tokenizer.chat_template:
        form, notes = "transcript", (NO_TEMPLATE,)
    if form == "transcript":
        ids = _encode(tokenizer, transcript(messages))
        stops = TRANSCRIPT_STOPS
    else:
        try:
            ids, notes = _apply_or_fold(tokenizer, messages, thinking)
        except Exception as error:
            raise _as_prompt_error(error, name) from error
    ids = _with_one_bos(tokenizer, ids)
    tail = tokenizer.decode(ids[-64:], skip_special_tokens=False)
    return Prompt(tuple(ids), str(tail), stops, notes)


def render_open(
    tokenizer: Tokenizer,
    messages: Sequence[Message],
    opening: str,
    form: PromptFormat,
    thinking: bool | None = None,
) -> tuple[int, ...] | None:
    """The conversation with an answer that begins with ``opening`` and is not closed, all of it by
    the template; None where the template has no such thing, or fails."""
    if form == "transcript" or not tokenizer.chat_template:
        return tuple(_encode(tokenizer, f"{transcript(messages)} {opening}"))
    try:
        answered = [*messages, Message("assistant", opening)]
        ids, _ = _apply_or_fold(tokenizer, answered, thinking, going_on=True)
    except Exception:
        return None
    return tuple(_with_one_bos(tokenizer, ids))


def _encode(tokenizer: Tokenizer, text: str) -> list[int]:
    """Tokens of text in which no control token is meant as one."""
    return list(tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True))


def _apply_or_fold(
    tokenizer: Tokenizer,
    messages: Sequence[Message],
    thinking: bool | None,
    *,
    going_on: bool = False,
) -> tuple[list[int], tuple[str, ...]]:
    """Templates refuse a system prompt in words of their own, so: try, fold, try again."""
    told = variables(tokenizer.chat_template, thinking)
    try:
        return _apply(tokenizer, messages, told, going_on), ()
    except (TemplateError, ValueError) as refusal:
        folded = fold_system(messages)
        if folded is None:
            raise
        try:
            return _apply(tokenizer, folded, told, going_on), (FOLDED,)
        except Exception:
            # The system prompt was not what it objected to.
            raise refusal from None


def _apply(
    tokenizer: Tokenizer, messages: Sequence[Message], told: Mapping[str, object], going_on: bool
) -> list[int]:
    turns = [{"role": m.role, "content": m.content} for m in messages]
    out = tokenizer.apply_chat_template(
        turns,
        add_generation_prompt=not going_on,
        continue_final_message=going_on,
        sanitize_control_tokens=True,
        return_dict=True,
        **told,
    )
    assert isinstance(out, Mapping)  # a BatchEncoding, as of return_dict
    return list(out["input_ids"])


def fold_system(messages: Sequence[Message]) -> list[Message] | None:
    """The same conversation with the system prompt at the head of the first user turn; None when
    there is none to fold, or no user turn to fold it into."""
    system = "\n\n".join(m.content for m in messages if m.role == "system")
    rest = [m for m in messages if m.role != "system"]
    first = next((i for i, m in enumerate(rest) if m.role == "user"), None)
    if not system or first is None:
        return None
    rest[first] = Message("user", f"{system}\n\n{rest[first].content}")
    return rest


def _with_one_bos(tokenizer: Tokenizer, ids: list[int]) -> list[int]:
    """A template may write BOS or leave it to the tokenizer; doing both, or neither, harms."""
    bos = tokenizer.bos_token_id
    if bos is None:
        return ids
    start = 0
    while start < len(ids) and ids[start] == bos:
        start += 1
    if start == 0 and tokenizer.encode("a", add_special_tokens=True)[:1] != [bos]:
        return ids
    return [bos, *ids[start:]]


def _as_prompt_error(error: Exception, name: str) -> PromptError:
    if isinstance(error, PromptError):
        return error
    if isinstance(error, SecurityError):
        return PromptError(
            "template_unsafe",
            f"The chat template of {name} tried to reach outside its sandbox and was stopped.",
            PICK_ANOTHER,
        )
    if isinstance(error, UndefinedError):
        return PromptError(
            "template_broken",
            f"The chat template of {name} uses something it was not given ({error}).",
            PICK_ANOTHER,
        )
    if isinstance(error, TemplateSyntaxError):
        return PromptError(
            "template_broken",
            f"The chat template of {name} has a mistake in line {error.lineno} ({error}).",
            PICK_ANOTHER,
        )
    if isinstance(error, TemplateError):
        return PromptError(
            "template_refused",
            f"The chat template of {name} refuses this conversation: {error}",
            "Start a new chat, or pick another model.",
        )
    return PromptError(
        "template_broken",
        f"The chat template of {name} could not be used ({type(error).__name__}: {error}).",
        PICK_ANOTHER,
    )
