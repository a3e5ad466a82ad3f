"""One answer: prompt, ``model.generate``, text, statistics.

Runs in a thread of the model's process. Knows nothing of pipes, of other answers or of the page.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import torch
from transformers import GenerationConfig, PreTrainedModel

from parley.engines.base import Message, Request
from parley.engines.detokenize import Detokenizer
from parley.engines.failures import is_out_of_memory
from parley.engines.loading import Loaded, input_device
from parley.engines.sampling import draw_seed, processors
from parley.engines.stops import StopStrings
from parley.engines.thinking import ThinkingSplitter, left_open
from parley.errors import GenerationError, ParleyError, PromptError
from parley.events import Delta, EngineEvent, Finished, FinishReason, Started, Stats
from parley.prompts.render import Prompt, render
from parley.prompts.trim import fit, note

log = logging.getLogger(__name__)

Emit = Callable[[EngineEvent], None]

# Long prompts are computed in slices of this many tokens, so that a cancel is seen in between.
PREFILL_SLICE = 512

# Their attention mask has the wrong shape for the second slice in transformers 5.23; between two
# layers of the whole prompt a cancel is seen all the same.
WHOLE_PREFILL = frozenset({"stablelm"})


class Interrupted(BaseException):
    """Thrown through ``generate`` to end it. Not an Exception: nothing on the way may catch it."""


class Job:
    """A request under way. ``arrived`` is when a loaded model could first have taken it up."""

    def __init__(self, number: int, request: Request, received: float) -> None:
        self.number = number
        self.request = request
        self.received = received
        self.arrived = received
        self.moved = received  # when it last got one layer further
        self.cancelled = False
        sampling = request.sampling
        self.seed = draw_seed() if sampling.seed is None else sampling.seed

    def ended(self, reason: FinishReason, figures: Stats) -> Finished:
        """The last event; ``figures`` are what the answer itself knows."""
        stats = replace(
            figures,
            load_seconds=self.arrived - self.received,
            total_seconds=time.perf_counter() - self.arrived,
        )
        return Finished(reason, stats, self.seed)


class CancelWatch:
    """Ends the forward pass of a cancelled job between two layers, in decode and in prefill."""

    def __init__(self, model: PreTrainedModel) -> None:
        self._here = threading.local()
        for layer in decoder_layers(model):
            layer.register_forward_pre_hook(self._check)

    def __call__(self, job: Job | None) -> None:
        """This thread computes for ``job`` from now on."""
        self._here.job = job

    def _check(self, module: torch.nn.Module, inputs: object) -> None:
        job: Job | None = getattr(self._here, "job", None)
        if job is None:
            return
        if job.cancelled:
            raise Interrupted
        job.moved = time.perf_counter()


def decoder_layers(model: PreTrainedModel) -> list[torch.nn.Module]:
    """The model's repeated blocks, or the whole of it where none can be told."""
    lists = [m for m in model.modules() if isinstance(m, torch.nn.ModuleList)]
    wanted = getattr(model.config.get_text_config(), "num_hidden_layers", None)
    return next((list(m) for m in lists if len(m) == wanted), [model])


def answer(
    loaded: Loaded,
    job: Job,
    watch: CancelWatch,
    emit: Emit,
    rendering: AbstractContextManager[object],
) -> None:
    """Write the whole answer to ``emit``; never raises, and ends with exactly one last event.

    ``rendering`` is a lock: a fast tokenizer must not encode in two threads at once.
    """
    spec = loaded.spec
    try:
        with rendering:
            prompt = _fitting(loaded, job.request)
        limit = _room(loaded, prompt, job.request.sampling.max_new_tokens)
        emit(Started(len(prompt.ids), 0, prompt.notes))
        writer = Writer(loaded, job, prompt, emit)
        watch(job)
        try:
            _generate(loaded, job, prompt, limit, writer)
        finally:
            watch(None)
        last: EngineEvent = writer.close()
    except Exception as error:
        last = _in_words(error, spec.name).as_event()
        trace = error if last.code == "internal" else None
        log.warning("%s: %s", spec.id, last.sentence, exc_info=trace)
    emit(last)


def _generate(loaded: Loaded, job: Job, prompt: Prompt, limit: int, writer: Writer) -> None:
    device = input_device(loaded.model)
    ids = torch.tensor([prompt.ids], device=device)
    settings = GenerationConfig(  # type: ignore[no-untyped-call]
        do_sample=False,
        num_beams=1,
        max_new_tokens=limit,
        use_cache=True,
        prefill_chunk_size=_slice(loaded.model, len(prompt.ids)),
    )
    model: Any = loaded.model  # its generate is a mixin's, which the types do not show
    try:
        model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            generation_config=settings,
            logits_processor=processors(job.request.sampling, job.seed, device),
            streamer=writer,
        )
    except Interrupted:
        return


def _slice(model: PreTrainedModel, prompt_tokens: int) -> int | None:
    """How to cut the prompt; None for models that carry a state instead of a cache, and cannot."""
    stateful = getattr(model, "_is_stateful", False)
    if stateful or model.config.model_type in WHOLE_PREFILL:
        return None
    return PREFILL_SLICE if prompt_tokens > PREFILL_SLICE else None


def _fitting(loaded: Loaded, request: Request) -> Prompt:
    """The prompt of as much of the conversation as leaves room for an answer. Whole turns that do
    not fit are left out, and the prompt's notes say so."""
    spec = loaded.spec

    def rendered(messages: Sequence[Message]) -> Prompt:
        return render(loaded.tokenizer, messages, spec.prompt_format, spec.name)

    whole = rendered(request.messages)
    window = loaded.window
    if window is None:
        return whole
    # An answer should not be cut short for the sake of old turns, nor these for an endless answer.
    limit = window - min(request.sampling.max_new_tokens, window // 4)
    if len(whole.ids) <= limit:
        return whole
    kept, dropped = fit(request.messages, lambda some: len(rendered(some).ids), limit)
    if not dropped:
        return whole
    shorter = rendered(kept)
    return replace(shorter, notes=(*shorter.notes, note(dropped, window)))


def _room(loaded: Loaded, prompt: Prompt, wanted: int) -> int:
    """How many tokens the answer may have."""
    if loaded.window is None:
        return max(1, wanted)
    room = loaded.window - len(prompt.ids)
    if room < 1:
        raise PromptError(
            "prompt_too_long",
            f"This conversation is {len(prompt.ids):,} tokens long; {loaded.spec.name} can read "
            f"{loaded.window:,}.",
            "Start a new chat, shorten the message, or pick a model with a larger window.",
        )
    return max(1, min(wanted, room))


class Writer:
    """What ``generate`` hands its tokens to (transformers calls this a streamer)."""

    def __init__(self, loaded: Loaded, job: Job, prompt: Prompt, emit: Emit) -> None:
        self._job = job
        self._emit = emit
        self._eos = loaded.eos
        self._prompt_tokens = len(prompt.ids)
        self._text = Detokenizer(loaded.tokenizer, prompt.ids, loaded.bricks)
        self._thinking = ThinkingSplitter(left_open(prompt.tail), loaded.bricks.values())
        self._stops = StopStrings((*job.request.sampling.stop, *prompt.stops))
        self._seen_prompt = False
        self._stopped = False
        self._tokens = 0
        self._untold = 0  # tokens that no Delta has accounted for yet
        self._first: float | None = None
        self._last = 0.0
        self._thinking_began: float | None = None
        self._thought = 0.0

    def put(self, value: torch.Tensor) -> None:
        if not self._seen_prompt:  # generate begins by handing over the prompt
            self._seen_prompt = True
            return
        if self._job.cancelled:
            raise Interrupted
        token = int(value.reshape(-1)[-1])
        self._last = time.perf_counter()
        self._first = self._first or self._last
        self._tokens += 1
        self._untold += 1
        if token in self._eos:
            self._stopped = True
            return
        was_thinking = self._thinking.thinking
        piece = self._thinking.push(self._text.push(token))
        self._clock_thinking(was_thinking)
        self._tell(self._stops.push(piece.text), piece.thinking)
        if self._stops.hit:
            self._stopped = True
            raise Interrupted

    def end(self) -> None: ...

    def close(self) -> Finished:
        """Show what was held back, and sum up."""
        if not self._stops.hit:
            rest = self._thinking.flush()
            text = self._stops.push(rest.text) + self._stops.flush()
            self._tell(text, rest.thinking, last=True)
        if self._thinking_began is not None:
            self._thought += time.perf_counter() - self._thinking_began
        reason: FinishReason = "length"
        if self._stopped:
            reason = "stop"
        elif self._job.cancelled:
            reason = "cancelled"
        first = self._first
        between = self._last - first if first else 0.0
        figures = Stats(
            prompt_tokens=self._prompt_tokens,
            completion_tokens=self._tokens,
            ttft_seconds=first - self._job.arrived if first else None,
            tokens_per_second=(self._tokens - 1) / between if between > 0 else None,
            thinking_seconds=self._thought,
        )
        return self._job.ended(reason, figures)

    def _tell(self, text: str, thinking: str, *, last: bool = False) -> None:
        if text or thinking or (last and self._untold):
            self._emit(Delta(text, thinking, self._untold))
            self._untold = 0

    def _clock_thinking(self, was: bool) -> None:
        now_thinking = self._thinking.thinking
        if (was or now_thinking) and self._thinking_began is None:
            self._thinking_began = self._last if not was else self._job.arrived
        if not now_thinking and self._thinking_began is not None:
            self._thought += self._last - self._thinking_began
            self._thinking_began = None


def _in_words(error: Exception, name: str) -> ParleyError:
    if isinstance(error, ParleyError):
        return error
    if is_out_of_memory(error):
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return GenerationError(
            "oom_generate",
            f"{name} ran out of memory while answering.",
            "Start a new chat or shorten the conversation, then press Retry.",
        )
    return GenerationError(
        "internal",
        f"{name} failed while answering ({type(error).__name__}).",
        "Press Retry; if it happens again, the log has the details.",
    )
