"""Who makes room for whom."""

from hypothesis import given
from hypothesis import strategies as st

from parley.pool.policy import Load, Resident, TooLarge, Wait, plan


def resident(name: str, size: int, released: int = 0, leases: int = 0) -> Resident:
    return Resident(name, size, leases, released)


def test_loads_without_eviction_when_there_is_room():
    assert plan(4, [resident("a", 5)], 10) == Load(())


def test_the_least_recently_released_goes_first():
    residents = [resident("old", 4, 1), resident("older", 4, 0), resident("new", 2, 2)]
    assert plan(4, residents, 10) == Load(("older",))


def test_a_model_in_use_is_never_evicted():
    assert plan(6, [resident("busy", 6, leases=1)], 10) == Wait()


def test_one_that_turned_out_not_to_be_needed_is_spared():
    residents = [resident("small", 1, 0), resident("large", 9, 1)]
    assert plan(9, residents, 10) == Load(("large",))


def test_too_large_even_alone_is_said_at_once():
    assert plan(11, [], 10) == TooLarge()


residents = st.lists(
    st.builds(
        Resident,
        st.uuids().map(str),
        st.integers(0, 20),
        st.integers(0, 2),
        st.integers(0, 100),
    ),
    max_size=6,
)


@given(st.integers(0, 40), residents, st.integers(0, 60))
def test_a_plan_fits_spares_the_busy_and_evicts_no_more_than_needed(need, there, budget):
    decision = plan(need, there, budget)
    sizes = {r.model_id: r.bytes for r in there}
    idle = {r.model_id for r in there if r.leases == 0}
    busy = sum(r.bytes for r in there if r.leases)
    match decision:
        case TooLarge():
            assert need > budget
        case Wait():
            assert need <= budget < need + busy
        case Load(evict):
            assert set(evict) <= idle
            left = sum(sizes.values()) - sum(sizes[v] for v in evict)
            assert left + need <= budget
            assert all(left + sizes[v] + need > budget for v in evict)
