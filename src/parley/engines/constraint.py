"""Holds an answer to a JSON schema or a regex: which tokens may come next.

One automaton over the tokenizer's bytes per answer, made by llguidance; one table of the
vocabulary per model, made when the first request needs it, since that takes a second for a large
one. Knows nothing of sampling, threads or requests under way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from llguidance import LLMatcher, LLTokenizer
from llguidance.hf import from_tokenizer
from torch.nn.functional import pad
from transformers import PreTrainedTokenizerBase

from parley.catalog.spec import Sampling
from parley.errors import GenerationError, PromptError
from parley.grammar import fault, grammar, refusal


class Constraint:
    """One answer's. After the first token that ends it, it is of no more use."""

    def __init__(self, matcher: LLMatcher, name: str) -> None:
        self._matcher = matcher
        self._name = name

    def mask(self, scores: torch.Tensor) -> torch.Tensor:
        """``scores``, [vocabulary], with -inf for what may not come next."""
        may = torch.frombuffer(bytearray(self._matcher.compute_logit_bias()), dtype=torch.uint8)
        self._check()
        # Scores and tokenizer need not agree on a length; what only one of them has is left out.
        may = pad(may, (0, scores.numel() - may.numel())).to(scores.device)
        return scores.masked_fill(may == 0, -torch.inf)

    def accept(self, token: int) -> None:
        """The answer goes on, or ends, with ``token``."""
        self._matcher.consume_token(token)
        self._check()

    def _check(self) -> None:
        if self._matcher.is_error():
            raise GenerationError(
                "constraint_unsupported",
                f"{self._name} could not be held to the JSON schema or regex any longer; it is too "
                "complicated.",
                "Make it simpler, or ask for free text.",
            )


class AfterThinking:
    """Holds only what comes once ``thinking`` is over: thoughts are nobody's answer."""

    def __init__(
        self, constraint: Constraint, thinking: Callable[[], bool], opening: int = 0
    ) -> None:
        """``opening`` is how many tokens of the answer ``constraint`` knows of already."""
        self._constraint = constraint
        self._thinking = thinking
        self._free = False
        self._known = opening

    def mask(self, scores: torch.Tensor) -> torch.Tensor:
        self._free = self._thinking()
        return scores if self._free else self._constraint.mask(scores)

    def accept(self, token: int) -> None:
        if self._known:
            self._known -= 1
        # The token that ended the thinking was still chosen freely.
        elif not self._free:
            self._constraint.accept(token)


class Constraints:
    """A model's. ``vocabulary`` is the number of its scores, which may be more than its tokenizer
    has tokens: the rest is never allowed. One thread only."""

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, vocabulary: int, eos: frozenset[int], name: str
    ) -> None:
        self._tokenizer = tokenizer
        self._vocabulary = vocabulary
        self._eos = eos
        self._name = name
        self._table: LLTokenizer | None = None

    def __call__(self, sampling: Sampling, opening: Sequence[int] = ()) -> Constraint | None:
        """None where free text is asked for. ``opening`` are the answer's first tokens, as far as
        they are held to the form. Raises PromptError("constraint_unsupported"), and
        ("opening_unfit") where these break it."""
        if sampling.json_schema is None and sampling.regex is None:
            return None
        if wrong := fault(sampling):
            raise PromptError("constraint_unsupported", *wrong)
        self._table = self._table or self._tabulated()
        matcher = LLMatcher(self._table, grammar(sampling) or "", log_level=0)
        matcher.compute_logit_bias()  # what no text can fit shows only here
        if matcher.is_error():
            nothing = matcher.get_error().startswith("NoExtension")
            reason = "no text fits it" if nothing else "it is too complicated"
            raise PromptError("constraint_unsupported", *refusal(sampling, reason))
        if matcher.try_consume_tokens(list(opening)) < len(opening):
            form = "JSON schema" if sampling.regex is None else "regex"
            raise PromptError(
                "opening_unfit",
                f"What this answer begins with does not fit the {form}.",
                "Ask for free text, or have the answer written anew.",
            )
        return Constraint(matcher, self._name)

    def _tabulated(self) -> LLTokenizer:
        eos = sorted(token for token in self._eos if token < self._vocabulary)
        if not eos:
            raise self._unfit("it has no token that ends an answer")
        try:
            return from_tokenizer(
                self._tokenizer,  # type: ignore[arg-type]  # any other kind is refused in there
                n_vocab=max(self._vocabulary, len(self._tokenizer)),
                eos_token=eos,
            )
        except ValueError as error:
            reason = str(error).partition(":")[0]
            raise self._unfit(f"its tokenizer is of a kind unknown here ({reason})") from error

    def _unfit(self, why: str) -> PromptError:
        return PromptError(
            "constraint_unsupported",
            f"{self._name} cannot be held to a JSON schema or regex: {why}.",
            "Ask for free text, or pick another model.",
        )
