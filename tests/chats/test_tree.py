"""The tree of a conversation: what holds for every tree, and the three views of a small one."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from parley.chats.tree import leaf_below, path, siblings


@dataclass(frozen=True)
class Message:
    id: str
    parent: str | None


# q1 ── a1 ── q2 ── a2
#  │                └─ a2' (a retry)
#  └─ a1' (a retry) ── q3
TREE = tuple(
    Message(id, parent)
    for id, parent in [
        ("q1", None),
        ("a1", "q1"),
        ("q2", "a1"),
        ("a2", "q2"),
        ("a2'", "q2"),
        ("a1'", "q1"),
        ("q3", "a1'"),
    ]
)


def ids(nodes):
    return [node.id for node in nodes]


def test_path_runs_from_the_first_message_to_the_leaf():
    assert ids(path(TREE, "a2'")) == ["q1", "a1", "q2", "a2'"]
    assert ids(path(TREE, "q1")) == ["q1"]


def test_path_to_nowhere_is_empty():
    assert path(TREE, None) == path(TREE, "gone") == path((), "q1") == ()


def test_siblings_are_the_alternatives_oldest_first():
    assert ids(siblings(TREE, "a2'")) == ["a2", "a2'"]
    assert ids(siblings(TREE, "q1")) == ["q1"]
    assert siblings(TREE, "gone") == ()


def test_an_edited_first_message_is_a_sibling_too():
    assert ids(siblings((*TREE, Message("q1'", None)), "q1")) == ["q1", "q1'"]


def test_turning_to_an_alternative_ends_at_its_newest_leaf():
    assert leaf_below(TREE, "a1") == "a2'"
    assert leaf_below(TREE, "a1'") == "q3"
    assert leaf_below(TREE, "q1") == "q3"  # a1' is newer than a1
    assert leaf_below(TREE, "a2") == "a2"


def test_a_ring_of_parents_ends():
    ring = (Message("a", "b"), Message("b", "a"))
    assert ids(path(ring, "a")) == ["b", "a"]
    assert leaf_below(ring, "a") in {"a", "b"}


@st.composite
def trees(draw):
    size = draw(st.integers(1, 30))
    parents = [draw(st.none() | st.integers(0, max(0, n - 1))) for n in range(size)]
    return tuple(
        Message(str(n), None if p is None or p == n else str(p)) for n, p in enumerate(parents)
    )


@settings(deadline=None)
@given(trees())
def test_every_tree(tree):
    for node in tree:
        way = path(tree, node.id)
        assert way[-1] == node
        assert way[0].parent is None
        assert all(child.parent == parent.id for parent, child in pairwise(way))
        assert node in siblings(tree, node.id)
        leaf = leaf_below(tree, node.id)
        assert node in path(tree, leaf)
        assert all(other.parent != leaf for other in tree)
