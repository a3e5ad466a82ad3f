"""Who goes for whom, who comes next, and what a person is told before they ask."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parley.pool import decisions as d
from parley.pool.policy import fit, settle
from parley.pool.room import MODELS, Seat, choose, placings
from parley.pool.view import Fit
from tests.pool import rules

NOW = 1000.0


def key(model, version=0):
    return model, version


def size(model):
    return int(model[-1])


def one(model):
    return {"cpu": size(model), MODELS: 1}


def seat(number, takes, released=0.0, seconds=0.0, busy=False):
    return Seat(number, {"cpu": takes}, released, seconds, busy)


class Scene:
    """A snapshot in the making, on one device with ten units. A model is as large as its name's
    last digit says."""

    def __init__(self, budget=10, models=99, **more):
        self.budget = {"cpu": budget, MODELS: models}
        self.residents, self.queue, self.more = [], [], more
        self.unknown = set()

    def has(self, model, state="ready", version=0, takes=None, **more):
        number = len(self.residents) + 1
        more.setdefault("released", NOW - 100 + number)
        takes = one(model) if takes is None else {"cpu": takes, MODELS: 1}
        place = d.Resident(number, key(model, version), takes, state, **more)
        self.residents.append(place)
        return number

    def asks(self, *models, ago=0.0, kept=(), promise=0, queued=None):
        ticket = len(self.queue) + 1
        keys = tuple(m if isinstance(m, tuple) else key(m) for m in models)
        since = NOW - ago
        queued = since if queued is None else NOW - queued
        self.queue.append(d.Want(ticket, keys, since, queued, kept, promise))
        return ticket

    def house(self):
        wanted = {k for want in self.queue for k in want.models}
        return d.House(
            NOW,
            self.budget,
            tuple(self.residents),
            tuple(self.queue),
            {k: (one(k[0]),) for k in wanted if k[0] not in self.unknown},
            **self.more,
        )

    def decides(self):
        found = settle(self.house())
        rules.check(self.house(), found)
        return found

    def gives(self):
        return settled(self.house())[1]


def settled(house):
    """Everything that is decided until nothing is left to decide, and how things are then."""
    decided = []
    for _ in range(30):
        found = settle(house)
        rules.check(house, found)
        if not found:
            rules.at_rest(house)
            return house, decided
        decided += found
        house = rules.played(house, found)
    raise AssertionError(f"it does not come to rest: {found}, {house}")


# -- choosing who goes --


def test_where_there_is_room_nobody_goes():
    assert choose([{"cpu": 4}], {"cpu": 4}, [seat(1, 4)]) == (0, ())


def test_the_fewest_that_are_enough():
    seats = [seat(1, 2, 10), seat(2, 2, 20), seat(3, 5, 90)]
    assert choose([{"cpu": 4}], {"cpu": 0}, seats) == (0, (3,))


def test_among_as_many_the_least_recently_released():
    seats = [seat(1, 4, 30), seat(2, 4, 10), seat(3, 4, 20)]
    assert choose([{"cpu": 4}], {"cpu": 0}, seats) == (0, (2,))
    assert choose([{"cpu": 8}], {"cpu": 0}, seats) == (0, (2, 3))


def test_among_equals_the_one_that_loads_again_quickest():
    seats = [seat(1, 4, 10, seconds=9), seat(2, 4, 10, seconds=2)]
    assert choose([{"cpu": 4}], {"cpu": 0}, seats) == (0, (2,))


def test_two_idle_ones_rather_than_a_busy_one():
    seats = [seat(1, 4, 10, busy=True), seat(2, 2, 90), seat(3, 2, 95)]
    assert choose([{"cpu": 4}], {"cpu": 0}, seats) == (0, (2, 3))


def test_the_way_that_costs_nobody_anything_before_the_preferred_one():
    ways = [{"cuda:0": 4, MODELS: 1}, {"cuda:1": 4, MODELS: 1}]
    there = [Seat(1, {"cuda:0": 6, MODELS: 1}, 0, 0)]
    left = {"cuda:0": 0, "cuda:1": 6, MODELS: 9}
    assert choose(ways, left, there) == (1, ())
    assert choose(ways, {**left, "cuda:1": 2}, there) == (0, (1,))
    assert choose(ways, {**left, "cuda:0": 5}, there) == (0, ())


def test_no_way_is_none():
    assert choose([{"cpu": 9}], {"cpu": 1}, [seat(1, 4)]) is None
    assert choose([], {"cpu": 1}, []) is None


def test_a_number_of_models_is_room_too():
    seats = [Seat(1, {"cpu": 1, MODELS: 1}, 0, 0)]
    assert choose([{"cpu": 1, MODELS: 1}], {"cpu": 9, MODELS: 0}, seats) == (0, (1,))


@given(
    need=st.integers(1, 60),
    left=st.integers(-5, 10),
    seats=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 99), st.booleans()), max_size=16),
)
def test_who_is_chosen_is_enough_and_none_too_many(need, left, seats):
    there = [seat(n, takes, released, busy=b) for n, (takes, released, b) in enumerate(seats)]
    found = choose([{"cpu": need}], {"cpu": left}, there)
    if found is None:
        assert left + sum(s.takes["cpu"] for s in there) < need
        return
    gone = [s.takes["cpu"] for s in there if s.number in found[1]]
    assert left + sum(gone) >= need
    assert all(left + sum(gone) - takes < need for takes in gone)


def test_models_are_placed_side_by_side_in_every_way_there_is():
    def on(*names):
        return [{name: 5, MODELS: 1} for name in names]

    left = {"cuda:0": 6, "cuda:1": 6, MODELS: 9}
    both = on("cuda:0", "cuda:1")
    assert list(placings([both, both], left)) == [tuple(both), tuple(reversed(both))]
    assert list(placings([both, on("cuda:0")], left)) == [tuple(reversed(both))]
    assert list(placings([both] * 3, left)) == []
    assert list(placings([], left)) == [()]


# -- one request --


def test_a_cold_model_is_admitted_promised_and_begun():
    scene = Scene()
    ticket = scene.asks("a4")
    assert scene.gives() == [d.Admit(key("a4"), one("a4")), d.Promise(ticket), d.Begin(1)]


def test_a_loaded_model_is_lent():
    scene = Scene()
    scene.has("a4")
    ticket = scene.asks("a4")
    assert scene.gives() == [d.Grant(ticket)]


def test_nothing_is_admitted_that_is_not_known_yet():
    scene = Scene()
    scene.unknown.add("a4")
    scene.asks("a4", ago=60)
    assert settle(scene.house()) == ()


def test_room_that_is_on_its_way_out_is_waited_for():
    scene = Scene()
    scene.has("a6", "unloading")
    scene.asks("b6")
    assert [type(step) for step in scene.gives()] == [d.Admit, d.Promise]


def test_what_no_eviction_can_make_room_for_is_refused_with_numbers():
    scene = Scene(budget=5)
    ticket = scene.asks("a6")
    assert scene.gives() == [d.Refuse(ticket, "too_large", key("a6"), 6, 5)]


def test_what_only_pinned_models_hinder_names_them():
    scene = Scene()
    scene.has("a6", pinned=True)
    scene.has("b3")
    ticket = scene.asks("c5")
    assert scene.gives() == [d.Refuse(ticket, "too_large", key("c5"), 5, 10, ("a6",))]


def test_more_models_than_are_allowed_make_room_for_each_other():
    scene = Scene(models=1)
    scene.has("a1")
    scene.asks("b1")
    assert d.Drain(1, "evicted") in scene.gives()


def test_a_request_ends_at_its_time_but_not_while_its_model_loads():
    for state, ends in (("ready", True), ("loading", False)):
        scene = Scene()
        scene.has("a4", state, leases=4 if state == "ready" else 0, lanes=4)
        ticket = scene.asks("a4", ago=400, kept=(1,), promise=1)
        expected = [d.Refuse(ticket, "queue_timeout", key("a4"))] if ends else []
        assert scene.gives() == expected


# -- several requests --


def test_a_small_one_passes_a_large_one_that_has_to_wait():
    scene = Scene()
    scene.has("a6", leases=1)
    scene.asks("b6", ago=5)
    small = scene.asks("c3")
    assert d.Promise(small) in scene.gives()


def test_the_oldest_gets_the_lane():
    scene = Scene()
    scene.has("a4", leases=1, lanes=2)
    first = scene.asks("a4", ago=2)
    scene.asks("a4", ago=1)
    assert scene.gives() == [d.Grant(first)]


def test_one_in_time_leaves_busy_models_alone_one_overdue_gives_them_the_last_call():
    for ago, decided in ((9, []), (10, [d.Drain(1, "evicted")])):
        scene = Scene()
        scene.has("a6", leases=1)
        ticket = scene.asks("b6", ago=ago)
        if decided:
            decided += [d.Admit(key("b6"), one("b6")), d.Promise(ticket)]
        assert scene.gives() == decided


def test_who_has_a_promise_still_gets_into_a_model_that_has_to_go():
    scene = Scene()
    scene.has("a6", "loading")
    scene.asks("b6", ago=11)
    scene.asks("a6", ago=5, kept=(1,), promise=1)
    found = scene.gives()
    assert d.LastCall(1, "evicted") in found
    assert not any(isinstance(step, d.Drain) for step in found)


def test_after_the_last_call_nobody_new_gets_in():
    scene = Scene()
    scene.has("a6", last_call=True, leases=1)
    scene.has("b6", "pending")
    scene.asks("b6", ago=11, kept=(2,), promise=1)
    scene.asks("a6")
    assert scene.gives() == [d.Drain(1, "evicted")]


def test_a_promise_of_the_next_instance_is_no_entry_to_this_one():
    """The lease of an old answer keeps the old instance; it must not be renewed for ever."""
    scene = Scene()
    scene.has("a2", last_call=True, leases=1)
    scene.has("a2", "pending")
    scene.asks("a2", kept=(2,), promise=1)
    assert scene.gives() == [d.Drain(1, "evicted")]


def test_an_earlier_promise_is_kept_before_an_older_request():
    """The older one may wait for what the younger one has to give back first."""
    scene = Scene()
    scene.has("b3", lanes=1)
    scene.has("a2", last_call=True)
    scene.has("d6", "pending")
    scene.asks("b3", "d6", ago=12, kept=(1, 3), promise=2)
    younger = scene.asks("b3", "a2", ago=11, kept=(1, 2), promise=1)
    assert scene.decides()[0] == d.Grant(younger)


def test_a_promise_is_void_once_one_of_its_models_has_gone():
    """What is left of it must not stand in the way of somebody older."""
    scene = Scene()
    scene.has("b4", "loading")
    oldest = scene.asks("c9", ago=11)
    scene.asks("a4", "b4", ago=5, kept=(7, 1), promise=1)
    found = scene.gives()
    assert d.Promise(oldest) in found
    assert d.Drain(1, "evicted") in found


def test_who_waits_too_long_for_a_lane_is_promised_it():
    scene = Scene()
    scene.has("a4", leases=1, lanes=1)
    ticket = scene.asks("a4", ago=10)
    assert scene.gives() == [d.Promise(ticket)]


# -- sets --


def test_a_set_takes_what_is_there_and_brings_in_the_rest():
    scene = Scene()
    scene.has("a4")
    ticket = scene.asks("a4", "b4")
    assert scene.gives() == [d.Admit(key("b4"), one("b4")), d.Promise(ticket), d.Begin(2)]


def test_a_set_evicts_none_of_its_own():
    scene = Scene()
    scene.has("a4", released=0.0)
    scene.has("c3", released=NOW)
    scene.asks("a4", "b4")
    found = scene.gives()
    assert d.Drain(2, "evicted") in found
    assert not any(step == d.Drain(1, "evicted") for step in found)


def test_what_a_set_has_is_kept_while_it_waits_for_the_rest():
    """From its time-to-live, and from somebody younger who could use its room."""
    scene = Scene()
    scene.has("a4", ttl=10, released=NOW - 60)
    scene.has("c5", leases=1)
    scene.asks("a4", "b5", ago=5)
    scene.asks("d5", ago=4)
    assert scene.gives() == []


def test_a_lane_that_somebody_waits_for_is_not_taken_by_the_next():
    scene = Scene()
    scene.has("a4", lanes=2, leases=1)
    scene.asks("a4", "a4", ago=1)  # needs both
    scene.asks("a4")
    assert scene.gives() == []
    scene = Scene()
    scene.has("a4", lanes=1)
    scene.has("b4", "loading")
    scene.asks("a4", "b4", kept=(1, 2), promise=1)
    scene.asks("a4")
    assert scene.gives() == []


def test_a_set_lets_others_pass_for_a_while_where_it_lacks_another_models_lane():
    for ago, passes in ((9, True), (10, False)):
        scene = Scene()
        scene.has("a4", lanes=1)
        scene.has("b4", lanes=1, leases=1)
        scene.asks("a4", "b4", ago=ago)
        younger = scene.asks("a4")
        assert (d.Grant(younger) in scene.gives()) is passes


def test_a_set_that_cannot_be_together_is_split_unless_one_can_never_be():
    scene = Scene()
    assert scene.asks("a6", "b6") == 1
    assert scene.gives() == [d.Split(1)]
    scene = Scene(budget=5)
    ticket = scene.asks("a4", "b6")
    assert scene.gives() == [d.Refuse(ticket, "too_large", key("b6"), 6, 5)]


def test_two_versions_of_one_model_come_one_after_the_other():
    scene = Scene()
    ticket = scene.asks(key("a2", 1), key("a2", 2))
    assert scene.gives() == [d.Split(ticket)]


def test_the_same_model_twice_needs_two_lanes_or_the_whole_model():
    scene = Scene()
    scene.has("a4", lanes=1)
    ticket = scene.asks("a4", "a4")
    assert scene.gives() == [d.Grant(ticket)]
    scene.residents[0] = replace(scene.residents[0], leases=1)
    assert scene.gives() == []


def test_a_set_that_fits_in_one_arrangement_only_finds_it():
    """Placed one by one, each where it likes best, the second finds no place."""
    ways = {
        key("a4"): ({"cuda:0": 4}, {"cuda:1": 4}),
        key("b5"): ({"cuda:0": 5}, {"cuda:1": 5}),
    }
    want = d.Want(1, (key("a4"), key("b5")), NOW, NOW)
    house = d.House(NOW, {"cuda:0": 6, "cuda:1": 4}, (), (want,), ways)
    assert settle(house) == (
        d.Admit(key("a4"), {"cuda:1": 4}),
        d.Admit(key("b5"), {"cuda:0": 5}),
        d.Promise(1),
    )


# -- without a request --


def test_idle_models_go_at_their_time():
    for idle, goes in ((59, []), (60, [d.Drain(1, "idle"), d.Unload(1)])):
        scene = Scene()
        scene.has("a4", ttl=60, released=NOW - idle)
        assert scene.gives() == goes


@pytest.mark.parametrize("more", [{"leases": 1}, {"pinned": True}, {"ttl": 0}])
def test_models_in_use_pinned_or_without_a_time_stay(more):
    scene = Scene()
    scene.has("a4", released=0.0, **{"ttl": 60, **more})
    assert scene.gives() == []


def test_what_has_outgrown_the_budget_makes_idle_ones_go():
    scene = Scene()
    scene.has("a4", leases=1, takes=9)
    scene.has("b2")
    scene.has("c1")
    assert scene.gives() == [d.Drain(2, "evicted"), d.Unload(2)]


def test_where_the_idle_are_not_enough_they_go_all_the_same():
    scene = Scene(budget=5)
    scene.has("a6", leases=1)
    scene.has("b3")
    assert scene.gives() == [d.Drain(2, "evicted"), d.Unload(2)]


def test_a_promise_of_room_that_is_gone_is_taken_back():
    scene = Scene(budget=5)
    scene.has("a4", leases=1)
    scene.has("b4", "pending")
    ticket = scene.asks("b4", kept=(2,), promise=1)
    assert scene.gives() == [d.TakeBack(ticket), d.Drain(2, "abandoned"), d.Unload(2)]


def test_so_is_one_of_room_that_others_are_to_have_after_it():
    scene = Scene(budget=5)
    scene.has("a6", "pending", last_call=True)
    scene.has("b4", "pending")
    ticket = scene.asks("a6", kept=(1,), promise=1)
    scene.asks("b4", kept=(2,), promise=2)
    found = scene.gives()
    assert found[0] == d.TakeBack(ticket)
    assert d.Refuse(ticket, "too_large", key("a6"), 6, 5) in found
    assert d.Begin(2) in found


def test_of_two_promises_for_which_there_is_no_room_the_earlier_one_is_kept():
    scene = Scene(budget=5)
    scene.has("a4", "pending")
    scene.has("b4", "pending")
    scene.asks("a4", kept=(1,), promise=1)
    later = scene.asks("b4", kept=(2,), promise=2)
    found = scene.gives()
    assert found[0] == d.TakeBack(later)
    assert d.Begin(1) in found


def test_a_set_whose_own_model_has_outgrown_it_gets_other_instances():
    """The rest had no room beside it, and it was not to go before the set had been served."""
    scene = Scene()
    scene.has("a6", last_call=True, takes=8)
    scene.has("b4", "pending")
    ticket = scene.asks("a6", "b4", kept=(1, 2), promise=1)
    assert [step for step in scene.gives() if not isinstance(step, d.Unload)] == [
        d.TakeBack(ticket),
        d.Drain(1, "evicted"),
        d.Drain(2, "abandoned"),
        d.Admit(key("a6"), one("a6")),
        d.Admit(key("b4"), one("b4")),
        d.Promise(ticket),
    ]


def test_what_is_kept_for_a_later_promise_and_has_grown_is_not_waited_for():
    """The later one would have waited for the room that the earlier one claims."""
    scene = Scene()
    scene.has("a3", last_call=True, takes=6)
    scene.has("b5", "pending")
    scene.has("c2", "pending")
    earlier = scene.asks("b5", kept=(2,), promise=1)
    scene.asks("a3", "c2", kept=(1, 3), promise=2)
    found = scene.gives()
    assert found[0] == d.TakeBack(earlier)
    assert d.Begin(3) in found


def test_loads_begin_in_the_order_of_the_promises():
    scene = Scene()
    scene.has("a6", "pending")
    scene.has("b6", "pending", last_call=True)
    scene.asks("a6", kept=(1,), promise=2)
    scene.asks("b6", kept=(2,), promise=1)
    assert scene.gives() == [d.Begin(2)]


def test_no_more_loads_at_once_than_allowed_and_none_of_one_model():
    scene = Scene(load_width=1)
    scene.has("a2", "pending")
    scene.has("b2", "pending")
    scene.asks("a2", kept=(1,), promise=1)
    scene.asks("b2", kept=(2,), promise=2)
    assert scene.gives() == [d.Begin(1)]
    scene = Scene()
    scene.has("a2", "pending", 1)
    scene.has("a2", "pending", 2)
    scene.asks(key("a2", 1), kept=(1,), promise=1)
    scene.asks(key("a2", 2), kept=(2,), promise=2)
    assert scene.gives() == [d.Begin(1)]


def test_a_later_load_goes_first_only_where_it_takes_nothing_from_an_earlier_one():
    for busy, begun in ((False, [d.Begin(3)]), (True, [])):
        scene = Scene()
        scene.has("x5", "draining", leases=1)
        scene.has("a8", "pending")
        scene.has("b2", "pending")
        if busy:
            scene.has("c2", leases=1, last_call=True)
            scene.asks("c2", kept=(4,), promise=1)
        scene.asks("a8", kept=(2,), promise=2)
        scene.asks("b2", kept=(3,), promise=3)
        assert scene.gives() == begun


def test_the_versions_of_one_model_claim_its_room_once():
    scene = Scene()
    scene.has("a4", "draining", leases=1)
    scene.has("a4", "pending", 1, last_call=True)
    scene.has("a4", "pending", 2)
    scene.has("b4", "pending")
    scene.asks(key("a4", 1), kept=(2,), promise=1)
    scene.asks(key("a4", 2), kept=(3,), promise=2)
    scene.asks("b4", kept=(4,), promise=3)
    assert scene.gives() == [d.Begin(4)]


# -- before anybody asks --


def told(scene, model):
    house = scene.house()
    return fit(key(model), replace(house, needs={key(model): (one(model),)}))


def test_what_a_person_is_told_of_a_model():
    scene = Scene()
    assert told(scene, "a6") == Fit("fits", 6, 10)
    scene.has("b3")
    scene.has("c3")
    assert told(scene, "b3") == Fit("loaded", 3, 10)
    assert told(scene, "a6") == Fit("unload", 6, 10, ("b3",))
    scene.residents = [replace(r, leases=1) for r in scene.residents]
    assert told(scene, "a6") == Fit("busy", 6, 10, ("b3",))
    assert told(scene, "d4") == Fit("fits", 4, 10)
    scene.residents = [replace(r, pinned=True) for r in scene.residents]
    assert told(scene, "a6") == Fit("pinned", 6, 10, ("b3", "c3"))
    scene.budget["cpu"] = 3
    assert told(scene, "d4") == Fit("too_large", 4, 3)


def test_what_is_not_known_is_not_judged():
    assert fit(key("a6"), Scene().house()) == Fit("unknown", 0, 10)


# -- any snapshot --

MODELS_OF_ALL_SIZES = ("a1", "b2", "c3", "d4", "e6", "f9")
model = st.sampled_from(MODELS_OF_ALL_SIZES)
keys = st.tuples(model, st.integers(0, 1))


@st.composite
def houses(draw):
    """Any that a pool could come to, and some that it should not: too full, or all at once."""
    scene = Scene(draw(st.integers(3, 12)), draw(st.sampled_from([1, 2, 99])))
    scene.more["load_width"] = draw(st.integers(1, 3))
    open_ones = {}
    for name in draw(st.lists(model, unique=True)):
        for version in draw(st.lists(st.integers(0, 1), min_size=1, max_size=2, unique=True)):
            alive = not any(r.key[0] == name and r.state != "pending" for r in scene.residents)
            new = name not in open_ones
            states = (["pending"] if new else []) + (["draining", "unloading"] if alive else [])
            states += ["ready", "loading"] if alive and new else []
            if not states:
                continue
            state = draw(st.sampled_from(states))
            number = scene.has(
                name,
                state,
                version,
                size(name) + draw(st.sampled_from([0, 0, 2])),
                leases=draw(st.integers(0, 2)) if state in ("ready", "draining") else 0,
                lanes=draw(st.integers(1, 2)),
                released=NOW - draw(st.integers(0, 30)),
                pinned=draw(st.booleans()) and draw(st.booleans()),
                ttl=draw(st.sampled_from([0.0, 10.0])),
                share=draw(st.sampled_from([0.0, 0.9])),
            )
            if state in ("pending", "loading", "ready"):
                open_ones[name] = number
    by_key = {r.key: r.number for r in scene.residents if r.number in open_ones.values()}
    for promise in range(draw(st.integers(0, 6))):
        models = draw(st.lists(keys, min_size=1, max_size=3))
        kept = ()
        if draw(st.booleans()) and all(k in by_key for k in models):
            kept = tuple(by_key[k] for k in models)
        scene.asks(*models, ago=draw(st.integers(0, 20)), kept=kept, promise=promise + 1)
    scene.queue.sort(key=lambda want: want.since)
    kept = {number for want in scene.queue for number in want.kept}
    for place in list(scene.residents):
        index = scene.residents.index(place)
        if place.state in ("ready", "loading", "pending") and draw(st.booleans()):
            last = place.number in kept
            scene.residents[index] = replace(place, last_call=last)
        if place.state == "loading" and place.number not in kept:
            scene.residents[index] = replace(scene.residents[index], abandoned=NOW - 6)
    scene.unknown |= draw(st.sets(model, max_size=1))
    return scene


@settings(
    max_examples=rules.EXAMPLES or 400,
    derandomize=not rules.EXAMPLES,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(houses())
def test_whatever_there_is_the_rules_hold_and_all_are_served(scene):
    """From there on the world does its part: loads succeed, answers end, processes go."""
    house, _ = settled(scene.house())
    scene.unknown.clear()
    scene.queue = list(house.queue)
    house = replace(house, needs=scene.house().needs, queue_timeout=1e9)
    for _ in range(60):
        places = [
            r for r in house.residents if not r.going or (r.leases and r.state != "unloading")
        ]
        house = replace(
            house,
            now=house.now + 1,
            residents=tuple(
                replace(r, leases=0, state="ready" if r.state == "loading" else r.state)
                for r in places
            ),
        )
        house, _ = settled(house)
        if not house.queue:
            return
    raise AssertionError(f"somebody is never served: {house}")
