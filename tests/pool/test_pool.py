"""The pool's promises, with engines that do exactly what a test tells them."""

import pytest

from parley.catalog.spec import ModelSpec
from parley.errors import ParleyError
from parley.events import Loading, Queued
from parley.pool.pool import Lease, Pool
from tests.pool.fake_engine import FakeEngine


class House:
    """A pool with a budget of 10 and models whose size is their name's last digit."""

    def __init__(self) -> None:
        self.engines: list[FakeEngine] = []
        self.pool = Pool(self._make, lambda spec: int(spec.id[-1]), 10)

    def _make(self, spec: ModelSpec) -> FakeEngine:
        self.engines.append(FakeEngine(spec))
        return self.engines[-1]

    def ask(self, model: str):
        news: list[object] = []
        ticket = self.pool.request(ModelSpec(id=model, name=model, repo=model), news.append)
        return ticket, news

    def lease(self, model: str) -> Lease:
        _, news = self.ask(model)
        if not isinstance(news[-1], Lease):
            self.engines[-1].becomes_ready()
        return news[-1]

    def in_memory(self) -> set[str]:
        return {slot.model_id for slot in self.pool.snapshot()}


@pytest.fixture
def house():
    made = House()
    yield made
    made.pool.close()


def test_the_first_message_loads_and_is_told_how_far(house):
    _, news = house.ask("a4")
    house.engines[0].moves(3, 9)
    house.engines[0].becomes_ready()
    assert [type(n) for n in news] == [Loading, Loading, Lease]
    assert news[1].done == 3
    assert news[-1].load_seconds == 1.5


def test_many_who_want_one_model_share_one_load(house):
    asked = [house.ask("a4")[1] for _ in range(5)]
    house.engines[0].becomes_ready()
    assert len(house.engines) == 1
    assert all(isinstance(news[-1], Lease) for news in asked)
    assert house.pool.snapshot()[0].leases == 5


def test_a_model_already_there_costs_no_load_time(house):
    house.lease("a4").release()
    assert house.lease("a4").load_seconds == 0


def test_room_is_made_by_the_least_recently_released(house):
    first, second = house.lease("a4"), house.lease("b4")
    second.release()
    first.release()
    house.lease("c4")
    assert house.in_memory() == {"a4", "c4"}
    assert house.engines[1].closed


def test_a_model_in_use_is_waited_for_not_evicted(house):
    lease = house.lease("a6")
    _, news = house.ask("b6")
    assert news == [Queued(1)]
    assert not house.engines[0].closed
    lease.release()
    assert house.engines[0].closed
    house.engines[1].becomes_ready()
    assert isinstance(news[-1], Lease)


def test_a_lease_given_back_twice_counts_once(house):
    one, other = house.lease("a4"), house.lease("a4")
    one.release()
    one.release()
    assert house.pool.snapshot()[0].leases == 1
    other.release()


def test_a_failed_load_reaches_everyone_and_the_next_request_starts_afresh(house):
    asked = [house.ask("a4")[1] for _ in range(3)]
    house.engines[0].fails()
    assert all(isinstance(news[-1], ParleyError) for news in asked)
    assert house.in_memory() == set()
    assert isinstance(house.lease("a4"), Lease)


def test_an_engine_that_dies_while_loading_fails_the_load(house):
    _, news = house.ask("a4")
    house.engines[0].dies()
    assert news[-1].code == "engine_died"


def test_an_engine_that_dies_is_replaced_at_the_next_request(house):
    house.lease("a4").release()
    house.engines[0].dies()
    house.lease("a4")
    assert len(house.engines) == 2


def test_leaving_alone_ends_the_load(house):
    ticket, news = house.ask("a4")
    ticket.cancel()
    assert house.engines[0].closed
    assert house.in_memory() == set()
    house.engines[0].becomes_ready()
    assert not any(isinstance(n, Lease) for n in news)


def test_leaving_a_shared_load_costs_the_others_nothing(house):
    ticket, _ = house.ask("a4")
    _, news = house.ask("a4")
    ticket.cancel()
    assert not house.engines[0].closed
    house.engines[0].becomes_ready()
    assert isinstance(news[-1], Lease)


def test_leaving_the_queue_evicts_and_loads_nothing(house):
    lease = house.lease("a6")
    ticket, _ = house.ask("b6")
    ticket.cancel()
    lease.release()
    assert house.in_memory() == {"a6"}
    assert len(house.engines) == 1


def test_too_large_is_one_sentence_with_both_numbers(house):
    house.pool = Pool(house._make, lambda spec: 94_000_000_000, 16_000_000_000)
    _, news = house.ask("big9")
    assert news[0].sentence == "big9 needs about 94.0 GB of memory; 16.0 GB can be used here."


def test_a_measured_footprint_corrects_the_estimate(house):
    _, news = house.ask("a1")
    house.engines[0].becomes_ready(footprint=9)
    news[-1].release()
    house.lease("b4")
    assert house.in_memory() == {"b4"}


def test_closing_tells_the_waiting_and_ends_the_engines(house):
    _, news = house.ask("a4")
    house.pool.close()
    assert news[-1].code == "shutting_down"
    assert house.engines[0].closed
    _, late = house.ask("a4")
    assert late[-1].code == "shutting_down"
