"""Downloads that are slow, interrupted, refused or damaged, with the real client and real HTTP."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from parley.catalog.spec import ModelSpec
from parley.engines import hub_transfer, hub_xet
from parley.engines.base import Ready
from parley.engines.failures import load_error
from parley.engines.hub import SPARE, fetch_small, fetch_weights, free_space
from parley.engines.hub_cache import HubFile, RepoCache, snapshot_here
from parley.engines.hub_transfer import WAITS
from parley.engines.local import LocalEngine
from parley.engines.nursery import Nursery
from parley.errors import LoadError
from parley.events import Loading
from tests import checkpoints
from tests.engines.listening import Listener
from tests.engines.stand_in_hub import COMMIT, FOR_EVER, StandInHub, etag

SOURCE = Path(__file__).resolve().parents[2] / "src"
WEIGHTS = "model.safetensors"
SPEC = ModelSpec(id="tiny", name="Tiny", repo="tiny/model")
# What an engine's process does, without the engine.
SCRIPT = """
from parley.catalog.spec import ModelSpec
from parley.engines.hub import fetch_small, fetch_weights
spec = ModelSpec(id="tiny", name="Tiny", repo="tiny/model")
fetch_weights(spec, fetch_small(spec), lambda done, total: print(done, total, flush=True))
"""


@pytest.fixture
def repo(tmp_path):
    """A repository whose weights take a while: 4 MB that mean nothing."""
    folder = tmp_path / "repo"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "llama"}')
    (folder / "tokenizer.json").write_text("{}")
    write_weights(folder / WEIGHTS, 1_000_000)
    return folder


def write_weights(path, numbers):
    values = np.random.default_rng(numbers).random(numbers, dtype=np.float32)
    save_file({path.stem: values}, path)


@pytest.fixture
def hub(repo, monkeypatch, tmp_path):
    made = StandInHub()
    made.repos["tiny/model"] = repo
    made.use(monkeypatch, tmp_path / "home")
    yield made
    made.close()


@pytest.fixture
def waits(monkeypatch):
    """Every wait between two tries, none of which is waited for."""
    waited = []
    monkeypatch.setattr(hub_transfer, "sleep", waited.append)
    return waited


def download(report=lambda done, total: None, **options):
    folder = fetch_small(SPEC)
    fetch_weights(SPEC, folder, report, **options)
    return folder


def failure(**options):
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever it is, it is put into words
        download(**options)
    return load_error(SPEC, caught.value)


def assert_right(repo, name=WEIGHTS):
    """The file is what the Hub has, and nothing is left over."""
    folder = snapshot_here(SPEC, surely=True)
    assert folder is not None
    assert (folder / name).read_bytes() == (repo / name).read_bytes()
    assert partials() == []


def partials():
    return sorted(RepoCache("tiny/model").folder.glob("blobs/*.incomplete"))


def partial_of(repo, content):
    """As an earlier try has left it."""
    file = HubFile(WEIGHTS, (repo / WEIGHTS).stat().st_size, "", etag(repo / WEIGHTS))
    path = RepoCache("tiny/model").partial(file)
    path.parent.mkdir(parents=True)
    path.write_bytes(content)


def ranges(hub, name=WEIGHTS):
    return [request.range for request in hub.of(name)]


# ---- the process ends -------------------------------------------------------------------------


def test_a_killed_download_goes_on_where_it_was(hub, repo, tmp_path):
    """With nothing but the environment to go by, as it is in real life."""
    size = (repo / WEIGHTS).stat().st_size
    home = tmp_path / "home"
    environment = {**os.environ, **hub.environment(home), "PYTHONPATH": str(SOURCE)}
    command = [sys.executable, "-c", SCRIPT]
    hub.pause = 0.02
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as killed:
        for line in killed.stdout:
            done, total = map(int, line.split())
            assert total == size
            if done > size / 2:
                os.kill(killed.pid, signal.SIGKILL)
                break
    assert done < size
    assert snapshot_here(SPEC, surely=False) is None
    assert [path.stat().st_size >= done for path in partials()] == [True]

    hub.pause = 0
    hub.forget()
    again = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    told = [tuple(map(int, line.split())) for line in again.stdout.splitlines()]
    assert told[0][0] >= done
    assert told[-1] == (size, size)
    (request,) = hub.of(WEIGHTS)
    assert request.status == 206
    assert request.range == f"bytes={size - request.sent}-"
    assert request.sent <= size - done
    assert_right(repo)


def test_a_load_cancelled_while_it_downloads_does_not_hinder_the_next(
    checkpoint, monkeypatch, tmp_path
):
    hub = StandInHub()
    hub.repos["tiny/model"] = checkpoint("llama")
    hub.pause, hub.piece = 0.05, 4096
    for name, value in hub.environment(tmp_path / "home").items():
        monkeypatch.setenv(name, value)
    nursery = Nursery()
    first, second = LocalEngine(SPEC, nursery), LocalEngine(SPEC, nursery)
    try:
        listener = Listener()
        first.load(listener, listener, listener)
        event = Loading("start")
        while event.phase != "download" or event.done < 10_000:
            event = listener.until(Loading, LoadError)
            assert isinstance(event, Loading), event
        first.close()
        assert first.wait_gone(10)
        assert listener.until(LoadError).code == "load_cancelled"

        hub.pause = 0
        hub.forget()
        listener = Listener()
        second.load(listener, listener, listener)
        outcome = listener.until(Ready, LoadError)
        assert isinstance(outcome, Ready), outcome
        assert [r.status for r in hub.of(WEIGHTS)] == [206]
    finally:
        first.close()
        second.close()
        nursery.close()
        hub.close()


def test_a_lock_left_behind_holds_nobody_up(hub, repo):
    file = HubFile(WEIGHTS, 0, "", etag(repo / WEIGHTS))
    lock = RepoCache("tiny/model").lock(file)
    lock.parent.mkdir(parents=True)
    lock.touch()
    download()
    assert_right(repo)


def test_two_at_once_fetch_a_file_once(hub, repo):
    hub.pause = 0.005
    told = {0: [], 1: []}
    threads = [
        threading.Thread(target=download, args=(lambda done, _, n=n: told[n].append(done),))
        for n in told
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(hub.of(WEIGHTS)) == 1
    assert_right(repo)
    size = (repo / WEIGHTS).stat().st_size
    assert [told[n][-1] for n in told] == [size, size]


# ---- the connection ends ----------------------------------------------------------------------


def test_a_cut_connection_is_taken_up_again(hub, repo, waits):
    hub.cut(WEIGHTS, after=1_000_000)
    told = []
    download(lambda done, total: told.append(done))
    assert ranges(hub) == [None, "bytes=1000000-"]
    assert told == sorted(told)
    assert_right(repo)


def test_as_often_as_it_takes_while_there_is_progress(hub, repo, waits):
    times = len(WAITS) + 3
    hub.cut(WEIGHTS, after=100_000, times=times)
    download()
    assert len(ranges(hub)) == times + 1
    assert set(waits) == {WAITS[0]}
    assert_right(repo)


def test_but_not_for_ever_without(hub, waits):
    hub.cut(WEIGHTS, after=0, times=FOR_EVER)
    assert failure().code == "offline"
    assert waits == list(WAITS)
    assert snapshot_here(SPEC, surely=False) is None


def test_what_came_before_the_failure_is_kept(hub, repo, waits):
    hub.cut(WEIGHTS, after=1_000_000)
    hub.cut(WEIGHTS, after=0, times=len(WAITS))
    assert failure().code == "offline"
    assert [path.stat().st_size for path in partials()] == [1_000_000]
    hub.forget()
    download()
    assert ranges(hub) == ["bytes=1000000-"]
    assert_right(repo)


def test_silence_counts_as_a_cut(hub, repo, waits, monkeypatch):
    monkeypatch.setattr(hub_transfer, "SILENCE", 0.3)
    hub.stall(WEIGHTS, after=1_000_000)
    download()
    assert ranges(hub) == [None, "bytes=1000000-"]
    assert_right(repo)


def test_a_server_that_cannot_begin_in_the_middle(hub, repo, waits):
    hub.ranges = False
    hub.cut(WEIGHTS, after=3_000_000)
    told = []
    download(lambda done, total: told.append(done))
    assert [request.status for request in hub.of(WEIGHTS)] == [200, 200]
    assert told == sorted(told)
    assert_right(repo)


def test_large_files_come_from_another_address(hub, repo, waits):
    hub.redirects = True
    hub.cut(WEIGHTS, after=1_000_000)
    download()
    sent = [(r.range, r.status) for r in hub.of("/elsewhere/")]
    assert sent == [(None, 200), ("bytes=1000000-", 206)]
    assert_right(repo)


# ---- the Hub says no --------------------------------------------------------------------------


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429, 408])
def test_a_refusal_that_passes(hub, repo, waits, status):
    hub.fail(WEIGHTS, status, times=2)
    download()
    assert waits == list(WAITS[:2])
    assert_right(repo)


@pytest.mark.parametrize("path", ["/api/models", "config.json", WEIGHTS])
def test_a_hub_that_stays_broken(hub, waits, path):
    hub.fail(path, 500)
    said = failure()
    assert said.code == "hub_error"
    assert "500" in said.sentence
    assert "https://status.huggingface.co" in said.fix


def test_a_short_wait_is_waited_for(hub, repo, waits):
    hub.fail(WEIGHTS, 429, times=1, headers={"retry-after": "7"})
    download()
    assert waits == [7]
    assert_right(repo)


@pytest.mark.parametrize("path", ["/api/models", "config.json", WEIGHTS])
@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "100"}, "in 100 s"),
        ({"retry-after": "3600"}, "in 60 min"),
        ({"ratelimit": '"api";r=0;t=55'}, "in 55 s"),
    ],
)
def test_a_long_wait_is_told_at_once(hub, waits, path, headers, wait):
    hub.fail(path, 429, headers=headers)
    said = failure()
    assert said.code == "rate_limited"
    assert wait in said.fix
    assert waits == []


def test_too_many_requests_without_a_word_on_how_long(hub, waits):
    hub.fail(WEIGHTS, 429)
    said = failure()
    assert said.code == "rate_limited"
    assert "a few minutes" in said.fix


def test_a_file_that_is_listed_and_not_there(hub, waits):
    hub.fail(WEIGHTS, 404, headers={"x-error-code": "EntryNotFound"})
    assert failure().code == "not_found"
    assert waits == []


def test_one_failure_ends_the_others(hub, repo, waits):
    make_shards(repo, 4)
    hub.pause, hub.piece = 0.01, 4096  # seconds for each
    hub.fail("model-00002", 403)
    assert failure().code == "gated_denied"
    assert not any(RepoCache("tiny/model").snapshot(COMMIT).glob("*.safetensors"))


# ---- what comes is not what it should be ------------------------------------------------------


def test_a_beginning_that_is_wrong_is_thrown_away(hub, repo):
    partial_of(repo, b"x" * 1_000_000)
    download()
    assert ranges(hub) == ["bytes=1000000-", None]
    assert_right(repo)


def test_a_beginning_that_is_too_long(hub, repo):
    partial_of(repo, b"x" * 9_000_000)
    download()
    assert_right(repo)


def test_a_beginning_that_is_all_there_is_only_checked(hub, repo):
    partial_of(repo, (repo / WEIGHTS).read_bytes())
    download()
    assert ranges(hub) == []
    assert_right(repo)


def test_a_file_that_changes_on_the_way_is_never_used(hub, repo):
    before = (repo / WEIGHTS).stat()
    etag(repo / WEIGHTS)  # what the listing will go on to say
    content = bytearray((repo / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (repo / WEIGHTS).write_bytes(content)
    os.utime(repo / WEIGHTS, ns=(before.st_atime_ns, before.st_mtime_ns))
    said = failure()
    assert said.code == "corrupt_weights"
    assert WEIGHTS in said.sentence
    assert partials() == []
    assert snapshot_here(SPEC, surely=False) is None


def test_a_file_of_another_size_is_fetched_again(hub, repo):
    folder = download()
    blob = (folder / WEIGHTS).resolve()
    os.truncate(blob, 1_000_000)
    assert snapshot_here(SPEC, surely=False) is None
    download()
    assert_right(repo)


# ---- several files ----------------------------------------------------------------------------


def make_shards(repo, count):
    (repo / WEIGHTS).unlink()
    names = [f"model-{n:05}-of-{count:05}.safetensors" for n in range(1, count + 1)]
    for n, name in enumerate(names):
        write_weights(repo / name, 300_000 + n)
    index = {"weight_map": {name.removesuffix(".safetensors"): name for name in names}}
    (repo / "model.safetensors.index.json").write_text(json.dumps(index))
    return names


def test_progress_counts_all_files_and_what_is_here(hub, repo):
    names = make_shards(repo, 3)
    size = sum((repo / name).stat().st_size for name in names)
    hub.fail(names[2], 403, times=1)
    failure()
    for path in partials():
        path.unlink()
    here = list(RepoCache("tiny/model").snapshot(COMMIT).glob("*.safetensors"))
    told = []
    download(lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[-1] == (size, size)
    assert told[0][0] >= sum(f.stat().st_size for f in here)
    assert {total for _, total in told} == {size}
    for name in names:
        assert_right(repo, name)


def test_the_small_files_report_as_well(hub, repo):
    told = []
    fetch_small(SPEC, lambda done, total: told.append((done, total)))
    size = sum((repo / name).stat().st_size for name in ("config.json", "tokenizer.json"))
    assert told[-1] == (size, size)
    assert told == sorted(told)


def test_one_of_two_shards_is_not_a_model(hub, repo, monkeypatch, waits):
    from huggingface_hub import constants

    names = make_shards(repo, 2)
    download()
    (RepoCache("tiny/model").snapshot(COMMIT) / names[0]).unlink()
    assert snapshot_here(SPEC, surely=False) is None
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert failure().code == "not_in_cache"
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    hub.forget()
    download()
    assert not any("safetensors" in r.path for r in hub.requests)  # its blob was there all the time
    assert_right(repo, names[0])


# ---- the disk ---------------------------------------------------------------------------------


def test_too_little_space_is_said_before_anything_is_fetched(hub, repo):
    said = failure(free=lambda folder: 1_500_000)
    assert said.code == "disk_full"
    assert "4.0 MB" in said.sentence
    assert "1.5 MB" in said.sentence
    assert "HF_HOME" in said.fix
    assert hub.of(WEIGHTS) == []


def test_what_is_here_needs_no_space(hub, repo):
    content = (repo / WEIGHTS).read_bytes()
    partial_of(repo, content[:3_000_000])
    needed = len(content) - 3_000_000
    assert failure(free=lambda folder: needed - 1).code == "disk_full"
    download(free=lambda folder: needed)
    assert_right(repo)


def test_free_space_is_that_of_the_disk_less_a_reserve(monkeypatch, tmp_path):
    asked = []

    def usage(folder):
        asked.append(folder)
        return shutil._ntuple_diskusage(0, 0, SPARE + 7)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    assert free_space(tmp_path / "not" / "yet") == 7
    assert asked == [tmp_path]


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "disk_full"),
        (errno.EDQUOT, "disk_full"),
        (errno.EROFS, "not_permitted"),
        (errno.EACCES, "not_permitted"),
    ],
)
def test_a_disk_that_takes_no_more(hub, repo, monkeypatch, number, code):
    def refuse(file):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(hub_transfer.os, "fsync", refuse)
    assert failure().code == code


# ---- other hubs, other ways -------------------------------------------------------------------


def test_a_mirror_that_tells_no_sizes(hub, repo):
    hub.measures = False
    folder = download()
    assert (folder / WEIGHTS).read_bytes() == (repo / WEIGHTS).read_bytes()
    hub.forget()
    assert download() == folder
    assert not any("resolve" in path for path in hub.asked)


def test_files_too_large_for_a_plain_request_are_left_to_the_library(hub, repo, monkeypatch):
    monkeypatch.setattr(hub_xet, "LARGEST", 1_000_000)
    told = []
    download(lambda done, total: told.append((done, total)))
    size = (repo / WEIGHTS).stat().st_size
    assert told[-1] == (size, size)
    assert len(hub.of(WEIGHTS, "HEAD")) == 1  # which only the library asks
    assert_right(repo)


def test_the_library_finds_what_was_fetched(hub, repo, monkeypatch):
    """The cache is everybody's: transformers, the hf command, another Parley."""
    from huggingface_hub import constants, scan_cache_dir, snapshot_download, try_to_load_from_cache

    folder = download()
    assert try_to_load_from_cache("tiny/model", WEIGHTS) == str(folder / WEIGHTS)
    found = scan_cache_dir(constants.HF_HUB_CACHE)
    assert [r.repo_id for r in found.repos] == ["tiny/model"]
    assert found.warnings == []
    hub.forget()
    patterns = ["*.json", "*.safetensors"]
    assert Path(snapshot_download("tiny/model", allow_patterns=patterns)) == folder
    assert not any("resolve" in path or "tree" in path for path in hub.asked)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert Path(snapshot_download("tiny/model", allow_patterns=patterns)) == folder


def test_what_the_library_has_fetched_is_found(hub, repo, checkpoint):
    from huggingface_hub import snapshot_download

    hub.repos["tiny/model"] = checkpoints.copy(checkpoint("llama"), repo.parent / "whole")
    folder = Path(snapshot_download("tiny/model"))
    hub.forget()
    assert download() == folder
    assert hub.asked == []
