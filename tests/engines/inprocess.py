"""A scheduler in the test's own process, step by step, and what transformers would write."""

from __future__ import annotations

import itertools
import time

import torch
from transformers import AutoModelForCausalLM

from parley.catalog.spec import ModelSpec
from parley.engines import row as rows
from parley.engines.job import Job
from parley.engines.kernels import Kernels
from parley.engines.loading import load
from parley.engines.proof import choose
from parley.engines.scheduler import Scheduler
from parley.events import Delta, Failed, Finished, Started
from tests.engines.listening import request

PLENTY = 2**40


class Heard:
    """One answer: its events, and its tokens as they were chosen."""

    def __init__(self, job):
        self.job = job
        self.events = []
        self.tokens = []

    @property
    def last(self):
        return self.events[-1]

    @property
    def ended(self):
        return bool(self.events) and isinstance(self.events[-1], Finished | Failed)

    @property
    def started(self):
        return next(e for e in self.events if isinstance(e, Started))

    @property
    def text(self):
        return "".join(e.text for e in self.events if isinstance(e, Delta))

    @property
    def thinking(self):
        return "".join(e.thinking for e in self.events if isinstance(e, Delta))

    @property
    def scores(self):
        return [s for e in self.events if isinstance(e, Delta) for s in e.scores]


class InProcess:
    """``way`` forces a runner; by default the one that the engine would choose."""

    def __init__(self, loaded, *, at_once=8, budget=PLENTY, runner="choose"):
        if runner == "choose":
            self.decoding, runner = choose(loaded.model)
        self.loaded = loaded
        self.runner = runner
        self.heard = {}
        self.numbers = itertools.count(1)
        self.scheduler = Scheduler(loaded, runner, budget, at_once, self._say, Kernels())

    def _say(self, job, event):
        heard = self.heard[job.number]
        assert not heard.ended, "something after the last event"
        heard.events.append(event)

    def submit(self, wanted):
        job = Job(next(self.numbers), wanted, time.perf_counter())
        heard = self.heard[job.number] = Heard(job)
        self.scheduler.submit(job)
        return heard

    def ask(self, *texts, **sampling):
        return self.submit(request(*texts, **sampling))

    def cancel(self, heard):
        self.scheduler.cancel(heard.job)

    def step(self):
        self.scheduler.step()
        for row in self.scheduler.rows:
            self.heard[row.job.number].tokens = row.ids[row.prompt :]

    def finish(self, *wanted, most=5000):
        """Step until these have ended, or everybody."""
        for _ in range(most):
            if all(heard.ended for heard in (wanted or self.heard.values())):
                return
            self.step()
        raise AssertionError("no end")

    def run(self, *texts, **sampling):
        heard = self.ask(*texts, **sampling)
        self.finish(heard)
        return heard


def loaded(folder, **spec):
    spec.setdefault("id", "tiny")
    spec.setdefault("name", "Tiny")
    return load(ModelSpec(path=folder, **spec), lambda event: None)


def plain(folder, dtype=torch.float32):
    """The same checkpoint as transformers loads it, for ``generate``."""
    return AutoModelForCausalLM.from_pretrained(folder, dtype=dtype)


def reference(model, prompt_ids, count, **options):
    """What transformers itself writes."""
    ids = torch.tensor([prompt_ids])
    with torch.inference_mode():
        out = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            max_new_tokens=count,
            **options,
        )
    return out[0, len(prompt_ids) :].tolist()


def rendered(model, *texts):
    messages = [
        {"role": ("user", "assistant")[i % 2], "content": text} for i, text in enumerate(texts)
    ]
    return model.tokenizer.apply_chat_template(messages, add_generation_prompt=True)["input_ids"]


def spy_tokens(monkeypatch):
    """Every token of every answer as it is chosen, by the job's number."""
    chosen = {}
    computed = rows.Row.computed

    def spy(self, count, logits, **options):
        before = len(self.ids)
        ended = computed(self, count, logits, **options)
        chosen.setdefault(self.job.number, []).extend(self.ids[before:])
        return ended

    monkeypatch.setattr(rows.Row, "computed", spy)
    return chosen
