"""Trains a guide: `python -m parley.guide.train --model guide --minutes 60`.

Stops when the time or the tokens are spent, with the learning rate falling to zero at that point.
A run that is interrupted, even by `kill -9`, goes on from its last checkpoint when started again
with the same `--work`. Knows nothing of what the dialogues say.
"""

from __future__ import annotations

import argparse
import os
import time
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from .batches import POOL, Batch, Batches, Place
from .corpus import Corpus
from .export import export
from .model import SHAPES, Shape, build
from .optimizer import Optimizer
from .tokenizer import TEMPLATE, segment, train_tokenizer

WEIGHTS = Path(__file__).with_name("weights")


@dataclass(frozen=True)
class Plan:
    """How long and how fast to train."""

    minutes: float | None = None
    tokens: int | None = None
    batch: int = 3072
    rate: float = 4e-3
    warmup: int = 40
    seed: int = 7
    holdout: int = 0
    noise: float = 0.03
    cut: float = 0.65
    save_every: float = 60.0


@dataclass
class Progress:
    """How far a run is; this much is in the checkpoint, beside the weights."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    place: Place = field(default_factory=Place)

    def done(self, plan: Plan) -> float:
        parts = [0.0]
        if plan.minutes is not None:
            parts.append(self.seconds / (60 * plan.minutes))
        if plan.tokens is not None:
            parts.append(self.tokens / plan.tokens)
        return max(parts)


class Run:
    """One training run in a work folder."""

    def __init__(self, shape: Shape, plan: Plan, work: Path, *, pool: int = POOL) -> None:
        self.shape, self.plan, self.work = shape, plan, work
        work.mkdir(parents=True, exist_ok=True)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.corpus = Corpus(plan.seed, shape.voice, holdout=plan.holdout)
        self.tokenizer = self._tokenizer()
        self.batches = Batches(
            self.corpus, self.tokenizer, size=plan.batch, noise=plan.noise, cut=plan.cut, pool=pool
        )
        self.model = build(shape, self.tokenizer, plan.seed)
        torch.nn.Module.to(self.model, self.device)
        self.optimizer = Optimizer(self.model)
        self.progress = Progress()
        self._resume()

    def _tokenizer(self) -> PreTrainedTokenizerFast:
        folder = self.work / "tokenizer"
        if not (folder / "tokenizer.json").exists():
            dialogues = (self.corpus.dialogue(at) for at in range(30_000))
            texts = (segment(m["role"], m["content"]) for d in dialogues for m in d.messages())
            train_tokenizer(texts, self.shape.vocabulary).save_pretrained(folder)
        found: Any = AutoTokenizer.from_pretrained(folder)
        assert isinstance(found, PreTrainedTokenizerFast)
        found.chat_template = TEMPLATE
        return found

    def _resume(self) -> None:
        path = self.work / "checkpoint.pt"
        if not path.exists():
            return
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        progress = state["progress"]
        self.progress = Progress(**(progress | {"place": Place(**progress["place"])}))
        print(f"resumed at step {self.progress.step}", flush=True)

    def save(self) -> None:
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "progress": asdict(self.progress),
        }
        fresh = self.work / "checkpoint.tmp"
        torch.save(state, fresh)
        fresh.replace(self.work / "checkpoint.pt")

    def _autocast(self) -> AbstractContextManager[object]:
        return torch.autocast(self.device.type, dtype=torch.bfloat16)

    def loss(self, batch: Batch) -> torch.Tensor:
        """The mean over the assistant's tokens; the head runs on those alone."""
        inputs, targets = batch.inputs.to(self.device), batch.targets.to(self.device)
        chosen = targets != -100
        with self._autocast():
            # Right padding needs no mask under causal attention: no real token looks to its right.
            hidden = self.model.base_model(input_ids=inputs, use_cache=False).last_hidden_state
            logits = self.model.lm_head(hidden[chosen])
        return functional.cross_entropy(logits.float(), targets[chosen])

    def rate(self) -> float:
        warm = min(1.0, (self.progress.step + 1) / self.plan.warmup)
        return self.plan.rate * warm * max(0.0, 1.0 - self.progress.done(self.plan))

    def train(self, stop_at: int | None = None) -> list[float]:
        """Goes on until the plan is done (or a step is reached, for tests); returns the losses."""
        self.model.train()
        progress, losses, saved = self.progress, [], time.monotonic()
        seen, shown = progress.tokens, time.monotonic()
        for batch in self.batches.start(progress.place):
            if progress.done(self.plan) >= 1.0 or progress.step == stop_at:
                break
            began = time.monotonic()
            loss = self.loss(batch)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self.optimizer.step(self.rate())
            losses.append(loss.item())
            progress.step += 1
            progress.tokens += batch.tokens
            progress.seconds += time.monotonic() - began
            progress.place = batch.after
            if progress.step % 25 == 0:
                now = time.monotonic()
                self._show(losses[-25:], (progress.tokens - seen) / (now - shown))
                seen, shown = progress.tokens, now
            if time.monotonic() - saved > self.plan.save_every:
                self.save()
                saved = time.monotonic()
        self.save()
        return losses

    def _show(self, losses: list[float], speed: float) -> None:
        done = self.progress.done(self.plan)
        left = self.progress.seconds * (1 - done) / done if done > 0 else float("nan")
        print(
            f"step {self.progress.step}  loss {sum(losses) / len(losses):.4f}  {speed:,.0f} tok/s  "
            f"{self.progress.tokens / 1e6:.2f} M tokens  {done:.1%}  {left / 60:.1f} min left",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=sorted(SHAPES), default="guide")
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--tokens", type=float)
    parser.add_argument("--batch", type=int, default=Plan.batch, help="tokens in a batch")
    parser.add_argument("--rate", type=float, default=Plan.rate)
    parser.add_argument("--noise", type=float, default=Plan.noise)
    parser.add_argument("--seed", type=int, default=Plan.seed)
    parser.add_argument(
        "--holdout", type=int, default=0, help="percent of phrasings kept for development"
    )
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, help="where the finished model goes")
    parser.add_argument("--work", type=Path, help="where checkpoints go")
    options = parser.parse_args()
    if options.minutes is None and options.tokens is None:
        parser.error("say --minutes or --tokens")
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    plan = Plan(
        minutes=options.minutes,
        tokens=int(options.tokens) if options.tokens else None,
        batch=options.batch,
        rate=options.rate,
        noise=options.noise,
        seed=options.seed,
        holdout=options.holdout,
    )
    work = options.work or Path.home() / ".cache" / "parley-guide" / options.model
    run = Run(SHAPES[options.model], plan, work)
    run.train()
    out = options.out or WEIGHTS / options.model
    export(run.model, run.tokenizer, run.progress.tokens, out)
    print(f"saved {out}")


if __name__ == "__main__":
    main()
