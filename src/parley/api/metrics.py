"""``/metrics``: what was counted and what is so right now, in Prometheus' text format.

Counters and histograms come from the meters. Gauges are read off the pool's view at the moment of
the scrape and kept nowhere, so they cannot drift from what they show. Knows nothing of routes.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from parley import __version__
from parley.meters import Meters
from parley.pool.view import PoolView

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
"""The format that every Prometheus reads; newer ones differ only in what names may look like."""


def exposition(meters: Meters, view: PoolView, available: int) -> bytes:
    """One scrape. ``available`` is bytes of main memory that this machine could still give."""
    return generate_latest(_Scrape(meters, view, available))


class _Scrape(Collector):
    def __init__(self, meters: Meters, view: PoolView, available: int) -> None:
        self._meters = meters
        self._view = view
        self._available = available

    def collect(self) -> Iterator[Metric]:
        yield from self._meters.collect()
        yield from _gauges(self._view, self._available)


def _gauges(view: PoolView, available: int) -> Iterator[Metric]:
    models = sorted(view.models.values(), key=lambda model: model.model_id)
    yield _family("build_info", "Which Parley this is.", {(__version__,): 1}, "version")
    yield _family(
        "model_state",
        "1 for the state a model is in; a model that is cold has none.",
        {(m.model_id, m.state): 1 for m in models},
        *("model", "state"),
    )
    yield _family(
        "leases",
        "Answers that a model is writing.",
        {(m.model_id,): m.leases for m in models},
        "model",
    )
    yield _family("queue_depth", "Requests that wait for room in memory.", {(): view.queue_depth})
    yield _family(
        "queue_oldest_seconds", "How long the first of them has waited.", {(): view.queue_oldest}
    )
    yield _family(
        "memory_estimated_bytes",
        "What a model is counted with, over all devices.",
        {(m.model_id,): sum(m.bytes.values()) for m in models},
        "model",
    )
    yield _family(
        "memory_measured_bytes",
        "What a model's process last reported.",
        {(m.model_id,): m.measured for m in models if m.measured is not None},
        "model",
    )
    yield _family(
        "memory_budget_bytes",
        "What models may take together.",
        {(device,): size for device, size in view.budget.items()},
        "device",
    )
    yield _family(
        "memory_used_bytes",
        "What models are counted with together, those on their way in or out as well.",
        {(device,): size for device, size in view.used.items()},
        "device",
    )
    yield _family(
        "memory_available_bytes",
        "Main memory that this machine could still give, to anyone.",
        {(): available},
    )


def _family(
    name: str, help: str, values: dict[tuple[str, ...], float], *labels: str
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"parley_{name}", help, labels=labels)
    for of, value in values.items():
        family.add_metric(of, value)
    return family
