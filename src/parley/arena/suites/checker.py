"""Judges answers by a regex or a JSON schema: a program of its own, which can be ended.

Both can be made to run for ever, and the answer is a model's. A line of JSON with ``kind``,
``expected`` and ``text`` comes on the standard input, one with ``passed`` and ``why`` goes to the
standard output. Knows nothing of Parley.
"""

from __future__ import annotations

import contextlib
import json
import re
import sys
from typing import Any

MEMORY = 1_000_000_000
"""Bytes of address space."""


def judge(kind: str, expected: str, text: str) -> tuple[bool, str]:
    """Whether the text passes, and if not, why."""
    if kind == "regex":
        if re.search(expected, text):
            return True, ""
        return False, "nothing matches the regex"
    return _schema(json.loads(expected), text)


def _schema(schema: Any, text: str) -> tuple[bool, str]:
    from jsonschema import Draft202012Validator
    from referencing import Registry

    try:
        value = json.loads(unfenced(text))
    except ValueError:
        return False, "the answer is not JSON"
    # An empty registry: a schema that names an address makes nobody fetch it.
    validator = Draft202012Validator(schema, registry=Registry())
    wrong = next(validator.iter_errors(value), None)
    if wrong is None:
        return True, ""
    place = wrong.json_path.removeprefix("$.")
    return False, f"{place}: {wrong.message:.200}" if place != "$" else f"{wrong.message:.200}"


def unfenced(text: str) -> str:
    """What stands in the first fence of an answer, else all of it."""
    found = re.search(r"```[a-z]*\n(.*?)\n?```", text, re.DOTALL)
    return found[1] if found else text.strip()


def limit() -> None:
    try:
        import resource
    except ImportError:  # Windows: whoever started this one ends it in time
        return
    with contextlib.suppress(OSError, ValueError):  # macOS does not limit memory
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def main() -> None:
    limit()
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            passed, why = judge(asked["kind"], asked["expected"], asked["text"])
            answer: dict[str, Any] = {"passed": passed, "why": why}
        except MemoryError:
            raise
        except Exception as error:
            answer = {"passed": None, "why": f"the check failed: {error!s:.200}"}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
