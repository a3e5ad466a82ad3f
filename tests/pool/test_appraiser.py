"""Looking at checkpoints in the background: once for all who ask, and never in the way."""

from __future__ import annotations

import queue
import threading

import pytest

from parley.catalog.spec import ModelSpec
from parley.engines.stock import Stock
from parley.pool.appraiser import AT_ONCE, Appraiser

PATIENCE = 60


def spec(name="one", **more):
    return ModelSpec(id=name, name=name, repo=f"made/{name}", **more)


class Shelf:
    """What is there to be looked at: each look waits until the test lets it end."""

    def __init__(self):
        self.looked = queue.SimpleQueue()
        self.answers = queue.SimpleQueue()

    def take(self, wanted):
        self.looked.put(wanted.id)
        answer = self.answers.get(timeout=PATIENCE)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def shelf():
    return Shelf()


@pytest.fixture
def appraiser(shelf):
    made = Appraiser(shelf.take)
    yield made
    made.close()


def test_nothing_is_known_before_the_first_answer(appraiser, shelf):
    done = threading.Event()
    assert appraiser.stock(spec()) is None
    appraiser.look(spec(), done.set)
    assert shelf.looked.get(timeout=PATIENCE) == "one"
    assert appraiser.stock(spec()) is None
    assert not done.is_set()
    shelf.answers.put(Stock(window=512))
    assert done.wait(PATIENCE)
    assert appraiser.stock(spec()) == Stock(window=512)


def test_all_who_ask_during_a_look_share_it_and_are_told(appraiser, shelf):
    told = [threading.Event() for _ in range(4)]
    appraiser.look(spec(), told[0].set)
    shelf.looked.get(timeout=PATIENCE)
    for one in told[1:]:
        appraiser.look(spec(description="of no matter here"), one.set)
    shelf.answers.put(Stock(on_disk=True))
    assert all(one.wait(PATIENCE) for one in told)
    assert shelf.looked.empty()


def test_a_look_after_the_answer_looks_again_and_the_last_answer_stands_meanwhile(appraiser, shelf):
    for window, before in ((512, None), (1024, 512)):
        done = threading.Event()
        appraiser.look(spec(), done.set)
        shelf.looked.get(timeout=PATIENCE)
        known = appraiser.stock(spec())
        assert (known and known.window) == before
        shelf.answers.put(Stock(window=window))
        assert done.wait(PATIENCE)
        assert appraiser.stock(spec()).window == window


def test_another_revision_is_another_checkpoint(appraiser, shelf):
    done = threading.Event()
    appraiser.look(spec(), done.set)
    shelf.answers.put(Stock(on_disk=True))
    assert done.wait(PATIENCE)
    assert appraiser.stock(spec(revision="v2")) is None


def test_a_fault_while_looking_is_an_answer_that_knows_nothing(appraiser, shelf, caplog):
    done = threading.Event()
    appraiser.look(spec(), done.set)
    shelf.answers.put(RuntimeError("a fault of its own"))
    assert done.wait(PATIENCE)
    assert appraiser.stock(spec()) == Stock()
    assert "could not be found out" in caplog.text


def test_a_survey_asks_for_what_nobody_has_looked_at(appraiser, shelf):
    done = threading.Event()
    appraiser.look(spec("one"), done.set)
    shelf.answers.put(Stock(on_disk=True))
    assert done.wait(PATIENCE)
    assert shelf.looked.get(timeout=PATIENCE) == "one"
    appraiser.survey([spec("one"), spec("two")])
    assert shelf.looked.get(timeout=PATIENCE) == "two"
    appraiser.look(spec("two"), (done := threading.Event()).set)
    shelf.answers.put(Stock())
    assert done.wait(PATIENCE)
    assert shelf.looked.empty()


def test_one_that_takes_long_does_not_keep_the_next_from_being_looked_at(appraiser, shelf):
    names = {f"number {n}" for n in range(AT_ONCE)}
    appraiser.survey(spec(name) for name in sorted(names))
    assert {shelf.looked.get(timeout=PATIENCE) for _ in names} == names
    for _ in names:
        shelf.answers.put(Stock())


def test_after_closing_nothing_more_is_looked_at(appraiser, shelf):
    appraiser.survey(spec(f"number {n}") for n in range(AT_ONCE + 3))
    under_way = {shelf.looked.get(timeout=PATIENCE) for _ in range(AT_ONCE)}
    appraiser.close()  # does not wait for them
    appraiser.look(spec("late"))
    for _ in range(AT_ONCE + 4):
        shelf.answers.put(Stock())
    for thread in appraiser._threads._threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert shelf.looked.empty()
    assert all(appraiser.stock(spec(name)) for name in under_way)
    assert appraiser.stock(spec("late")) is None
    appraiser.close()
