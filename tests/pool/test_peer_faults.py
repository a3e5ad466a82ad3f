"""What went wrong in other servers of models, one test for each, by project and number.

Over 300 lines so that the list is in one place. Sizes are the last digit of a model's id, and there
are ten units of memory.
"""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest

from parley.api.health import look
from parley.events import Queued
from parley.pool import policy, pool
from parley.pool.slots import Lease
from tests.pool.house import House


@pytest.fixture
def houses():
    made = []

    def make(*args, **limits):
        made.append(House(*args, **limits))
        return made[-1]

    yield make
    for house in made:
        house.close()


@pytest.fixture
def house(houses):
    return houses()


def loaded(house, model, person):
    """The old ones are gone, the new one is there, and whoever waited has it."""
    house.buried()
    house.engine(model).becomes_ready()
    house.pump()
    assert person.leases, person.news


def living(house, model):
    return [e for e in house.engines if e.spec.id == model and not e.gone]


# -- Ollama --


def test_ollama_17408_an_eviction_target_is_not_resurrected(house):
    """A request for a model that was marked to go took the mark away, and whoever waited for its
    room waited for ever; here it goes, and that request gets the next instance."""
    holder, hungry = house.lease("a6"), house.ask("b6")
    house.passes(11)
    old, late = house.engine("a6"), house.ask("a6")
    assert not late.leases
    holder.release()
    assert old.closed
    loaded(house, "b6", hungry)
    hungry.release()
    loaded(house, "a6", late)
    assert late.leases[0].engine is not old


def test_ollama_17408_the_mark_holds_while_those_with_a_promise_are_served(house):
    """As above, where the model is still to serve those who waited for its load: they get it, and
    whoever comes after the mark does not."""
    first, hungry = house.ask("a6"), house.ask("b6")
    house.passes(11)
    late = house.ask("a6")
    house.engine("a6").becomes_ready()
    house.pump()
    assert first.leases
    assert not late.leases
    first.release()
    loaded(house, "b6", hungry)
    hungry.release()
    loaded(house, "a6", late)


def test_ollama_17408_health_fails_when_a_request_is_overdue(house, monkeypatch):
    """The queue stood still for hours and health was green; here the oldest request's age counts,
    even where the owner moves and only its decisions are at fault."""
    house.lease("a6")
    monkeypatch.setattr(policy, "settle", lambda _: ())
    house.ask("b6")
    house.passes(304)
    assert look(house.pool).ok
    house.passes(2)
    health = look(house.pool)
    assert not health.ok
    assert "has waited 306 s" in health.reasons[0]


def test_ollama_17408_health_fails_when_the_owner_stands_still(house, monkeypatch):
    """As above, with the loop itself blocked; here the owner's last step counts, and health is
    good again once it moves."""
    clock = SimpleNamespace(now=time.monotonic(), monotonic=lambda: clock.now)
    monkeypatch.setattr(pool, "time", clock)
    stuck, freed, moved = threading.Event(), threading.Event(), threading.Event()
    house.pool.start()
    house.pool._post(lambda: stuck.set() or freed.wait(60))
    assert stuck.wait(60)
    clock.now += 6
    assert "no sign of life" in look(house.pool).reasons[0]
    freed.set()
    for step in (lambda: None, moved.set):
        house.pool._post(step)
    assert moved.wait(60)
    assert look(house.pool).ok


def test_ollama_14407_a_reload_under_parallel_load_does_not_block(house):
    """A request with other options waited for a runner whose answers were replaced by new ones all
    the time, and nobody else was scheduled; here the old one lets nobody in, and others go on."""
    holders = [house.lease("a4", dtype="float32") for _ in range(3)]
    other = house.ask("a4", dtype="bfloat16")
    late = house.ask("a4", dtype="float32")
    assert house.lease("b4").leases
    for holder in holders:
        assert not late.leases
        holder.release()
    loaded(house, "a4", other)
    assert other.leases[0].engine.spec.dtype == "bfloat16"
    other.release()
    loaded(house, "a4", late)


@pytest.mark.parametrize("seconds", [0, 60])
def test_ollama_15126_14578_loaded_models_do_not_wait_behind_an_eviction(house, seconds):
    """While a model was on its way out nobody got any, not even one that was in memory; here a
    request for that one is served at once, before and after the fairness window."""
    house.lease("a3").release()
    holder, hungry = house.lease("b6"), house.ask("c7")
    house.passes(seconds)
    assert house.ask("a3").leases
    holder.release()
    assert house.engine("b6").closed
    assert house.ask("a3").leases
    loaded(house, "c7", hungry)


def test_ollama_7758_the_queue_limit_holds_for_a_loaded_model_too(houses):
    """Requests for a model that was in memory piled up past the limit; here its line has the same
    end as the line for memory."""
    house = houses(queue_max=2)
    house.lease("a4", concurrency=1)
    people = [house.ask("a4", concurrency=1) for _ in range(4)]
    codes = [p.error.code if p.error else None for p in people]
    assert codes == [None, None, "queue_full", "queue_full"]
    people[0].cancel()
    assert house.ask("a4", concurrency=1).error is None


def test_ollama_7408_an_abandoned_load_ends(house):
    """A load whose client had left stayed for ever in a state between; here it ends as any other
    does, in memory or given up, and the model can be had again."""
    house.ask("a4").leave()
    house.engine("a4").becomes_ready()
    house.pump()
    assert house.in_memory() == {"a4"}
    house.ask("b4").leave()
    house.passes(121)
    assert house.engine("b4").closed
    house.buried()
    house.passes(10)
    assert house.lease("b4").leases


@pytest.mark.parametrize("goes", ["leave", "cancel"])
def test_ollama_a_load_is_not_bound_to_its_first_requester(house, goes):
    """The load ended when the client that had caused it left, and took the others with it; here it
    belongs to all who wait."""
    first, second = house.ask("a4"), house.ask("a4")
    getattr(first, goes)()
    assert not house.engine("a4").closed
    loaded(house, "a4", second)
    assert house.loads("a4") == 1
    assert not first.leases


# -- llama-swap --


def test_llama_swap_946_a_request_during_an_idle_unload_gets_the_next_instance(house):
    """A request that came while an idle model was unloading hung the whole group; here it waits for
    the old process to be gone and gets a new one."""
    house.lease("a4", idle_ttl=5).release()
    house.passes(6)
    old = house.engine("a4")
    assert old.closed
    person = house.ask("a4", idle_ttl=5)
    assert house.loads("a4") == 1
    loaded(house, "a4", person)
    assert person.leases[0].engine is not old


def test_llama_swap_946_a_request_at_the_very_end_of_the_idle_time_wins(house):
    """As above, where the request and the timer cross: what is decided and what is done about it
    are one step, so the model is either taken or gone, never both."""
    house.lease("a4", idle_ttl=5).release()
    house.now += 6
    news = []
    house.pool.request(house.spec("a4", idle_ttl=5), news.append)
    house.pump()
    assert isinstance(news[-1], Lease)
    assert not house.engine("a4").closed


def test_llama_swap_25_the_idle_time_counts_from_the_last_completion(house):
    """A long answer used up the idle time, and the model went right after it; here the time begins
    when the last of its answers has ended."""
    one, other = house.lease("a4", idle_ttl=5), house.lease("a4", idle_ttl=5)
    one.release()
    house.passes(50)
    other.release()
    house.passes(4)
    assert house.state("a4") == "ready"
    house.passes(2)
    assert house.engine("a4").closed


def test_llama_swap_97_a_load_waits_until_the_memory_has_returned(house):
    """The next model began to load while the last one still held its memory; here it begins when
    every process that had to go is gone."""
    house.lease("a4").release()
    house.lease("b4").release()
    person = house.ask("c9")
    for victim in ("a4", "b4"):
        assert house.engine(victim).closed
        assert house.loads("c9") == 0
        house.engine(victim).goes()
        house.pump()
    assert house.pool.view().used == {"cpu": 9}
    loaded(house, "c9", person)


def test_llama_swap_119_switching_often_does_not_end_in_silence(house):
    """After many quick switches nothing was switched any more, and nothing was said; here the
    sixtieth is as the first, and nothing is left behind."""
    previous = house.lease("c6")
    for turn in range(60):
        model = "abc"[turn % 3] + "6"
        person = house.ask(model)
        previous.release()
        loaded(house, model, person)
        previous = person
    assert house.in_memory() == {"c6"}
    assert house.pool.view().queue_depth == 0
    assert len(house.pool._owner._slots) == 1


def test_llama_swap_38_a_process_that_does_not_stop_is_told_to_those_who_wait(house):
    """A process did not end in time, and requests got an error without a word; here they are told
    their place, at last a sentence and what to do, and all is well once it has gone."""
    house.lease("a6").release()
    person = house.ask("b6")
    assert person.news == [Queued(1, "memory")]
    house.passes(301)
    assert house.loads("b6") == 0
    assert person.error.code == "queue_timeout"
    assert person.error.fix
    loaded(house, "b6", house.ask("b6"))


def test_llama_swap_588_a_swap_does_not_interrupt_a_running_answer(house):
    """A request for another model ended the answer that was being written; here that answer ends
    by itself, however long somebody has waited."""
    holder, hungry = house.lease("a6"), house.ask("b6")
    house.passes(200)
    assert not house.engine("a6").closed
    assert not hungry.leases
    holder.release()
    loaded(house, "b6", hungry)


def test_llama_swap_the_fast_path_starves_nobody(house):
    """Requests for the model in memory passed the queue, so one that was always busy kept the
    others out for ever; here they pass for ten seconds."""
    holder, hungry = house.lease("a6"), house.ask("b6")
    newcomer = house.ask("a6")
    passed = 0
    while newcomer.leases and passed < 100:
        passed += 1
        house.passes(1)
        holder.release()
        holder, newcomer = newcomer, house.ask("a6")
    assert passed == 10
    holder.release()
    loaded(house, "b6", hungry)
    hungry.release()
    loaded(house, "a6", newcomer)


# -- llama.cpp --


def test_llama_cpp_21678_a_full_house_does_not_evict_mid_generation(houses):
    """With as many models as allowed the router ended one that was answering; here the number of
    models is no reason either."""
    house = houses(max_loaded=1)
    holder, hungry = house.lease("a1"), house.ask("b1")
    house.passes(60)
    assert not house.engine("a1").closed
    assert house.loads("b1") == 0
    holder.release()
    loaded(house, "b1", hungry)


def test_llama_cpp_24849_the_least_recently_used_is_spared_while_it_answers(houses):
    """The least recently requested model went although it was still writing; here an idle one goes,
    were it used a moment ago."""
    house = houses(max_loaded=2)
    house.lease("a1")
    house.passes(60)
    house.lease("b1").release()
    hungry = house.ask("c1")
    assert house.engine("b1").closed
    assert not house.engine("a1").closed
    loaded(house, "c1", hungry)


def test_llama_cpp_25528_a_model_that_is_loading_is_not_evicted(house):
    """A load was ended in the middle because somebody else needed the room; here it is finished for
    those who wait for it, and the other comes next."""
    first, hungry, second = house.ask("a6"), house.ask("b6"), house.ask("a6")
    house.passes(60)
    assert not house.engine("a6").closed
    loaded(house, "a6", first)
    assert second.leases
    first.release()
    assert not house.engine("a6").closed
    second.release()
    loaded(house, "b6", hungry)


def test_llama_cpp_28698_the_waiter_of_a_load_is_served_before_anybody_can_evict(house):
    """A model that had just been loaded was idle for a moment, and went before its own waiter had
    it; here the lease is part of the same step."""
    first, second = house.ask("a6"), house.ask("b6")
    house.passes(11)
    house.engine("a6").becomes_ready()
    house.step()
    assert first.leases
    assert not house.engine("a6").closed
    first.release()
    loaded(house, "b6", second)


def test_llama_cpp_28698_no_request_is_handed_to_a_stopping_instance(house):
    """A request was passed on to a process that had been told to stop; here there is no lease on
    it, also where the two cross."""
    house.lease("a4").release()
    old, news = house.engine("a4"), []
    house.pool.unload("a4")
    house.pool.request(house.spec("a4"), news.append)
    house.pump()
    assert old.closed
    assert not any(isinstance(n, Lease) for n in news)
    house.buried()
    house.engine("a4").becomes_ready()
    house.pump()
    assert news[-1].engine is not old


def test_llama_cpp_many_waiters_cause_one_eviction(house):
    """Each of the requests that waited for one model evicted another one; here they share the room
    as they share the load."""
    for model in ("a3", "b3", "c3"):
        house.lease(model).release()
    people = [house.ask("d4") for _ in range(4)]
    assert sum(e.closed for e in house.engines) == 1
    loaded(house, "d4", people[0])
    assert house.loads("d4") == 1
    assert all(p.leases for p in people)


@pytest.mark.parametrize("goes", ["leave", "cancel"])
def test_llama_cpp_a_client_that_left_the_queue_costs_no_resident_model(house, goes):
    """A request whose client had gone still had its turn, and a model went for nobody; here it is
    forgotten, also where it leaves at the moment the room comes free."""
    holder, gone = house.lease("a6"), house.ask("b6")
    getattr(gone.ticket, goes)()
    holder.release()
    house.passes(30)
    assert house.in_memory() == {"a6"}
    assert house.loads("b6") == 0


# -- LocalAI --


def test_local_ai_nothing_is_loaded_beyond_the_limit(house):
    """After thirty tries to evict a busy model it loaded the next one all the same; here the limit
    is one, and whoever waits is told at the end."""
    house.lease("a6")
    person = house.ask("b6")
    house.passes(299)
    assert house.loads("b6") == 0
    assert person.error is None
    house.passes(2)
    assert person.error.code == "queue_timeout"
    assert house.pool.view().used == {"cpu": 6}


def test_local_ai_a_failed_load_is_not_tried_by_everyone_who_waited(house):
    """Everybody who had waited for a load that failed tried it once more; here all hear of the
    failure, the next try comes after 10, 20, 40 s, and after a success the first wait is short."""
    for wait in (10, 20, 40):
        people = [house.ask("a4") for _ in range(10)]
        tries = house.loads("a4")
        house.engine("a4").fails("offline")
        house.buried()
        assert {p.error.code for p in people} == {"offline"}
        house.passes(wait - 1)
        assert {house.ask("a4").error.code for _ in range(10)} == {"cooldown"}
        assert house.loads("a4") == tries
        house.passes(1)
    house.lease("a4").release()
    house.engine("a4").goes()
    house.ask("a4")
    house.engine("a4").fails("offline")
    house.buried()
    house.passes(10)
    assert house.ask("a4").error is None


# -- transformers serve --


def test_transformers_serve_a_timer_from_the_start_takes_no_model_from_its_answer(house):
    """The idle timer ran from a request's start: the model went while it was answering, and the
    next request loaded a second copy; here it stays, and both use the same one."""
    holder = house.lease("a4", idle_ttl=5)
    house.passes(7)
    assert house.state("a4") == "ready"
    second = house.ask("a4", idle_ttl=5)
    assert second.leases[0].engine is holder.leases[0].engine
    assert house.loads("a4") == 1


# -- LM Studio --


def test_lm_studio_671_memory_that_gets_tight_ends_no_generation(house):
    """A model that was generating was unloaded to make room; here not even one that has outgrown
    its estimate takes the room of another that is in use."""
    one, other = house.lease("a4"), house.lease("b4")
    house.engine("a4").beats(memory=8)
    house.passes(60)
    assert not any(e.closed for e in house.engines)
    other.release()
    assert house.engine("b4").closed
    assert not house.engine("a4").closed
    one.release()


def test_lm_studio_634_no_model_is_in_memory_twice_after_its_idle_time(house):
    """The request after the idle time loaded a second copy beside the first; here the new one
    begins when the old one is gone, and memory is counted once."""
    house.lease("a4", idle_ttl=5).release()
    house.passes(6)
    person = house.ask("a4", idle_ttl=5)
    assert len(living(house, "a4")) == 1
    assert house.pool.view().used == {"cpu": 4}
    loaded(house, "a4", person)
    assert len(living(house, "a4")) == 1
    assert house.pool.view().used == {"cpu": 4}


def test_lm_studio_644_2051_a_model_loaded_by_hand_makes_room_unless_it_is_pinned(house):
    """Models loaded by hand were never evicted, so memory filled up and nobody said why; here only
    a pinned one stays, and whoever it is in the way of is told its name at once."""
    house.lease("a6").release()
    loaded(house, "b6", person := house.ask("b6"))
    person.release()
    house.pool.pin("b6", True)
    refused = house.ask("a6")
    assert refused.error.code == "too_large"
    assert "b6" in refused.error.sentence
    assert not house.engine("b6").closed
    assert house.pool.view().used == {"cpu": 6}


# -- text-generation-webui, FastChat, mlx-lm, Triton --


def test_text_generation_webui_two_at_once_load_once(house):
    """Whether a model was there was asked before the lock was taken, so two requests loaded it
    twice; here the question and the load are one step."""
    news = [], [], []
    for listener in news:
        house.pool.request(house.spec("a4"), listener.append)
    house.pump()
    house.engine("a4").becomes_ready()
    house.pump()
    assert len(house.engines) == house.loads("a4") == 1
    assert all(isinstance(heard[-1], Lease) for heard in news)


def test_text_generation_webui_unload_does_not_reach_under_a_running_answer(house):
    """The Unload button took no lock, and the model went under the answer; here it waits for it."""
    holder = house.lease("a4")
    house.pool.unload("a4")
    house.passes(60)
    assert house.state("a4") == "draining"
    assert not house.engine("a4").closed
    holder.release()
    assert house.engine("a4").closed


def test_fast_chat_2198_memory_comes_back_after_running_out_of_it(house):
    """What a failed allocation had taken stayed with the worker; here the failed engine's process
    is ended, and its room is counted as taken until it has gone."""
    person = house.ask("a4")
    house.engine("a4").fails("oom_load")
    house.pump()
    assert person.error.code == "oom_load"
    assert house.engine("a4").closed
    assert house.pool.view().used == {"cpu": 4}
    after = house.ask("b9")
    assert house.loads("b9") == 0
    house.engine("a4").goes()
    house.pump()
    assert house.pool.view().used == {"cpu": 9}
    loaded(house, "b9", after)


def test_mlx_lm_the_old_version_is_gone_before_the_new_one_loads(house):
    """It drops the old model before it loads another, where others hold both for a moment; so it
    is here, for another version as for another model, and by the process, not by its word."""
    house.lease("a9", dtype="float32").release()
    person = house.ask("a9", dtype="bfloat16")
    old = house.engine("a9")
    assert old.closed
    house.passes(5)
    assert house.loads("a9") == 1
    old.goes()
    house.pump()
    assert len(living(house, "a9")) == 1
    loaded(house, "a9", person)
    person.release()
    other = house.ask("b9")
    house.passes(5)
    assert house.loads("b9") == 0
    loaded(house, "b9", other)
    assert house.pool.view().used == {"cpu": 9}


def test_triton_a_failed_reload_leaves_the_others_working(house):
    """There the other models go on when one cannot be loaded again; so they do here, and the entry
    as it was before can still be had."""
    house.lease("a4", dtype="float32").release()
    neighbour = house.lease("b4")
    person = house.ask("a4", dtype="bfloat16")
    house.buried()
    house.engine("a4").fails()
    house.buried()
    assert person.error.code == "corrupt_weights"
    assert not house.engine("b4").closed
    assert house.ask("b4").leases
    assert house.lease("a4", dtype="float32").leases
    neighbour.release()
