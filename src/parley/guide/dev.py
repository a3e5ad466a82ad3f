"""The compass while training: answers to phrasings that the training has not seen.

`python -m parley.guide.dev --weights DIR --holdout 12`. An answer counts if it is word for word the
expected one. It says nothing about kinds of questions that nobody thought of: that is what a
held-out evaluation by another person is for.
"""

from __future__ import annotations

import argparse
import random
from collections import defaultdict
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
)

from .corpus import SHARES, Corpus
from .model import SHAPES
from .turns import Dialogue


def questions(corpus: Corpus, per_category: int, seed: int) -> list[Dialogue]:
    """Single turns of every category, and dialogues whose last turn leans on the ones before."""
    rng = random.Random(seed)
    found = [
        Dialogue((corpus.turn_about(name, rng),))
        for name in SHARES
        for _ in range(per_category)
        if name != "story"
    ]
    while sum(len(dialogue.turns) > 1 for dialogue in found) < per_category:
        turns = corpus.several(rng)
        leaning = [at for at, turn in enumerate(turns) if at and turn.intent.startswith("recall")]
        if leaning:
            found.append(Dialogue(tuple(turns[: leaning[0] + 1])))
    return found


@torch.no_grad()
def answers(
    model: Any,
    tokenizer: Any,
    prompts: list[list[dict[str, str]]],
    size: int = 64,
) -> list[str]:
    tokenizer.padding_side = "left"
    order = sorted(range(len(prompts)), key=lambda at: len(str(prompts[at])))
    found = [""] * len(prompts)
    for start in range(0, len(order), size):
        chunk = order[start : start + size]
        texts = [
            tokenizer.apply_chat_template(prompts[at], add_generation_prompt=True, tokenize=False)
            for at in chunk
        ]
        inputs = tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False)
        inputs.pop("token_type_ids", None)
        output = model.generate(
            **inputs, do_sample=False, temperature=None, top_p=None, max_new_tokens=90
        )
        replies = tokenizer.batch_decode(
            output[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True
        )
        for at, reply in zip(chunk, replies, strict=True):
            found[at] = reply.strip()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=sorted(SHAPES), default="guide")
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--holdout", type=int, default=12)
    parser.add_argument("--each", type=int, default=100)
    parser.add_argument("--seed", type=int, default=99)
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(2)
    model = AutoModelForCausalLM.from_pretrained(options.weights, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(options.weights)
    corpus = Corpus(options.seed, SHAPES[options.model].voice, holdout=options.holdout, dev=True)
    asked = questions(corpus, options.each, options.seed)
    replies = answers(model, tokenizer, [dialogue.messages()[:-1] for dialogue in asked])
    tally: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for dialogue, reply in zip(asked, replies, strict=True):
        turn = dialogue.turns[-1]
        right = reply == turn.assistant
        tally[turn.category][0] += right
        tally[turn.category][1] += 1
        if options.show and not right:
            print(f"[{turn.intent}] {turn.user}  =>  {reply[:110]}")
    for name, (good, total) in tally.items():
        print(f"{name:12} {good:4}/{total:<4} {good / total:.1%}")
    all_right, asked_for = (sum(pair[at] for pair in tally.values()) for at in (0, 1))
    print(f"{'all':12} {all_right:4}/{asked_for:<4} {all_right / asked_for:.1%}")


if __name__ == "__main__":
    main()
