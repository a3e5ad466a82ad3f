"""Any tree, any deletions, undone in any order: what comes back is exactly what was there."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from parley.chats.store import Store
from parley.chats.tree import leaf_below, path, subtree
from tests.chats.talking import ANN, BOB, branched, everything


@st.composite
def shapes(draw):
    """The parent of each message by its number, None for a first one."""
    size = draw(st.integers(1, 25))
    return [draw(st.none() | st.integers(0, n - 1)) if n else None for n in range(size)]


def grown(store, shape):
    chat = store.create_chat(ANN, "guide").id
    ids: list[str] = []
    for n, parent in enumerate(shape):
        ids.append(store.add_user(chat, None if parent is None else ids[parent], f"text {n}").id)
    return chat, ids


def check(chat, messages):
    """What holds for every conversation that can be read."""
    ids = {message.id for message in messages}
    assert all(message.parent is None or message.parent in ids for message in messages)
    assert (chat.leaf in ids) if messages else chat.leaf is None
    way = path(messages, chat.leaf)
    assert not way or way[0].parent is None


steps = st.lists(
    st.tuples(st.sampled_from(["delete", "undo", "turn", "write"]), st.integers(0, 10**6)),
    max_size=12,
)


@settings(deadline=None)
@given(shapes(), st.data())
def test_the_last_deletion_is_undone_first(shape, data):
    store = Store.temporary()
    branched(store, BOB)
    others = everything(store, BOB)
    chat, ids = grown(store, shape)
    store.set_leaf(ANN, chat, data.draw(st.sampled_from(ids)))
    states = [everything(store)]
    removals = []
    for _ in range(data.draw(st.integers(1, 5))):
        record, messages = store.chat(ANN, chat)
        if not messages:
            break
        gone = data.draw(st.sampled_from([message.id for message in messages]))
        removed = store.delete_message(ANN, chat, gone)
        left, rest = store.chat(ANN, chat)
        check(left, rest)
        assert set(removed.messages) == {message.id for message in subtree(messages, gone)}
        assert rest == tuple(m for m in messages if m.id not in removed.messages)
        assert left == replace(record, leaf=removed.leaf)
        assert record.leaf in removed.messages or left.leaf == record.leaf
        removals.append(removed)
        states.append(everything(store))
    for removed in reversed(removals):
        assert everything(store) == states.pop()
        store.restore_messages(ANN, chat, removed)
    assert everything(store) == states.pop()
    assert everything(store, BOB) == others
    store.close()


@settings(deadline=None)
@given(shapes(), steps, st.randoms(use_true_random=False))
def test_undone_in_any_order_everything_is_back(shape, steps, chance):
    store = Store.temporary()
    chat, ids = grown(store, shape)
    removals = []
    for step, choice in steps:
        messages = store.chat(ANN, chat)[1]
        there = [message.id for message in messages]
        if step == "undo" and removals:
            store.restore_messages(ANN, chat, removals.pop(choice % len(removals)))
        elif step == "write":
            parent = there[choice % len(there)] if there else None
            ids.append(store.add_user(chat, parent, f"more {choice}").id)
        elif there and step == "delete":
            removals.append(store.delete_message(ANN, chat, there[choice % len(there)]))
        elif there and step == "turn":
            store.set_leaf(ANN, chat, leaf_below(messages, there[choice % len(there)]))
        check(*store.chat(ANN, chat))
    chance.shuffle(removals)
    for removed in removals:
        store.restore_messages(ANN, chat, removed)
        check(*store.chat(ANN, chat))
    assert [message.id for message in store.chat(ANN, chat)[1]] == ids
    store.close()
