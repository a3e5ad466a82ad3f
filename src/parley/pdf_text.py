"""Reads a PDF: a program of its own, which the page's process runs and can end.

The file comes on the standard input, the limits as JSON in the first argument; what was found goes
as JSON to the standard output: ``text``, ``pages`` and ``blank`` (pages without text), or a
``fault``. Knows nothing of Parley.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from typing import Any


def limit(memory: int, seconds: float) -> None:
    """Bytes and processor seconds this process may take, where the system can limit them."""
    try:
        import resource
    except ImportError:  # Windows: whoever started this one ends it in time
        return
    for what, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, int(seconds) + 1)):
        with contextlib.suppress(OSError, ValueError):  # macOS does not limit memory
            resource.setrlimit(what, (most, most))


def extract(data: bytes, pages: int, characters: int) -> dict[str, Any]:
    """The text page by page, an empty line between two. Of a page that cannot be read nothing is
    taken, as of one that has no text."""
    from pypdf import PasswordType, PdfReader
    from pypdf.errors import DependencyError

    reader = PdfReader(io.BytesIO(data))
    if reader.is_encrypted:
        # Many are locked against changes only, which takes no password to read.
        try:
            if reader.decrypt("") == PasswordType.NOT_DECRYPTED:
                return {"fault": "locked"}
        except DependencyError:
            return {"fault": "locked"}
    number = len(reader.pages)
    if number > pages:
        return {"fault": "pages", "pages": number}
    texts: list[str] = []
    for page in reader.pages:
        try:
            texts.append(page.extract_text().strip())
        except MemoryError:
            raise
        except Exception:
            texts.append("")
        if sum(map(len, texts)) > characters:
            return {"fault": "characters"}
    if not any(texts):
        return {"fault": "scanned" if number else "broken"}
    return {
        "text": "\n\n".join(filter(None, texts)),
        "pages": number,
        "blank": sum(not text for text in texts),
    }


def main() -> None:
    limits = json.loads(sys.argv[1])
    limit(limits["memory"], limits["seconds"])
    data = sys.stdin.buffer.read()
    try:
        found = extract(data, limits["pages"], limits["characters"])
    except MemoryError:
        found = {"fault": "memory"}
    except Exception:
        found = {"fault": "broken"}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
