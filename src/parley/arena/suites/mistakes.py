"""What can be wrong with a suite's file, each as one sentence that names the line.

Knows nothing of how a file is read.
"""

from __future__ import annotations

from parley.errors import SuiteError


def at(line: int, what: str, fix: str) -> SuiteError:
    """A mistake in one row; ``line`` counts from 1, as editors do."""
    return SuiteError("bad_row", f"Line {line}: {what}", fix)


def whole(code: str, what: str, fix: str) -> SuiteError:
    """A mistake of the file as a whole."""
    return SuiteError(code, what, fix)
