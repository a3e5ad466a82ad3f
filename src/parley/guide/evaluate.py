"""Ask the embedded guides what people would ask, and count the answers that say the right thing.

The items in `evaluation.jsonl` were written without a look at the training phrasings. Those that
2.8 million generated dialogues, many times what a guide has seen, happened to contain were taken
out again: the score says how well a guide understands people, not how well it remembers. This
module knows nothing of how the guides were trained, nor of the page: a model is a folder to it.

    python -m parley.guide.evaluate [--model PATH_OR_NAME]... [--json OUT] [--show failures|all]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

HERE = Path(__file__).parent
ITEMS = HERE / "evaluation.jsonl"
WEIGHTS = HERE / "weights"
DEFAULT_MODELS = ("guide", "guide-mini")
MAX_NEW_TOKENS = 120

Message: TypeAlias = dict[str, str]
Answer: TypeAlias = Callable[[list[list[Message]]], list[str]]


@dataclass(frozen=True)
class Item:
    """One question, and what its answer must and must not say.

    Where two user messages follow each other, the model under test writes the answer in between.
    """

    id: str
    category: str
    intent: str
    messages: tuple[Message, ...]
    expect: tuple[re.Pattern[str], ...]
    reject: tuple[re.Pattern[str], ...] = ()
    min_words: int = 1


@dataclass(frozen=True)
class Result:
    item: Item
    answer: str
    passed: bool


def load_items(path: Path = ITEMS) -> list[Item]:
    with path.open(encoding="utf-8") as lines:
        return [_item(json.loads(line)) for line in lines if line.strip()]


def _item(row: Mapping[str, Any]) -> Item:
    return Item(
        id=row["id"],
        category=row["category"],
        intent=row["intent"],
        messages=tuple(row["messages"]),
        expect=_compile(row["expect"]),
        reject=_compile(row["reject"]),
        min_words=row.get("min_words", 1),
    )


def _compile(patterns: Iterable[str]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern, re.IGNORECASE | re.DOTALL) for pattern in patterns)


def judge(item: Item, answer: str) -> bool:
    """Every expected pattern is there, no rejected one is, and the answer is long enough."""
    text = answer.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").strip()
    return (
        len(text.split()) >= item.min_words
        and all(pattern.search(text) for pattern in item.expect)
        and not any(pattern.search(text) for pattern in item.reject)
    )


def normalise(prompt: str) -> str:
    """The words alone: a prompt that differs in case or punctuation only is the same prompt."""
    return " ".join(re.findall(r"\w+", prompt.casefold()))


def prompts(items: Iterable[Item] | None = None) -> frozenset[str]:
    """What the users type, normalised, the turns of one chat in one string.

    A test looks these up among the training dialogues, normalised and joined in the same way.
    """
    chosen = load_items() if items is None else items
    return frozenset(
        normalise("\n".join(turn["content"] for turn in item.messages if turn["role"] == "user"))
        for item in chosen
    )


def evaluate(items: Sequence[Item], answer: Answer) -> list[Result]:
    """Play each item's turns in order, and judge the last answer."""
    spoken: list[list[Message]] = [[] for _ in items]
    ahead = [list(item.messages) for item in items]
    answers = ["" for _ in items]
    active = list(range(len(items)))
    while active:
        for index in active:
            _advance(spoken[index], ahead[index])
        for index, text in zip(active, answer([spoken[i] for i in active]), strict=True):
            answers[index] = text
            spoken[index].append({"role": "assistant", "content": text})
        active = [index for index in active if ahead[index]]
    return [
        Result(item, text, judge(item, text)) for item, text in zip(items, answers, strict=True)
    ]


def _advance(spoken: list[Message], ahead: list[Message]) -> None:
    """Move messages until it is the model's turn."""
    spoken.append(ahead.pop(0))
    while ahead and not spoken[-1]["role"] == ahead[0]["role"] == "user":
        spoken.append(ahead.pop(0))


def tally(results: Iterable[Result]) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for result in results:
        count = counts.setdefault(result.item.category, {"passed": 0, "n": 0})
        count["passed"] += result.passed
        count["n"] += 1
    return counts


def overall(counts: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    return {key: sum(count[key] for count in counts.values()) for key in ("passed", "n")}


def table(counts: Mapping[str, Mapping[str, int]]) -> str:
    rows = [*counts.items(), ("overall", overall(counts))]
    return "\n".join(
        f"{name:<12} {count['passed']:>4} / {count['n']:<4} "
        f"{100 * count['passed'] / max(count['n'], 1):>4.0f} %"
        for name, count in rows
    )


def find_model(name: str) -> Path:
    """A folder by its path, or one of the guides by its name."""
    for folder in (WEIGHTS / name, Path(name)):
        if (folder / "config.json").is_file():
            return folder
    raise SystemExit(f"no model in {name} or {WEIGHTS / name}")


def weights_sha256(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def load_answer(folder: Path) -> Answer:
    """A greedy answerer for the model in a folder."""
    # Imported here so that judging and counting need no torch.
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    model.eval()
    pad = tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id

    def encode(chat: list[Message]) -> list[int]:
        text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
        ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def answer(chats: list[list[Message]]) -> list[str]:
        encoded = [encode(chat) for chat in chats]
        # Prompts of one length share a batch: fast, and no padding that could change an answer.
        buckets: dict[int, list[int]] = {}
        for index, ids in enumerate(encoded):
            buckets.setdefault(len(ids), []).append(index)
        texts = ["" for _ in chats]
        for length, indices in buckets.items():
            batch = torch.tensor([encoded[index] for index in indices])
            with torch.inference_mode():
                output = model.generate(
                    batch,
                    attention_mask=torch.ones_like(batch),
                    do_sample=False,
                    max_new_tokens=MAX_NEW_TOKENS,
                    pad_token_id=pad,
                )
            for index, row in zip(indices, output, strict=True):
                texts[index] = tokenizer.decode(row[length:], skip_special_tokens=True).strip()
        return texts

    return answer


def describe(result: Result) -> str:
    asked = " | ".join(turn["content"] for turn in result.item.messages)
    mark = "pass" if result.passed else "FAIL"
    return f"{mark} {result.item.id}\n  > {asked}\n  < {result.answer}"


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m parley.guide.evaluate", description=__doc__)
    parser.add_argument("--model", action="append", metavar="PATH_OR_NAME")
    parser.add_argument("--json", type=Path, metavar="OUT")
    parser.add_argument("--show", choices=("failures", "all"))
    args = parser.parse_args(argv)

    items = load_items()
    report: dict[str, Any] = {"prompts": len(items), "models": {}}
    for name in args.model or DEFAULT_MODELS:
        folder = find_model(name)
        results = evaluate(items, load_answer(folder))
        counts = tally(results)
        for result in results:
            if args.show == "all" or (args.show == "failures" and not result.passed):
                print(describe(result))
        print(f"\n{folder.name}\n{table(counts)}")
        report["models"][folder.name] = {
            "sha256": weights_sha256(folder),
            "categories": counts,
            "overall": overall(counts),
        }
    if args.json:
        args.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
