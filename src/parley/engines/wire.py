"""What crosses the pipe between the page's process and a model's process.

Plain frozen records, pickled by ``multiprocessing``. Knows nothing of either side, and imports
neither torch nor transformers, because both sides import it.
"""

from __future__ import annotations

from dataclasses import dataclass

from parley.engines.base import Ready, Request, Vitals
from parley.errors import ParleyError
from parley.events import EngineEvent, Loading


@dataclass(frozen=True, slots=True)
class Generate:
    """Down: begin answer ``id``."""

    id: int
    request: Request


@dataclass(frozen=True, slots=True)
class Cancel:
    """Down: end answer ``id`` as soon as possible."""

    id: int


@dataclass(frozen=True, slots=True)
class LoadFailed:
    """Up: the model is not coming; the process ends after this."""

    error: ParleyError


@dataclass(frozen=True, slots=True)
class Said:
    """Up: ``event`` of answer ``id``."""

    id: int
    event: EngineEvent


Down = Generate | Cancel
Up = Loading | Ready | LoadFailed | Said | Vitals
