"""The pool with real engine processes: kills, freezes, a short soak, and one model after another
where two do not fit."""

from __future__ import annotations

import gc
import os
import queue
import signal
import weakref
from functools import partial

import pytest

from benchmarks import soak
from parley.catalog.spec import ModelSpec
from parley.engines.local import LocalEngine
from parley.engines.stock import take_stock
from parley.errors import ParleyError
from parley.events import Delta, Failed
from parley.pool.appraiser import Appraiser
from parley.pool.limits import Limits
from parley.pool.memory import Machine
from parley.pool.pool import Pool
from parley.pool.slots import Lease, OneByOne
from parley.pool.together import Together
from tests import checkpoints
from tests.engines.listening import Listener, request

PATIENCE = 120
GB = 10**9


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return checkpoints.endless(tmp_path_factory.mktemp("endless"))


@pytest.fixture
def pools(nursery):
    made = []

    def make(budget=GB, **limits):
        engines = []

        def engine(spec, devices):
            engines.append(LocalEngine(spec, nursery, devices))
            return engines[-1]

        pool = Pool(
            engine,
            Appraiser(partial(take_stock, ask_hub=False)),
            Machine("cpu", {"cpu": budget}, {}),
            limits=Limits(**limits),
        )
        pool.start()
        pool.made = engines
        made.append(pool)
        return pool

    yield make
    for pool in made:
        pool.close()
        assert all(engine.wait_gone(10) for engine in pool.made)


def until(news: queue.Queue, *kinds):
    while True:
        item = news.get(timeout=PATIENCE)
        if isinstance(item, kinds):
            return item


def lease(pool, spec) -> Lease:
    news = queue.Queue()
    pool.request(spec, news.put, insist=True)
    found = until(news, Lease, ParleyError)
    assert isinstance(found, Lease), found
    return found


def answering(held: Lease) -> Listener:
    """An answer that has begun and would go on for long."""
    listener = Listener()
    held.engine.generate(request("Go on", max_new_tokens=6000), listener)
    listener.until(Delta)
    return listener


def test_a_frozen_engine_is_noticed_and_replaced(pools, folder):
    pool, spec = pools(hang=4.0), ModelSpec(id="one", name="One", path=folder)
    held = lease(pool, spec)
    listener = answering(held)
    os.kill(held.engine.pid, signal.SIGSTOP)
    end = listener.until(Failed)
    assert end.code == "engine_hung"
    assert end.fix
    held.release()
    again = lease(pool, spec)
    assert again.engine.pid != held.engine.pid
    again.release()


def test_a_killed_engine_leaves_its_neighbour_alone(pools, folder):
    pool = pools()
    one, other = (lease(pool, ModelSpec(id=i, name=i, path=folder)) for i in ("one", "other"))
    dying, living = answering(one), answering(other)
    os.kill(one.engine.pid, signal.SIGKILL)
    assert dying.until(Failed).code == "engine_died"
    told = len(living.heard)
    while len(living.heard) < told + 5:
        living.until(Delta)
    other.release()


def test_nothing_holds_an_engine_that_is_gone(pools, folder):
    pool = pools()
    held = lease(pool, ModelSpec(id="one", name="One", path=folder))
    engine = weakref.ref(pool.made.pop())
    pid = held.engine.pid
    held.release()
    pool.unload("one")
    assert engine().wait_gone(PATIENCE)
    del held
    for _ in range(200):
        gc.collect()
        if engine() is None:
            break
        pool.view()
        signal.sigtimedwait([], 0.05)
    assert engine() is None
    assert not os.path.exists(f"/proc/{pid}")  # noqa: PTH110 - as the kernel says it


def test_two_that_do_not_fit_together_come_one_after_the_other(pools, folder):
    pool = pools(budget=400_000_000)  # the workspace of one alone is 256 MiB
    specs = [ModelSpec(id=i, name=i, path=folder) for i in ("one", "other")]
    news = queue.Queue()
    Together(pool, specs, lambda index, item: news.put((index, item)))
    order, in_turn = [], False
    while len(order) < 2:
        index, item = news.get(timeout=PATIENCE)
        in_turn = in_turn or isinstance(item, OneByOne)
        assert not isinstance(item, ParleyError), item
        if isinstance(item, Lease):
            ready = {m for m, v in pool.view().models.items() if v.state == "ready"}
            assert len(ready) <= 1
            order.append(index)
            item.release()
    assert in_turn
    assert order == [0, 1]


def test_a_short_soak_loses_nothing():
    tally, _, _ = soak.run(seconds=12, seed=7)
    assert tally.faults == []
    assert sum(tally.ends.values()) > 10
