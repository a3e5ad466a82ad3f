"""How many threads compute, by a clock and a processor that the test turns."""

from __future__ import annotations

import pytest
import torch

from parley.engines.threads import CALM, IDLE, PATIENCE, Threads


class Machine:
    """``cores`` of them, on which others compute with ``others`` threads."""

    def __init__(self, most=2, cores=2):
        self.cores, self.others = cores, 0
        self.time = self.core_time = 0.0
        self.used = []
        self.threads = Threads(most, self.used.append, lambda: self.time, lambda: self.core_time)

    def step(self, seconds=0.03, **options):
        with self.threads.step(**options):
            threads = self.used[-1] if self.used else self.threads.most
            share = min(1.0, self.cores / (threads + self.others))
            self.time += seconds / share
            self.core_time += seconds
        return threads

    def steps(self, seconds):
        end = self.time + seconds
        return [self.step() for _ in iter(lambda: self.time < end, False)]


def test_alone_all_compute_and_the_library_is_told_nothing():
    machine = Machine()
    assert set(machine.steps(20)) == {2}
    assert machine.used == []


def test_beside_another_model_it_takes_one_within_a_few_steps():
    machine = Machine()
    machine.others = 2
    assert 1 in machine.steps(0.3)
    machine.others = 1
    later = machine.steps(60)
    assert later.count(1) > 0.95 * len(later)  # tries are rare, and rarer the more have failed
    assert 2 in later


def test_when_the_other_has_gone_all_compute_again():
    machine = Machine()
    machine.others = 1
    machine.steps(60)
    machine.others = 0
    assert set(machine.steps(PATIENCE + 2)[-5:]) == {2}


def test_after_a_single_disturbance_all_compute_again_soon():
    machine = Machine()
    machine.others = 2
    machine.steps(0.3)
    machine.others = 0
    assert machine.steps(CALM + 0.5)[-1] == 2


def test_many_cores_are_shared_by_halves():
    machine = Machine(most=8, cores=8)
    machine.others = 4
    assert machine.steps(10)[-1] == 4
    machine.others = 7
    assert machine.steps(3)[-1] <= 2


def test_after_a_rest_nothing_is_believed_any_more():
    machine = Machine()
    machine.others = 2
    machine.steps(0.3)
    assert machine.step() == 1
    machine.time += IDLE + 1
    assert machine.step() == 2


def test_what_must_not_depend_on_others_has_all_threads_and_teaches_nothing():
    machine = Machine()
    machine.others = 2
    machine.steps(0.3)
    assert [machine.step(all_of_them=True) for _ in range(9)] == [2] * 9
    assert machine.step() == 1


def test_one_thread_stays_one():
    machine = Machine(most=1)
    machine.others = 4
    machine.steps(5)
    assert machine.used == []


@pytest.fixture
def restored():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_the_library_is_really_told(restored):
    torch.set_num_threads(2)
    threads = Threads(2)
    threads.now = 1
    with threads.step():
        assert torch.get_num_threads() == 1
    with threads.step(all_of_them=True):
        assert torch.get_num_threads() == 2
