"""The tree of a conversation: what holds for every tree, and the three views of a small one."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from parley.chats.tree import (
    depth_first,
    leaf_below,
    leaf_without,
    path,
    siblings,
    subtree,
    turned,
)


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


def test_a_subtree_is_everything_below():
    assert ids(subtree(TREE, "q2")) == ["q2", "a2", "a2'"]
    assert ids(subtree(TREE, "q3")) == ["q3"]
    assert subtree(TREE, "q1") == TREE
    assert subtree(TREE, "gone") == ()


def test_a_reader_ends_up_at_the_newest_alternative_else_above():
    assert leaf_without(TREE, "a2'") == "a2"
    assert leaf_without(TREE, "a1") == "q3"
    assert leaf_without(TREE, "q2") == "a1"
    assert leaf_without(TREE, "q1") is None
    assert leaf_without((*TREE, Message("q1'", None)), "q1'") == "q3"
    assert leaf_without(TREE, "gone") is None


def test_what_changes_between_two_leaves():
    stay, go, come = turned(TREE, "a2'", "q3")
    assert (ids(stay), ids(go), ids(come)) == (["q1"], ["a1", "q2", "a2'"], ["a1'", "q3"])
    assert turned(TREE, "a2", "a2") == (path(TREE, "a2"), (), ())
    assert turned(TREE, None, "a1") == ((), (), path(TREE, "a1"))
    assert turned(TREE, "a1", None) == ((), path(TREE, "a1"), ())


def test_depth_first_takes_one_whole_branch_after_the_other():
    assert ids(depth_first(TREE)) == ["q1", "a1", "q2", "a2", "a2'", "a1'", "q3"]
    assert depth_first(()) == ()


def test_a_ring_of_parents_ends():
    ring = (Message("a", "b"), Message("b", "a"))
    assert ids(path(ring, "a")) == ["b", "a"]
    assert leaf_below(ring, "a") in {"a", "b"}
    assert ids(subtree(ring, "a")) == ["a", "b"]
    assert depth_first(ring) == ()


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
        below = subtree(tree, node.id)
        assert set(below) == {other for other in tree if node in path(tree, other.id)}
        rest = tuple(other for other in tree if other not in below)
        after = leaf_without(tree, node.id)
        assert (after in ids(rest)) if after else not rest
    ways = depth_first(tree)
    assert sorted(ids(ways)) == sorted(ids(tree))
    assert all(node.parent in {None, *ids(ways[:n])} for n, node in enumerate(ways))


@settings(deadline=None)
@given(trees(), st.data())
def test_every_turn(tree, data):
    old, new = (data.draw(st.none() | st.sampled_from(ids(tree))) for _ in range(2))
    stay, go, come = turned(tree, old, new)
    assert (stay + go, stay + come) == (path(tree, old), path(tree, new))
    assert not set(go) & set(come)
