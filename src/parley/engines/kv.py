"""The KV cache of one token sequence, and what is kept of it between answers.

A sequence owns its keys and values, layer by layer, in buffers with room to grow: it joins and
leaves a batch without a copy, is cut back to a prefix by forgetting, and can be copied up to any
length. Layers with a sliding window keep everything, so that every sequence can be cut anywhere.
Knows nothing of models, requests or how attention is computed.
"""

from __future__ import annotations

from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass

import torch

BLOCK = 128
"""Tokens by which room is rounded up."""

GROWTH = 1.25
"""How much more room than needed a sequence takes that has outgrown its own."""


class Sequence:
    """Keys and values of the first ``len(tokens)`` tokens of a conversation.

    ``exact`` is how many of them were computed alone and in fixed slices, so that the same tokens
    give the same bits on another day; see ``plan.py``.
    """

    def __init__(self) -> None:
        self.tokens: list[int] = []
        self.exact = 0
        self.room = 0  # tokens; buffers catch up with it when they are next written to
        self._keys: dict[int, torch.Tensor] = {}
        self._values: dict[int, torch.Tensor] = {}

    @property
    def bytes(self) -> int:
        """What the buffers take, room to grow included."""
        held = (*self._keys.values(), *self._values.values())
        return sum(t.numel() * t.element_size() for t in held)

    def reserve(self, tokens: int) -> None:
        """Make room for ``tokens`` in all."""
        if tokens > self.room:
            wanted = tokens if not self.room else max(tokens, int(self.room * GROWTH))
            self.room = -(-wanted // BLOCK) * BLOCK

    def write(
        self, layer: int, at: int, keys: torch.Tensor, values: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Put ``[1, heads, new, width]`` behind the first ``at`` tokens of ``layer``.

        Returns all of its keys and values, ``[1, heads, at + new, width]``, as views. Counts for
        nothing until the tokens are appended to ``tokens``: an interrupted step is simply
        written over.
        """
        end = at + keys.shape[2]
        kept = self._keys.get(layer)
        if kept is None or kept.shape[2] < end:
            self.reserve(end)
            kept = self._keys[layer] = _grown(kept, keys, at, self.room)
            self._values[layer] = _grown(self._values.get(layer), values, at, self.room)
        kept_values = self._values[layer]
        kept[:, :, at:end] = keys
        kept_values[:, :, at:end] = values
        return kept[:, :, :end], kept_values[:, :, :end]

    def crop(self, tokens: int) -> None:
        """Forget all but the first ``tokens``. Their buffers stay, to be written over."""
        del self.tokens[tokens:]
        self.exact = min(self.exact, tokens)

    def copy(self, tokens: int) -> Sequence:
        """Another sequence that begins with the first ``tokens`` of this one."""
        other = Sequence()
        other.tokens = self.tokens[:tokens]
        other.exact = min(self.exact, tokens)
        other.reserve(tokens + 1)
        for layer, keys in self._keys.items():
            other.write(layer, 0, keys[:, :, :tokens], self._values[layer][:, :, :tokens])
        return other

    def trim(self) -> None:
        """Give back room that the tokens do not fill."""
        self.room = -(-max(1, len(self.tokens)) // BLOCK) * BLOCK
        for buffers in (self._keys, self._values):
            for layer, kept in buffers.items():
                if kept.shape[2] > self.room:
                    buffers[layer] = kept[:, :, : self.room].clone()


def _grown(old: torch.Tensor | None, like: torch.Tensor, at: int, room: int) -> torch.Tensor:
    new = like.new_empty((1, like.shape[1], room, like.shape[3]))
    if old is not None and at:
        new[:, :, :at] = old[:, :, :at]
    return new


@dataclass(frozen=True, slots=True)
class Found:
    """A sequence to go on from, and how many of the wanted tokens it already holds."""

    sequence: Sequence
    tokens: int


class PrefixStore:
    """Sequences that no answer uses now, the last used one last, within ``budget`` bytes.

    The one used last is kept even if it alone is larger: its memory was needed a moment ago, and
    the next turn of the same conversation is the likeliest of all requests.
    """

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self._kept: list[Sequence] = []

    @property
    def bytes(self) -> int:
        return sum(sequence.bytes for sequence in self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, sequence: Sequence, in_use: int = 0) -> None:
        """Remember ``sequence``, as the one used last. ``in_use`` is bytes that running answers
        take of the same budget."""
        if not sequence.tokens:
            return
        # What another one holds as its own beginning adds nothing.
        self._kept = [s for s in self._kept if not _begins(sequence.tokens, s.tokens)]
        sequence.trim()
        self._kept.append(sequence)
        self.make_room(in_use, spare=1)

    def make_room(self, in_use: int, *, spare: int = 0) -> None:
        """Forget the longest unused until all fits beside ``in_use`` bytes; ``spare`` stay."""
        while len(self._kept) > spare and self.bytes + in_use > self.budget:
            del self._kept[0]

    def clear(self) -> None:
        self._kept.clear()

    def held(
        self,
        wanted: SequenceOf[int],
        running: SequenceOf[Sequence] = (),
        *,
        slices: int | None = None,
    ) -> int:
        """How many of ``wanted`` ``take`` would find; nothing changes."""
        return self._best(list(wanted), running, slices)[0]

    def take(
        self,
        wanted: SequenceOf[int],
        running: SequenceOf[Sequence] = (),
        *,
        slices: int | None = None,
        in_use: int = 0,
    ) -> Found:
        """The sequence that has most of ``wanted`` at its beginning, less its last token, which
        has to be computed to know what follows it. It is the caller's now.

        One of the ``running`` is copied, and so is a kept one whose other end is worth more than
        the copy, where the budget has room beside ``in_use`` bytes of running answers: a branch to
        which a person may come back. With ``slices`` only
        whole slices of that many tokens count, and only those that were computed alone.
        """
        most, best = self._best(list(wanted), running, slices)
        if best is None:
            return Found(Sequence(), 0)
        if best not in self._kept:
            return Found(best.copy(most), most)
        copied = best.bytes // best.room * most
        affordable = self.bytes + in_use + copied <= self.budget
        if affordable and _worth_keeping(len(best.tokens), most):
            self._touch(best)
            return Found(best.copy(most), most)
        self._kept.remove(best)
        best.crop(most)
        return Found(best, most)

    def _best(
        self, wanted: list[int], running: SequenceOf[Sequence], slices: int | None
    ) -> tuple[int, Sequence | None]:
        most, best = 0, None
        for sequence in (*self._kept, *running):
            common = common_prefix(sequence.tokens, wanted)
            common = min(common, len(wanted) - 1)
            if slices is not None:
                common = min(common, sequence.exact) // slices * slices
            if common > most or (common == most and common and best not in self._kept):
                most, best = common, sequence
        return most, best

    def _touch(self, sequence: Sequence) -> None:
        self._kept.remove(sequence)
        self._kept.append(sequence)


def _worth_keeping(length: int, common: int) -> bool:
    """Whether it costs more to compute what stands behind the common beginning once again than to
    copy that beginning: a token is some hundred times as dear to compute as to copy."""
    return length - common > max(16, common // 50)


def common_prefix(a: SequenceOf[int], b: SequenceOf[int]) -> int:
    """How many tokens two sequences begin with alike."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        # Slices are compared in C: a few microseconds for thousands of tokens.
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _begins(whole: list[int], part: list[int]) -> bool:
    return len(part) <= len(whole) and whole[: len(part)] == part
