"""The process behind ``library.py``: a JSON line in, a JSON line out. Never imported by a script.

Continuous batching is set up as well as is known for a processor: pages of 32 tokens, so that a
turn finds its history again, and a bounded batch, so that nobody waits for somebody's whole prompt.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from itertools import cycle
from typing import Any

import torch
import transformers
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    ContinuousBatchingConfig,
    GenerationConfig,
    TextIteratorStreamer,
)

from benchmarks.parts.asking import ROLES, Answer, Ask, answer_of
from parley.engines.hardware import usable_cores

PAGE = 32
PAGES = 1024
MOST_AT_A_STEP = 512
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


class Model:
    def __init__(self, folder: str, dtype: str) -> None:
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, padding_side="left")
        self._model: Any = AutoModelForCausalLM.from_pretrained(
            folder, dtype=getattr(torch, dtype), device_map=DEVICE
        )
        self._manager: Any = None

    def run(self, how: str, asks: list[dict[str, Any]]) -> list[Answer]:
        ways = {"generate": self._queued, "static": self._static, "continuous": self._continuous}
        ordered = sorted((Ask(**ask) for ask in asks), key=lambda a: a.after)
        return ways[how](ordered)

    def _ids(self, ask: Ask) -> list[int]:
        turns = [
            {"role": role, "content": text}
            for role, text in zip(cycle(ROLES), ask.turns, strict=False)
        ]
        made = self._tokenizer.apply_chat_template(
            turns, add_generation_prompt=True, return_dict=True
        )
        return list(made["input_ids"])

    def _settings(self, tokens: int) -> dict[str, Any]:
        return {"max_new_tokens": tokens, "min_new_tokens": None, "do_sample": False}

    def _queued(self, asks: list[Ask]) -> list[Answer]:
        began = time.perf_counter()
        answers = []
        for ask in asks:
            time.sleep(max(0.0, began + ask.after - time.perf_counter()))
            answers.append(self._one(ask, began + ask.after))
        return answers

    def _one(self, ask: Ask, asked: float) -> Answer:
        ids = torch.tensor([self._ids(ask)], device=DEVICE)
        streamer = TextIteratorStreamer(
            self._tokenizer, skip_prompt=True, skip_special_tokens=True, timeout=600
        )
        options = {"attention_mask": torch.ones_like(ids), "streamer": streamer}
        writing = threading.Thread(
            target=self._model.generate,
            args=(ids,),
            kwargs={**options, **self._settings(ask.tokens)},
        )
        writing.start()
        pieces, texts = [], []
        for text in streamer:
            if text:
                pieces.append((time.perf_counter(), len(text)))
                texts.append(text)
        writing.join()
        return answer_of(asked, pieces, "".join(texts))

    def _static(self, asks: list[Ask]) -> list[Answer]:
        """One batch, so arrivals do not count."""
        began = time.perf_counter()
        rows = [self._ids(ask) for ask in asks]
        batch = self._tokenizer.pad({"input_ids": rows}, return_tensors="pt").to(DEVICE)
        clock = _Clock()
        longest = max(ask.tokens for ask in asks)
        self._model.generate(**batch, streamer=clock, **self._settings(longest))
        return [answer_of(began, clock.pieces[: ask.tokens]) for ask in asks]

    def _continuous(self, asks: list[Ask]) -> list[Answer]:
        manager = self._batching()
        began = time.perf_counter()
        waiting = list(enumerate(asks))
        asked: dict[str, float] = {}
        pieces: dict[str, list[tuple[float, int]]] = {}
        texts: dict[str, str] = {}
        unfinished = len(asks)
        while unfinished:
            now = time.perf_counter()
            while waiting and began + waiting[0][1].after <= now:
                number, ask = waiting.pop(0)
                name = f"{began}-{number}"
                asked[name], pieces[name], texts[name] = began + ask.after, [], ""
                manager.add_request(self._ids(ask), name, max_new_tokens=ask.tokens, streaming=True)
            due = began + waiting[0][1].after - now if waiting else 0.1
            result = manager.get_result(timeout=max(0.001, min(0.1, due)))
            if result is None:
                if not manager.is_running():
                    raise RuntimeError("continuous batching ended")
                continue
            if result.error:
                raise RuntimeError(result.error)
            known = len(texts[result.request_id])
            new = result.generated_tokens[known:]
            if new:
                texts[result.request_id] += self._tokenizer.decode(new, skip_special_tokens=True)
                pieces[result.request_id].append((time.perf_counter(), len(new)))
            unfinished -= result.is_finished()
        return [answer_of(asked[name], pieces[name], texts[name]) for name in asked]

    def _batching(self) -> Any:
        if self._manager is None:
            with torch.inference_mode():
                self._manager = self._model.init_continuous_batching(
                    GenerationConfig(do_sample=False, eos_token_id=1, pad_token_id=0),
                    ContinuousBatchingConfig(
                        page_size=PAGE, num_blocks=PAGES, max_batch_tokens=MOST_AT_A_STEP
                    ),
                )
                self._manager.start()
        return self._manager

    def bare_step(self, tokens: int) -> float:
        """After a first one, which reads a short prompt."""
        with torch.inference_mode():
            cache = transformers.DynamicCache(config=self._model.config)
            out = self._model(torch.arange(10, 42, device=DEVICE)[None], cache=cache)
            began = time.perf_counter()
            for _ in range(tokens):
                token = out.logits[:, -1:].argmax(-1)
                out = self._model(token, cache=cache)
                int(token)
        return (time.perf_counter() - began) / tokens


class _Clock:
    """A streamer that only looks at the clock; the prompt comes first."""

    def __init__(self) -> None:
        self._prompt = True
        self.pieces: list[tuple[float, int]] = []

    def put(self, value: object) -> None:
        if not self._prompt:
            self.pieces.append((time.perf_counter(), 1))
        self._prompt = False

    def end(self) -> None: ...


def bandwidth() -> float:
    """The better of a sum and of a product with a vector, best of several."""
    size = 2**28 if DEVICE == "cuda" else 2**27
    buffer = torch.ones(2**14, size // 2**14, device=DEVICE)
    vector = torch.ones(buffer.shape[1], device=DEVICE)
    ways: tuple[Callable[[], torch.Tensor], ...] = (buffer.sum, lambda: buffer @ vector)
    return buffer.nbytes / min(_seconds(way) for way in ways for _ in range(6))


def matrix_rate() -> float:
    side = 8192 if DEVICE == "cuda" else 1024
    matrix = torch.ones(side, side, device=DEVICE, dtype=torch.bfloat16)
    return 2 * side**3 / min(_seconds(lambda: matrix @ matrix) for _ in range(8))


def _seconds(way: Callable[[], torch.Tensor]) -> float:
    began = time.perf_counter()
    way()
    if DEVICE == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - began


def main() -> None:
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a library prints is not for the reader
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(min(torch.get_num_threads(), usable_cores()))
    folder, dtype = sys.argv[1:]
    model = Model(folder, dtype) if folder else None
    about = {
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name() if DEVICE == "cuda" else "",
    }
    print(json.dumps(about), file=out)
    for line in sys.stdin:
        command, *rest = json.loads(line)
        said: object
        if command == "bandwidth":
            said = bandwidth()
        elif command == "matrix_rate":
            said = matrix_rate()
        elif command == "bare_step":
            assert model is not None
            said = model.bare_step(*rest)
        else:
            assert model is not None
            said = [asdict(answer) for answer in model.run(*rest)]
        print(json.dumps(said), file=out)
    out.flush()
    os._exit(0)  # continuous batching keeps a thread


if __name__ == "__main__":
    main()
