"""Whether an answer is what the suite expected.

Containing and counting are done here; a regex or a schema is tried in a process of its own
(``checker.py``) under a limit of time, since either can be written so that it never ends. Knows
nothing of models or runs.
"""

from __future__ import annotations

import json
import math
import re
import select
import subprocess
import sys
import threading
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from parley.arena.suites.columns import number
from parley.arena.suites.spec import Check

SECONDS = 3.0
"""Until a check is given up."""

START_SECONDS = 30.0
"""The same for the first one of a process, which has to start."""

MOST_CHECKED = 200_000
"""Characters of an answer that a regex or a schema is tried on."""

_NUMBER = re.compile(r"[-−+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?|[-−+]?\.\d+")


@dataclass(frozen=True, slots=True)
class Mark:
    """``passed`` None: nobody can say. ``why`` is half a sentence where it did not pass."""

    passed: bool | None
    why: str = ""


class Checker:
    """Judges answers, one at a time; from any thread. ``close`` ends its process."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._process_lock = threading.Lock()  # guards the next
        self._process: subprocess.Popen[bytes] | None = None

    def mark(self, check: Check, answer: str) -> Mark:
        if check.kind == "contains":
            return _contains(check.expected, answer)
        if check.kind == "number":
            return _number(check, answer)
        with self._process_lock:
            return self._elsewhere(check, answer[:MOST_CHECKED])

    def close(self) -> None:
        with self._process_lock:
            self._end()

    def _elsewhere(self, check: Check, answer: str) -> Mark:
        if self._process is None:
            self._process = _start()
            # Neither its start nor an import is taken from the first answer's time.
            for kind, expected in (("regex", ""), ("json_schema", "{}")):
                self._ask({"kind": kind, "expected": expected, "text": ""}, START_SECONDS)
        asked = {"kind": check.kind, "expected": check.expected, "text": answer}
        said = self._ask(asked, self._seconds)
        if said is None:
            self._end()
            return Mark(None, f"the check was given up after {self._seconds:g} s")
        found = json.loads(said)
        return Mark(found["passed"], found["why"])

    def _ask(self, asked: dict[str, str], patience: float) -> bytes | None:
        """Its line of answer; None where it gave none in time, or has died."""
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(asked).encode() + b"\n")
            process.stdin.flush()
        except OSError:
            return None
        ready, _, _ = select.select([process.stdout], [], [], patience)
        return (process.stdout.readline() or None) if ready else None

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except OSError:  # what it was told last never reached it
                    continue


def _start() -> subprocess.Popen[bytes]:
    program = str(Path(__file__).with_name("checker.py"))
    # -P: what lies beside the program is Parley's, and none of its business.
    return subprocess.Popen(
        [sys.executable, "-P", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def _contains(expected: str, answer: str) -> Mark:
    if folded(expected) in folded(answer):
        return Mark(True)
    return Mark(False, f"{expected.strip()!r:.80} is not in it")


def _number(check: Check, answer: str) -> Mark:
    """By the last number of the answer: models that reckon end with what they found."""
    numbers = _NUMBER.findall(unicodedata.normalize("NFKC", answer))
    if not numbers:
        return Mark(False, "there is no number in it")
    found, expected = number(numbers[-1].replace("−", "-")), number(check.expected)
    assert expected is not None
    if found is None:
        return Mark(False, "its last number is too large")
    allowed = check.tolerance * abs(expected) if check.relative else check.tolerance
    # A little more than is allowed, since 0.3 is not 0.1 + 0.2 to a computer.
    if math.isclose(found, expected, rel_tol=1e-9, abs_tol=allowed * (1 + 1e-9)):
        return Mark(True)
    return Mark(False, f"its last number is {found:.12g}, not {expected:.12g}")


def folded(text: str) -> str:
    """As a person compares: without case, width of letters, and layout."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
