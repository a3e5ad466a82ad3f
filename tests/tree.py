"""The README's tree, one line per file in the file's own words, and its table of models.

``python -m tests.tree`` writes both.

A Python file is described by the first sentence of its docstring, others by their first comment or
heading; NOTES has the words of what cannot speak for itself. A folder named there as a whole (its
note begins with "all: ") is one line. Knows nothing of the rest of the README.
"""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

from parley.catalog.loader import load
from parley.catalog.table import between_markers, markdown_table

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
BEGIN, END = "<!-- tree: python -m tests.tree -->", "<!-- /tree -->"

LONG = 90

NOTES = {
    ".ci/run": "what has to pass before a change lands",
    ".gitignore": "what stays out of the repository",
    "LICENSE": "Apache-2.0",
    "Makefile": "run, test, check, bench, soak, shots, clean",
    "README.md": "this page",
    "benchmarks/": "one file per question, one table out",
    "docs/": "how it is built, and what it measured",
    "docs/screenshots/": "all: made by make shots",
    "pyproject.toml": "how the checks are set up",
    "src/parley/": "the program",
    "src/parley/arena/": "side by side: comparisons, votes and their ranking, suites",
    "src/parley/arena/suites/shipped/": "all: three small suites of our own",
    "src/parley/catalog/": "which models there are",
    "src/parley/chats/": "conversations and where they are kept",
    "src/parley/engines/": "messages in, events out: a process per model",
    "src/parley/guide/evaluation.jsonl": "the evaluation's questions and what a right answer says",
    "src/parley/guide/facts/": "what the guide knows of open models",
    "src/parley/guide/intents/": "all: what people ask the guide, and what it answers",
    "src/parley/guide/weights/": "all: the two trained guides, each with its model card",
    "src/parley/pool/": "which engines are alive",
    "src/parley/prompts/": "messages to tokens",
    "src/parley/ui/": "the page",
    "src/parley/ui/assets/": "what the browser runs",
    "src/parley/ui/assets/page.html": "the page's frame",
    "src/parley/ui/markdown/": "Markdown to HTML that is safe to show",
    "tests/catalog/broken.txt": "mistakes in models.yaml, each with its exact message",
    "tests/": "mirrors src/parley; tests/ui drives a real browser",
}


def tree(files: list[str]) -> str:
    """The lines for these paths, folders first met as headings of their own."""
    rows: list[tuple[str, str]] = []
    seen: set[str] = set()
    for file in sorted(files, key=_folders_last):
        folders = [f"{folder.as_posix()}/" for folder in reversed(Path(file).parents[:-1])]
        for folder in folders:
            if folder not in seen:
                seen.add(folder)
                note = NOTES.get(folder) or _words(f"{folder}__init__.py", files)
                rows.append((_indented(folder), note.removeprefix("all: ")))
        if any(NOTES.get(folder, "").startswith("all: ") for folder in folders):
            continue
        if Path(file).name != "__init__.py":
            rows.append((_indented(file), NOTES.get(file) or _words(file, files)))
    width = max(len(name) for name, _ in rows) + 2
    return "\n".join(f"{name:<{width}}{note}".rstrip() for name, note in rows)


def source_files() -> list[str]:
    """Everything under version control, and what would be with the next ``git add``."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    return [file for file in dict.fromkeys(listed) if file and (ROOT / file).is_file()]


def in_readme() -> str:
    """What the README shows between its markers."""
    return README.read_text().partition(BEGIN)[2].partition(END)[0].strip().strip("`").strip()


def models() -> str:
    """The shipped catalogue as the README shows it."""
    return markdown_table(load([ROOT / "models.yaml"]))


def _folders_last(file: str) -> list[tuple[bool, str]]:
    """Within a folder: its files by name, then its subfolders."""
    *folders, name = file.split("/")
    return [*((True, folder) for folder in folders), (False, name)]


def _indented(path: str) -> str:
    depth = path.rstrip("/").count("/")
    return "  " * depth + path.rstrip("/").rpartition("/")[2] + ("/" if path.endswith("/") else "")


def _words(file: str, files: list[str]) -> str:
    """The first sentence of a file, or its first half where the whole is long."""
    if file not in files:
        return ""
    text = (ROOT / file).read_text()
    if file.endswith(".py"):
        text = ast.get_docstring(ast.parse(text)) or ""
    else:
        found = re.match(
            r"(?:#+|/\*+|//|<!--) ?(.+?)(?:\n *(?:#|//)? *\n|\*/|-->|$)", text, re.DOTALL
        )
        text = re.sub(r"\n *(?:#+|\*|//)?", "\n", found[1]) if found else ""
    sentence = re.split(r"(?<=\.)\s|\n\n", text)[0]
    if len(sentence) > LONG:
        sentence = re.split(r"(?<=[:;])\s", sentence)[0]
    return " ".join(sentence.split()).rstrip(".:;")


if __name__ == "__main__":
    before, _, rest = README.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    block = f"{BEGIN}\n```\n{tree(source_files())}\n```\n{END}"
    README.write_text(between_markers(before + block + after, models()))
