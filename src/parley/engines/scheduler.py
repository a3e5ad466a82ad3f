"""Everybody's answers in one thread: who is taken in, what each step computes, who is told what.

The thread owns the model. It takes requests in order, reuses what the cache still holds of a
conversation, computes step by step what ``plan`` says, and keeps the cache within its budget by
forgetting old conversations first and by setting the youngest answer back last; an answer that was
set back goes on where it was. Knows nothing of pipes.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

import torch

from parley.engines import serial
from parley.engines.cancel import CancelWatch, Interrupted
from parley.engines.embeddings import input_device
from parley.engines.failures import answer_error, is_out_of_memory
from parley.engines.fitting import Task, task
from parley.engines.habits import habits
from parley.engines.job import Job
from parley.engines.kernels import Kernels
from parley.engines.kv import PrefixStore
from parley.engines.kv import Sequence as Cached
from parley.engines.loading import Loaded
from parley.engines.pace import Pace
from parley.engines.passes import Piece, Runner
from parley.engines.plan import ALONE_SLICE, plan
from parley.engines.row import Row, is_alone
from parley.engines.threads import Threads
from parley.engines.writing import Workbench
from parley.events import EngineEvent, Started, Stats

log = logging.getLogger(__name__)

Say = Callable[[Job, EngineEvent], None]


class Scheduler:
    """One model's. ``runner`` None means that only the library's own loop is right for it.

    ``budget`` is bytes for the KV cache of all answers and of the conversations that are
    remembered; a single answer may have more.
    """

    def __init__(
        self,
        loaded: Loaded,
        runner: Runner | None,
        budget: int,
        at_once: int,
        say: Say,
        kernels: Kernels,
    ) -> None:
        self._loaded, self._runner, self._kernels = loaded, runner, kernels
        self._at_once, self._say = at_once, say
        self._watch = CancelWatch(loaded.model)
        self._pace = Pace()
        on_cpu = input_device(loaded.model).type == "cpu"
        self._threads = Threads(torch.get_num_threads() if on_cpu else 1)
        self._bench = Workbench(loaded)
        self.store = PrefixStore(budget)
        self.rows: list[Row] = []  # in order of arrival
        self._set_back: deque[Row] = deque()
        self._token_bytes = 0  # of one token in the cache, once known
        self._busy = False
        self._changed = threading.Condition()  # guards those below
        self._waiting: deque[Job] = deque()
        self._looks: deque[Job] = deque()  # at a prompt, and at nothing else
        self._closed = False

    # -- from other threads --

    def submit(self, job: Job) -> None:
        with self._changed:
            (self._looks if job.request.only_prompt else self._waiting).append(job)
            self._changed.notify_all()

    def cancel(self, job: Job) -> None:
        """Ends within one layer of the model; at once for a job that still waits."""
        with self._changed:
            job.cancelled = True
            waiting = job in self._waiting
            if waiting:
                self._waiting.remove(job)
        if waiting:
            self._say(job, job.ended("cancelled", Stats()))

    def still(self) -> float:
        """For how many seconds nothing has moved, though there is something to compute."""
        return time.perf_counter() - self._watch.moved if self._busy else 0.0

    def close(self) -> None:
        """``run`` returns when it has nothing left to do."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    # -- the thread --

    def run(self) -> None:
        while True:
            with self._changed:
                if not self.rows and not self._set_back:
                    self._busy = False
                    self._changed.wait_for(lambda: self._waiting or self._looks or self._closed)
                    if not (self._waiting or self._looks):
                        return
                    self._watch.until(None)
                    self._busy = True
            self.step()

    def step(self) -> None:
        """Take in who can be taken in, then compute everybody's next tokens."""
        self._end_cancelled()
        self._look()
        self._take_in()
        self._keep_within_budget()
        if not self.rows or self._runner is None:
            return
        wants = [row.want for row in self.rows]
        company = any(w.decoding for w in wants) and not all(w.decoding for w in wants)
        passes = plan(
            wants,
            self._pace.tokens(company=company),
            together=self._runner.together,
            mixed=self._runner.mixed,
        )
        began = time.perf_counter()
        rows = list(self.rows)
        for some in passes:
            self._compute([(rows[i], count) for i, count in some])
        prompt_tokens = sum(n for one in passes for _, n in one if n > 1)
        self._pace.learn(prompt_tokens, time.perf_counter() - began)

    # -- coming and going --

    def _take_in(self) -> None:
        while len(self.rows) < self._at_once:
            if self._set_back:
                if not self._fits(len(self._set_back[0].ids)):
                    return
                row = self._set_back.popleft()
                row.sequence = self._find(row.reusable, row.alone)
                self.rows.append(row)
                continue
            with self._changed:
                job = self._waiting.popleft() if self._waiting else None
            if job is None:
                return
            self._watch.until(None)
            try:
                wanted = task(self._loaded, job.request)
                if not self._fits(len(wanted.context)):
                    with self._changed:
                        self._waiting.appendleft(job)
                    return
                self._begin(job, wanted)
            except Exception as error:
                self._fail(job, error)

    def _begin(self, job: Job, wanted: Task) -> None:
        tools = self._bench.tools(job, wanted, lambda event: self._say(job, event))
        writer = tools[0]
        sequence = self._find(wanted.context, is_alone(job))
        writer.cached_tokens = cached = len(sequence.tokens)
        self._say(job, Started(len(wanted.context), cached, wanted.prompt.notes))
        if self._runner is None:
            serial.write(self._loaded, job, wanted, *tools, self._watch, self._look)
            self._say(job, writer.close())
            return
        chain = habits(self._loaded.model.generation_config, len(wanted.prompt.ids))
        row = Row(job, wanted, sequence, *tools, chain)
        self.rows.append(row)
        if writer.stopped:  # by its opening
            self._end(row)

    def _look(self) -> None:
        """Show prompts to those who only want to see them, whoever else is being answered."""
        while self._looks:
            job = self._looks.popleft()
            running = [row.sequence for row in self.rows]
            slices = ALONE_SLICE if is_alone(job) else None
            held = partial(self.store.held, running=running, slices=slices)
            try:
                for event in self._bench.rendered(job, held):
                    self._say(job, event)
            except Exception as error:
                self._fail(job, error)

    def _find(self, ids: Sequence[int], alone: bool) -> Cached:
        running = [row.sequence for row in self.rows]
        slices = ALONE_SLICE if alone else None
        return self.store.take(ids, running, slices=slices, in_use=self._in_use).sequence

    def _end_cancelled(self) -> None:
        for row in [r for r in (*self.rows, *self._set_back) if r.job.cancelled]:
            self._end(row)

    def _end(self, row: Row) -> None:
        self._leave(row)
        self.store.keep(row.sequence, self._in_use)
        self._say(row.job, row.writer.close())

    def _leave(self, row: Row) -> None:
        for rows in (self.rows, self._set_back):
            with suppress(ValueError):
                rows.remove(row)

    def _fail(self, job: Job, error: Exception) -> None:
        said = answer_error(self._loaded.spec, error)
        trace = error if said.code == "internal" else None
        log.warning("%s: %s", self._loaded.spec.id, said.sentence, exc_info=trace)
        self._say(job, said.as_event())

    # -- memory --

    @property
    def _in_use(self) -> int:
        return sum(row.sequence.bytes for row in self.rows)

    def _fits(self, tokens: int) -> bool:
        """Whether there is room for one more of so many tokens; alone there always is."""
        need = tokens * self._token_bytes
        self.store.make_room(self._in_use + need)
        return not self.rows or self._in_use + need <= self.store.budget

    def _keep_within_budget(self) -> None:
        self.store.make_room(self._in_use)
        while len(self.rows) > 1 and self._in_use > self.store.budget:
            # Those whose bits must not change go last: what they wrote would be read again.
            victim = next((r for r in reversed(self.rows) if not r.alone), self.rows[-1])
            self.rows.remove(victim)
            victim.sequence = Cached()
            self._set_back.appendleft(victim)

    # -- computing --

    def _compute(self, work: list[tuple[Row, int]]) -> None:
        try:
            logits = self._forward(work)
        except Interrupted:
            return
        except Exception as error:
            self._one_by_one(work, error)
            return
        for (row, count), some in zip(work, logits, strict=True):
            held = len(row.sequence.tokens)
            whole = row.alone and count == ALONE_SLICE and held % ALONE_SLICE == 0
            try:
                ended = row.computed(count, some, whole_slice=whole)
            except Exception as error:
                self._leave(row)
                self._fail(row.job, error)
                continue
            if row.sequence.room:
                self._token_bytes = row.sequence.bytes // row.sequence.room
            if ended:
                self._end(row)

    def _forward(self, work: list[tuple[Row, int]]) -> Sequence[torch.Tensor]:
        assert self._runner is not None
        pieces = []
        for row, count in work:
            held = len(row.sequence.tokens)
            row.sequence.reserve(held + count)
            pieces.append(Piece(row.sequence, row.ids[held : held + count], row.wanted(count)))
        # A cancelled prompt is not worth another layer; a next token of others is.
        costly = [row.job for row, count in work if count > 1 or len(work) == 1]
        jobs = [row.job for row, _ in work]
        self._watch.until(
            lambda: any(job.cancelled for job in costly) or all(job.cancelled for job in jobs)
        )
        try:
            rows = sum(count for _, count in work)
            exact = work[0][0].alone and not (rows == 1 and self._kernels.steady)
            with self._kernels.step(rows), self._threads.step(all_of_them=exact):
                return self._runner.forward(pieces)
        finally:
            self._watch.until(None)

    def _one_by_one(self, work: list[tuple[Row, int]], error: Exception) -> None:
        """Find out whose fault a failed pass was. Memory that ran out is first looked for in what
        is only remembered."""
        if is_out_of_memory(error) and len(self.store):
            self.store.clear()
            self._compute(work)
        elif len(work) > 1:
            for one in work:
                self._compute([one])
        else:
            self._leave(work[0][0])
            self._fail(work[0][0].job, error)
