"""Answers one after the other, by the library's own loop: right for every model it knows.

For models whose cache cannot be shared, cut or batched. Knows nothing of pipes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList

from parley.engines.cancel import CancelWatch, Interrupted
from parley.engines.embeddings import input_device
from parley.engines.fitting import Task
from parley.engines.job import Job
from parley.engines.loading import Loaded
from parley.engines.sampling import Sampler
from parley.engines.scores import Scorer
from parley.engines.writer import Writer


def write(
    loaded: Loaded,
    job: Job,
    task: Task,
    writer: Writer,
    sampler: Sampler,
    scorer: Scorer | None,
    watch: CancelWatch,
    meanwhile: Callable[[], None],
) -> None:
    """The whole answer; returns when it has ended, also by a cancel. ``meanwhile`` is called before
    each of its tokens: others may have something to ask that takes no time."""
    if writer.stopped:  # by the opening
        return
    model: Any = loaded.model  # its generate is a mixin's, which the types do not show
    context = task.context
    ids = torch.tensor([[*context, *(task.given or ())]], device=input_device(model))
    watch.computes(job)
    try:
        if task.given is not None:
            assert scorer is not None
            with torch.inference_mode():
                logits = model(input_ids=ids[:, :-1]).logits[0, len(context) - 1 :]
            for token, one in zip(task.given, logits, strict=True):
                writer.put(token, scorer(one, token))
            return
        settings = GenerationConfig(  # type: ignore[no-untyped-call]
            do_sample=False, num_beams=1, max_new_tokens=task.limit, use_cache=True
        )
        if task.opening:
            settings.begin_suppress_tokens = []  # the beginning is behind it
        model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            generation_config=settings,
            logits_processor=LogitsProcessorList(
                [_Choice(sampler, scorer, writer, job, len(task.prompt.ids), meanwhile)]
            ),
        )
    except Interrupted:
        return
    finally:
        watch.computes(None)


class _Choice(LogitsProcessor):
    """Leaves ``generate`` no choice but the sampler's."""

    def __init__(
        self,
        sampler: Sampler,
        scorer: Scorer | None,
        writer: Writer,
        job: Job,
        prompt: int,
        meanwhile: Callable[[], None],
    ) -> None:
        self._sampler = sampler
        self._scorer = scorer
        self._writer = writer
        self._job = job
        self._prompt = prompt
        self._meanwhile = meanwhile

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        self._meanwhile()
        if self._job.cancelled:
            raise Interrupted
        token = self._sampler.choose(scores[0], input_ids[0, self._prompt :].tolist())
        score = self._scorer(scores[0], token) if self._scorer is not None else None
        self._writer.put(token, score)
        if self._writer.stopped:
            raise Interrupted
        forced = torch.full_like(scores, float("-inf"))
        forced[0, token] = 0
        return forced
