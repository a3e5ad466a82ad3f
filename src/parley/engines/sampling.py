"""How the next token is chosen: scores are adjusted and cut down, then Gumbel noise decides.

The largest of ``score + Gumbel noise`` is a draw from ``softmax(score)``, so a sampled answer is a
greedy decode of noisy scores. With one generator per answer, the same seed and prompt give the
same text whoever else is generating; ``torch.manual_seed`` would be shared by all of them. Knows
nothing of text or when to stop.
"""

from __future__ import annotations

import math
import secrets
from collections import Counter
from collections.abc import Sequence

import torch

from parley.catalog.spec import Sampling
from parley.engines.constraint import AfterThinking, Constraint
from parley.engines.filters import kept
from parley.errors import GenerationError


def draw_seed() -> int:
    """A seed for a request that gave none; short enough to read out."""
    return secrets.randbelow(2**31)


class Sampler:
    """Chooses one answer's tokens. ``name`` is the model's, for a sentence about what went wrong.

    Asked once for each token, in order; whatever happens between two tokens makes no difference.
    """

    def __init__(
        self,
        sampling: Sampling,
        seed: int,
        prompt: Sequence[int],
        device: torch.device,
        constraint: Constraint | AfterThinking | None = None,
        name: str = "The model",
    ) -> None:
        self._sampling = sampling
        self._device = device
        self._constraint = constraint
        self._name = name
        self._generator = torch.Generator(device=device).manual_seed(seed % 2**63)
        self._prompt = tuple(prompt)
        self._uses: Counter[int] = Counter()  # of each token in the answer
        self._drawn = 0  # tokens for which there has been noise
        # Made with the first scores, which tell how many there are.
        self._bias: tuple[torch.Tensor, torch.Tensor] | None = None  # ids, what is added
        self._met: torch.Tensor | None = None  # ids in the prompt or the answer
        self._penalty: torch.Tensor | None = None  # [vocabulary]

    @torch.inference_mode()
    def choose(self, logits: torch.Tensor, completion: Sequence[int]) -> int:
        """The token after ``completion``. ``logits`` is [vocabulary], and stays as it is."""
        scores = self._sound(logits.to(torch.float32))
        if not self._uses:
            self._prepare(scores.numel())
        for token in completion[self._uses.total() :]:
            self._take_in(token)
        scores = self._adjusted(scores)
        ids: torch.Tensor | None = None
        if self._sampling.temperature > 0:
            scores = scores / self._sampling.temperature
            noise = self._uniform(scores.numel(), len(completion))
            scores, ids = kept(scores, self._sampling)
            scores = scores + _gumbel(noise if ids is None else noise[ids])
        place = scores.argmax()
        return int(place if ids is None else ids[place])

    def _prepare(self, vocabulary: int) -> None:
        sampling = self._sampling
        device = self._device
        if sampling.logit_bias:
            ids, biases = zip(*sampling.logit_bias, strict=True)
            if max(ids) >= vocabulary:
                raise GenerationError(
                    "bad_setting",
                    f"logit_bias names token {max(ids)}, and {self._name} has {vocabulary:,} "
                    "tokens.",
                    f"Use ids from 0 to {vocabulary - 1}.",
                )
            self._bias = torch.tensor(ids, device=device), torch.tensor(biases, device=device)
        if sampling.repetition_penalty != 1:
            # A prompt may hold tokens that the model reads and cannot write.
            met = [token for token in set(self._prompt) if token < vocabulary]
            self._met = torch.tensor(met, dtype=torch.long, device=device)
        if sampling.frequency_penalty or sampling.presence_penalty:
            self._penalty = torch.zeros(vocabulary, device=device)

    def _take_in(self, token: int) -> None:
        """One token of the answer."""
        sampling = self._sampling
        self._uses[token] += 1
        if self._met is not None and self._uses[token] == 1:
            self._met = torch.cat((self._met, self._met.new_tensor([token])))
        if self._penalty is not None:
            each = sampling.frequency_penalty * self._uses[token]
            self._penalty[token] = each + sampling.presence_penalty
        if self._constraint is not None:
            self._constraint.accept(token)

    def _adjusted(self, scores: torch.Tensor) -> torch.Tensor:
        if self._bias is not None:
            scores = scores.index_add(0, *self._bias)
        if self._met is not None:
            factor = self._sampling.repetition_penalty
            met = scores[self._met]
            met = torch.where(met < 0, met * factor, met / factor)
            scores = scores.scatter(0, self._met, met)
        if self._penalty is not None:
            scores = scores - self._penalty
        if self._constraint is not None:
            # The model may have ruled out every token that the constraint allows.
            scores = self._sound(self._constraint.mask(scores))
        return scores

    def _uniform(self, vocabulary: int, place: int) -> torch.Tensor:
        # For the whole vocabulary, whatever is kept of it, and for an opening, which was given: so
        # what the n-th token draws depends on the seed and on n alone.
        while True:
            noise = torch.rand(
                vocabulary, generator=self._generator, device=self._device, dtype=torch.float32
            )
            self._drawn += 1
            if self._drawn > place:
                return noise

    def _sound(self, scores: torch.Tensor) -> torch.Tensor:
        """The scores as they are, if one can choose by them."""
        if math.isfinite(float(scores.amax())):  # it is NaN where any of them is
            return scores
        raise GenerationError(
            "bad_logits",
            f"{self._name} computed no usable scores for its next word.",
            "Press Retry. If it happens again, give the model another dtype, or pick another one.",
        )


def _gumbel(uniform: torch.Tensor) -> torch.Tensor:
    # Away from 0 and 1, where the logarithms are infinite.
    return -torch.log(-torch.log(uniform.clamp(1e-20, 1 - 1e-7)))
