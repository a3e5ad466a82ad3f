"""Brings one model into this process's memory: files, dtype, device, weights, a first step.

Safetensors only, and never a line of code from a repository. Knows nothing of requests, of pipes
or of the process it runs in.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.utils import logging as transformers_logging

from parley.catalog.spec import ModelSpec
from parley.engines import hub
from parley.engines.base import Ready
from parley.engines.checkpoint import count_parameters, weight_files
from parley.engines.embeddings import input_device
from parley.engines.failures import (
    corrupt,
    missing_dependency,
    needs_remote_code,
    not_found,
    unsupported_arch,
)
from parley.engines.hardware import best_device, choose_dtype
from parley.engines.kernels import Kernels, probe
from parley.engines.thinking import is_brick
from parley.events import Loading, LoadPhase
from parley.prompts.switches import has_switch

# The names under which configurations keep the length they were trained on.
WINDOW_NAMES = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "n_ctx")
# Parts of a model's own generation config that say what it can emit, not how to choose.
KEPT_SETTINGS = (
    "bos_token_id",
    "suppress_tokens",
    "begin_suppress_tokens",
    "forced_bos_token_id",
    "bad_words_ids",
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model that can answer. ``bricks`` are the special tokens that thinking tags are made of."""

    spec: ModelSpec
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    eos: frozenset[int]
    bricks: dict[int, str]
    window: int | None
    kernels: Kernels
    ready: Ready


class Progress:
    """Passes on how far a load is, with its age."""

    def __init__(self, tell: Callable[[Loading], None]) -> None:
        self._tell = tell
        self._began = time.perf_counter()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._began

    def __call__(self, phase: LoadPhase, done: int = 0, total: int = 0) -> None:
        self._tell(Loading(phase, done, total, self.seconds))


def load(spec: ModelSpec, tell: Callable[[Loading], None], devices: tuple[str, ...] = ()) -> Loaded:
    """The whole way; raises whatever goes wrong, for ``failures.load_error`` to put into words.

    ``devices`` by torch's names; several share the layers, none takes the best there is.
    """
    progress = Progress(tell)
    progress("start")
    folder = (
        _local_folder(spec)
        if spec.path
        else hub.fetch_small(spec, lambda done, total: progress("download"))
    )
    config = _config(spec, folder)
    if spec.path is not None:
        weight_files(spec, folder)  # say now that they are missing, not after the tokenizer
    tokenizer = _tokenizer(spec, folder)
    if spec.path is None:
        hub.fetch_weights(spec, folder, lambda done, total: progress("download", done, total))
    parameters = count_parameters(weight_files(spec, folder))

    places = [torch.device(name) for name in devices] or [best_device()]
    model = _weights(spec, folder, config, parameters, places, progress)
    progress("warmup")
    eos = _eos(model.generation_config, tokenizer)
    model.generation_config = _without_habits(model.generation_config, eos)
    kernels = probe(model)
    _first_step(model, kernels)
    footprint = sum(t.numel() * t.element_size() for t in model.parameters())
    window = _window(spec, config)
    ready = Ready(
        dtype=str(model.dtype).removeprefix("torch."),
        device=str(input_device(model)),
        revision=None if spec.path else folder.name,
        footprint=footprint,
        context=window,
        has_template=bool(getattr(tokenizer, "chat_template", None)),
        seconds=progress.seconds,
        thinking_switch=spec.prompt_format == "template" and has_switch(tokenizer),
    )
    bricks = {
        number: token.content
        for number, token in tokenizer.added_tokens_decoder.items()
        if token.special and is_brick(token.content)
    }
    return Loaded(spec, model, tokenizer, frozenset(eos), bricks, window, kernels, ready)


def _local_folder(spec: ModelSpec) -> Path:
    assert spec.path is not None
    if not spec.path.is_dir():
        raise not_found(spec, f"there is no folder {spec.path}")
    return spec.path


def _config(spec: ModelSpec, folder: Path) -> PreTrainedConfig:
    if not (folder / "config.json").exists():
        raise not_found(spec, f"there is no config.json in {spec.source}")
    written = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    kind = written.get("model_type")
    if kind is not None and kind not in CONFIG_MAPPING:
        raise needs_remote_code(spec) if written.get("auto_map") else unsupported_arch(spec, kind)
    config: PreTrainedConfig = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    if type(config) not in AutoModelForCausalLM._model_mapping:
        raise unsupported_arch(spec, config.model_type)
    return config


def _tokenizer(spec: ModelSpec, folder: Path) -> PreTrainedTokenizerBase:
    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            folder, trust_remote_code=False
        )
    except ImportError:
        raise
    except Exception as error:
        # Its words are a list of every format it has tried.
        if any((folder / name).exists() for name in ("tokenizer.json", "vocab.json")):
            raise corrupt(spec, "its tokenizer cannot be read") from error
        if any(folder.glob("*.model")) or any(folder.glob("*.tiktoken")):
            raise missing_dependency(spec, "sentencepiece or tiktoken") from error
        raise not_found(spec, f"there is no tokenizer in {spec.source}") from error
    return tokenizer


def _weights(
    spec: ModelSpec,
    folder: Path,
    config: PreTrainedConfig,
    parameters: int,
    places: list[torch.device],
    progress: Progress,
) -> PreTrainedModel:
    """The library's own way in. What is kept in the dtype it is computed in stays pages of its
    file: nothing is copied, memory that others want can be had by dropping them, and a step reads
    them about as fast as memory of our own (measured: 16-bit weights within 3 %, 32-bit ones
    within 15 % of huge pages). Only what needs another dtype is copied, tensor by tensor."""
    quantised = getattr(config, "quantization_config", None) is not None
    dtype = "auto" if quantised else choose_dtype(spec, places[0], parameters)
    placement: str | dict[str, torch.device] | None = None
    most: dict[int | str, int] | None = None
    if len(places) > 1:
        placement = "auto"
        most = {p.index: torch.cuda.mem_get_info(p)[0] for p in places if p.index is not None}
    elif places[0].type != "cpu":
        placement = {"": places[0]}
    previous = transformers_logging.set_tqdm_hook(_tensor_bar(progress))
    try:
        progress("weights")
        outcome: Any = AutoModelForCausalLM.from_pretrained(
            folder,
            config=config,
            dtype=dtype,
            device_map=placement,
            max_memory=most,
            use_safetensors=True,
            trust_remote_code=False,
            ignore_mismatched_sizes=True,  # so that they are reported, below, like missing ones
            output_loading_info=True,
        )
    finally:
        transformers_logging.set_tqdm_hook(previous)
    model: PreTrainedModel
    model, report = outcome
    # transformers would go on with random numbers in their place.
    wrong = [*report["missing_keys"], *(key for key, *_ in report["mismatched_keys"])]
    if wrong:
        raise corrupt(spec, f"{len(wrong)} tensors are missing or of another shape ({min(wrong)})")
    return model


def _tensor_bar(progress: Progress) -> Callable[..., Any]:
    """A tqdm hook that reports each tensor of a load."""

    def hook(
        factory: Callable[..., object], args: tuple[Any, ...], options: dict[str, Any]
    ) -> object:
        if options.get("desc") != "Loading weights" or not args:
            return factory(*args, **options)
        items = list(args[0])

        def each() -> Iterator[object]:
            for done, item in enumerate(items):
                progress("weights", done, len(items))
                yield item
            progress("weights", len(items), len(items))

        return each()

    return hook


def _eos(settings: GenerationConfig, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Every token that ends an answer."""
    eos = settings.eos_token_id
    if eos is None:
        eos = getattr(tokenizer, "eos_token_id", None)
    if eos is None:
        return []
    return list(eos) if isinstance(eos, list | tuple) else [int(eos)]


def _without_habits(settings: GenerationConfig, eos: list[int]) -> GenerationConfig:
    """The model's generation config less its own idea of sampling: that is the request's to say."""
    kept = {k: v for k in KEPT_SETTINGS if (v := getattr(settings, k, None)) is not None}
    pad = settings.pad_token_id
    if pad is None and eos:
        pad = eos[0]
    return GenerationConfig(  # type: ignore[no-untyped-call]
        **kept, eos_token_id=eos or None, pad_token_id=pad
    )


def _window(spec: ModelSpec, config: PreTrainedConfig) -> int | None:
    text = config.get_text_config()
    trained = [n for name in WINDOW_NAMES if isinstance(n := getattr(text, name, None), int)]
    known = [n for n in (spec.context, *trained[:1]) if n]
    return min(known) if known else None


def _first_step(model: PreTrainedModel, kernels: Kernels) -> None:
    """Touches every weight once, so that the first answer does not pay for paging them in."""
    with torch.inference_mode(), kernels.step(1):
        model(input_ids=torch.zeros((1, 1), dtype=torch.long, device=input_device(model)))
