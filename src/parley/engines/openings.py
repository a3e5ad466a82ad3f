"""What an answer begins with, as the token ids that its model would have written.

Knows nothing of windows, caches or how the answer goes on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from transformers import PreTrainedTokenizerBase


def opening_ids(
    tokenizer: PreTrainedTokenizerBase,
    prompt: Sequence[int],
    text: str,
    templated: Sequence[int] | None = None,
    tags: Mapping[int, str] | None = None,
) -> tuple[int, ...]:
    """``text`` behind the ids of ``prompt``, which end where the model begins to write.

    ``tags`` are control tokens that may stand in it, those of thinking; any other is text.
    ``templated`` is the whole conversation with the open answer, as the library renders it with
    ``continue_final_message=True``. That is taken where it is the prompt, white space and the text:
    so a template that puts a space before each answer, as Llama 2's does, gets the token it was
    trained with ("▁Hello" and not "Hello"). It is not taken where it differs in anything else. It
    does without what the generation prompt has written already (R1's ``<think>``, the empty block
    of Qwen 3 with thinking off), puts an empty block of thoughts before what may be a thought
    itself, trims, and refuses what templates cut out of answers. Nor for a text that begins with
    white space of its own: so does what a model of such a template has written.
    """
    tags = {} if tags is None else tags
    parts = re.split("|".join(map(re.escape, tags.values())) or "(?!)", text)
    if len(parts) == 1 and templated is not None:
        rest = tuple(templated[len(prompt) :])
        if tuple(templated[: len(prompt)]) == tuple(prompt) and _reads(tokenizer, rest) == text:
            return rest
    numbers = {tag: number for number, tag in tags.items()}
    found = re.findall("|".join(map(re.escape, numbers)) or "(?!)", text)
    ids: list[int] = []
    for part, tag in zip(parts, [*found, None], strict=True):
        if part:
            ids += _behind(tokenizer, part)
        if tag is not None:
            ids.append(numbers[tag])
    return tuple(ids)


def plain_ids(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """Tokens of a text in which nothing is a control token."""
    return list(tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True))


def _behind(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """Tokens of ``text`` in the middle of another. SentencePiece tokenizers put a space before all
    that they are given, so it is given to them behind something that does not melt into it: a line
    break, or a letter where it begins with a line break itself."""
    for mark in ("\n", "a"):
        lead = plain_ids(tokenizer, mark)
        led = plain_ids(tokenizer, mark + text)
        if led[: len(lead)] == lead:
            return led[len(lead) :]
    return plain_ids(tokenizer, text)


def _reads(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> str:
    text = tokenizer.decode(
        list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False
    )
    return str(text).lstrip()
