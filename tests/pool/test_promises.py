"""What a promise of the pool is worth when models die, grow, change or come in several versions.

Each test is a history in which a promise was once broken, or kept to the wrong one.
"""

from __future__ import annotations

import logging

import pytest

from parley.events import Queued
from parley.pool.estimate import ways
from parley.pool.memory import Machine
from parley.pool.slots import OneByOne
from parley.pool.together import Together
from tests.pool.house import House


@pytest.fixture
def house(caplog):
    made = House()
    yield made
    made.close()
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]


def arrives(house, model):
    house.buried()
    house.engine(model).becomes_ready()
    house.pump()


def test_a_set_that_has_lost_a_model_holds_nothing_back(house):
    """It kept the other model and waited for room, which somebody older had been promised and who
    waited for just that model to go."""
    older = house.ask("c9", "c9")
    house.engine("c9").becomes_ready()
    house.pump()
    older.release()
    both = house.ask("a4", "b4")
    house.buried()
    house.engine("a4").becomes_ready()
    house.pump()
    house.engine("a4").goes()
    hungry = house.ask("d9")
    house.passes(11)
    house.engine("b4").becomes_ready()
    arrives(house, "a4")
    assert both.leases
    both.release()
    arrives(house, "d9")
    assert hungry.leases


def test_a_model_that_is_to_go_lets_nobody_in_on_a_promise_of_the_next(house):
    holder = house.lease("a2")
    both = house.ask("a2", "b4")
    house.pool.unload("a2")
    house.pump()
    late = house.ask("a2")
    assert not late.leases
    arrives(house, "b4")
    assert both.leases
    assert not late.leases
    both.release()
    holder.release()
    arrives(house, "a2")
    assert late.leases


def test_two_versions_asked_for_at_once_come_one_after_the_other(house):
    for dtype in ("float32", "bfloat16"):
        house.pool.request(house.spec("a4", dtype=dtype), lambda news: None)
    house.pump()
    assert len(house.engines) == 1
    house.engine("a4").becomes_ready()
    house.pump()
    assert len(house.engines) == 1


def test_two_versions_that_wait_for_the_same_room_begin_one_after_the_other(house):
    house.lease("b9").release()
    people = [house.ask("a4", dtype=dtype) for dtype in ("float32", "bfloat16")]
    house.buried()
    assert house.loads("a4") == 1
    for person in people:
        arrives(house, "a4")
        assert person.leases
        person.release()


def test_an_earlier_promise_does_not_wait_for_a_later_one(house):
    """A lane was kept for an older set whose room was to come from a younger one, which waited for
    that lane."""
    holder = house.lease("b3", concurrency=1)
    younger = house.ask("b3", "a2", concurrency=1)
    older_room = house.lease("c4")
    house.engine("a2").becomes_ready()
    house.pump()
    older = house.ask("d6", "b3", concurrency=1)
    house.passes(11)
    older_room.release()
    house.buried()
    holder.release()
    assert younger.leases
    younger.release()
    arrives(house, "d6")
    assert older.leases


def test_a_load_that_is_tried_again_keeps_its_turn(house):
    holder = house.lease("d4")
    house.lease("c1").release()
    first, second = house.ask("a5"), house.ask("b4")
    house.passes(11)
    house.engine("a5").fails("oom_load")
    house.buried()
    assert (house.loads("a5"), house.loads("b4")) == (2, 0)
    assert first.error is None
    arrives(house, "a5")
    assert first.leases
    holder.release()
    arrives(house, "b4")
    assert second.leases


def test_a_load_is_tried_again_once_even_where_more_could_go_by_then(house):
    house.lease("c2").release()
    keeper = house.lease("d2")
    person = house.ask("a5")
    house.engine("a5").fails("oom_load")
    house.buried()
    assert house.loads("a5") == 2
    keeper.release()
    house.engine("a5").fails("oom_load")
    house.pump()
    assert person.error.code == "oom_load"
    assert not house.engine("d2").closed


@pytest.mark.parametrize("last_words", ["ready", "failed"])
def test_what_an_ended_load_says_at_last_changes_nothing_for_the_next(house, last_words):
    house.ask("a4").cancel()
    old = house.engine("a4")
    assert old.closed
    person = house.ask("a4")
    if last_words == "ready":
        old.becomes_ready()
    else:
        old.fails("offline")
    house.pump()
    assert not person.leases
    assert not house.ask("a4").leases
    assert person.error is None
    old.goes()
    house.pump()
    assert house.engine("a4") is not old
    arrives(house, "a4")
    assert person.leases


def test_a_load_that_was_called_off_is_no_failure(house):
    house.ask("a4").cancel()
    house.buried()
    assert house.state("a4") == "cold"


def test_a_set_that_has_lost_a_model_is_promised_nothing_until_there_is_room_again(house):
    house.lease("a4").release()
    both, other = house.ask("a4", "b4"), house.lease("c2")
    house.pool.set_machine(Machine("cpu", {"cpu": 9}, {}))
    house.engine("a4").goes()
    house.pump()
    assert not both.ticket.kept
    assert house.loads("a4") == 1
    other.release()
    arrives(house, "b4")
    arrives(house, "a4")
    assert both.leases


def test_what_is_left_of_a_smaller_budget_is_promised_anew(house):
    holder = house.lease("a4")
    house.lease("b6").release()
    waiting = house.ask("c6")
    assert house.state("b6") == "unloading"
    house.pool.set_machine(Machine("cpu", {"cpu": 5}, {}))
    house.buried()
    assert house.loads("c6") == 0
    assert waiting.error.code == "too_large"
    holder.release()


def test_one_that_came_after_a_full_queue_drives_nobody_out(house):
    small = House(queue_max=2)
    small.lease("a6", concurrency=1)
    small.lease("b4").release()
    line = [small.ask("a6", concurrency=1) for _ in range(2)]
    joins = [small.ask("c4") for _ in range(2)]
    assert [p.error for p in line] == [None, None]
    assert joins[0].error is None  # what it is promised was nobody's
    assert joins[1].error.code == "queue_full"
    small.close()


def test_a_load_has_only_so_many_who_wait_for_it():
    small = House(queue_max=2)
    people = [small.ask("a4", concurrency=3) for _ in range(6)]
    assert [p.error.code if p.error else None for p in people] == [None] * 5 + ["queue_full"]
    small.close()


def test_a_set_that_waits_for_room_hears_that_one_of_its_models_has_failed(house):
    holder = house.lease("c4")
    house.ask("a4")
    both = house.ask("a4", "b6")
    house.engine("a4").fails()
    house.pump()
    assert both.error.code == "corrupt_weights"
    holder.release()


def test_a_load_whose_set_has_failed_makes_way_for_somebody_who_waits(house):
    house.ask("a4", "b5")
    house.engine("a4").fails()
    house.buried()
    person = house.ask("c6")
    assert not house.engine("b5").closed
    house.passes(6)
    assert house.engine("b5").closed
    arrives(house, "c6")
    assert person.leases


def test_a_load_that_is_joined_and_left_again_has_its_seconds_anew(house):
    for pause in (30, 4):
        house.ask("a6").leave()
        house.passes(pause)
    house.ask("b6")
    assert not house.engine("a6").closed
    house.passes(2)
    assert house.engine("a6").closed


def test_a_place_in_the_queue_is_told_again_after_the_load(house):
    people = [house.ask("a4", concurrency=1) for _ in range(2)]
    house.pump()
    house.engine("a4").becomes_ready()
    house.pump()
    assert people[1].news[-1] == Queued(1, "busy")
    people[0].release()
    assert people[1].leases


def test_a_listener_that_fails_keeps_the_error_from_nobody(caplog):
    house, heard = House(), []

    def faulty(news):
        raise RuntimeError("a fault of the listener's own")

    house.pool.request(house.spec("a4"), faulty)
    house.pool.request(house.spec("a4"), heard.append)
    house.pump()
    house.engine("a4").fails()
    house.pump()
    assert heard[-1].code == "corrupt_weights"
    house.pool.request(house.spec("b4"), faulty)
    house.pool.request(house.spec("b4"), heard.append)
    house.pool.close(1)
    assert heard[-1].code == "shutting_down"
    assert house.engine("a4").closed
    assert house.engine("b4").gone
    assert "a fault of the listener's own" in caplog.text


def test_a_model_that_outgrew_the_machine_is_not_too_large_the_next_time(house):
    """What it took was remembered, and more than there is could never be had again."""
    owner = house.pool._owner
    del owner.ways
    spec = house.spec("a4", parameters=1)
    house.pool.set_machine(Machine("cpu", {"cpu": 300_000_000}, {}))
    house.pool.request(spec, lambda news: None)
    house.pump()
    engine = house.engine("a4")
    engine.becomes_ready(4)
    engine.beats(memory=400_000_000)
    house.pump()
    house.pool.unload("a4")
    engine.goes()
    house.pump()
    assert house.pool.fit(spec).kind == "fits"
    assert owner.ways(spec) == ways(300_000_000, owner.machine.budget)


def test_only_loads_that_began_are_counted_as_called_off(house):
    house.lease("b6").release()
    waiting = house.ask("a6")
    house.pool.unload("a6")
    house.pump()
    assert waiting.error.code == "load_cancelled"
    house.buried()
    house.ask("c4").cancel()
    loads = samples(house.meters, "parley_model_loads_total")
    assert [s.labels["model"] for s in loads if s.labels["result"] == "cancelled"] == ["c4"]


@pytest.mark.parametrize("how", ["requested", "evicted", "outdated"])
def test_the_reason_why_a_model_went_is_kept_until_it_has_gone(house, how):
    holder, both = house.lease("a4"), house.ask("a4", "b4")
    match how:
        case "requested":
            house.pool.unload("a4")
        case "evicted":
            house.ask("c9")
            house.passes(11)
        case "outdated":
            house.ask("a4", dtype="float32")
    house.pump()
    arrives(house, "b4")
    holder.release()
    both.release()
    gone = {s.labels["model"]: s.labels["reason"] for s in unloads(house.meters) if s.value}
    assert gone["a4"] == how


def test_what_comes_one_by_one_can_be_called_off_however_early_the_news(house):
    """The first turn can begin before whoever asked has their hands on it."""

    class Quick:
        """A pool whose owner is faster than the thread that asks."""

        def request_together(self, *args, **more):
            ticket = house.pool.request_together(*args, **more)
            house.pump()
            return ticket

        def request(self, *args, **more):
            return house.pool.request(*args, **more)

    heard = []
    together = Together(
        Quick(), [house.spec("a6"), house.spec("b6")], lambda index, news: heard.append(news)
    )
    assert isinstance(heard[0], OneByOne)
    house.pump()
    together.cancel()
    house.pump()
    assert house.engine("a6").closed


def samples(meters, name):
    return [s for family in meters.collect() for s in family.samples if s.name == name]


def unloads(meters):
    return samples(meters, "parley_model_unloads_total")
