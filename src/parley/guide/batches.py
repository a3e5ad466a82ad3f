"""Dialogues as padded tensors of like length, resumable at any batch.

The loss counts only what the assistant says. A part of the user's tokens is replaced at random,
so that the model learns to answer from the rest of the words; and most last answers are cut after
a few tokens, because understanding the question is what takes long to learn, while an answer's end
is soon known by heart. Knows nothing of the model.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from transformers import PreTrainedTokenizerFast

from .corpus import Corpus
from .tokenizer import BOS, END, ROLES, SPECIALS, segment
from .turns import Dialogue

POOL = 2048


@dataclass(frozen=True)
class Place:
    """Where in the endless stream of batches a run is."""

    pool: int = 0
    batch: int = 0


@dataclass(frozen=True)
class Batch:
    inputs: torch.Tensor
    targets: torch.Tensor
    after: Place

    @property
    def tokens(self) -> int:
        return self.inputs.numel()


Encoded = tuple[list[int], list[int]]


class Batches:
    def __init__(
        self,
        corpus: Corpus,
        tokenizer: PreTrainedTokenizerFast,
        *,
        size: int,
        noise: float = 0.04,
        cut: float = 0.0,
        pool: int = POOL,
    ) -> None:
        self.corpus, self.tokenizer, self.size, self.pool = corpus, tokenizer, size, pool
        self.noise, self.cut = noise, cut
        known = tokenizer.get_vocab()
        self.special = {text: known[text] for text in SPECIALS}

    def encode(self, dialogues: list[Dialogue], rng: random.Random) -> list[Encoded]:
        """Token ids, and the same ids where the assistant speaks with -100 elsewhere."""
        texts = [segment(m["role"], m["content"]) for d in dialogues for m in d.messages()]
        pieces = iter(self.tokenizer(texts, add_special_tokens=False)["input_ids"])
        vocabulary = len(self.tokenizer)
        found: list[Encoded] = []
        for dialogue in dialogues:
            ids, targets = [self.special[BOS]], [-100]
            noisy = self.noise > 0 and rng.random() < 0.5
            noisy = noisy and all(turn.category != "memory" for turn in dialogue.turns)
            for message in dialogue.messages():
                piece, mine = list(next(pieces)), message["role"] == "assistant"
                if noisy and message["role"] == "user" and len(piece) > 2:
                    piece = [
                        rng.randrange(len(SPECIALS), vocabulary)
                        if rng.random() < 2 * self.noise
                        else token
                        for token in piece
                    ]
                ids += [self.special[ROLES[message["role"]]], *piece, self.special[END]]
                targets += [
                    -100,
                    *(piece if mine else [-100] * len(piece)),
                    self.special[END] if mine else -100,
                ]
            if rng.random() < self.cut:
                end = len(ids) - len(piece) - 1 + rng.randint(5, 16)
                ids, targets = ids[:end], targets[:end]
            found.append((ids, targets))
        return found

    def _pool(self, number: int) -> list[list[Encoded]]:
        rng = random.Random(f"{self.corpus.seed}:pool:{number}")
        numbers = range(number * self.pool, (number + 1) * self.pool)
        encoded = self.encode([self.corpus.dialogue(at) for at in numbers], rng)
        encoded.sort(key=lambda pair: len(pair[0]))
        groups: list[list[Encoded]] = [[]]
        for pair in encoded:
            if groups[-1] and (len(groups[-1]) + 1) * len(pair[0]) > self.size:
                groups.append([])
            groups[-1].append(pair)
        rng.shuffle(groups)
        return groups

    def start(self, place: Place) -> Iterator[Batch]:
        pool, at = place.pool, place.batch
        while True:
            groups = self._pool(pool)
            for number in range(at, len(groups)):
                last = number + 1 == len(groups)
                after = Place(pool + 1, 0) if last else Place(pool, number + 1)
                yield self._batch(groups[number], after)
            pool, at = pool + 1, 0

    def _batch(self, group: list[Encoded], after: Place) -> Batch:
        width = max(len(ids) for ids, _ in group) - 1
        inputs = torch.full((len(group), width), self.special["<|pad|>"], dtype=torch.long)
        targets = torch.full((len(group), width), -100, dtype=torch.long)
        for row, (ids, wanted) in enumerate(group):
            inputs[row, : len(ids) - 1] = torch.tensor(ids[:-1])
            targets[row, : len(ids) - 1] = torch.tensor(wanted[1:])
        return Batch(inputs, targets, after)
