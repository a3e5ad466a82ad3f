"""What a person thought of single cells, kept beside the run.

Knows nothing of what a page shows before it asks.
"""

from __future__ import annotations

import time
from pathlib import Path

from parley.arena.suites import plan as plans
from parley.arena.suites.index import Index
from parley.arena.suites.journal import Journal
from parley.errors import SuiteError


def rate(folder: Path, index: Index, row: int, model: str, value: int, *, blind: bool) -> None:
    """``value`` -1 is bad, 1 good, 0 takes it back; on the disk when this returns. Raises
    SuiteError: no_such_cell, bad_rating."""
    if model not in index.columns or not 0 <= row < len(index.rows):
        raise SuiteError("no_such_cell", "This answer is not in the run.", "Reload the page.")
    if value not in (-1, 0, 1):
        raise SuiteError("bad_rating", f"{value!r} is no rating.", "Use 1, 0 or -1.")
    if not index.finished(model, row):
        raise SuiteError(
            "no_such_cell", "There is no answer here to rate yet.", "Wait until it is written."
        )
    entry = {"row": row, "model": model, "value": value, "blind": blind, "at": time.time()}
    with Journal(folder / plans.RATINGS) as journal:
        journal.append(entry)
    index.catch_up()
