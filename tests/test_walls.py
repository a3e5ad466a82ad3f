"""The walls between the rooms: who may import what, and what an import may do."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src"
PACKAGE = SOURCE / "parley"
FILES = sorted(PACKAGE.rglob("*.py"))

FORBIDDEN = {
    "": {"gradio", "torch", "transformers", "sqlite3"},  # the modules in no room
    "arena": {"gradio", "torch", "transformers"},
    "api": {"torch", "transformers", "sqlite3"},
    "ui": {"torch", "transformers", "sqlite3"},
    "catalog": {"gradio", "torch", "transformers", "sqlite3"},
    "chats": {"gradio", "torch", "transformers"},
    "engines": {"gradio", "sqlite3"},
    "guide": {"gradio", "sqlite3"},
    "pool": {"gradio", "torch", "transformers", "sqlite3"},
    "prompts": {"gradio", "sqlite3"},
}

# Same input, same output: nothing here can ask the clock, the disk or another thread.
PURE = (
    *("pool/policy.py", "pool/desk.py", "pool/room.py", "pool/decisions.py", "pool/view.py"),
    "chats/tree.py",
    *("arena/ballots.py", "arena/strengths.py", "arena/standings.py", "arena/ranking.py"),
)
PURE_IMPORTS = {
    *("__future__", "collections", "dataclasses", "enum", "functools", "heapq", "itertools"),
    *("math", "numpy", "operator", "statistics", "typing"),
    *("parley.catalog.spec", "parley.errors", "parley.events"),
    *(path.removesuffix(".py").replace("/", ".").join(("parley.", "")) for path in PURE),
}

MAX_LINES = 300


def name(file: Path) -> str:
    return file.relative_to(PACKAGE).as_posix()


def imports(node: ast.AST) -> Iterator[str]:
    """Every module that this code imports, at its top or inside a function."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Import):
            yield from (alias.name for alias in inner.names)
        elif isinstance(inner, ast.ImportFrom):
            yield "parley" if inner.level or not inner.module else inner.module


def at_import(node: ast.AST) -> Iterator[ast.AST]:
    """What runs when the module is imported: all but the bodies of functions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            parts = [*child.decorator_list, child.args]
        elif isinstance(child, ast.Lambda):
            parts = [child.args]
        else:
            yield child
            parts = [child]
        for part in parts:
            yield from at_import(part)


@pytest.mark.parametrize("file", FILES, ids=name)
def test_rooms_import_only_what_they_may(file):
    room = name(file).rpartition("/")[0].partition("/")[0]
    found = {module.partition(".")[0] for module in imports(ast.parse(file.read_text()))}
    assert not found & FORBIDDEN[room]


@pytest.mark.parametrize("path", PURE)
def test_pure_modules_import_only_pure_things(path):
    found = set(imports(ast.parse((PACKAGE / path).read_text())))
    assert all({m, m.partition(".")[0]} & PURE_IMPORTS for m in found), sorted(found)


@pytest.mark.parametrize("file", FILES, ids=name)
def test_no_import_reads_the_environment(file):
    for node in at_import(ast.parse(file.read_text())):
        read = ast.unparse(node) if isinstance(node, ast.Attribute | ast.Name) else ""
        assert read not in {"os.environ", "os.getenv", "environ", "getenv"}, f"line {node.lineno}"


@pytest.mark.parametrize(
    "file",
    sorted(f for kind in ("*.py", "*.js", "*.css") for f in PACKAGE.rglob(kind)),
    ids=name,
)
def test_a_file_is_short_or_says_why_at_its_top(file):
    lines = file.read_text().splitlines()
    assert len(lines) <= MAX_LINES or f"{MAX_LINES} lines" in "\n".join(lines[:20])


@pytest.mark.parametrize("file", [f for f in FILES if f.name != "__init__.py"], ids=name)
def test_every_module_says_what_it_is_for(file):
    assert ast.get_docstring(ast.parse(file.read_text()))


def test_app_py_is_small():
    assert len((ROOT / "app.py").read_text().splitlines()) <= 30


@pytest.mark.skipif(
    importlib.util.find_spec("parley.ui.app") is None, reason="there is no page yet"
)
def test_the_page_leaves_torch_alone():
    check = "import sys, parley.ui.app; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", check],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert {"torch", "transformers"}.isdisjoint(result.stdout.split())


def test_requirements_are_what_is_used():
    """Everything imported is required, and everything required is imported, but for packages that
    others look for by themselves."""
    # by transformers, by markdown-it-py, by gradio
    brought_in = {"accelerate", "linkify-it-py", "pydantic"}
    distributions = packages_distributions()
    modules = {m.partition(".")[0] for f in FILES for m in imports(ast.parse(f.read_text()))}
    used = {canonical(name) for module in modules for name in distributions.get(module, ())}
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    required = {
        canonical(re.split("[<>=]", line)[0]) for line in lines if line[:1] not in ("", "#")
    }
    assert required - used - brought_in == set()
    assert used - required == set()


def canonical(distribution: str) -> str:
    return re.sub("[-_.]+", "-", distribution).lower()
