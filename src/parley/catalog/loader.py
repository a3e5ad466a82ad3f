"""From catalogue files to a ``Catalogue``, or to every mistake that stands in the way.

Knows what entries owe each other and what a later file does to an earlier one. What one key may
hold is told in ``keys``, what YAML makes of a file in ``yaml_nodes``; whether a model can run here
is no question of this room.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from yaml.nodes import MappingNode, Node, SequenceNode

from parley.catalog import yaml_nodes
from parley.catalog.keys import MODEL
from parley.catalog.mistakes import Mistake, Sheet, closest, did_you_mean
from parley.catalog.spec import Catalogue, ModelSpec, Sampling
from parley.catalog.yaml_nodes import describe
from parley.errors import CatalogueError

FIX = "Correct the file; every key is explained in docs/models-yaml.md."
_ENTRY = "a mapping with an id and a repo or a path"


def load(files: Sequence[Path]) -> Catalogue:
    """The models of all files in the order they are shown.

    An id that an earlier file has, too, replaces that entry as a whole, in its place; a new one is
    added at the end. Raises CatalogueError with all mistakes of all files.
    """
    if not files:
        raise _error([Mistake("models.yaml", 0, "", "no catalogue file was named")])
    paths = [file.expanduser().absolute() for file in files]
    names = Counter(path.name for path in set(paths))
    mistakes: list[Mistake] = []
    models: dict[str, ModelSpec] = {}
    for path in paths:
        # Two files of one name are told apart by their folders.
        sheet = Sheet(path.name if names[path.name] == 1 else str(path), path.parent)
        models |= _models(path, sheet)
        mistakes += sorted(sheet.mistakes, key=lambda m: m.line)
    if mistakes:
        raise _error(mistakes)
    return Catalogue(tuple(models.values()), tuple(paths))


def _error(mistakes: list[Mistake]) -> CatalogueError:
    where = " and ".join(dict.fromkeys(m.file for m in mistakes))
    count = "a mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
    return CatalogueError(
        "catalogue", f"The models could not be read: {count} in {where}.", FIX, tuple(mistakes)
    )


def _models(path: Path, sheet: Sheet) -> dict[str, ModelSpec]:
    root = yaml_nodes.read(path, sheet)
    entries = _entries(root, sheet) if root is not None else None
    models: dict[str, ModelSpec] = {}
    lines: dict[str, int] = {}
    for entry in entries or ():
        if not isinstance(entry, MappingNode):
            sheet.wrong(entry, "", describe(entry), _ENTRY)
            continue
        values = _checked(entry, sheet)
        if (model_id := values.get("id")) is None:
            continue
        id_node = yaml_nodes.get(entry, "id") or entry
        if model_id in lines:
            found = f"{model_id} is used twice, first on line {lines[model_id]}"
            sheet.wrong(id_node, "id", found, "each id once in a file")
        lines.setdefault(model_id, id_node.start_mark.line + 1)
        if not sheet.mistakes:  # else nobody will see the model
            models[model_id] = _spec(values)
    return models


def _entries(root: Node, sheet: Sheet) -> list[Node] | None:
    """The nodes of the models: the list under ``models``, or a file that is nothing but a list."""
    if isinstance(root, MappingNode):
        for name, name_node, _ in yaml_nodes.pairs(root):
            if name != "models":
                hint = did_you_mean(closest(name, ["models"]))
                sheet.wrong(name_node, name, "unknown key", "models", hint)
        models = yaml_nodes.get(root, "models")
        if models is None:
            if not sheet.mistakes:
                sheet.wrong(root, "models", "missing", "a list of models")
            return None
    else:
        models = root
    if not isinstance(models, SequenceNode) or not models.value:
        found = "found an empty list" if isinstance(models, SequenceNode) else describe(models)
        hint = 'start each model with "- "' if isinstance(models, MappingNode) else ""
        sheet.wrong(models, "models", found, "a list of models", hint)
        return None
    nodes: list[Node] = models.value
    return nodes


def _checked(entry: MappingNode, sheet: Sheet) -> dict[str, Any]:
    """An entry's values, each by itself and against the others."""
    values = MODEL.read(sheet, entry, "") or {}

    def at(key: str) -> Node:
        return yaml_nodes.get(entry, key) or entry

    if "repo" in values and "path" in values:
        sheet.wrong(at("path"), "path", "given beside repo", "either repo or path")
    elif "repo" not in values and "path" not in values and not _meant_source(entry):
        hint = "a repo is a model on the Hub, a path a folder on this machine"
        sheet.wrong(entry, "repo", "missing, and so is path", "either repo or path", hint)
    if "path" in values and "repo" not in values:
        for key in ("revision", "gated"):
            if key in values:
                sheet.wrong(at(key), key, "given beside path", "only beside repo")
    licence = values.get("license")
    if licence and "LicenseRef-" in licence and "license_url" not in values:
        sheet.wrong(
            at("license"), "license_url", f"missing, and the licence is {licence}", "a web address"
        )
    if "license_url" in values and "license" not in values:
        sheet.wrong(at("license_url"), "license_url", "given without license", "only with license")
    return values


def _meant_source(entry: MappingNode) -> bool:
    """Whether an unknown key was already reported as a misspelt repo or path."""
    known = {key.name for key in MODEL.keys}
    unknown = [name for name, _, _ in yaml_nodes.pairs(entry) if name not in known]
    return any(MODEL.meant(name) in ("repo", "path") for name in unknown)


def _spec(values: dict[str, Any]) -> ModelSpec:
    fields = dict(values)
    fields |= fields.pop("context", {})
    if "sampling" in fields:
        fields["sampling"] = Sampling(**fields["sampling"])
    source = Path(fields.get("repo") or fields["path"])
    fields.setdefault("name", source.name)
    return ModelSpec(**fields)
