"""The catalogue as a table: aligned text for the command line, Markdown for the README.

Pure: a catalogue in, text out. Knows nothing of files and of which models are loaded.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence

from parley.catalog.spec import Catalogue, ModelSpec

HEADERS = ("id", "name", "parameters", "licence", "context", "source")
_RIGHT = ("parameters", "context")

BEGIN = "<!-- models: begin -->"
END = "<!-- models: end -->"


def table(catalogue: Catalogue, decoding: Mapping[str, str] | None = None) -> str:
    """One line a model under a line of headers, columns aligned. ``decoding`` says for ids how
    their answers are computed, in a column of its own."""
    headers = HEADERS if decoding is None else (*HEADERS, "decoding")
    rows = [headers, *(_row(m, catalogue) for m in catalogue.models)]
    if decoding is not None:
        ids = [m.id for m in catalogue.models]
        rows[1:] = [(*row, decoding.get(key, "")) for key, row in zip(ids, rows[1:], strict=True)]
    widths = [max(_width(row[i]) for row in rows) for i in range(len(headers))]
    lines = []
    for row in rows:
        cells = [_pad(c, w, h) for c, w, h in zip(row, widths, headers, strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def markdown_table(catalogue: Catalogue) -> str:
    """The same as a Markdown table; models on the Hub are links."""
    marks = ["---:" if h in _RIGHT else "---" for h in HEADERS]
    rows: list[Sequence[str]] = [[h.capitalize() for h in HEADERS], marks]
    for model in catalogue.models:
        *cells, source = (cell.replace("|", "\\|") for cell in _row(model, catalogue))
        linked = f"[{source}](https://huggingface.co/{model.repo})" if model.repo else f"`{source}`"
        rows.append([f"`{cells[0]}`", *cells[1:], linked])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def between_markers(text: str, inner: str) -> str:
    """``text`` with what stands between its two markers replaced by ``inner``."""
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ValueError(f"the text needs one {BEGIN} and, after it, one {END}")
    head, rest = text.split(BEGIN)
    return f"{head}{BEGIN}\n{inner}\n{END}{rest.split(END)[1]}"


def parameters(count: int | None) -> str:
    """A count as people say it, such as 135M or 1.7B; empty when it is not known."""
    if count is None:
        return ""
    for size, unit in ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "K")):
        if count >= 0.9995 * size:  # what three digits would round up to the next unit
            return f"{count / size:.3g}{unit}"
    return str(count)


def _row(model: ModelSpec, catalogue: Catalogue) -> tuple[str, ...]:
    context = f"{model.context:,}" if model.context else ""
    size = parameters(model.parameters)
    return model.id, model.name, size, model.license or "", context, _source(model, catalogue)


def _source(model: ModelSpec, catalogue: Catalogue) -> str:
    """A folder is shown as seen from the first catalogue file, when it lies below it."""
    if model.path and catalogue.files and model.path.is_relative_to(catalogue.files[0].parent):
        return str(model.path.relative_to(catalogue.files[0].parent))
    return model.source


def _width(text: str) -> int:
    """Columns of a terminal: East Asian wide characters take two, combining ones none."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) > 0 for c in text)


def _pad(cell: str, width: int, header: str) -> str:
    space = " " * (width - _width(cell))
    return space + cell if header in _RIGHT else cell + space
