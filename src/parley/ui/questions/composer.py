"""What the composer asks: which files can be read, and the text of one.

Plain data in and out. Knows Gradio not at all, and nothing of how a file is read.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Sequence
from contextlib import nullcontext

from parley import files
from parley.errors import ParleyError
from parley.playground import Playground
from parley.speech import Said
from parley.ui.questions.asked import Payload, Question, owner, text

READERS = 2
"""PDFs that are read at the same time. Each takes a processor and one of the few threads that
every other question waits for too."""


class ComposerQuestions:
    def __init__(self, playground: Playground) -> None:
        # Made like every other room of questions; reading a file takes nothing of a playground.
        self._readers = asyncio.Semaphore(READERS)

    def all(self) -> Sequence[Question]:
        return (self.file_kinds, self.read_file)

    async def file_kinds(self, data: Payload) -> Payload:
        """For the file dialog and for what is refused before it is sent. Sizes are bytes."""
        return {
            "extensions": [f".{extension}" for extension in files.EXTENSIONS],
            "most_bytes": files.MOST_BYTES,
        }

    async def read_file(self, data: Payload) -> Payload:
        """The text of the file ``name``, whose bytes are ``content`` in base64."""
        owner(data)
        name, content = files.clean(text(data, "name") or ""), text(data, "content") or ""
        kind = files.kind_of(name)
        if len(content) > files.MOST_BYTES * 4 / 3 + 4:
            raise files.too_large(name)
        async with self._readers if kind == "pdf" else nullcontext():
            found = await asyncio.to_thread(_read, name, content)
        return {"name": found.name, "text": found.text, "note": Said(found.note)}


def _read(name: str, content: str) -> files.Document:
    try:
        data = base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise ParleyError(
            "file_lost", f"{name} did not arrive as it was sent.", "Attach it again."
        ) from None
    return files.read(name, data)
