"""How long an engine computes after Stop: while decoding, in a long prompt, while loading.

One table, medians of a few runs, on a random-weight Llama-style checkpoint of 0.1 B parameters
built here. Beside it what one layer of one step takes, the grain at which a stop acts.
"""

from __future__ import annotations

import queue
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

from parley.catalog.spec import ModelSpec, Sampling  # noqa: E402 - after the path
from parley.engines.base import Message, Ready, Request  # noqa: E402
from parley.engines.local import LocalEngine  # noqa: E402
from parley.engines.nursery import Nursery  # noqa: E402
from parley.events import Delta, Finished, Started  # noqa: E402

RUNS = 5
LAYERS = 12
WORDS = "the quick brown fox jumps over the lazy dog "


def until(news: queue.Queue, *kinds: type):
    while True:
        item = news.get(timeout=300)
        if isinstance(item, kinds):
            return item


def started(spec: ModelSpec, nursery: Nursery) -> LocalEngine:
    engine = LocalEngine(spec, nursery)
    news: queue.Queue = queue.Queue()
    engine.load(news.put, news.put, news.put)
    until(news, Ready)
    return engine


def decoding(engine: LocalEngine) -> tuple[float, float]:
    """Seconds from the cancel to the last event, and seconds a step takes."""
    news: queue.Queue = queue.Queue()
    say = Request((Message("user", "Go on."),), Sampling(max_new_tokens=400))
    running = engine.generate(say, news.put)
    first = until(news, Delta)
    began, tokens = time.perf_counter(), first.tokens
    while tokens < 20:
        tokens += until(news, Delta).tokens
    step = (time.perf_counter() - began) / tokens
    asked = time.perf_counter()
    running.cancel()
    until(news, Finished)
    return time.perf_counter() - asked, step


def prefilling(engine: LocalEngine) -> float:
    news: queue.Queue = queue.Queue()
    running = engine.generate(
        Request((Message("user", WORDS * 150),), Sampling(max_new_tokens=4)), news.put
    )
    until(news, Started)
    time.sleep(0.3)
    asked = time.perf_counter()
    running.cancel()
    until(news, Finished)
    return time.perf_counter() - asked


def loading(spec: ModelSpec, nursery: Nursery) -> float:
    engine = LocalEngine(spec, nursery)
    news: queue.Queue = queue.Queue()
    engine.load(news.put, news.put, news.put)
    time.sleep(0.15)
    asked = time.perf_counter()
    engine.close()
    engine.wait_gone(60)
    return time.perf_counter() - asked


def main() -> None:
    from tests import checkpoints

    with tempfile.TemporaryDirectory() as scratch:
        folder = checkpoints.build(
            Path(scratch) / "model",
            "llama",
            hidden_size=768,
            intermediate_size=3072,
            num_hidden_layers=LAYERS,
            num_attention_heads=12,
            num_key_value_heads=12,
            max_position_embeddings=8192,
            initializer_range=0.02,
            eos_token_id=999_999,
        )
        spec = ModelSpec(id="bench", name="Bench", path=folder)
        nursery = Nursery()
        nursery.warm()
        engine = started(spec, nursery)
        decodes = [decoding(engine) for _ in range(RUNS)]
        prefills = [prefilling(engine) for _ in range(RUNS)]
        engine.close()
        loads = [loading(spec, nursery) for _ in range(RUNS)]
        nursery.close()
    step = statistics.median(s for _, s in decodes)
    print(f"one decoding step: {step * 1e3:.1f} ms; one layer of it: {step / LAYERS * 1e3:.1f} ms")
    print("| stopped while | median ms | worst ms |")
    print("|---|---|---|")
    for name, values in (
        ("decoding", [v for v, _ in decodes]),
        ("reading a long prompt", prefills),
        ("loading", loads),
    ):
        print(f"| {name} | {statistics.median(values) * 1e3:.0f} | {max(values) * 1e3:.0f} |")


if __name__ == "__main__":
    main()
