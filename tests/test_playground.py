"""A turn from the question to the store, with a real engine and a real database."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import aclosing
from functools import partial

import pytest

from parley.answer import Batch
from parley.catalog.spec import ModelSpec, Sampling
from parley.chats import tree
from parley.chats.store import Store
from parley.engines.local import LocalEngine
from parley.engines.stock import take_stock
from parley.errors import ParleyError
from parley.events import Delta, Failed, Finished, Loading
from parley.playground import Opened, Playground
from parley.pool.appraiser import Appraiser
from parley.pool.memory import Machine
from parley.pool.pool import Pool
from parley.turns import Turn
from tests import checkpoints
from tests.shelf import FixedShelf
from tests.waiting import eventually

OWNER = "somebody"
GB = 10**9


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return checkpoints.endless(tmp_path_factory.mktemp("endless"), num_hidden_layers=8)


@pytest.fixture(scope="module")
def thinker(tmp_path_factory):
    """Its template opens a block of thoughts, and it never closes one."""
    template = f"{checkpoints.CHATML}{{{{ '<think>\\n' if add_generation_prompt }}}}"
    made = checkpoints.tokenizer(template=template)
    return checkpoints.endless(tmp_path_factory.mktemp("thinker"), made=made)


@pytest.fixture
def engines():
    return []


@pytest.fixture
def playground(nursery, folder, thinker, engines, tmp_path):
    def make(spec: ModelSpec, devices: tuple[str, ...]) -> LocalEngine:
        engines.append(LocalEngine(spec, nursery, devices))
        return engines[-1]

    short = Sampling(max_new_tokens=8)
    long = Sampling(max_new_tokens=5000)
    shelf = FixedShelf(
        ModelSpec(id="short", name="Short", path=folder, sampling=short),
        ModelSpec(id="long", name="Long", path=folder, sampling=long),
        ModelSpec(id="thinker", name="Thinker", path=thinker, sampling=long),
    )
    pool = Pool(
        make, Appraiser(partial(take_stock, ask_hub=False)), Machine("cpu", {"cpu": 2 * GB}, {})
    )
    pool.start()
    made = Playground(shelf, pool, Store(tmp_path / "store"))
    yield made
    made.close()


def run(playground: Playground, turn: Turn, until=None):
    """All news of a turn; leaves when ``until(text)`` is true, as a closed page does."""

    async def read():
        news, text = [], ""
        async with aclosing(playground.ask(turn)) as stream:
            async for item in stream:
                news.append(item)
                if isinstance(item, Batch):
                    text += "".join(e.text for e in item.events if isinstance(e, Delta))
                if until and until(text):
                    break
        opened = next(n for n in news if isinstance(n, Opened))
        _, messages = playground.store.chat(turn.owner, opened.chat.id)
        await playground.settled(messages, patience=20)
        return opened, news, text

    return asyncio.run(read())


def stored(playground: Playground, opened: Opened):
    _, messages = playground.store.chat(OWNER, opened.chat.id)
    return next(m for m in messages if m.id == opened.answer.id)


def last(news):
    return news[-1].events[-1]


def test_a_turn_is_stored_with_what_produced_it(playground):
    opened, news, text = run(playground, Turn(OWNER, "short", "Hello"))
    kept = stored(playground, opened)
    assert isinstance(last(news), Finished)
    assert (kept.content, kept.state, kept.finish_reason) == (text, "done", "length")
    assert kept.meta["stats"]["completion_tokens"] == 8
    assert kept.meta["dtype"] == "float32"
    assert isinstance(kept.meta["seed"], int)
    assert opened.chat.title == "Hello"
    chat, _ = playground.store.chat(OWNER, opened.chat.id)
    assert (chat.title, chat.model, chat.leaf) == ("Hello", "short", opened.answer.id)
    assert (opened.chat.title, opened.chat.model, opened.chat.leaf) == (
        chat.title,
        chat.model,
        chat.leaf,
    )


def test_a_conversation_goes_on_with_another_model(playground):
    first, _, _ = run(playground, Turn(OWNER, "short", "One"))
    turn = Turn(OWNER, "long", "Two", chat=first.chat.id, settings={"max_new_tokens": 3})
    second, _, _ = run(playground, turn)
    chat, messages = playground.store.chat(OWNER, first.chat.id)
    path = tree.path(messages, chat.leaf)
    assert [m.role for m in path] == ["user", "assistant", "user", "assistant"]
    assert [m.model for m in path if m.role == "assistant"] == ["short", "long"]
    assert second.chat.id == first.chat.id


def test_a_retry_stands_beside_the_first_answer(playground):
    first, _, _ = run(playground, Turn(OWNER, "short", "One"))
    turn = Turn(OWNER, "short", chat=first.chat.id, retry_of=first.answer.id)
    again, _, _ = run(playground, turn)
    _, messages = playground.store.chat(OWNER, first.chat.id)
    assert [m.id for m in tree.siblings(messages, again.answer.id)] == [
        first.answer.id,
        again.answer.id,
    ]
    assert (again.turn, again.turns) == (2, 2)
    assert again.question is None


def left(playground: Playground, turn: Turn, when=lambda batch: True) -> Opened:
    """Begin a turn and leave it at the first batch for which ``when`` is true."""

    async def read():
        async with aclosing(playground.ask(turn)) as stream:
            async for item in stream:
                if isinstance(item, Opened):
                    opened = item
                elif when(item):
                    return opened

    return asyncio.run(read())


def writing(batch):
    return any(isinstance(event, Delta) for event in batch.events)


def test_an_answer_that_is_left_goes_on_and_is_complete(playground):
    turn = Turn(OWNER, "long", "Go on", settings={"max_new_tokens": 300})
    opened = left(playground, turn, writing)
    assert playground.under_way(opened.answer.id)
    assert playground.answering(OWNER) == {opened.chat.id}
    assert playground.answering("somebody else") == set()
    assert eventually(lambda: stored(playground, opened).state == "done")
    assert stored(playground, opened).meta["stats"]["completion_tokens"] == 300
    assert playground.answering(OWNER) == set()
    assert playground.pool.view().models["long"].leases == 0


def test_one_that_is_left_while_its_model_loads_goes_on_too(playground):
    turn = Turn(OWNER, "long", "Go on", settings={"max_new_tokens": 20})
    opened = left(playground, turn, lambda b: any(isinstance(e, Loading) for e in b.events))
    assert eventually(lambda: stored(playground, opened).state == "done")


def test_who_comes_back_hears_it_from_its_beginning_and_can_stop_it(playground):
    opened = left(playground, Turn(OWNER, "long", "Go on"), writing)

    async def follow():
        text = ""
        stream = playground.follow(OWNER, opened.chat.id, opened.answer.id)
        async with aclosing(stream) as news:
            async for item in news:
                if isinstance(item, Opened):
                    assert (item.answer.id, item.question) == (opened.answer.id, None)
                    continue
                text += "".join(e.text for e in item.events if isinstance(e, Delta))
                if len(text) > 200:
                    playground.stop(opened.answer.id)
                if item.last:
                    assert item.meta["stats"]["completion_tokens"] > 0
                    return text

    text = asyncio.run(follow())
    assert eventually(lambda: stored(playground, opened).state == "stopped")
    assert stored(playground, opened).content == text


def test_who_comes_back_to_a_thought_is_told_how_long_it_takes_already(playground):
    began = time.monotonic()
    opened = left(
        playground,
        Turn(OWNER, "thinker", "Think"),
        lambda b: any(isinstance(e, Delta) and e.thinking for e in b.events),
    )

    async def again():
        async with aclosing(playground.follow(OWNER, opened.chat.id, opened.answer.id)) as news:
            return (await anext(news)).thought

    first = asyncio.run(again())
    second = asyncio.run(again())
    assert 0 < first < second < time.monotonic() - began
    playground.stop(opened.answer.id)


def test_who_comes_back_to_a_text_is_told_of_no_thought(playground):
    opened = left(playground, Turn(OWNER, "long", "Go on"), writing)

    async def again():
        async with aclosing(playground.follow(OWNER, opened.chat.id, opened.answer.id)) as news:
            return (await anext(news)).thought

    assert asyncio.run(again()) == 0
    playground.stop(opened.answer.id)


def test_two_readers_hear_the_same(playground):
    async def both():
        texts = ["", ""]
        turn = Turn(OWNER, "long", "Go on", settings={"max_new_tokens": 200})
        async with aclosing(playground.ask(turn)) as first:
            opened = await anext(first)
            second = playground.follow(OWNER, opened.chat.id, opened.answer.id)
            await anext(second)

            async def read(index, stream):
                async for item in stream:
                    texts[index] += "".join(e.text for e in item.events if isinstance(e, Delta))

            await asyncio.gather(read(0, first), read(1, second))
        return texts

    one, two = asyncio.run(both())
    assert one == two
    assert one


@pytest.mark.parametrize("owner", [OWNER, "somebody else"])
def test_what_is_not_being_written_cannot_be_followed(playground, owner):
    opened, _, _ = run(playground, Turn(OWNER, "short", "One"))

    async def follow():
        await anext(playground.follow(owner, opened.chat.id, opened.answer.id))

    code = "not_under_way" if owner == OWNER else "no_such_chat"
    with pytest.raises(ParleyError) as refused:
        asyncio.run(follow())
    assert refused.value.code == code


def test_an_edited_question_stands_beside_the_first_one(playground):
    first, _, _ = run(playground, Turn(OWNER, "short", "One"))
    question = first.question.id
    turn = Turn(OWNER, "short", "Uno", chat=first.chat.id, edit_of=question)
    edited, _, _ = run(playground, turn)
    chat, messages = playground.store.chat(OWNER, first.chat.id)
    assert [m.content for m in tree.siblings(messages, question)] == ["One", "Uno"]
    assert [m.id for m in tree.path(messages, chat.leaf)] == [edited.question.id, edited.answer.id]


def test_an_answer_cut_by_its_length_is_continued_in_place(playground):
    settings = {"temperature": 0, "max_new_tokens": 30}
    whole, _, text = run(playground, Turn(OWNER, "short", "One", settings=settings))
    settings["max_new_tokens"] = 12
    first, _, begun = run(playground, Turn(OWNER, "short", "One", settings=settings))
    assert text.startswith(begun)
    settings["max_new_tokens"] = 18
    turn = Turn(OWNER, "short", chat=first.chat.id, continue_of=first.answer.id, settings=settings)
    again, _, heard = run(playground, turn)
    assert (again.answer.id, again.question) == (first.answer.id, None)
    kept = stored(playground, again)
    assert kept.content == heard == text
    assert kept.meta["stats"]["completion_tokens"] == 30
    assert kept.meta["token_ids"] == stored(playground, whole).meta["token_ids"]
    _, messages = playground.store.chat(OWNER, first.chat.id)
    assert len(messages) == 2


def test_only_its_own_model_goes_on_with_an_answer(playground):
    first, _, _ = run(playground, Turn(OWNER, "short", "One"))
    turn = Turn(OWNER, "long", chat=first.chat.id, continue_of=first.answer.id)
    with pytest.raises(ParleyError) as refused:
        run(playground, turn)
    assert refused.value.code == "another_model"
    assert stored(playground, first).state == "done"


def test_a_temporary_chat_is_kept_nowhere_but_in_memory(playground):
    turn = Turn(OWNER, "short", "A secret", temporary=True)

    async def talk():
        opened = None
        for following in (turn, None):
            following = following or Turn(OWNER, "short", "More", chat=opened.chat.id)
            async with aclosing(playground.ask(following)) as stream:
                async for item in stream:
                    opened = item if isinstance(item, Opened) else opened
        return opened

    opened = asyncio.run(talk())
    assert playground.store.chats(OWNER) == ()
    kept = playground.store_of(opened.chat.id)
    assert eventually(lambda: kept.chat(OWNER, opened.chat.id)[1][-1].state == "done")
    assert [m.role for m in kept.chat(OWNER, opened.chat.id)[1]] == ["user", "assistant"] * 2
    with pytest.raises(ParleyError):
        playground.store.chat(OWNER, opened.chat.id)


def test_stopping_while_the_model_loads_ends_the_load(playground, engines):
    async def stop_at_once():
        async with aclosing(playground.ask(Turn(OWNER, "long", "Go on"))) as stream:
            async for item in stream:
                if isinstance(item, Opened):
                    opened = item
                    playground.stop(item.answer.id)
                elif item.last:
                    return opened, item.events[-1]

    opened, end = asyncio.run(stop_at_once())
    assert end.reason == "cancelled"
    assert eventually(lambda: stored(playground, opened).state == "stopped")
    assert eventually(lambda: "long" not in playground.pool.view().models)
    assert all(engine.wait_gone(10) for engine in engines)


def test_a_killed_engine_ends_the_turn_with_a_sentence_and_the_next_one_works(playground, engines):
    async def kill_midway():
        text = ""
        async with aclosing(playground.ask(Turn(OWNER, "long", "Go on"))) as stream:
            async for item in stream:
                if isinstance(item, Opened):
                    opened = item
                    continue
                text += "".join(e.text for e in item.events if isinstance(e, Delta))
                if len(text) > 20 and engines[0].alive:
                    os.kill(engines[0].pid, signal.SIGKILL)
                if item.last:
                    return opened, item.events[-1], text

    opened, end, text = asyncio.run(kill_midway())
    assert isinstance(end, Failed)
    assert end.code == "engine_died"
    settings = {"max_new_tokens": 20}
    turn = Turn(OWNER, "long", chat=opened.chat.id, retry_of=opened.answer.id, settings=settings)
    again, _, _ = run(playground, turn)
    kept = stored(playground, opened)
    assert (kept.state, kept.content, kept.error.code) == ("failed", text, "engine_died")
    assert stored(playground, again).content


@pytest.mark.parametrize(
    ("turn", "code"),
    [
        (Turn(OWNER, "short", "  "), "empty_message"),
        (Turn(OWNER, "nobody", "Hi"), "unknown_model"),
        (Turn(OWNER, "short", "Hi", settings={"top_p": 7}), "bad_setting"),
        (Turn(OWNER, "short", "Hi", chat="missing"), "no_such_chat"),
    ],
)
def test_a_refused_turn_leaves_no_trace(playground, turn, code):
    with pytest.raises(ParleyError) as caught:
        run(playground, turn)
    assert caught.value.code == code
    assert playground.store.chats(OWNER) == ()


def test_a_single_completion_is_not_stored(playground):
    async def read():
        return [batch async for batch in playground.complete(Turn(OWNER, "short", "Hi"))]

    batches = asyncio.run(read())
    assert isinstance(batches[-1].events[-1], Finished)
    assert playground.store.chats(OWNER) == ()
