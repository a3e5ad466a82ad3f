"""How many bytes models may take on this machine: read from files of a made-up one."""

from __future__ import annotations

from types import SimpleNamespace

import psutil
import pytest

from parley.pool import memory
from parley.pool.memory import (
    Machine,
    available,
    cpu_machine,
    gpu_machine,
    may_have_accelerator,
    parse_size,
)

HOST = 10**12


@pytest.fixture(autouse=True)
def host(monkeypatch):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=HOST))


@pytest.fixture
def machine(tmp_path):
    """Writes files under a root of its own, and returns the root."""

    def make(**files):
        for name, content in files.items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode())
        return tmp_path

    return make


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("16Gi", 16 * 2**30),
        ("16GiB", 16 * 2**30),
        ("12GB", 12 * 10**9),
        ("600MB", 600 * 10**6),
        ("512mi", 512 * 2**20),
        ("1.5 GiB", 3 * 2**29),
        (" 8k ", 8_000),
        ("64Ki", 65_536),
        ("17179869184", 2**34),
        ("100b", 100),
    ],
)
def test_a_size_as_people_write_it(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "much", "-1GB", "1,5GB", "GB", "16  GB", "1e9", "16 GBs", "."]
)
def test_what_is_no_size_is_none(text):
    assert parse_size(text) is None


def test_without_limits_it_is_what_the_machine_has(tmp_path):
    assert available({}, tmp_path) == HOST


def test_the_tightest_of_nested_groups_counts(machine):
    root = machine(
        **{
            "proc/self/cgroup": "0::/pods/one/app\n",
            "sys/fs/cgroup/memory.max": "9000\n",
            "sys/fs/cgroup/pods/memory.max": "max\n",
            "sys/fs/cgroup/pods/one/memory.max": "5000\n",
            "sys/fs/cgroup/pods/one/app/memory.max": "7000\n",
            "sys/fs/cgroup/pods/other/memory.max": "10\n",
        }
    )
    assert available({}, root) == 5000


def test_a_container_that_sees_only_its_own_group(machine):
    root = machine(**{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "6000\n"})
    assert available({}, root) == 6000


def test_the_first_version_of_groups_is_read_too(machine):
    root = machine(
        **{
            "proc/self/cgroup": "5:cpu,cpuacct:/tight\n4:memory,hugetlb:/docker/one\n0::/\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
            "sys/fs/cgroup/memory/docker/memory.limit_in_bytes": "4000\n",
            "sys/fs/cgroup/memory/docker/one/memory.limit_in_bytes": "8000\n",
            "sys/fs/cgroup/memory/tight/memory.limit_in_bytes": "10\n",
        }
    )
    assert available({}, root) == 4000


def test_a_group_whose_path_is_not_there_still_has_the_one_at_the_top(machine):
    root = machine(
        **{
            "proc/self/cgroup": "4:memory:/docker/one\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "3000\n",
        }
    )
    assert available({}, root) == 3000


def test_no_limit_says_nothing(machine):
    root = machine(
        **{
            "sys/fs/cgroup/memory.max": "max\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
        }
    )
    assert available({}, root) == HOST


def test_a_space_says_what_it_has(machine):
    root = machine(**{"sys/fs/cgroup/memory.max": "20000000000\n"})
    assert available({"MEMORY": "16Gi"}, root) == 16 * 2**30
    assert available({"MEMORY": "32Gi"}, root) == 20_000_000_000
    assert available({"MEMORY": "plenty"}, root) == 20_000_000_000


def test_a_processor_gets_four_fifths_of_what_is_available(tmp_path):
    found = cpu_machine({"MEMORY": "1000"}, root=tmp_path)
    assert found == Machine("cpu", {"cpu": 800}, {"cpu": "Memory"})


def test_a_given_budget_is_taken_at_its_word(tmp_path):
    assert cpu_machine({"MEMORY": "1000"}, 5000, tmp_path).budget == {"cpu": 5000}
    assert cpu_machine({"MEMORY": "1000"}, 0, tmp_path).budget == {"cpu": 0}


def test_each_gpu_gets_most_of_what_is_free_on_it():
    found = [("cuda:0", "L4", 1000), ("cuda:1", "T4", 400)]
    assert gpu_machine(found, {"MEMORY": "10"}) == Machine(
        "cuda", {"cuda:0": 850, "cuda:1": 340}, {"cuda:0": "L4", "cuda:1": "T4"}
    )
    assert gpu_machine(found, {}, 700).budget == {"cuda:0": 700, "cuda:1": 700}


def test_a_mac_shares_its_memory_with_everything_else():
    found = gpu_machine([("mps", "Apple M2", 1000)], {})
    assert found == Machine("mps", {"mps": 650}, {"mps": "Apple M2"})
    assert gpu_machine([("mps", "Apple M2", 1000)], {}, 900).budget == {"mps": 900}


def test_without_an_accelerator_it_is_the_processor():
    assert gpu_machine([], {"MEMORY": "1000"}).kind == "cpu"
    assert gpu_machine([], {}, 700).budget == {"cpu": 700}


@pytest.mark.parametrize(
    "sign", ["dev/nvidiactl", "dev/kfd", "dev/dxg", "proc/driver/nvidia/version"]
)
def test_a_drivers_file_is_a_reason_to_ask(machine, monkeypatch, sign):
    monkeypatch.setattr(memory, "sys", SimpleNamespace(platform="linux"))
    root = machine(**{"dev/null": ""})
    assert not may_have_accelerator(root)
    assert may_have_accelerator(machine(**{sign: ""}))


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_where_no_file_can_tell_it_is_asked(tmp_path, monkeypatch, platform):
    monkeypatch.setattr(memory, "sys", SimpleNamespace(platform=platform))
    assert may_have_accelerator(tmp_path)
