"""The reference of models.yaml, written from the same table of keys that the loader checks with.

``python -m parley.catalog.reference > docs/models-yaml.md`` brings the page up to date. Knows the
keys and their defaults; nothing of any particular model.
"""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

from parley.catalog.keys import CONTEXT, LINK, MODEL, OPENNESS, OPENNESS_ROW, SAMPLING
from parley.catalog.kinds import Key, Table
from parley.catalog.model_kinds import Context, Links, OpennessRow
from parley.catalog.spec import Link, ModelSpec, OpennessItem, Sampling

_HEAD = """\
# models.yaml

<!-- Written by `python -m parley.catalog.reference`; a test fails when it is out of date. -->

The list of models that Parley offers, in the order of the picker. The first one is the default.
Adding a model takes three lines:

```yaml
models:
  - id: smollm2-135m
    repo: HuggingFaceTB/SmolLM2-135M-Instruct
```

`id` and one of `repo` and `path` are needed; everything else may be left out. A key with nothing
behind it counts as left out.

- **Mistakes** are reported all at once, each with file, line, key, what was found and what is
  allowed: at the start on the terminal, later on the page and in the log. An unknown key is a
  mistake.
- **Changes** are taken while Parley runs, at the next look at the files or when you press
  "Reload models". While a file has mistakes, the models it listed before stay in use.
- **Several files**: `PARLEY_MODELS=models.yaml:mine.yaml`. An entry of a later file replaces the
  entry with the same id as a whole, in its place; a new id is added at the end.
- **Paths** are relative to the file they are written in; `~` is your home folder.
- **Text is text**: the language `no` and the revision `12e45` need no quotes. A text that holds
  `: ` or ` #`, or starts with one of `@ & * ! % |`, does.
- **Repeating oneself** is avoided with an anchor and a merge:
  `sampling: &calm {temperature: 0.3}`, then `sampling: {<<: *calm, seed: 7}`.
"""

_LEGAL = """\
A licence is an SPDX identifier or expression. For any other, make up a name that starts with
`LicenseRef-` and give its address:

```yaml
    license: LicenseRef-llama2
    license_url: https://ai.meta.com/llama/license/
```

`gated` says that the Hub asks for consent before a download; that is no licence.
"""

_OPENNESS = """\
`unknown` is not `closed`: it says that nobody checked. Any other state needs evidence and the month
in which it was checked.

```yaml
    openness:
      training_data:
        state: open
        evidence: https://github.com/huggingface/smollm
        as_of: 2026-11
```
"""


def reference() -> str:
    """The page as Markdown."""
    parts = [
        _HEAD,
        _section("A model", MODEL, ModelSpec, level=2),
        _LEGAL,
        _section("`context`", CONTEXT, None),
        "`context: 4096` says both at once.\n",
        _section("`sampling`", SAMPLING, Sampling),
        _section("`links`", LINK, Link),
        'A mapping says the same in fewer words: `links: {Model page: "https://…"}`.\n',
        _section("`openness`", OPENNESS, None),
        "Each item is a mapping:\n",
        _table(OPENNESS_ROW, OpennessItem),
        _OPENNESS,
    ]
    return "\n".join(parts)


def _section(title: str, table: Table, fills: type | None, level: int = 3) -> str:
    return f"{'#' * level} {title}\n\n{_table(table, fills)}"


def _table(table: Table, fills: type | None) -> str:
    lines = ["| Key | Takes | Default | Meaning |", "|---|---|---|---|"]
    for key in table.keys:
        cells = (f"`{key.name}`", _takes(key), _default(key, fills), key.meaning)
        lines.append(f"| {' | '.join(c.replace('|', chr(92) + '|') for c in cells)} |")
    return "\n".join(lines) + "\n"


def _takes(key: Key) -> str:
    if isinstance(key.kind, Table | Links | OpennessRow | Context):
        return f"{key.kind.allowed}; see below"
    return key.kind.allowed


def _default(key: Key, fills: type | None) -> str:
    if key.required:
        return "required"
    if key.name in ("repo", "path"):
        return "one is required"
    if key.name == "name":
        return "the last part of `repo` or `path`"
    known: dict[str, Any] = {}
    if fills is not None and dataclasses.is_dataclass(fills):
        known = {f.name: f.default for f in dataclasses.fields(fills)}
    default = known.get(key.name)
    if default is None or default == () or default == "" or default is dataclasses.MISSING:
        return "none"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


if __name__ == "__main__":
    sys.stdout.write(reference())
