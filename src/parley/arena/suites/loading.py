"""A suite's file becomes rows: CSV, JSONL, or the questions of MT-bench, all of it valid or none.

Rows come one by one, so that a long file is never in memory as a whole. The first mistake ends it:
one sentence with the line's number. docs/suites.md describes the formats. Knows nothing of models,
and of how checks are made.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from parley.arena.suites import mistakes
from parley.arena.suites.columns import OF_MT_BENCH, row_of
from parley.arena.suites.spec import MOST_BYTES, MOST_NAME, MOST_ROWS, Row
from parley.errors import SuiteError

_CSV_ENDINGS = {".csv", ".tsv"}
_JSON_ENDINGS = {".jsonl", ".ndjson"}


def read_file(file: Path) -> Iterator[Row]:
    """The rows of a file, judged as they come. Raises SuiteError: no_such_suite, suite_too_large,
    suite_encoding, suite_kind, no_rows, too_many_rows, or bad_row with the line's number."""
    try:
        if file.stat().st_size > MOST_BYTES:
            raise _too_large()
        with file.open(encoding="utf-8-sig", newline="") as stream:
            yield from _rows(file.name, stream)
    except OSError as error:
        raise SuiteError(
            "no_such_suite", f"{file} cannot be read.", "Give the name of a CSV or JSONL file."
        ) from error


def read_text(name: str, text: str) -> Iterator[Row]:
    """The same for what somebody brings as text; ``name`` tells the format."""
    if len(text) > MOST_BYTES or len(text.encode("utf-8", "replace")) > MOST_BYTES:
        raise _too_large()
    yield from _rows(name, io.StringIO(text.removeprefix("\ufeff"), newline=""))


def _rows(name: str, stream: TextIO) -> Iterator[Row]:
    ending = Path(name).suffix.lower()
    if ending in _CSV_ENDINGS:
        found = _csv(stream)
    elif ending in _JSON_ENDINGS:
        found = _jsonl(stream)
    else:
        raise SuiteError(
            "suite_kind",
            f"{name:.{MOST_NAME}} is neither CSV nor JSONL by its name.",
            "Give a file that ends in .csv or .jsonl.",
        )
    count = 0
    ids: dict[str, int] = {}
    try:
        for line, fields in found:
            if count == MOST_ROWS:
                raise SuiteError(
                    "too_many_rows",
                    f"A suite has at most {MOST_ROWS:,} rows, and this one has more.",
                    "Cut it into several suites.",
                )
            row = row_of(count, line, fields)
            if row.id in ids:
                raise mistakes.at(
                    line,
                    f"the id {row.id!r} is already that of line {ids[row.id]}.",
                    "Give each row an id of its own, or none at all.",
                )
            ids[row.id] = line
            yield row
            count += 1
    except UnicodeDecodeError as error:
        raise SuiteError(
            "suite_encoding", "The file is not text in UTF-8.", "Save it as UTF-8."
        ) from error
    if not count:
        raise SuiteError(
            "no_rows",
            "There is no prompt in the file.",
            "Add a row below the names of the columns.",
        )


def _csv(stream: TextIO) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Each row with the line on which it begins: a quoted field may go over several."""
    reader = csv.reader(stream, delimiter=_delimiter(stream), strict=True)
    names: list[str] | None = None
    before = 0
    while True:
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise mistakes.at(
                before + 1,
                f"the row is not CSV ({error}).",
                'Put fields with commas, quotes or line breaks between "quotes", and double the '
                "quotes inside.",
            ) from error
        line, before = before + 1, reader.line_num
        if not any(value.strip() for value in values):
            continue
        if names is None:
            names = _header(line, values)
        elif len(values) > len(names):
            raise mistakes.at(
                line,
                f"the row has {len(values)} fields, and there are {len(names)} columns.",
                'Put fields that hold commas between "quotes".',
            )
        else:
            yield line, {n: v for n, v in zip(names, values, strict=False) if v.strip()}


def _delimiter(stream: TextIO) -> str:
    """Spreadsheets write what their country is used to: the one that the header has most of."""
    header = stream.readline()
    stream.seek(0)
    return max(",;\t", key=header.count)


def _header(line: int, values: list[str]) -> list[str]:
    names = [value.strip().lower() for value in values]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise mistakes.at(
            line, f"the column {twice!r} is there twice.", "Give each column a name of its own."
        )
    return names


def _jsonl(stream: TextIO) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for line, text in enumerate(stream, 1):
        if not text.strip():
            continue
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise mistakes.at(
                line, "this is not JSON.", "Write one JSON object on each line."
            ) from error
        if not isinstance(found, dict):
            raise mistakes.at(
                line, "this is JSON, but not an object.", 'Write it like {"prompt": "…"}.'
            )
        yield line, _of_mt_bench(found) if "question_id" in found else found


def _of_mt_bench(found: Mapping[str, Any]) -> dict[str, Any]:
    """A line of MT-bench's question.jsonl; what it has beside is of no use to a run."""
    fields = {ours: found[theirs] for theirs, ours in OF_MT_BENCH.items() if theirs in found}
    reference = fields.get("expected")
    if isinstance(reference, list):  # one answer to each turn
        fields["expected"] = "\n\n".join(str(part) for part in reference)
    return fields


def _too_large() -> SuiteError:
    return SuiteError(
        "suite_too_large",
        f"The file is larger than {MOST_BYTES // 1_000_000} MB.",
        "Cut it into several suites.",
    )
