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


def subtree(nodes: Sequence[N], id: str) -> tuple[N, ...]:
    """The message and everything below it, oldest first; empty for an unknown id."""
    below = children(nodes)
    wanted = {id}
    level = [id]
    while level:
        level = [node.id for up in level for node in below.get(up, ()) if node.id not in wanted]
        wanted.update(level)
    return tuple(node for node in nodes if node.id in wanted)


def leaf_without(nodes: Sequence[N], id: str) -> str | None:
    """Where a reader ends up once ``id`` and everything below it is gone: with the newest of the
    alternatives that remain, else at the message above; None where there is neither."""
    others = [node.id for node in siblings(nodes, id) if node.id != id]
    if others:
        return leaf_below(nodes, others[-1])
    return next((node.parent for node in nodes if node.id == id), None)


def turned(
    nodes: Sequence[N], old: str | None, new: str | None
) -> tuple[tuple[N, ...], tuple[N, ...], tuple[N, ...]]:
    """What a reader sees change on the way from leaf ``old`` to leaf ``new``: the messages that
    stay, those that go, and those that come, each from the top down."""
    before, after = path(nodes, old), path(nodes, new)
    same = 0
    while same < min(len(before), len(after)) and before[same].id == after[same].id:
        same += 1
    return before[:same], before[same:], after[same:]


def depth_first(nodes: Sequence[N]) -> tuple[N, ...]:
    """Every message that hangs on a first one, each below its parent, alternatives one whole
    branch after the other, the oldest first."""
    below = children(nodes)
    waiting = list(reversed(below.get(None, ())))
    order: list[N] = []
    while waiting:
        node = waiting.pop()
        order.append(node)
        waiting.extend(reversed(below.get(node.id, ())))
    return tuple(order)


def children(nodes: Sequence[N]) -> dict[str | None, list[N]]:
    """What stands right below each message, oldest first; the first messages stand below None."""
    below: dict[str | None, list[N]] = {}
    for node in nodes:
        below.setdefault(node.parent, []).append(node)
    return below
