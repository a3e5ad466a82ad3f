"""Import Gradio without the type stubs it writes at every import.

``gradio.component_meta`` parses the source of every component class and rewrites ``.pyi`` files
beside them: about half of the import's time, for files only an editor reads, and two processes
that start at once write the same ones. Knows nothing else of Gradio.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any


class _WithoutStubs(importlib.abc.MetaPathFinder):
    """Finds one module, once, and replaces the function that writes the stubs."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != "gradio.component_meta":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            if hasattr(module, "create_or_modify_pyi"):
                module.create_or_modify_pyi = _nothing  # type: ignore[attr-defined] # a patch

        spec.loader.exec_module = exec_module  # type: ignore[method-assign] # as above
        return spec


def _nothing(*args: Any, **kwargs: Any) -> None: ...


def install() -> None:
    """To be called before the first ``import gradio``; without effect after it."""
    if "gradio.component_meta" not in sys.modules:
        sys.meta_path.insert(0, _WithoutStubs())
