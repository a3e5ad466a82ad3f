"""Kinds of value a key may take: text, number, choice, list, mapping.

A kind reads a YAML node into a plain Python value, or notes on the sheet what is wrong and gives
None; so one pass finds every mistake. ``allowed`` says in words what it takes, for mistakes and for
the reference alike. Knows nothing of models.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from parley.catalog.mistakes import Sheet, closest, did_you_mean
from parley.catalog.yaml_nodes import describe, is_null, pairs

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_NUMBER = re.compile(r"[+-]?([0-9][0-9_]*\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"[+-]?[0-9][0-9_]*")


class Kind(Protocol):
    """What a value may be."""

    @property
    def allowed(self) -> str: ...

    def read(self, sheet: Sheet, node: Node, key: str) -> Any: ...


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a mapping: what it takes and what it is for."""

    name: str
    kind: Kind
    meaning: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """Text, on one line or any number of them; without the space around it unless ``exact``."""

    most: int = 80
    lines: bool = False
    exact: bool = False

    @property
    def allowed(self) -> str:
        return f"text{'' if self.lines else ' on one line'}, at most {self.most:,} characters"

    def read(self, sheet: Sheet, node: Node, key: str) -> str | None:
        if not isinstance(node, ScalarNode) or is_null(node):
            sheet.wrong(node, key, describe(node), self.allowed)
            return None
        text: str = node.value if self.exact else node.value.strip()
        if not text:
            sheet.wrong(node, key, "found empty text", self.allowed, "or leave the key out")
        elif len(text) > self.most:
            sheet.wrong(node, key, f"found {len(text):,} characters", self.allowed)
        elif _CONTROL.search(text):
            sheet.wrong(node, key, "found a control character", self.allowed)
        elif "\n" in text and not self.lines:
            sheet.wrong(node, key, f"found {text.count(chr(10)) + 1} lines", self.allowed)
        else:
            return text
        return None


@dataclass(frozen=True, slots=True)
class Pattern:
    """Text of a certain shape. ``hint`` makes a sentence for a text that has not got it."""

    shape: str
    allowed: str
    hint: Callable[[str], str] = lambda _: ""
    most: int = 200

    def read(self, sheet: Sheet, node: Node, key: str) -> str | None:
        text = Text(self.most).read(sheet, node, key)
        if text is not None and not re.fullmatch(self.shape, text, re.ASCII):
            sheet.wrong(node, key, describe(node), self.allowed, self.hint(text))
            return None
        return text


@dataclass(frozen=True, slots=True)
class Number:
    """A number from ``low`` to ``high``, both included."""

    low: float
    high: float
    whole: bool = False

    @property
    def allowed(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        return f"{kind} from {_figure(self.low)} to {_figure(self.high)}"

    def read(self, sheet: Sheet, node: Node, key: str) -> float | int | None:
        number = self._number(node)
        if number is not None and self.low <= number <= self.high:
            return number
        sheet.wrong(node, key, describe(node), self.allowed, self._hint(node))
        return None

    def _number(self, node: Node) -> float | int | None:
        if not isinstance(node, ScalarNode) or node.style is not None:
            return None  # quotes say that text is meant
        if len(node.value) > 40 or not (_WHOLE if self.whole else _NUMBER).fullmatch(node.value):
            return None
        digits = node.value.replace("_", "")
        if self.whole:
            return int(digits)
        number = float(digits)
        return number if math.isfinite(number) else None

    def _hint(self, node: Node) -> str:
        if not isinstance(node, ScalarNode):
            return ""
        if node.style is not None and _NUMBER.fullmatch(node.value):
            return "take the quotes away"
        if not self.whole and re.fullmatch(r"\d+,\d+", node.value):
            return did_you_mean(node.value.replace(",", "."))
        if self.whole and (thousands := re.fullmatch(r"(\d+)[kK]", node.value)):
            n = int(thousands[1])
            return f"write it out: {n * 1024} or {n * 1000}"
        return ""


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    allowed: str = "true or false"

    def read(self, sheet: Sheet, node: Node, key: str) -> bool | None:
        if isinstance(node, ScalarNode) and node.style is None:
            if node.value.lower() in ("true", "yes", "on"):
                return True
            if node.value.lower() in ("false", "no", "off"):
                return False
        sheet.wrong(node, key, describe(node), self.allowed)
        return None


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words. ``others`` are names that people know them by."""

    values: tuple[str, ...]
    others: Mapping[str, str] = field(default_factory=dict)

    @property
    def allowed(self) -> str:
        return ", ".join(self.values)

    def read(self, sheet: Sheet, node: Node, key: str) -> str | None:
        if isinstance(node, ScalarNode) and node.value in self.values:
            return str(node.value)
        meant = None
        if isinstance(node, ScalarNode):
            meant = self.others.get(node.value.lower()) or closest(node.value, self.values)
        sheet.wrong(node, key, describe(node), self.allowed, did_you_mean(meant))
        return None


@dataclass(frozen=True, slots=True)
class Address:
    """A page on the web. Other schemes, ``javascript:`` among them, never reach the page."""

    allowed: str = "a web address that starts with https:// or http://"

    def read(self, sheet: Sheet, node: Node, key: str) -> str | None:
        text = Text(2000).read(sheet, node, key)
        if text is None or is_web_address(text):
            return text
        bare = re.fullmatch(r"[\w-]+(\.[\w-]+)+(/\S*)?", text)
        hint = did_you_mean(f"https://{text}") if bare else ""
        sheet.wrong(node, key, describe(node), self.allowed, hint)
        return None


@dataclass(frozen=True, slots=True)
class ListOf:
    """Several values of one kind, as a tuple."""

    kind: Kind
    most: int = 100

    @property
    def allowed(self) -> str:
        return f"a list of at most {self.most}, each {self.kind.allowed}"

    def read(self, sheet: Sheet, node: Node, key: str) -> tuple[Any, ...] | None:
        if not isinstance(node, SequenceNode):
            hint = f"write it as a list: [{node.value}]" if _is_short(node) else ""
            sheet.wrong(node, key, describe(node), self.allowed, hint)
            return None
        if len(node.value) > self.most:
            sheet.wrong(node, key, f"found a list of {len(node.value)}", self.allowed)
            return None
        return tuple(self.kind.read(sheet, item, key) for item in node.value)


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping with known keys, as a dict of those that are given. ``elsewhere`` tells where a
    key belongs that people put here by mistake."""

    keys: tuple[Key, ...]
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    @property
    def allowed(self) -> str:
        return f"a mapping with {', '.join(k.name for k in self.keys)}"

    def read(self, sheet: Sheet, node: Node, key: str) -> dict[str, Any] | None:
        if not isinstance(node, MappingNode):
            sheet.wrong(node, key, describe(node), self.allowed)
            return None
        known = {k.name: k for k in self.keys}
        values: dict[str, Any] = {}
        for name, name_node, value_node in pairs(node):
            dotted = f"{key}.{name}" if key else name
            if name not in known:
                hint = did_you_mean(self.meant(name))
                sheet.wrong(name_node, dotted, "unknown key", ", ".join(known), hint)
            elif not is_null(value_node):  # "key:" with nothing behind it is as good as no key
                values[name] = known[name].kind.read(sheet, value_node, dotted)
        for required in (k for k in self.keys if k.required and k.name not in values):
            dotted = f"{key}.{required.name}" if key else required.name
            sheet.wrong(node, dotted, "missing", required.kind.allowed)
        return values

    def meant(self, name: str) -> str | None:
        """What a person most likely meant by an unknown key."""
        near = closest(name, [*(k.name for k in self.keys), *self.elsewhere])
        return self.elsewhere.get(near, near) if near else None


def is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and " " not in text
    except ValueError:  # such as a bracket without its partner
        return False


def _is_short(node: Node) -> bool:
    return isinstance(node, ScalarNode) and len(node.value) <= 30 and "\n" not in node.value


def _figure(number: float) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:g}"
