"""What the next step computes: which sequences share a pass, and how many tokens of each.

Pure. Everybody's next token comes in every step; prompts are computed beside them in slices, in
order of arrival, as many tokens as the step has room for. Knows nothing of tensors or clocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

ALONE_SLICE = 128
"""Prompt tokens in a pass of a sequence that must be computed alone. Fixed: slices of another
length would give other last bits."""


@dataclass(frozen=True, slots=True)
class Want:
    """One sequence. ``pending`` tokens are to be computed behind ``held`` ones; one that is
    ``alone`` shares no pass, so that its numbers do not depend on company."""

    pending: int
    held: int = 0
    alone: bool = False

    @property
    def decoding(self) -> bool:
        return self.pending == 1


Pass = tuple[tuple[int, int], ...]
"""Index of a sequence, and how many of its tokens."""


def plan(wants: Sequence[Want], budget: int, *, together: bool, mixed: bool) -> list[Pass]:
    """The passes of one step, for sequences in order of their arrival.

    ``budget`` is how many tokens of prompts to compute. ``together`` and ``mixed`` are the
    runner's abilities. Every sequence that waits for its next token is in some pass, and the
    first that waits with a prompt is too.
    """
    decoding = [(i, 1) for i, w in enumerate(wants) if w.decoding and not w.alone]
    prompts: list[tuple[int, int]] = []
    for i, want in enumerate(wants):
        if want.alone or want.decoding or not want.pending or budget <= 0:
            continue
        count = min(want.pending, budget)
        prompts.append((i, count))
        budget -= count
    alone = [
        (i, 1 if w.decoding else min(w.pending, ALONE_SLICE - w.held % ALONE_SLICE))
        for i, w in enumerate(wants)
        if w.alone and w.pending
    ]
    shared: list[Pass]
    if mixed:
        shared = [(*decoding, *prompts)]
    elif together:
        shared = [tuple(decoding), *((one,) for one in prompts)]
    else:
        shared = [(one,) for one in (*decoding, *prompts)]
    return [p for p in (*shared, *((one,) for one in alone)) if p]
