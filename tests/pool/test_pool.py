"""The pool's promises, with engines that do exactly what a test tells them and a clock that moves
when it is told to."""

import pytest

from parley.errors import ParleyError
from parley.events import Loading, Queued
from parley.pool.ledger import Ledger
from parley.pool.memory import Machine
from parley.pool.slots import Lease
from tests.pool.house import House


@pytest.fixture
def house():
    made = House()
    yield made
    made.close()


def test_the_first_message_loads_and_is_told_how_far(house):
    person = house.ask("a4")
    house.engine("a4").moves(3, 9)
    house.engine("a4").becomes_ready()
    house.pump()
    assert [type(n) for n in person.news if not isinstance(n, Queued)] == [Loading, Loading, Lease]
    assert person.news[-2].done == 3
    assert person.leases[0].load_seconds == 1.5


def test_many_who_want_one_model_share_one_load(house):
    people = [house.ask("a4", concurrency=8) for _ in range(5)]
    house.engine("a4").becomes_ready()
    house.pump()
    assert house.loads("a4") == 1
    assert all(person.leases for person in people)
    assert house.pool.view().models["a4"].leases == 5


def test_a_model_already_there_costs_no_load_time(house):
    house.lease("a4").release()
    assert house.lease("a4").leases[0].load_seconds == 0


def test_room_is_made_by_the_least_recently_released(house):
    first, second = house.lease("a4"), house.lease("b4")
    second.release()
    house.passes(1)
    first.release()
    house.ask("c4")
    assert house.state("b4") == "unloading"
    assert house.state("a4") == "ready"


def test_a_load_begins_only_when_the_room_is_really_free(house):
    house.lease("a6").release()
    person = house.ask("b6")
    assert house.engine("a6").closed
    assert house.loads("b6") == 0
    assert isinstance(person.news[-1], Queued)
    house.engine("a6").goes()
    house.pump()
    assert house.loads("b6") == 1


def test_a_model_in_use_is_waited_for_not_evicted(house):
    holder = house.lease("a6")
    person = house.ask("b6")
    assert person.news == [Queued(1, "memory")]
    assert not house.engine("a6").closed
    holder.release()
    house.buried()
    house.engine("b6").becomes_ready()
    house.pump()
    assert person.leases


def test_a_lease_given_back_twice_counts_once(house):
    one, other = house.lease("a4"), house.lease("a4")
    lease = one.leases[0]
    lease.release()
    lease.release()
    house.pump()
    assert house.pool.view().models["a4"].leases == 1
    other.release()


def test_no_more_than_its_lanes_and_the_next_in_order(house):
    people = [house.ask("a4", concurrency=2) for _ in range(4)]
    house.engine("a4").becomes_ready()
    house.pump()
    assert [bool(p.leases) for p in people] == [True, True, False, False]
    people[1].release()
    assert [bool(p.leases) for p in people] == [True, False, True, False]
    late = house.ask("a4", concurrency=2)
    assert late.news == [Queued(2, "busy")]


def test_a_failed_load_reaches_everyone_and_the_next_request_starts_afresh(house):
    people = [house.ask("a4") for _ in range(3)]
    house.engine("a4").fails()
    house.pump()
    assert all(isinstance(p.error, ParleyError) for p in people)
    assert house.state("a4") == "unloading"
    house.buried()
    assert house.state("a4") == "failed"
    assert house.lease("a4").leases
    assert house.state("a4") == "ready"


def test_an_engine_that_dies_while_loading_fails_the_load(house):
    person = house.ask("a4")
    house.engine("a4").goes()
    house.pump()
    assert person.error.code == "engine_died"


def test_an_engine_that_dies_is_replaced_at_the_next_request(house):
    house.lease("a4").release()
    house.engine("a4").goes()
    house.pump()
    house.lease("a4")
    assert house.loads("a4") == 2


def test_a_failure_that_may_pass_is_left_alone_for_a_while(house):
    house.ask("a4")
    house.engine("a4").fails("offline")
    house.buried()
    early = house.ask("a4")
    assert early.error.code == "cooldown"
    assert "10 s" in early.error.fix
    house.passes(10)
    assert house.ask("a4").error is None
    house.engine("a4").fails("offline")
    house.buried()
    house.passes(10)
    assert house.ask("a4").error.code == "cooldown"  # the second wait is twice as long
    house.passes(10)
    assert house.lease("a4").leases


def test_somebody_who_insists_does_not_wait(house):
    house.ask("a4")
    house.engine("a4").fails("offline")
    house.buried()
    assert house.ask("a4", insist=True).error is None
    assert house.loads("a4") == 2


def test_out_of_memory_lets_idle_models_go_and_tries_once_more(house):
    house.lease("b2").release()
    keeper = house.lease("c2")
    person = house.ask("a4")
    house.engine("a4").fails("oom_load")
    house.pump()
    assert person.error is None
    assert house.engine("b2").closed
    assert not house.engine("c2").closed
    house.buried()
    assert house.loads("a4") == 2
    house.engine("a4").fails("oom_load")
    house.pump()
    assert person.error.code == "oom_load"
    keeper.release()


def test_out_of_memory_with_nobody_to_go_is_said_at_once(house):
    person = house.ask("a4")
    house.engine("a4").fails("oom_load")
    house.pump()
    assert person.error.code == "oom_load"
    assert house.loads("a4") == 1


def test_leaving_alone_ends_the_load(house):
    person = house.ask("a4")
    person.cancel()
    assert house.engine("a4").closed
    house.engine("a4").becomes_ready()
    house.buried()
    assert house.state("a4") == "cold"
    assert not person.leases


def test_leaving_a_shared_load_costs_the_others_nothing(house):
    one, other = house.ask("a4"), house.ask("a4")
    one.cancel()
    assert not house.engine("a4").closed
    house.engine("a4").becomes_ready()
    house.pump()
    assert other.leases


def test_leaving_the_queue_evicts_and_loads_nothing(house):
    holder = house.lease("a6")
    person = house.ask("b6")
    person.cancel()
    holder.release()
    assert house.in_memory() == {"a6"}
    assert house.loads("b6") == 0


def test_a_closed_tab_does_not_end_a_load_that_nobody_is_hindered_by(house):
    house.ask("a4").leave()
    house.passes(60)
    house.engine("a4").becomes_ready()
    house.pump()
    assert house.in_memory() == {"a4"}


def test_an_abandoned_load_makes_way_for_somebody_who_waits(house):
    house.ask("a6").leave()
    person = house.ask("b6")
    house.passes(6)
    house.buried()
    assert house.loads("b6") == 1
    house.engine("b6").becomes_ready()
    house.pump()
    assert person.leases


def test_an_abandoned_load_that_has_come_far_is_finished(house):
    house.ask("a6").leave()
    house.engine("a6").moves(8, 10)
    person = house.ask("b6")
    house.passes(6)
    assert not house.engine("a6").closed
    house.engine("a6").becomes_ready()
    house.buried()
    house.engine("b6").becomes_ready()
    house.pump()
    assert person.leases


def test_too_large_is_one_sentence_with_both_numbers(house):
    house.pool._owner.ways = lambda spec: ({"cpu": 94_000_000_000},)
    house.pool.set_machine(Machine("cpu", {"cpu": 16_000_000_000}, {}))
    person = house.ask("big9")
    assert person.error.sentence == "big9 needs about 94.0 GB of memory; 16.0 GB can be used here."


def test_a_measured_footprint_corrects_what_is_counted(house):
    person = house.ask("a1")
    house.engine("a1").becomes_ready(footprint=9)
    house.pump()
    person.release()
    house.ask("b4")
    house.buried()
    assert house.state("a1") == "cold"


def test_a_model_that_grows_makes_an_idle_one_go(house):
    growing = house.lease("a4")
    house.lease("b4").release()
    house.engine("a4").beats(memory=8)
    house.pump()
    assert house.engine("b4").closed
    assert house.pool.view().models["a4"].bytes == {"cpu": 8}
    growing.release()


def test_what_was_measured_is_remembered(tmp_path):
    house = House(ledger=Ledger(tmp_path / "loads.json"))
    house.ask("a4")
    house.engine("a4").becomes_ready(footprint=4)
    house.engine("a4").beats(memory=7)
    house.pump()
    house.pool.unload("a4")
    house.pump()
    house.buried()
    house.close()
    again = Ledger(tmp_path / "loads.json")
    assert again.footprint("made/a4@ auto cpu") == 7
    assert again.seconds("made/a4@ auto cpu", 4) == 1.5


def test_an_idle_model_goes_after_its_time_counted_from_the_last_release(house):
    person = house.lease("a4", idle_ttl=60)
    house.passes(100)
    assert house.state("a4") == "ready"  # in use all the while
    person.release()
    house.passes(59)
    assert house.state("a4") == "ready"
    house.passes(2)
    house.buried()
    assert house.state("a4") == "cold"


def test_a_pinned_model_neither_goes_nor_makes_room(house):
    house.lease("a6", idle_ttl=5, pinned=True).release()
    house.passes(60)
    person = house.ask("b6")
    assert person.error.code == "too_large"
    assert "a6" in person.error.sentence
    house.pool.pin("a6", False)
    house.pump()
    house.ask("b6")
    assert house.engine("a6").closed


def test_unload_now_waits_for_the_answers_and_lets_nobody_new_in(house):
    holder = house.lease("a4")
    house.pool.unload("a4")
    house.pump()
    assert house.state("a4") == "draining"
    late = house.ask("a4")
    assert not late.leases
    assert not house.engine("a4").closed
    holder.release()
    house.buried()
    assert house.loads("a4") == 2
    house.engine("a4").becomes_ready()
    house.pump()
    assert late.leases


def test_unload_now_calls_off_a_load_for_all_who_wait(house):
    people = [house.ask("a4"), house.ask("a4")]
    house.pool.unload("a4")
    house.pump()
    assert house.engine("a4").closed
    assert [p.error.code for p in people] == ["load_cancelled"] * 2


def test_an_edited_entry_is_loaded_anew_when_the_old_one_has_ended(house):
    holder = house.lease("a4", dtype="float32")
    person = house.ask("a4", dtype="bfloat16")
    assert house.loads("a4") == 1
    holder.release()
    house.buried()
    house.engine("a4").becomes_ready()
    house.pump()
    assert house.loads("a4") == 2
    assert person.leases[0].engine.spec.dtype == "bfloat16"


def test_a_new_description_is_no_reason_to_load_anew(house):
    house.lease("a4", description="old").release()
    assert house.lease("a4", description="new").leases
    assert house.loads("a4") == 1


def test_a_set_comes_as_a_whole(house):
    both = house.ask("a4", "b4")
    house.engine("a4").becomes_ready()
    house.pump()
    assert not both.leases
    house.engine("b4").becomes_ready()
    house.pump()
    assert [lease.model_id for lease in both.leases] == ["a4", "b4"]


def test_what_a_set_has_is_kept_until_the_rest_is_there(house):
    house.lease("a4").release()
    both = house.ask("a4", "b4")
    hungry = house.ask("c6")
    house.passes(60)
    assert not house.engine("a4").closed
    house.engine("b4").becomes_ready()
    house.pump()
    assert both.leases
    assert not hungry.leases


def test_two_sets_that_cross_do_not_block_each_other(house):
    one, other = house.ask("a6", "b4"), house.ask("b4", "c6")
    house.engine("a6").becomes_ready()
    house.engine("b4").becomes_ready()
    house.pump()
    assert one.leases
    one.release()
    house.buried()
    house.engine("c6").becomes_ready()
    house.pump()
    assert [lease.model_id for lease in other.leases] == ["b4", "c6"]


def test_a_set_that_does_not_fit_together_is_said_to_come_one_by_one(house):
    assert house.ask("a6", "b6").one_by_one


def test_a_set_with_a_model_that_never_fits_is_refused(house):
    house.pool.set_machine(Machine("cpu", {"cpu": 5}, {}))
    assert house.ask("a4", "b6").error.code == "too_large"


def test_the_same_model_twice_is_one_model_with_two_leases(house):
    twice = house.ask("a4", "a4")
    house.engine("a4").becomes_ready()
    house.pump()
    assert len(twice.leases) == 2
    assert house.loads("a4") == 1


def test_a_failed_member_fails_the_set_and_leaves_nothing_held(house):
    house.lease("a4").release()
    both = house.ask("a4", "b4")
    house.engine("b4").fails()
    house.pump()
    assert both.error
    assert not both.leases
    assert house.pool.view().models["a4"].leases == 0
    assert house.pool.view().models["a4"].waiting == 0


def test_a_queue_has_an_end(house):
    small = House(queue_max=2)
    small.lease("a6")
    waiting = [small.ask("b6") for _ in range(3)]
    assert [p.error.code if p.error else None for p in waiting] == [None, None, "queue_full"]
    small.close()


def test_nobody_waits_longer_than_the_time_out(house):
    house.lease("a6")
    person = house.ask("b6")
    house.passes(299)
    assert person.error is None
    house.passes(2)
    assert person.error.code == "queue_timeout"
    assert house.pool.view().queue_depth == 0


def test_an_engine_without_a_sign_of_life_is_replaced(house):
    house.lease("a4")
    stuck = house.engine("a4")
    for _ in range(31):
        house.now += 1
        house.pump()
    assert stuck.closed
    assert stuck.why.code == "engine_hung"
    stuck.goes()
    house.pump()
    assert house.lease("a4").leases


def test_answers_that_do_not_move_count_as_no_life(house):
    house.lease("a4")
    house.engine("a4").beats(still=301)
    house.pump()
    assert house.engine("a4").why.code == "engine_hung"


def test_a_load_without_progress_is_given_up(house):
    person = house.ask("a4")
    house.passes(60)
    house.engine("a4").moves(1, 10)
    house.passes(119)
    assert person.error is None
    house.passes(2)
    assert person.error.code == "load_stalled"
    assert house.engine("a4").closed


def test_a_process_that_stood_still_blames_nobody(house):
    house.lease("a4")
    house.now += 3600
    house.pump()
    assert not house.engine("a4").closed


def test_a_model_that_is_not_known_is_looked_at_first(house):
    house.sizes.unknown.add("a4")
    person = house.ask("a4")
    assert house.loads("a4") == 0
    house.sizes.unknown.clear()
    (model, found), *_ = house.sizes.asked
    assert model == "a4"
    found()
    house.pump()
    assert house.loads("a4") == 1
    assert person.error is None


def test_before_the_machine_is_known_requests_wait(house):
    house.pool._owner.machine = None
    person = house.ask("a4")
    assert house.loads("a4") == 0
    house.pool.set_machine(Machine("cuda", {"cuda:0": 10}, {}))
    house.pump()
    assert house.engine("a4").devices == ("cuda:0",)
    assert person.error is None


def test_each_model_on_the_gpu_with_room_and_a_large_one_over_both():
    house = House({"cuda:0": 6, "cuda:1": 6})
    one, other = house.lease("a5"), house.lease("b5")
    assert {house.engine("a5").devices, house.engine("b5").devices} == {("cuda:0",), ("cuda:1",)}
    one.release()
    other.release()
    house.ask("c8")
    house.buried()
    assert house.engine("c8").devices == ("cuda:0", "cuda:1")
    house.close()


def test_a_faulty_listener_costs_nobody_anything(house):
    def faulty(news):
        if isinstance(news, Lease):
            raise RuntimeError("a fault of the listener's own")

    house.pool.request(house.spec("a4"), faulty)
    house.pump()
    house.engine("a4").becomes_ready()
    house.pump()
    assert house.pool.view().models["a4"].leases == 0
    assert house.lease("a4").leases


def test_a_lease_that_crosses_a_cancel_is_given_back(house):
    person = house.ask("a4")
    house.engine("a4").becomes_ready()
    person.ticket.cancel()
    house.pump()
    assert not person.leases
    assert house.pool.view().models["a4"].leases == 0


def test_the_view_is_plain_and_complete(house):
    import dataclasses
    import json

    house.lease("a4")
    house.ask("b7")
    view = house.pool.view()
    assert json.loads(json.dumps(dataclasses.asdict(view)))["queue_depth"] == 1
    assert view.used == {"cpu": 4}
    assert view.models["b7"].state == "queued"
    assert view.models["b7"].position == 1


def test_whether_a_model_fits_is_told_before_it_is_asked_for(house):
    spec = house.spec
    assert house.pool.fit(spec("a4")).kind == "fits"
    holder = house.lease("a6")
    assert house.pool.fit(spec("a6")).kind == "loaded"
    assert house.pool.fit(spec("b6")).kind == "busy"
    holder.release()
    found = house.pool.fit(spec("b6"))
    assert (found.kind, found.unload, found.need, found.has) == ("unload", ("a6",), 6, 10)
    house.pool.pin("a6", True)
    house.pump()
    assert house.pool.fit(spec("b6")).kind == "pinned"
    house.pool.set_machine(Machine("cpu", {"cpu": 5}, {}))
    house.pump()
    assert house.pool.fit(spec("b6")).kind == "too_large"
    house.sizes.unknown.add("c1")
    assert house.pool.fit(spec("c1")).kind == "unknown"


def test_what_is_still_draining_does_not_count_as_room(house):
    holder = house.lease("a6")
    house.pool.unload("a6")
    house.pump()
    found = house.pool.fit(house.spec("b6"))
    assert (found.kind, found.unload) == ("busy", ("a6",))
    assert house.pool.fit(house.spec("b4")).kind == "fits"
    holder.release()


def test_a_process_that_ends_during_a_download_costs_nobody_their_place(house):
    house.lease("b2").release()
    person = house.ask("a4")
    house.engine("a4").moves(1, 9, phase="download")
    house.engine("a4").goes()
    house.pump()
    assert person.error.code == "engine_died"
    assert house.state("b2") == "ready"


def test_closing_tells_the_waiting_and_ends_the_engines(house):
    person = house.ask("a4")
    house.pool.close(1)
    assert person.error.code == "shutting_down"
    assert house.engine("a4").closed
    assert house.ask("a4").error.code == "shutting_down"
    house.pool.close(1)
