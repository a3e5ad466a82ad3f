"""Several models for one purpose: side by side where they fit, else in turn."""

from __future__ import annotations

import pytest

from parley.errors import ParleyError
from parley.pool.slots import Lease, OneByOne
from parley.pool.together import Together
from tests.pool.house import House


@pytest.fixture
def house():
    made = House()
    yield made
    made.close()


class Group:
    """Who asked for several models, and what was heard for each."""

    def __init__(self, house, *models, hears=lambda group, index, news: None, insist=False):
        self.house = house
        self.heard = [[] for _ in models]
        self.together = None
        self._hears = hears
        specs = [house.spec(model) for model in models]
        self.together = Together(house.pool, specs, self._listen, insist=insist)
        house.pump()

    def _listen(self, index, news):
        self.heard[index].append(news)
        self._hears(self, index, news)

    def leases(self):
        """By place: the lease that was given, or None."""
        return [next((n for n in h if isinstance(n, Lease)), None) for h in self.heard]

    def served(self):
        return [lease is not None for lease in self.leases()]

    def errors(self):
        return [next((n.code for n in h if isinstance(n, ParleyError)), None) for h in self.heard]

    def release(self, index):
        self.leases()[index].release()
        self.house.buried()

    def arrives(self, model):
        self.house.buried()
        self.house.engine(model).becomes_ready()
        self.house.pump()

    def cancel(self):
        self.together.cancel()
        self.house.pump()


def test_models_that_fit_come_all_at_once(house):
    group = Group(house, "a4", "b4")
    group.arrives("b4")
    assert group.served() == [False, False]
    group.arrives("a4")
    assert group.served() == [True, True]
    assert [lease.model_id for lease in group.leases()] == ["a4", "b4"]
    assert not any(isinstance(n, OneByOne) for n in group.heard[0])


def test_models_that_do_not_fit_come_in_order_each_after_a_release(house):
    group = Group(house, "b6", "a6", "c6")
    order = OneByOne(("b6", "a6", "c6"))
    assert [heard.count(order) for heard in group.heard] == [1, 1, 1]
    for index, model in enumerate(("b6", "a6", "c6")):
        assert [engine.spec.id for engine in house.engines] == ["b6", "a6", "c6"][: index + 1]
        group.arrives(model)
        house.passes(30)
        assert group.served() == [place <= index for place in range(3)]
        group.release(index)
    assert house.pool.view().models["c6"].leases == 0
    assert len(house.engines) == 3


def test_one_that_fails_passes_its_turn(house):
    group = Group(house, "a6", "b6")
    house.engine("a6").fails()
    house.buried()
    group.arrives("b6")
    assert group.errors() == ["corrupt_weights", None]
    assert group.served() == [False, True]


@pytest.mark.parametrize(("insist", "loads", "codes"), [(False, 1, ["cooldown"]), (True, 2, [])])
def test_one_that_is_not_tried_again_yet_passes_its_turn_unless_somebody_insists(
    house, insist, loads, codes
):
    house.ask("b6")
    group = Group(house, "a6", "b6", "c6", insist=insist)
    house.engine("b6").fails("offline")
    group.arrives("a6")
    group.release(0)
    assert house.loads("b6") == loads
    assert house.loads("c6") == len(codes)  # its turn comes at once
    assert [code for code in group.errors() if code] == codes


def test_where_all_were_to_come_at_once_a_failure_is_everybodys(house):
    group = Group(house, "a4", "b4")
    group.arrives("a4")
    house.engine("b4").fails()
    house.pump()
    assert group.errors() == ["corrupt_weights"] * 2
    assert group.served() == [False, False]
    assert house.pool.view().models["a4"].leases == 0


def test_the_last_one_that_fails_ends_it(house):
    group = Group(house, "a6", "b6")
    group.arrives("a6")
    group.release(0)
    house.engine("b6").fails()
    house.buried()
    assert group.errors() == [None, "corrupt_weights"]
    assert house.pool.view().queue_depth == 0


def test_the_same_model_twice_is_loaded_once(house):
    group = Group(house, "a4", "a4")
    group.arrives("a4")
    assert group.served() == [True, True]
    assert len(set(map(id, group.leases()))) == 2
    assert house.loads("a4") == 1
    group.release(0)
    assert house.pool.view().models["a4"].leases == 1


def test_in_turn_the_same_model_comes_at_each_of_its_places(house):
    group = Group(house, "a6", "a6", "b6")
    group.arrives("a6")
    assert group.served() == [True, False, False]
    group.release(0)
    assert group.served() == [True, True, False]
    assert house.loads("a6") == 1
    group.release(1)
    group.arrives("b6")
    assert group.served() == [True, True, True]


def test_called_off_before_the_set_is_there(house):
    group = Group(house, "a4", "b4")
    group.arrives("a4")
    group.cancel()
    assert house.engine("b4").closed
    house.engine("b4").becomes_ready()
    house.buried()
    assert group.served() == [False, False]
    assert house.pool.view().models["a4"].leases == 0


def test_called_off_while_it_waits_for_its_first_turn(house):
    group = Group(house, "a6", "b6")
    group.cancel()
    assert house.engine("a6").closed
    house.buried()
    assert house.loads("b6") == 0
    assert group.served() == [False, False]


def test_called_off_during_its_first_turn_what_it_has_stays_and_no_more_comes(house):
    group = Group(house, "a6", "b6")
    group.arrives("a6")
    group.cancel()
    assert house.pool.view().models["a6"].leases == 1
    group.release(0)
    assert house.loads("b6") == 0
    assert house.in_memory() == {"a6"}


def test_called_off_while_it_waits_for_its_second_turn(house):
    group = Group(house, "a6", "b6")
    group.arrives("a6")
    group.release(0)
    group.cancel()
    assert house.engine("b6").closed
    house.buried()
    assert house.state("b6") == "cold"
    assert group.served() == [True, False]


def test_called_off_by_the_one_who_hears_that_it_is_in_turn(house):
    def refuses(group, index, news):
        if isinstance(news, OneByOne):
            group.together.cancel()

    group = Group(house, "a6", "b6", hears=refuses)
    assert house.engines == []
    assert group.errors() == [None, None]


def test_called_off_when_all_is_over_changes_nothing(house):
    group = Group(house, "a4", "b4")
    group.arrives("a4")
    group.arrives("b4")
    group.cancel()
    assert house.pool.view().models["a4"].leases == 1
    assert house.in_memory() == {"a4", "b4"}


def test_whoever_goes_away_leaves_the_load_that_is_under_way(house):
    group = Group(house, "a6", "b6")
    group.together.leave()
    house.pump()
    assert not house.engine("a6").closed
    group.arrives("a6")
    assert group.served() == [False, False]
    assert house.in_memory() == {"a6"}
    assert house.loads("b6") == 0


def test_a_fault_of_the_listener_passes_the_turn(house):
    def faulty(group, index, news):
        if index == 0 and isinstance(news, Lease):
            raise RuntimeError("a fault of the listener's own")

    group = Group(house, "a6", "b6", hears=faulty)
    group.arrives("a6")
    group.arrives("b6")
    assert group.served() == [True, True]
