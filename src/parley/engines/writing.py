"""What a model's answers are written with: the tables it needs once, and what each answer needs.
A prompt that is only looked at needs some of it too.

Knows nothing of when a token is computed, or with whose.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from parley.engines.constraint import AfterThinking, Constraints
from parley.engines.embeddings import input_device, vocabulary
from parley.engines.fitting import Task, task
from parley.engines.job import Job
from parley.engines.loading import Loaded
from parley.engines.pieces import Pieces
from parley.engines.sampling import Sampler
from parley.engines.scores import Scorer
from parley.engines.writer import Emit, Writer
from parley.events import Finished, Rendered, Stats


class Workbench:
    """A model's. One thread only."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._pieces = Pieces(loaded.tokenizer)
        self._constraints = Constraints(
            loaded.tokenizer, vocabulary(loaded.model), loaded.eos, loaded.spec.name
        )

    def tools(self, job: Job, wanted: Task, emit: Emit) -> tuple[Writer, Sampler, Scorer | None]:
        """For one answer. Raises PromptError for a form that it cannot be held to."""
        request = job.request
        writer = Writer(self._loaded, job, wanted, emit)
        form = self._constraints(request.sampling, writer.formed)
        sampler = Sampler(
            request.sampling,
            job.seed,
            wanted.prompt.ids,
            input_device(self._loaded.model),
            AfterThinking(form, lambda: writer.thinking, len(wanted.opening)) if form else None,
            name=self._loaded.spec.name,
        )
        alternatives = request.logprobs if request.scored is None else request.logprobs or 0
        scorer = Scorer(self._pieces, alternatives) if alternatives is not None else None
        return writer, sampler, scorer

    def rendered(self, job: Job, held: Callable[[Sequence[int]], int]) -> tuple[Rendered, Finished]:
        """The prompt as it would be answered now; ``held`` tells how many tokens of it a cache has.
        Raises PromptError where it could not be."""
        wanted = task(self._loaded, job.request)
        ids = (*wanted.context, *(wanted.given or ()))
        cached = held(wanted.context)
        window = self._loaded.window
        room = None if window is None else window - len(ids)
        pieces = self._pieces.all(ids)
        figures = Stats(prompt_tokens=len(ids), cached_tokens=cached)
        return (
            Rendered(ids, pieces, cached, window, room, wanted.prompt.notes),
            job.ended("cancelled" if job.cancelled else "stop", figures),
        )
