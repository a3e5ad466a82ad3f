"""Models in processes of their own: streaming, company, cancelling, dying."""

from __future__ import annotations

import os
import signal
import threading
import time

import psutil
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from parley.catalog.spec import ModelSpec
from parley.engines import outbox
from parley.engines.base import Ready
from parley.engines.local import LocalEngine
from parley.errors import LoadError
from parley.events import Delta, Failed, Finished, Loading, Started
from tests import checkpoints
from tests.engines.listening import Listener, ask, request

ENDLESS = {"max_new_tokens": 100_000}
# Far above what is promised (0.5 s): the cores that run the tests are shared.
SOON = 2.0


@pytest.fixture(scope="module")
def endless(tmp_path_factory):
    """A model that does not come to an end by itself: a wide window, and an EOS never chosen."""
    folder = tmp_path_factory.mktemp("endless")
    checkpoints.build(folder, "llama", max_position_embeddings=200_000, eos_token_id=383)
    for name in ("generation_config.json",):
        (folder / name).write_text('{"eos_token_id": 383, "pad_token_id": 0}')
    return folder


@pytest.mark.parametrize("family", checkpoints.FAMILIES)
def test_greedy_text_equals_generate(start, checkpoint, family):
    folder = checkpoint(family)
    engine = start(folder, dtype="float32")
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for prompt in ("Hello there", "こんにちは、世界。"):
        listener, last = ask(engine, prompt, max_new_tokens=24)
        assert isinstance(last, Finished), last
        messages = [{"role": "user", "content": prompt}]
        ids = tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_tensors="pt"
        )
        out = model.generate(**ids, do_sample=False, max_new_tokens=24)
        new = out[0, ids["input_ids"].shape[1] :].tolist()
        assert last.stats.completion_tokens == listener.tokens == len(new)
        expected = tokenizer.decode(new, skip_special_tokens=True).replace("\ufffd", "")
        assert listener.text == expected


def test_what_a_load_reports(start, checkpoint):
    engine = start(checkpoint(), wait=False)
    ready = engine.listener.until(Ready)
    phases = [e.phase for e in engine.listener.heard if isinstance(e, Loading)]
    assert phases == sorted(phases, key=["start", "download", "weights", "warmup"].index)
    assert {"start", "weights"} <= set(phases)
    weights = [e for e in engine.listener.heard if isinstance(e, Loading) and e.total]
    assert weights[-1].done == weights[-1].total > 0
    assert (ready.dtype, ready.device, ready.revision) == ("float32", "cpu", None)
    assert ready.has_template
    assert ready.context == checkpoints.WINDOW
    assert 0 < ready.seconds < 60
    stored = sum(f.stat().st_size for f in checkpoint().glob("*.safetensors"))
    assert ready.footprint == pytest.approx(stored, rel=0.05)


def test_dtype_can_be_chosen(start, checkpoint):
    engine = start(checkpoint(), wait=False, dtype="bfloat16")
    assert engine.listener.until(Ready).dtype == "bfloat16"
    assert isinstance(ask(engine, "Hello", max_new_tokens=3)[1], Finished)


def test_seeds_reproduce_while_others_generate(start, checkpoint):
    engine = start(checkpoint("qwen3"))
    sampling = {"temperature": 0.9, "top_p": 0.95, "min_p": 0.01, "max_new_tokens": 40}
    alone = [ask(engine, "Tell me", seed=s, **sampling)[0].text for s in range(4)]
    listeners = [Listener() for _ in range(4)]
    for seed, listener in enumerate(listeners):
        engine.generate(request("Tell me", seed=seed, **sampling), listener)
    for listener in listeners:
        assert isinstance(listener.end(), Finished)
    assert [listener.text for listener in listeners] == alone
    assert len(set(alone)) == 4


def test_several_people_proceed_together(start, endless):
    engine = start(endless)
    listeners = [Listener() for _ in range(3)]
    answers = [engine.generate(request("Hi", **ENDLESS), each) for each in listeners]
    for listener in listeners:
        listener.until(Delta)
    for answer in answers:
        answer.cancel()
    assert [listener.end().reason for listener in listeners] == ["cancelled"] * 3


def test_more_than_fit_wait_in_order(start, endless):
    engine = start(endless, concurrency=4)
    front = [Listener() for _ in range(4)]
    answers = [engine.generate(request("Hi", **ENDLESS), each) for each in front]
    for listener in front:
        listener.until(Started)
    late = Listener()
    engine.generate(request("Hi", max_new_tokens=2), late)
    time.sleep(0.3)
    assert late.inbox.empty()
    answers[1].cancel()
    assert isinstance(late.end(), Finished)
    for answer in answers:
        answer.cancel()


def cancelled_within(answer, listener):
    began = time.perf_counter()
    answer.cancel()
    answer.cancel()
    last = listener.end()
    assert time.perf_counter() - began < SOON
    assert isinstance(last, Finished)
    assert last.reason == "cancelled"
    return last


def test_cancel_while_decoding(start, endless):
    engine = start(endless)
    listener = Listener()
    answer = engine.generate(request("Hi", **ENDLESS), listener)
    listener.until(Delta)
    last = cancelled_within(answer, listener)
    assert last.stats.completion_tokens == listener.tokens > 0
    assert idle(engine)


def test_cancel_while_prefilling(start, endless):
    engine = start(endless)
    listener = Listener()
    # Attention over this many tokens takes the tiny model many seconds.
    answer = engine.generate(request("word " * 30_000, **ENDLESS), listener)
    listener.until(Started)
    time.sleep(0.3)
    last = cancelled_within(answer, listener)
    assert last.stats.completion_tokens == 0
    assert last.stats.ttft_seconds is None
    assert idle(engine)


def test_cancel_while_waiting_for_a_place(start, endless):
    engine = start(endless, concurrency=4)
    front = [Listener() for _ in range(4)]
    answers = [engine.generate(request("Hi", **ENDLESS), each) for each in front]
    late = Listener()
    waiting = engine.generate(request("Hi", **ENDLESS), late)
    for listener in front:
        listener.until(Started)
    cancelled_within(waiting, late)
    assert not any(isinstance(e, Started) for e in late.heard)
    for answer, listener in zip(answers, front, strict=True):
        cancelled_within(answer, listener)
    assert idle(engine)


def test_cancel_while_loading(start, checkpoint):
    engine = start(checkpoint(), wait=False)
    listener = Listener()
    answer = engine.generate(request("Hi"), listener)
    answer.cancel()
    last = listener.end()
    assert isinstance(last, Finished)
    assert last.reason == "cancelled"
    # Only that answer: the model still comes.
    assert isinstance(engine.listener.until(Ready, LoadError), Ready)


def test_a_request_may_come_before_the_model(start, checkpoint):
    engine = start(checkpoint(), wait=False)
    listener = Listener()
    engine.generate(request("Hi", max_new_tokens=3), listener)
    last = listener.end()
    assert isinstance(last, Finished)
    assert last.stats.load_seconds > 0
    assert last.stats.ttft_seconds < last.stats.total_seconds


def test_a_killed_process_ends_its_answers_with_a_sentence(start, endless, checkpoint):
    doomed, other = start(endless, name="Doomed"), start(endless)
    mine, theirs = Listener(), Listener()
    doomed.generate(request("Hi", **ENDLESS), mine)
    bystander = other.generate(request("Hi", **ENDLESS), theirs)
    mine.until(Delta)
    theirs.until(Delta)
    gone = threading.Event()
    doomed.on_exit(gone.set)
    os.kill(doomed.pid, signal.SIGKILL)
    last = mine.end()
    assert isinstance(last, Failed)
    assert last.code == "engine_died"
    assert "Doomed" in last.sentence
    assert last.fix.startswith("Press Retry")
    assert gone.wait(5)
    assert not doomed.alive
    late = Listener()
    doomed.generate(request("Hi"), late).cancel()
    assert late.end().code == "engine_died"
    again = threading.Event()
    doomed.on_exit(again.set)
    assert again.wait(5)
    # Nobody else notices.
    theirs.until(Delta)
    assert other.alive
    cancelled_within(bystander, theirs)


def test_dying_in_the_middle_of_a_load_fails_the_load(start, tmp_path):
    folder = slow_to_load(tmp_path)
    engine = start(folder, wait=False, name="Doomed")
    engine.listener.until(Loading)
    os.kill(engine.pid, signal.SIGKILL)
    failed = engine.listener.until(LoadError)
    assert failed.code == "engine_died"
    assert "Doomed" in failed.sentence


def test_close_in_the_middle_of_a_load_ends_it_at_once(start, tmp_path):
    engine = start(slow_to_load(tmp_path), wait=False)
    engine.listener.until(Loading)
    pid = engine.pid
    began = time.perf_counter()
    engine.close()
    assert time.perf_counter() - began < SOON
    assert engine.listener.until(LoadError).code == "load_cancelled"
    assert engine.wait_gone(SOON)
    assert not psutil.pid_exists(pid)


def test_close_before_the_process_exists(checkpoint, nursery):
    engine = LocalEngine(ModelSpec(id="t", name="Tiny", path=checkpoint()), nursery)
    listener, gone = Listener(), threading.Event()
    engine.on_exit(gone.set)
    engine.load(listener, listener, listener)
    engine.close()
    assert listener.until(Ready, LoadError).code == "load_cancelled"
    assert gone.wait(5)
    assert not engine.alive


def test_close_ends_answers_and_gives_back_the_memory(start, endless):
    engine = start(endless, name="Going")
    listener = Listener()
    engine.generate(request("Hi", **ENDLESS), listener)
    listener.until(Delta)
    pid = engine.pid
    gone = threading.Event()
    engine.on_exit(gone.set)
    engine.close()
    engine.close()
    last = listener.end()
    assert isinstance(last, Failed)
    assert last.code == "engine_closed"
    assert "Going" in last.sentence
    assert gone.wait(5)
    assert engine.wait_gone(SOON)
    assert not psutil.pid_exists(pid)


def test_a_failed_load_says_why_and_leaves_no_process(start, tmp_path):
    engine = start(tmp_path / "nowhere", wait=False)
    failed = engine.listener.until(LoadError, Ready)
    assert failed.code == "not_found"
    assert engine.wait_gone(10)
    assert not engine.alive


def test_a_failing_listener_does_not_stop_the_engine(start, checkpoint, caplog):
    engine = start(checkpoint())

    def broken(event):
        raise ValueError("a bug in the page")

    engine.generate(request("Hi", max_new_tokens=3), broken)
    assert isinstance(ask(engine, "Hi", max_new_tokens=3)[1], Finished)
    assert "listener" in caplog.text


def test_a_child_needs_little_memory_of_its_own(start, checkpoint):
    engine = start(checkpoint())
    assert psutil.Process(engine.pid).memory_full_info().uss < 120 * 2**20


def test_text_is_put_together_on_its_way(start, endless):
    engine = start(endless)
    listener = Listener()
    answer = engine.generate(request("Hi", **ENDLESS), listener)
    began = time.perf_counter()
    listener.until(Delta)
    time.sleep(1)
    cancelled_within(answer, listener)
    seconds = time.perf_counter() - began
    deltas = [e for e in listener.heard if isinstance(e, Delta)]
    assert listener.tokens >= len(deltas)
    assert len(deltas) <= seconds / outbox.PAUSE + 5


def slow_to_load(tmp_path):
    """Large enough that a load can be met half way."""
    return checkpoints.build(
        tmp_path / "slow",
        "llama",
        hidden_size=512,
        intermediate_size=1024,
        num_hidden_layers=24,
        num_attention_heads=8,
    )


def idle(engine):
    """Whether the process does nothing: its processor time stands still."""
    process = psutil.Process(engine.pid)
    deadline = time.perf_counter() + SOON
    while time.perf_counter() < deadline:
        before = sum(process.cpu_times()[:2])
        time.sleep(0.25)
        if sum(process.cpu_times()[:2]) - before < 0.05:
            return True
    return False
