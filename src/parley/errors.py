"""What can go wrong, as a person should hear of it.

    ParleyError                 code, sentence, fix
    ├── CatalogueError          models.yaml cannot be used; lists every mistake
    ├── LoadError               a model could not be brought into memory
    ├── PromptError             the conversation could not be turned into tokens
    ├── GenerationError         a loaded model failed while answering, or its process died
    ├── PoolError               no room, or a model that is not configured
    ├── StoreError              a conversation could not be read or written
    └── SuiteError              a suite of prompts cannot be read, run or exported

Every error carries a stable ``code``, one ``sentence`` that says what happened and one ``fix`` that
says what to do. Foreign exceptions are chained as causes and never reach the page themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from parley.events import Failed

if TYPE_CHECKING:
    from parley.catalog.mistakes import Mistake


class ParleyError(Exception):
    """Base of the tree. ``str(error)`` is the sentence followed by the fix."""

    def __init__(self, code: str, sentence: str, fix: str) -> None:
        super().__init__(code, sentence, fix)
        self.code = code
        self.sentence = sentence
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.sentence} {self.fix}".strip()

    def as_event(self) -> Failed:
        return Failed(self.code, self.sentence, self.fix)


class CatalogueError(ParleyError):
    """models.yaml cannot be used. ``mistakes`` holds every reason, in the order of the files;
    ``str(error)`` lists them between the sentence and the fix."""

    def __init__(
        self, code: str, sentence: str, fix: str, mistakes: tuple[Mistake, ...] = ()
    ) -> None:
        super().__init__(code, sentence, fix)
        self.mistakes = mistakes

    def __str__(self) -> str:
        return "\n".join([self.sentence, *(f"  {m}" for m in self.mistakes), self.fix])


class LoadError(ParleyError):
    """A model could not be brought into memory."""


class PromptError(ParleyError):
    """The conversation could not be turned into tokens."""


class GenerationError(ParleyError):
    """A loaded model failed while answering, or its process died."""


class PoolError(ParleyError):
    """No room for a model, or a model that is not configured."""


class StoreError(ParleyError):
    """A conversation could not be read or written."""


class SuiteError(ParleyError):
    """A suite of prompts cannot be read, run or exported."""
