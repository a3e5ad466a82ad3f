"""A random secret in a file of its own: made once, whole or not at all, and read ever after.

Knows nothing of what it is for.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

SECRET_BYTES = 32


def secret(file: Path) -> bytes:
    """The bytes in ``file``; of several who ask at once, in any process, one makes them. Only this
    account can read them. Raises OSError."""
    with contextlib.suppress(FileNotFoundError):
        return file.read_bytes()
    handle, made = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(secrets.token_bytes(SECRET_BYTES))
            out.flush()
            os.fsync(out.fileno())
        # A link, which fails where another process has made one meanwhile.
        with contextlib.suppress(FileExistsError):
            os.link(made, file)
    finally:
        Path(made).unlink()
    return file.read_bytes()
