"""One answer while it is computed: its tokens, its cache, how they are chosen, who reads them.

Knows nothing of other answers.
"""

from __future__ import annotations

import torch
from transformers import LogitsProcessorList

from parley.engines.fitting import Task
from parley.engines.job import Job
from parley.engines.kv import Sequence
from parley.engines.plan import Want
from parley.engines.sampling import Sampler
from parley.engines.scores import Scorer
from parley.engines.writer import Writer


class Row:
    """``ids`` are the prompt and the answer so far, its opening included; ``sequence`` holds the
    first of them. ``alone`` is whether its numbers must not depend on company."""

    def __init__(
        self,
        job: Job,
        task: Task,
        sequence: Sequence,
        writer: Writer,
        sampler: Sampler,
        scorer: Scorer | None,
        habits: LogitsProcessorList,
    ) -> None:
        self.job = job
        self.sequence = sequence
        self.writer = writer
        self._task = task
        self._sampler = sampler
        self._scorer = scorer
        self._habits = habits
        self.alone = is_alone(job)
        self.prompt = len(task.prompt.ids)
        self.ids = [*task.context, *(task.given or ())]
        self._most = len(task.opening) + task.limit
        self._unread = len(task.context)  # the place of the next token that is only read

    @property
    def reusable(self) -> list[int]:
        """The ids that may be found in a cache, less the last: what follows that is not known."""
        return self.ids if self._task.given is None else self.ids[: self._unread]

    @property
    def want(self) -> Want:
        held = len(self.sequence.tokens)
        # Nothing follows the last token of a text that is only read.
        end = len(self.ids) - (self._task.given is not None)
        return Want(max(0, end - held), held, self.alone)

    def wanted(self, count: int) -> int:
        """Of how many of the next ``count`` tokens the logits are needed."""
        end = len(self.sequence.tokens) + count
        if self._task.given is not None:
            return max(0, min(count, end - (self._unread - 1)))
        return int(end == len(self.ids))

    def computed(self, count: int, logits: torch.Tensor, *, whole_slice: bool) -> bool:
        """The next ``count`` tokens are in the cache; returns whether the answer has ended.

        Raises GenerationError for logits that are no numbers.
        """
        held = len(self.sequence.tokens)
        self.sequence.tokens += self.ids[held : held + count]
        if whole_slice and self.sequence.exact == held:
            self.sequence.exact = held + count
        if self._task.given is not None:
            self._read(logits)
            return not self.want.pending
        if not len(logits):
            return False
        completion = self.ids[self.prompt :]
        scores = logits[-1]
        if self._habits:
            ids = torch.tensor([self.ids], device=scores.device)
            scores = self._habits(ids, scores.float()[None])[0]  # type: ignore[arg-type] # wants a LongTensor, which is not a type of its own
        token = self._sampler.choose(scores, completion)
        score = self._scorer(logits[-1], token) if self._scorer is not None else None
        self.ids.append(token)
        self.writer.put(token, score)
        return self.writer.stopped or len(completion) + 1 >= self._most

    def _read(self, logits: torch.Tensor) -> None:
        """``logits`` are those of the next tokens."""
        assert self._scorer is not None
        for one in logits:
            token = self.ids[self._unread]
            self.writer.put(token, self._scorer(one, token))
            self._unread += 1


def is_alone(job: Job) -> bool:
    """A seed that somebody chose promises the same text whoever else is there."""
    sampling = job.request.sampling
    return sampling.seed is not None and sampling.temperature > 0 and job.request.scored is None
