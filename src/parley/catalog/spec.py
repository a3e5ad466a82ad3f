"""What a configured model is: the frozen shape of one catalogue entry.

Knows nothing of YAML, files on disk or whether a model can run here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Dtype = Literal["auto", "float32", "bfloat16", "float16"]
PromptFormat = Literal["template", "transcript"]
OpennessState = Literal["open", "partial", "closed", "unknown"]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen. Neutral values switch a setting off: temperature 0 is greedy,
    top_p 1, top_k 0, min_p 0, typical_p 1, repetition_penalty 1, the other penalties 0. ``seed``
    None draws a fresh one.

    ``repetition_penalty`` looks at the prompt too, ``frequency_penalty`` (for each use) and
    ``presence_penalty`` (once used) at the answer alone. ``logit_bias`` pairs token ids with what
    is added to their scores. At most one of ``json_schema``, a schema as JSON text, and ``regex``
    says what the whole answer has to look like.
    """

    temperature: float = 0.7
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    typical_p: float = 1.0
    repetition_penalty: float = 1.0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    max_new_tokens: int = 512
    stop: tuple[str, ...] = ()
    seed: int | None = None
    logit_bias: tuple[tuple[int, float], ...] = ()
    json_schema: str | None = None
    regex: str | None = None


SAMPLING_LIMITS: dict[str, tuple[float, float]] = {
    "temperature": (0, 5),
    "top_p": (0, 1),
    "top_k": (0, 100_000),
    "min_p": (0, 1),
    "typical_p": (0, 1),
    "repetition_penalty": (0.1, 5),
    "frequency_penalty": (-2, 2),
    "presence_penalty": (-2, 2),
    "max_new_tokens": (1, 131_072),
    "seed": (0, 2**53 - 1),
}
"""What each number of ``Sampling`` may be, ends included, for whoever lets a person set it. A seed
must survive a browser, whose numbers are exact up to 2^53."""

BIAS_LIMITS = (-100.0, 100.0)
MOST_BIASES = 300
MOST_FORM = 50_000
"""Characters of a JSON schema or regex. They go with every request and are stored with every
answer."""


@dataclass(frozen=True, slots=True)
class Link:
    """A labelled address on the model's card."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class OpennessItem:
    """One row of the openness card: how open, shown by what, as of when. ``evidence`` is a web
    address, or for a model kept beside the catalogue the path of a file as it was written there."""

    state: OpennessState
    evidence: str | None = None
    as_of: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One model of the catalogue. Exactly one of ``repo`` and ``path`` is set.

    ``parameters`` is a count, ``context_trained`` and ``context_max`` are tokens. ``path`` is
    absolute. ``logo`` is one or two characters to draw, or the absolute path of an image.
    ``sampling`` holds the model's own defaults. ``idle_ttl`` is seconds without use after which it
    leaves memory, 0 for never and None for what the settings say; a ``pinned`` model stays until
    somebody unloads it. ``concurrency`` is how many answers it may write at the same time.
    """

    id: str
    name: str
    repo: str | None = None
    path: Path | None = None
    revision: str | None = None
    description: str = ""
    logo: str | None = None
    family: str | None = None
    base_model: str | None = None
    developer: str | None = None
    released: str | None = None
    license: str | None = None
    license_url: str | None = None
    gated: bool = False
    parameters: int | None = None
    context_trained: int | None = None
    context_max: int | None = None
    languages: tuple[str, ...] = ()
    domain: str | None = None
    tasks: tuple[str, ...] = ()
    dtype: Dtype = "auto"
    prompt_format: PromptFormat = "template"
    system_prompt: str = ""
    examples: tuple[str, ...] = ()
    sampling: Sampling = field(default_factory=Sampling)
    notice: str | None = None
    links: tuple[Link, ...] = ()
    openness: dict[str, OpennessItem] = field(default_factory=dict)
    engine: Literal["local"] = "local"
    idle_ttl: float | None = None
    pinned: bool = False
    concurrency: int | None = None

    @property
    def source(self) -> str:
        """What ``from_pretrained`` is given: the Hub id or the local folder."""
        return self.repo or str(self.path)

    @property
    def context(self) -> int | None:
        """The window to respect: the lower of trained and maximum context, where known."""
        known = [n for n in (self.context_trained, self.context_max) if n]
        return min(known) if known else None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The configured models in the order they are shown, and the files they came from."""

    models: tuple[ModelSpec, ...]
    files: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        if not self.models:
            raise ValueError("a catalogue needs at least one model")

    def get(self, model_id: str) -> ModelSpec | None:
        return next((m for m in self.models if m.id == model_id), None)

    @property
    def default(self) -> ModelSpec:
        return self.models[0]
