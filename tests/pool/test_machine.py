"""The pool against the world: people, engines, time and memory in any order.

A rule-based state machine drives a real pool with engines that do what they are told and a clock
that stands still until it is moved; messages pile up in the owner's inbox or are served one by
one. Checked after every step and around every decision of the policy (``rules``):

 1. no count of leases below zero; every request ends in one way only: leases, an error, one by one,
    or silence after it was called off
 2. no engine is ended under a lease or a promise, but for a dead, hung or called-off one
 3. one living instance of a model at a time, and no load that nobody waits for
 4. no load begins without room, nor more at once than allowed
 5. a failed load reaches all who wait for it, and nobody else
 6. one who has left hears nothing more and causes nothing more
 7. no lease on an instance after it was told to go
 8. every request ends by its deadline; with a world that works, all are served
 9. one who has waited longer than the fairness window is passed by nobody who came after that
10. the leases of a set come all at once or not at all
11. pinned models make no room
12. after its end no engine can be reached from the pool (that its process gives the memory back is
    shown by the tests with real processes)
13. closing tells all who wait, ends all engines, and can be repeated
14. the view is plain data at any moment
15. no news after a cancel has returned (that no more text comes is shown with real processes)
16. an hour of standing still blames no engine and ends none twice

CI takes the same examples every time. For a longer search with new ones:

    PARLEY_HYPOTHESIS_EXAMPLES=20000 python -m pytest tests/pool/test_machine.py

Over 300 lines so that the whole world is in one place.
"""

from __future__ import annotations

import dataclasses
import gc
import json
import logging
import traceback
import weakref

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from parley.errors import ParleyError
from parley.events import Loading, Queued
from parley.pool import policy
from parley.pool.memory import Machine
from parley.pool.room import MODELS, fits, total
from parley.pool.slots import Lease, OneByOne
from tests.pool import rules
from tests.pool.fake_engine import FakeEngine
from tests.pool.house import House, Person

SETTINGS = settings(
    max_examples=rules.EXAMPLES or 300,
    stateful_step_count=50,
    derandomize=not rules.EXAMPLES,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

CATALOGUE = {
    "a2": {"idle_ttl": 3},
    "b3": {"concurrency": 1},
    "c4": {"idle_ttl": 60},
    "d6": {"concurrency": 2},
    "e9": {},
    "f1": {"pinned": True},
    "g5": {},
}
DEVICES = ({"cpu": 10}, {"cpu": 10}, {"cuda:0": 6, "cuda:1": 5})
FAILURES = ("corrupt_weights", "offline", "oom_load", "engine_died", "gated_no_token")

which = st.integers(0, 11)
waits = st.booleans()  # whether the owner has not come to it yet
model = st.sampled_from(sorted(CATALOGUE))


class Watched(FakeEngine):
    """Tells what is done to it, and notes when it last gave a sign of life."""

    def __init__(self, watcher, spec, devices):
        super().__init__(spec, devices)
        self._watcher = weakref.ref(watcher)
        self.heard = self.moved = watcher.house.now
        self.still, self.hung = 0.0, False

    def load(self, on_progress, on_ready, on_failed):
        super().load(on_progress, on_ready, on_failed)
        self._watcher().sees(self._watcher().begun, self)

    def close(self, why=None):
        if not self.closed:
            self._watcher().sees(self._watcher().ended, self, why)
        super().close(why)

    def moves(self, *args, **more):
        self.heard = self.moved = self._watcher().house.now
        super().moves(*args, **more)

    def becomes_ready(self, *args, **more):
        self.heard = self._watcher().house.now
        super().becomes_ready(*args, **more)

    def beats(self, memory=0, still=0.0):
        self.heard, self.still = self._watcher().house.now, max(self.still, still)
        super().beats(memory, still)


class Somebody(Person):
    """Checks what they hear as they hear it."""

    def __init__(self, watcher, models, dtypes):
        super().__init__(watcher.house, None, [])
        self.watcher, self.models, self.dtypes = watcher, models, dtypes
        self.since = watcher.house.now
        self.left = False

    def hears(self, news):
        self.watcher.sees(self._check, news)
        self.news.append(news)

    @property
    def ended(self):
        return self.left or self.served or self.error is not None or self.one_by_one

    def _check(self, news):
        assert not self.left, "news after a cancel"
        over = self.error is not None or self.one_by_one
        count = sum(isinstance(n, Lease) for n in self.news)
        if isinstance(news, Lease):
            assert not over, "a lease after the end"
            assert count < len(self.models), "more leases than asked for"
            assert news.model_id == self.models[count], "leases in another order"
            assert news.engine.spec.dtype == self.dtypes[count], "another version of the model"
            assert not news.engine.closed, "a lease on an engine that was ended"
            slot = self.watcher.slot(news.engine)
            assert slot is not None
            assert slot.state == "ready", "a lease on a model that was told to go"
            return
        assert not over, "news after the end"
        assert not count, "news after the leases"
        assert isinstance(news, Queued | Loading | OneByOne | ParleyError)
        if isinstance(news, ParleyError):
            self.watcher.refused(self, news)


class World(RuleBasedStateMachine):
    house = None

    # -- the beginning --

    @initialize(
        devices=st.sampled_from(DEVICES),
        max_loaded=st.sampled_from((0, 0, 2)),
        load_width=st.sampled_from((2, 10, 1)),
        queue_max=st.sampled_from((32, 32, 3)),
        idle_ttl=st.sampled_from((None, None, 8)),
        unknown=st.sets(model, max_size=2),
        abrupt=st.booleans(),
    )
    def opens(self, devices, unknown, abrupt, **limits):
        self.house = House(devices, make=lambda *args: Watched(self, *args), **limits)
        self.owner, self.limits = self.house.pool._owner, self.house.pool.limits
        self.people, self.faults, self.abrupt = [], [], abrupt
        self.dtypes = dict.fromkeys(CATALOGUE, "auto")
        self.unloads, self.failures, self.resized = set(), set(), False
        self.closed = self.upset = False
        self.pumped = True
        self.kept = {}
        self.engines = weakref.WeakSet()
        self.house.sizes.unknown |= unknown
        self._log = Faults(self.faults)
        logging.getLogger("parley.pool").addHandler(self._log)
        self._settle = policy.settle
        policy.settle = self._watched_settle

    # -- what is watched --

    def sees(self, check, *args):
        """What fails inside of the pool must not be caught there."""
        try:
            check(*args)
        except AssertionError as fault:
            *_, at = traceback.extract_tb(fault.__traceback__)
            self.faults.append(f"{at.name}, line {at.lineno}: {fault}")

    def slot(self, engine):
        return next((s for s in self.owner._slots.values() if s.engine is engine), None)

    def _watched_settle(self, house):
        found = self._settle(house)
        self.sees(rules.check, house, found)
        if not found:
            self.sees(rules.at_rest, house)
        return found

    def begun(self, engine):
        assert not self.closed, "a load after the end"
        others = [e for e in self.house.engines if e is not engine and e.spec.id == engine.spec.id]
        assert all(e.gone for e in others), "two instances of one model"
        slots = [s for s in self.owner._slots.values() if s.state != "pending"]
        own, taken = self.slot(engine), total(s.takes for s in slots)
        budget = {**self.owner.machine.budget, MODELS: self.limits.max_loaded or len(slots)}
        assert fits({name: taken[name] for name in own.takes}, budget), "a load without room"
        assert sum(s.state == "loading" for s in slots) <= self.limits.load_width, "too many loads"
        assert any(own.key in t.keys for t in self.owner._waiting.values()), "a load for nobody"

    def ended(self, engine, why):
        if self.closed or engine.gone:
            return
        hung = self.house.now - engine.heard >= self.limits.hang
        stuck = engine.still >= self.limits.stuck
        holders = [p for p in self.people if any(n.engine is engine for n in p.leases)]
        if holders:
            assert hung or stuck, "ended under a lease"
            assert why is not None
            assert why.code == "engine_hung"

    def refused(self, person, error):
        """Every refusal has its reason."""
        match error.code:
            case "shutting_down":
                assert self.closed
            case "queue_timeout":
                assert self.house.now - person.since >= self.limits.queue_timeout, "too early"
            case "queue_full":
                assert len(self.owner._waiting) >= self.limits.queue_max, "there is a place"
            case "load_cancelled":
                assert self.unloads & set(person.models), "nobody called it off"
            case "too_large":
                pinned = any(self.owner._pinned.values()) or "f1" in self.house.in_memory()
                assert pinned or self.resized or set(person.models) & {"e9", "d6"}, "it fits"
            case "engine_hung" | "load_stalled":
                own = [e for e in self.house.engines if e.spec.id in person.models]
                hung = any(self.house.now - e.heard >= self.limits.hang for e in own)
                stalled = any(self.house.now - e.moved >= self.limits.stall for e in own)
                assert hung or stalled, f"{error.code} although it moves"
            case "cooldown":
                failed = [self.owner._failures.get(m) for m in person.models]
                assert any(f and f.retry_at > self.house.now for f in failed), "nothing failed"
            case _:
                assert self.failures & set(person.models), f"{error.code} without a failed load"

    # -- people --

    @rule(model=model, insist=st.booleans(), waits=waits)
    def asks_for_one(self, model, insist, waits):
        self._ask([model], insist, waits)

    @rule(models=st.lists(model, min_size=2, max_size=3), waits=waits)
    def asks_for_several(self, models, waits):
        self._ask(models, False, waits)

    @rule(models=st.lists(model, min_size=1, max_size=2))
    def asks_and_all_is_loaded(self, models):
        self._ask(models, True, False)
        self.all_is_loaded_that_can_be()

    @precondition(lambda self: self._engines("alive", "closed"))
    @rule(which=which, waits=waits)
    def asks_for_what_is_there_or_goes(self, which, waits):
        engines = self._engines("alive", "closed")
        self._ask([engines[which % len(engines)].spec.id], False, waits)

    def _ask(self, models, insist, waits):
        person = Somebody(self, models, [self.dtypes[m] for m in models])
        self.people.append(person)
        specs = [self.house.spec(m, dtype=self.dtypes[m], **CATALOGUE[m]) for m in models]
        person.ticket = self.house.pool.request_together(specs, person.hears, insist=insist)
        self._then(waits)

    @precondition(lambda self: self._with(lambda p: not p.ended))
    @rule(which=which, explicit=st.booleans(), waits=waits)
    def goes_away(self, which, explicit, waits):
        person = self._pick(which, lambda p: not p.ended)
        (person.ticket.cancel if explicit else person.ticket.leave)()
        person.left = True
        self._then(waits)

    @precondition(lambda self: self._with(lambda p: p.leases))
    @rule(which=which, waits=waits, twice=st.booleans())
    def gives_back(self, which, waits, twice):
        person = self._pick(which, lambda p: p.leases)
        for lease in person.leases:
            lease.release()
            if twice:
                lease.release()
            person.given_back += 1
        self._then(waits)

    @rule(model=model, how=st.sampled_from(("unload", "unload", "pin", "unpin")), waits=waits)
    def is_told_to_go_or_stay(self, model, how, waits):
        if how == "unload":
            self.unloads.add(model)
            self.house.pool.unload(model)
        else:
            self.house.pool.pin(model, how == "pin")
        self._then(waits)

    @rule(model=model, dtype=st.sampled_from(("auto", "float32")))
    def edits_the_catalogue(self, model, dtype):
        self.dtypes[model] = dtype

    # -- engines --

    @precondition(lambda self: self._engines("loading"))
    @rule(which=which, share=st.sampled_from((1, 4, 9)), waits=waits)
    def loads_on(self, which, share, waits):
        self._engine("loading", which).moves(share, 10)
        self._then(waits)

    @precondition(lambda self: self._engines("loading"))
    @rule(which=which, growth=st.sampled_from((0, 0, 1, 3)), waits=waits)
    def is_loaded(self, which, growth, waits):
        engine = self._engine("loading", which)
        self.upset |= growth > 0
        engine.becomes_ready(int(engine.spec.id[-1]) + growth)
        self._then(waits)

    @rule()
    def all_is_loaded_that_can_be(self):
        self._bury()
        for engine in self._engines("loading"):
            engine.becomes_ready(int(engine.spec.id[-1]))
        self._then(False)

    @precondition(lambda self: self._engines("loading"))
    @rule(which=which, code=st.sampled_from(FAILURES), waits=waits)
    def fails(self, which, code, waits):
        engine = self._engine("loading", which)
        self.upset = True
        self.failures.add(engine.spec.id)
        engine.fails(code)
        self._then(waits)

    @precondition(lambda self: self._engines("alive"))
    @rule(which=which, how=st.sampled_from(("dies", "is stuck", "falls silent")), waits=waits)
    def breaks(self, which, how, waits):
        engine = self._engine("alive", which)
        self.upset = True
        self.failures.add(engine.spec.id)
        if how == "dies":
            engine.goes()
        elif how == "is stuck" and engine.settled:
            engine.beats(still=300)
        else:
            engine.hung = True
        self._then(waits)

    @precondition(lambda self: self._engines("ready"))
    @rule(which=which, growth=st.sampled_from((0, 2, 5)), waits=waits)
    def grows(self, which, growth, waits):
        engine = self._engine("ready", which)
        self.upset |= growth > 0
        engine.beats(int(engine.spec.id[-1]) + growth)
        self._then(waits)

    @precondition(lambda self: self._engines("closed"))
    @rule(which=which, waits=waits)
    def is_gone(self, which, waits):
        self._engine("closed", which).goes()
        self._then(waits)

    @precondition(lambda self: self._engines("closed"))
    @rule(which=which, code=st.sampled_from((None, "offline")), waits=waits)
    def says_something_after_it_was_ended(self, which, code, waits):
        engine = self._engine("closed", which)
        if not engine.settled:
            engine.becomes_ready(1) if code is None else engine.fails(code)
        engine.beats()
        self._then(waits)

    @precondition(lambda self: self._engines("closed"))
    @rule()
    def all_that_were_ended_are_gone(self):
        self._bury()
        self._then(False)

    # -- the machine and the clock --

    @rule(share=st.sampled_from((0.5, 0.8, 1.0, 1.5)), waits=waits)
    def has_other_memory(self, share, waits):
        self.upset = self.resized = True
        now = self.owner.machine
        base = next(d for d in DEVICES if d.keys() == now.budget.keys())
        budget = {name: int(size * share) for name, size in base.items()}
        self.house.pool.set_machine(Machine(now.kind, budget, now.names))
        self._then(waits)

    @precondition(lambda self: self.house.sizes.unknown)
    @rule(waits=waits)
    def learns_of_models(self, waits):
        self._learn()
        self._then(waits)

    @rule(seconds=st.sampled_from((0.5, 3, 3, 11, 11, 31, 125, 301)))
    def time_goes_by(self, seconds):
        end = self.house.now + seconds
        while self.house.now < end:
            self.house.now = min(end, self.house.now + 4)
            self._beat()
            self._then(False)

    @rule(seconds=st.sampled_from((0.25, 3, 4.5)), waits=waits)
    def nobody_looks_at_the_clock(self, seconds, waits):
        self.house.now += seconds
        self._then(waits)

    @rule()
    def the_machine_sleeps_for_an_hour(self):
        self.house.pump()
        closed = [e for e in self.house.engines if e.closed]
        self.house.now += 3600
        self.house.pump()
        expired = [s.engine for s in self.owner._slots.values() if s.reason == "idle"]
        for engine in self.house.engines:
            if engine.closed and engine not in closed:
                assert engine.why is None, "the hour was held against an engine"
        assert len(expired) == len(set(map(id, expired)))
        self._beat()
        self._then(False)

    @precondition(lambda self: not self.house.quiet)
    @rule()
    def the_owner_takes_one_message(self):
        self.house.step()
        self.pumped = False

    @precondition(lambda self: not self.house.quiet)
    @rule()
    def the_owner_catches_up(self):
        self._then(False)

    # -- what must be so after each step --

    @invariant()
    def holds(self):
        if self.house is None:
            return
        assert not self.faults, self.faults
        waiting = self.owner._waiting.values()
        for slot in self.owner._slots.values():
            held = sum(n.engine is slot.engine for p in self.people for n in p.leases)
            assert slot.leases >= held, "a lease that is not counted"
            assert slot.leases == held or not self.house.quiet, "a lease nobody holds"
            assert (slot.engine is None) == (slot.state == "pending")
        for person in self.people:
            count = sum(isinstance(n, Lease) for n in person.news)
            assert count in (0, len(person.models)), "half of a set"
            if not person.ended:
                assert person.ticket in waiting or not self.house.quiet, "forgotten"
        going = {s.number for s in self.owner._slots.values() if s.state not in LIVELY}
        for ticket in waiting:
            for number in ticket.kept:
                assert number in self.owner._slots, "promised what is not there"
                assert number not in going, "promised what has to go"
            if self.kept.get(ticket.number) and not ticket.kept:
                assert self.upset, "a promise was broken"
            if self.pumped:
                late = self.house.now - ticket.queued >= self.limits.queue_timeout
                assert not late or self._is_loading(ticket), "waits beyond its time"
        self.kept = {t.number: t.kept for t in waiting}
        view = self.house.pool.view()
        json.dumps(dataclasses.asdict(view))
        if self.house.quiet:
            self.upset = False

    def _is_loading(self, ticket):
        return any(s.key in ticket.keys and s.state == "loading" for s in self._slots)

    # -- the end --

    def teardown(self):
        if self.house is None:
            return
        try:
            self.house.pump()
            if not self.abrupt:
                self._all_is_well()
            self._closes()
            self._nothing_is_left()
        finally:
            policy.settle = self._settle
            logging.getLogger("parley.pool").removeHandler(self._log)

    def _all_is_well(self):
        """From now on the world does its part; then everybody is served, and without a time-out
        for those who wait: what only a time-out ends was stuck."""
        self.owner._limits = dataclasses.replace(self.limits, queue_timeout=1e9)
        self._learn()
        for _ in range(300):
            self._serve()
            if not self.owner._waiting:
                break
        for _ in range(3):  # what was just lent comes back, and what must go then goes
            self._serve()
        self.upset = True
        self.holds()
        assert not self.owner._waiting, f"somebody is never served: {self.owner.house()}"
        assert all(p.ended for p in self.people)
        assert all(not s.leases for s in self._slots)
        assert self.house.pool.view().queue_depth == 0
        for _ in range(4):
            self.house.now += 100
            self._beat()
            self.house.pump()
            self._bury()
            self.house.pump()
        for slot in self._slots:
            assert slot.state == "ready", f"stuck on its way: {self.owner.house()}"
            assert not slot.ttl or self.owner._is_pinned(slot.spec), "idle beyond its time"

    def _serve(self):
        self.house.now += 0.5
        for engine in self.house.engines:
            engine.hung = False
            if not (engine.settled or engine.closed or engine.gone):
                engine.becomes_ready(int(engine.spec.id[-1]))
        for person in self.people:
            for lease in person.leases:
                lease.release()
                person.given_back += 1
        self._bury()
        self._beat()
        self.house.pump()

    def _closes(self):
        waiting = [p for p in self.people if not p.ended]
        self.closed = True
        for _ in range(2):
            self.house.pool.close(1)
            self.house.pump()
        assert not self.faults, self.faults
        assert all(p.error.code == "shutting_down" for p in waiting)
        assert all(e.gone for e in self.house.engines)
        assert not self.owner._slots
        assert not self.owner._waiting
        late = Somebody(self, ["a2"], ["auto"])
        late.ticket = self.house.pool.request(self.house.spec("a2"), late.hears)
        self.house.pump()
        assert late.error is not None

    def _nothing_is_left(self):
        left = [weakref.ref(engine) for engine in self.house.engines]
        self.house.engines.clear()
        self.people.clear()
        gc.collect()
        assert all(ref() is None for ref in left), "an ended engine can still be reached"

    # -- helpers --

    @property
    def _slots(self):
        return list(self.owner._slots.values())

    def _then(self, waits):
        if not waits:
            self.house.pump()
        self.pumped = not waits

    def _with(self, wanted):
        return [p for p in self.people if wanted(p)]

    def _pick(self, which, wanted):
        found = self._with(wanted)
        return found[which % len(found)]

    def _engines(self, *states):
        def having(engine):
            if engine.gone or engine.closed:
                return set() if engine.gone else {"closed"}
            return {"alive", "ready" if engine.settled else "loading"}

        return [e for e in self.house.engines if having(e).intersection(states)]

    def _engine(self, state, which):
        found = self._engines(state)
        return found[which % len(found)]

    def _beat(self):
        for engine in self.house.engines:
            if engine.alive and not engine.hung:
                engine.beats()

    def _bury(self):
        for engine in self.house.engines:
            if engine.closed:
                engine.goes()

    def _learn(self):
        self.house.sizes.unknown.clear()
        asked, self.house.sizes.asked = self.house.sizes.asked, []
        for _, done in asked:
            done()


LIVELY = ("pending", "loading", "ready")


class Faults(logging.Handler):
    """What the pool reports as its own fault."""

    def __init__(self, faults):
        super().__init__(logging.ERROR)
        self._faults = faults

    def emit(self, record):
        self._faults.append(self.format(record))


STREAM = st.lists(
    st.tuples(st.sampled_from(("a2", "b3", "c4", "d6", "f1")), st.integers(1, 5)),
    min_size=60,
    max_size=60,
)


@settings(SETTINGS, max_examples=rules.EXAMPLES or 60)
@given(
    stream=STREAM,
    wanted=st.sampled_from((["e9"], ["d6"], ["b3"], ["d6", "c4"], ["b3", "a2", "g5"])),
)
def test_however_many_come_after_nobody_waits_for_ever(stream, wanted):
    """Somebody new each second, for the models that are in the way. A load takes two seconds here,
    an answer five at most, a process one to go."""
    house, busy, due = House(load_width=2), [], {}

    def ask(models):
        specs = [house.spec(m, **{**CATALOGUE[m], "pinned": False}) for m in models]
        news = []
        return Person(house, house.pool.request_together(specs, news.append), news)

    def second():
        house.now += 1
        for engine in house.engines:
            at = due.setdefault((engine, engine.closed), house.now + (1 if engine.closed else 2))
            if engine.closed and house.now >= at:
                engine.goes()
            elif engine.alive and not engine.settled and house.now >= at:
                engine.becomes_ready()
            elif engine.alive:
                engine.beats()
        for person, hold in busy:
            if person.leases and house.now >= due.setdefault(person, house.now + hold):
                person.release()
        house.pump()

    for model, hold in stream[:5]:
        busy.append((ask([model]), hold))
    second()
    patient, came = ask(wanted), house.now
    for model, hold in stream[5:]:
        busy.append((ask([model]), hold))
        second()
        if patient.served:
            break
    # Ten seconds of being passed, then the loads and answers of those who had a promise by then.
    assert patient.served, "starved"
    assert house.now - came <= 45
    busy.append((patient, 1))
    for _ in range(400):
        second()
        if all(person.served for person, _ in busy):
            break
    assert all(person.served for person, _ in busy)
    house.close()


def test_the_pool_holds_whatever_happens(caplog):
    caplog.set_level(logging.ERROR, "parley.pool")
    gc.freeze()  # only what a run makes is looked at when engines are searched for
    try:
        run_state_machine_as_test(World, settings=SETTINGS)
    finally:
        gc.unfreeze()
