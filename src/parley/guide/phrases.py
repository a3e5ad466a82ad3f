"""The little language in which phrasings are written: `[a|b]` is a choice, `<group>` a synonym.

Choices nest and may be empty (`[please |]how`). `{RETRY}` is a label of the page, taken from
`labels.py`, so a phrasing or an answer can never name a button that the page does not have.
Knows nothing of intents or dialogues.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping

from parley import labels

Groups = Mapping[str, list[str]]

_INNERMOST = re.compile(r"\[([^\[\]]*)\]")
_GROUP = re.compile(r"<([a-z_0-9]+)>")
_LABEL = re.compile(r"\{([A-Z_]+)\}")


def label(name: str) -> str:
    """The page's word for a label's name; an unknown name is an error in the data."""
    value = getattr(labels, name, None)
    if not isinstance(value, str):
        raise KeyError(f"{{{name}}} is not a label of the page")
    return value


def with_labels(text: str) -> str:
    return _LABEL.sub(lambda found: label(found.group(1)), text)


def label_names(text: str) -> list[str]:
    return _LABEL.findall(text)


def expand(line: str, groups: Groups, rng: random.Random) -> str:
    """One random reading of a phrasing."""
    text = line
    while found := _GROUP.search(text):
        text = text[: found.start()] + rng.choice(groups[found.group(1)]) + text[found.end() :]
    while found := _INNERMOST.search(text):
        text = text[: found.start()] + rng.choice(found.group(1).split("|")) + text[found.end() :]
    return " ".join(with_labels(text).split())
