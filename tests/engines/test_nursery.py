"""The server that model processes are forked from."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from parley.engines.nursery import Nursery

# What children run; each is a module with a main(), as the nursery wants them.
ECHO = """
def main(pipe, *args):
    import os, sys
    pipe.send((args, os.getpid(), "gradio" in sys.modules, "torch" in sys.modules))
    pipe.recv()
"""
SCRIPT = """
# No guard on purpose: a child that ran this file again would start another engine.
print("main ran", flush=True)
import os, sys, time
from parley.engines.nursery import Nursery
nursery = Nursery(preload=("json",))
child, pipe = nursery.start("echo_child", 1)
pipe.recv()
print(child.pid, flush=True)
os._exit(1)
"""


@pytest.fixture
def echo(tmp_path, monkeypatch):
    (tmp_path / "echo_child.py").write_text(ECHO)
    monkeypatch.syspath_prepend(str(tmp_path))
    return "echo_child"


@pytest.fixture
def small():
    """A nursery without torch, ready at once."""
    made = Nursery(preload=("json",))
    yield made
    made.close()


def gone(pid, seconds=5.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


def test_a_child_gets_its_arguments_and_a_pipe(small, echo):
    child, pipe = small.start(echo, "a", 2)
    with pipe:
        args, pid, _, _ = pipe.recv()
        assert args == ("a", 2)
        assert pid == child.pid != os.getpid()
        assert not child.wait(0)
        pipe.send(None)
        assert child.wait(5)
    child.kill()  # harmless


def test_the_full_nursery_has_torch_and_no_gradio(nursery, echo):
    child, pipe = nursery.start(echo)
    with pipe:
        _, _, gradio, torch = pipe.recv()
        assert (gradio, torch) == (False, True)
        server = psutil.Process(child.pid).parent()
        # A thread that holds a lock while its process is forked leaves it locked for ever.
        assert server.num_threads() == 1
        began = time.perf_counter()
        second, other = nursery.start(echo)
        other.recv()
        assert time.perf_counter() - began < 5  # 20 ms on quiet cores
        for each in (child, second):
            each.kill()
            assert each.wait(5)
        other.close()


def test_killing_is_at_once(small, echo):
    child, pipe = small.start(echo)
    with pipe:
        pipe.recv()
        child.kill()
        assert child.wait(2)
        with pytest.raises((EOFError, ConnectionResetError)):
            pipe.recv()
    assert gone(child.pid)


def test_a_lost_server_is_replaced_and_its_children_can_still_be_killed(small, echo):
    child, pipe = small.start(echo)
    pipe.recv()
    os.kill(psutil.Process(child.pid).ppid(), signal.SIGKILL)
    time.sleep(0.1)
    child.kill()
    assert gone(child.pid)
    pipe.close()
    second, other = small.start(echo)
    with other:
        assert other.recv()[1] == second.pid
        second.kill()
        assert second.wait(5)


def test_a_module_that_does_not_exist_closes_the_pipe(small, capfd):
    child, pipe = small.start("no_such_module_anywhere")
    with pipe, pytest.raises(EOFError):
        pipe.recv()
    assert child.wait(5)
    assert "no_such_module_anywhere" in capfd.readouterr().err


def test_the_main_module_runs_once_and_no_child_outlives_its_parent(tmp_path):
    (tmp_path / "echo_child.py").write_text(ECHO)
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, str(tmp_path / "script.py")],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": "src"},
        timeout=60,
    )
    lines = done.stdout.split("\n")
    assert lines[0] == "main ran"
    assert lines.count("main ran") == 1, done.stderr
    assert gone(int(lines[1]))


def test_without_a_fork_server_it_spawns(echo, monkeypatch):
    monkeypatch.setattr("multiprocessing.get_all_start_methods", lambda: ["spawn"])
    spawning = Nursery()
    spawning.warm()
    child, pipe = spawning.start(echo, 7)
    with pipe:
        args, pid, _, _ = pipe.recv()
        assert (args, pid) == ((7,), child.pid)
        assert not child.wait(0)
        child.kill()
        assert child.wait(5)
    spawning.close()
