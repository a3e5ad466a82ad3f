"""A conversation as a tree: every message knows its parent, a retry or an edit is a sibling.

Pure: plain sequences in, messages out. The order of ``nodes`` is the order of writing, oldest
first, which is what "newest" means here. Knows nothing of storage or of what a message says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar


class Node(Protocol):
    """What a message needs to stand in a tree; ``parent`` None is a first message."""

    @property
    def id(self) -> str: ...
    @property
    def parent(self) -> str | None: ...


N = TypeVar("N", bound=Node)


def path(nodes: Sequence[N], leaf: str | None) -> tuple[N, ...]:
    """The messages from the first one down to ``leaf``; empty for None or an unknown id."""
    by_id = {node.id: node for node in nodes}
    upwards: list[N] = []
    # Popped, not looked up, so that imported data whose parents form a ring still ends.
    while leaf and (node := by_id.pop(leaf, None)):
        upwards.append(node)
        leaf = node.parent
    return tuple(reversed(upwards))


def siblings(nodes: Sequence[N], id: str) -> tuple[N, ...]:
    """The alternatives at this place, oldest first, the message itself included."""
    parents = {node.id: node.parent for node in nodes}
    if id not in parents:
        return ()
    return tuple(node for node in nodes if node.parent == parents[id])


def leaf_below(nodes: Sequence[N], id: str) -> str:
    """Where a reader who turns to ``id`` ends up: down by the newest child until there is none."""
    newest = {node.parent: node.id for node in nodes}  # a later one replaces an earlier one
    seen = {id}
    while (below := newest.get(id)) and below not in seen:
        seen.add(below)
        id = below
    return id
