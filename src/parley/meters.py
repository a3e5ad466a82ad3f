"""What happened since this Parley started, counted.

Whoever does something says so here, once per answer or load, never per token, from any thread. A
metrics scrape reads it as Prometheus families, the page as ``totals()``. What is so at this moment
(states, queue, memory) is not kept here: that is the pool's to say. Knows nothing of HTTP.

Every label has few values. Models are counted under their ids in the catalogue, which callers have
looked up: a name that somebody merely typed never gets here. Nothing in here is about a person.
"""

from __future__ import annotations

import statistics
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric

from parley.events import Failed, Finished

UnloadReason = Literal[
    "idle", "evicted", "requested", "outdated", "abandoned", "oom", "failed", "shutdown"
]

MEDIAN_OF = 50
"""A median is taken over this many of the latest; what was slow an hour ago says little."""

CANCELLED = "load_cancelled"
"""The code of a load that somebody called off: not a failure of the model."""

# Seconds. From what a tiny model does to half an hour, after which a load is given up.
LOAD_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 60, 120, 300, 600, 1200, 1800)
FIRST_TOKEN_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 1800)
WAIT_BUCKETS = (0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
STOP_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


@dataclass(frozen=True, slots=True)
class Totals:
    """One model's sums. ``failed`` and ``stopped`` are among ``answers``. Medians are None while
    there is nothing to take them of; ``ttft_seconds`` counts loaded models only."""

    answers: int = 0
    failed: int = 0
    stopped: int = 0
    tokens: int = 0
    tokens_per_second: float | None = None
    ttft_seconds: float | None = None
    loads: int = 0
    load_seconds: float | None = None


class Meters:
    """Thread-safe. Each has a registry of its own, so that two of them never add up."""

    def __init__(self) -> None:
        self._tallies_lock = threading.Lock()
        self._tallies: dict[str, _Tally] = {}

        own = self._registry = CollectorRegistry()
        self._loads = Counter(
            "parley_model_loads",
            "Loads that ended; result is ok, failed or cancelled, code says why.",
            ["model", "result", "code"],
            registry=own,
        )
        self._load_seconds = Histogram(
            "parley_model_load_seconds",
            "How long a load that succeeded took, by phase; phase all is the whole of it.",
            ["model", "phase"],
            buckets=LOAD_BUCKETS,
            registry=own,
        )
        self._coalesced = Counter(
            "parley_load_waiters_coalesced",
            "Requests that joined a load somebody else had caused.",
            ["model"],
            registry=own,
        )
        self._load_cancelled = Counter(
            "parley_load_cancelled", "Loads that somebody called off.", registry=own
        )
        self._unloads = Counter(
            "parley_model_unloads",
            "Models that left memory, by reason.",
            ["model", "reason"],
            registry=own,
        )
        self._queue_wait = Histogram(
            "parley_queue_wait_seconds",
            "How long a request waited until it got its model.",
            buckets=WAIT_BUCKETS,
            registry=own,
        )
        self._rejections = Counter(
            "parley_rejections", "Requests that were turned away, by code.", ["code"], registry=own
        )
        self._first_token = Histogram(
            "parley_ttft_seconds",
            "Time to the first token; with cold true it includes the load.",
            ["model", "cold"],
            buckets=FIRST_TOKEN_BUCKETS,
            registry=own,
        )
        self._tokens = Counter(
            "parley_tokens",
            "Tokens of answers that did not fail; those of kind cached are among those of kind "
            "prompt.",
            ["model", "kind"],
            registry=own,
        )
        self._generations = Counter(
            "parley_generations",
            "Answers that ended; finish is stop, length, cancelled or failed.",
            ["model", "finish"],
            registry=own,
        )
        self._stop_latency = Histogram(
            "parley_stop_latency_seconds",
            "From Stop to the engine's last word.",
            buckets=STOP_BUCKETS,
            registry=own,
        )
        self._estimate_error = Gauge(
            "parley_estimate_error_ratio",
            "How far the latest measured footprint was from its estimate, as a share of the "
            "estimate; above 0 it took more.",
            ["model"],
            registry=own,
        )

    # -- what is counted --

    def answered(self, model_id: str, event: Finished | Failed, *, cold: bool) -> None:
        """An answer ended. ``cold``: its model was not in memory when it was asked for."""
        if isinstance(event, Failed):
            self._generations.labels(model_id, "failed").inc()
            with self._tallies_lock:
                tally = self._tally(model_id)
                tally.answers += 1
                tally.failed += 1
            return
        stats = event.stats
        self._generations.labels(model_id, event.reason).inc()
        self._tokens.labels(model_id, "prompt").inc(stats.prompt_tokens)
        self._tokens.labels(model_id, "completion").inc(stats.completion_tokens)
        self._tokens.labels(model_id, "cached").inc(stats.cached_tokens)
        first = stats.ttft_seconds
        if first is not None:
            # What the person waited: the engine's own figure begins when the model is loaded.
            waited = first + stats.load_seconds if cold else first
            self._first_token.labels(model_id, "true" if cold else "false").observe(waited)
        with self._tallies_lock:
            tally = self._tally(model_id)
            tally.answers += 1
            tally.stopped += event.reason == "cancelled"
            tally.tokens += stats.completion_tokens
            if stats.tokens_per_second is not None:
                tally.speeds.append(stats.tokens_per_second)
            if first is not None and not cold:
                tally.first_tokens.append(first)

    def loaded(self, model_id: str, seconds: float, phases: Mapping[str, float]) -> None:
        """A load succeeded; ``phases`` says how its seconds were spent, as far as is known."""
        self._loads.labels(model_id, "ok", "").inc()
        for phase, part in {**phases, "all": seconds}.items():
            self._load_seconds.labels(model_id, phase).observe(part)
        with self._tallies_lock:
            tally = self._tally(model_id)
            tally.loads += 1
            tally.load_seconds.append(seconds)

    def load_failed(self, model_id: str, code: str) -> None:
        """A load ended without a model; the code load_cancelled is for one that was called off."""
        result = "cancelled" if code == CANCELLED else "failed"
        self._loads.labels(model_id, result, code).inc()
        if code == CANCELLED:
            self._load_cancelled.inc()

    def coalesced(self, model_id: str) -> None:
        """A request joined a load that was already under way."""
        self._coalesced.labels(model_id).inc()

    def unloaded(self, model_id: str, reason: UnloadReason) -> None:
        """A model left memory."""
        self._unloads.labels(model_id, reason).inc()

    def refused(self, code: str) -> None:
        """A request was turned away: the queue is full, its time is up, the model is too large."""
        self._rejections.labels(code).inc()

    def waited(self, seconds: float) -> None:
        """A request got its model after this long in the queue."""
        self._queue_wait.observe(seconds)

    def stopped_after(self, seconds: float) -> None:
        """An engine fell silent this long after it was told to stop."""
        self._stop_latency.observe(seconds)

    def estimated(self, model_id: str, estimate: int, measured: int) -> None:
        """A model was estimated at so many bytes and measured at so many. An estimate of 0 is
        none, and cannot be wrong."""
        if estimate > 0:
            self._estimate_error.labels(model_id).set(measured / estimate - 1)

    # -- what is read --

    def totals(self) -> Mapping[str, Totals]:
        """Per model that has been asked or loaded."""
        with self._tallies_lock:
            return {model_id: tally.totals() for model_id, tally in self._tallies.items()}

    def collect(self) -> Iterator[Metric]:
        """Every family, for a scrape. Without the time each series began: that doubles a scrape,
        and a restart shows in a counter that falls."""
        for family in self._registry.collect():
            family.samples = [s for s in family.samples if not s.name.endswith("_created")]
            yield family

    def _tally(self, model_id: str) -> _Tally:
        """Only under the tallies' lock."""
        return self._tallies.setdefault(model_id, _Tally())


def _latest() -> deque[float]:
    return deque(maxlen=MEDIAN_OF)


@dataclass(slots=True)
class _Tally:
    answers: int = 0
    failed: int = 0
    stopped: int = 0
    tokens: int = 0
    loads: int = 0
    speeds: deque[float] = field(default_factory=_latest)
    first_tokens: deque[float] = field(default_factory=_latest)
    load_seconds: deque[float] = field(default_factory=_latest)

    def totals(self) -> Totals:
        return Totals(
            answers=self.answers,
            failed=self.failed,
            stopped=self.stopped,
            tokens=self.tokens,
            tokens_per_second=_median(self.speeds),
            ttft_seconds=_median(self.first_tokens),
            loads=self.loads,
            load_seconds=_median(self.load_seconds),
        )


def _median(values: deque[float]) -> float | None:
    return statistics.median(values) if values else None
