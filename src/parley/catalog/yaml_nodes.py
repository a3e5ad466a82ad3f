"""A YAML file as a tree of nodes that remember their lines.

Values stay the text that was written: what a key wants decides how it is read, so that the language
``no`` is not false and the revision ``12e45`` is not a number. Knows YAML's traps and nothing of
models.
"""

from __future__ import annotations

import json
from pathlib import Path

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from parley.catalog.mistakes import Sheet

MOST_BYTES = 2_000_000
"""Someone who names a weights file by accident should not wait for it to be read."""

MOST_NODES = 50_000
"""With every alias written out. A few lines of aliases to aliases can stand for billions."""

MOST_DEPTH = 20

_PREFIX = "tag:yaml.org,2002:"
_MERGE = _PREFIX + "merge"
_PLAIN_TAGS = frozenset(
    _PREFIX + name
    for name in ("map", "seq", "str", "int", "float", "bool", "null", "timestamp", "merge", "value")
)

# What PyYAML says, what it means to a person, and whether the start of the construct
# (rather than the place where reading stopped) is the line to look at.
_SYNTAX: tuple[tuple[str, str, bool], ...] = (
    ("found character '\\t'", "a tab; YAML indents with spaces", False),
    ("that cannot start any token", "a value cannot start like this; put it in quotes", False),
    (
        "mapping values are not allowed here",
        'a second ": " on the line, or wrong indentation; a value that holds ": " needs quotes',
        False,
    ),
    ("could not find expected ':'", 'neither "key: value" nor "- item"', True),
    ("found unexpected end of stream", "a quote is opened here and never closed", True),
    ("found unknown escape", 'a backslash in double quotes starts an escape; write "\\\\"', False),
    ("expected ',' or ']'", "a [ is opened here and not closed, or a comma is missing", True),
    ("expected ',' or '}'", "a { is opened here and not closed, or a comma is missing", True),
    ("expected <block end>", "the indentation does not match the lines above", False),
    ("found undefined alias", "a *name that no &name before it defines", False),
    ("found duplicate anchor", "an &name that is defined twice", False),
    ("but found another document", 'a second document; "---" may only stand at the top', False),
    ("found undefined tag handle", "a ! starts a tag; put the value in quotes", False),
)


def read(file: Path, sheet: Sheet) -> Node | None:
    """The root node; None, with the mistake on the sheet, for a file that cannot be used at all."""
    text = _text(file, sheet)
    if text is None:
        return None
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        sheet.wrong(line, "", f"a control character (U+{int(error.character):04X})")
        return None
    except yaml.MarkedYAMLError as error:
        line, found = _syntax(error)
        sheet.wrong(line, "", found)
        return None
    except RecursionError:
        sheet.wrong(0, "", "the file is nested too deeply")
        return None
    if root is None:
        sheet.wrong(0, "", "the file is empty", "a list of models")
        return None
    return root if _sound(root, sheet) else None


def pairs(node: MappingNode) -> list[tuple[str, Node, Node]]:
    """Key, its node and its value's node. What ``<<`` brings in gives way to what is written."""
    written: dict[str, tuple[str, Node, Node]] = {}
    merged: dict[str, tuple[str, Node, Node]] = {}
    for key, value in node.value:
        if key.tag == _MERGE:
            for source in value.value if isinstance(value, SequenceNode) else [value]:
                for pair in pairs(source):
                    merged.setdefault(pair[0], pair)
        elif isinstance(key, ScalarNode):
            written.setdefault(key.value, (key.value, key, value))
    return [*written.values(), *(p for name, p in merged.items() if name not in written)]


def get(node: Node, name: str) -> Node | None:
    """The value under a key; None when there is none."""
    if not isinstance(node, MappingNode):
        return None
    return next((value for key, _, value in pairs(node) if key == name), None)


def is_null(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.tag == _PREFIX + "null"


def describe(node: Node) -> str:
    """What stands there, as a mistake quotes it."""
    if isinstance(node, MappingNode):
        return "found a mapping (key: value)"
    if isinstance(node, SequenceNode):
        return "found a list"
    if not isinstance(node, ScalarNode) or is_null(node):
        return "found nothing"
    text = node.value if len(node.value) <= 60 else node.value[:57] + "…"
    bare = node.style is None and node.tag != _PREFIX + "str"
    return f"found {text if bare else json.dumps(text, ensure_ascii=False)}"


def _text(file: Path, sheet: Sheet) -> str | None:
    try:
        if file.is_dir():
            sheet.wrong(0, "", "is a folder", "a YAML file")
            return None
        if (size := file.stat().st_size) > MOST_BYTES:
            found = f"the file has {size / 1e6:.0f} MB, so it is no list of models"
            sheet.wrong(0, "", found, "a YAML file")
            return None
        data = file.read_bytes()
    except FileNotFoundError:
        sheet.wrong(0, "", "there is no such file", hint=f"looked for {file}")
        return None
    except OSError as error:
        sheet.wrong(0, "", f"the file cannot be read ({error.strerror})")
        return None
    try:
        # The mark that some editors put at the start is no part of the text.
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        sheet.wrong(line, "", "the text is not UTF-8; save the file as UTF-8")
        return None


def _syntax(error: yaml.MarkedYAMLError) -> tuple[int, str]:
    """The line to look at and what is wrong there."""
    problem = error.problem or ""
    for words, sentence, at_start in _SYNTAX:
        if words in problem:
            mark = error.context_mark if at_start and error.context_mark else error.problem_mark
            return (mark.line + 1 if mark else 0), sentence
    mark = error.problem_mark
    return (mark.line + 1 if mark else 0), f"not valid YAML ({problem})"


def _sound(root: Node, sheet: Sheet) -> bool:
    """Whether the tree can be walked: note duplicate keys and the like, refuse bombs and loops."""
    sizes: dict[int, int] = {}
    above: set[int] = set()

    def size(node: Node) -> int:
        if id(node) in above:
            raise _Unwalkable(node, "a value that contains itself through an alias")
        if len(above) > MOST_DEPTH:
            raise _Unwalkable(node, "nested too deeply")
        if id(node) not in sizes:
            above.add(id(node))
            _check(node, sheet)
            sizes[id(node)] = 1 + sum(size(child) for child in _children(node))
            above.remove(id(node))
        if sizes[id(node)] > MOST_NODES:
            found = f"written out, the file has more than {MOST_NODES:,} values"
            raise _Unwalkable(node, f"{found}; aliases of aliases multiply")
        return sizes[id(node)]

    try:
        size(root)
    except _Unwalkable as stop:
        sheet.wrong(stop.node, "", stop.found)
        return False
    return True


class _Unwalkable(Exception):
    def __init__(self, node: Node, found: str) -> None:
        super().__init__(found)
        self.node = node
        self.found = found


def _children(node: Node) -> list[Node]:
    if isinstance(node, MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, SequenceNode) else []


def _check(node: Node, sheet: Sheet) -> None:
    if node.tag not in _PLAIN_TAGS:
        tag = node.tag.replace(_PREFIX, "!!")
        sheet.wrong(node, "", f"the tag {tag}", "plain values", 'put a text with "!" in quotes')
    if not isinstance(node, MappingNode):
        return
    first: dict[str, Node] = {}
    kept = []
    for key, value in node.value:
        if not isinstance(key, ScalarNode):
            sheet.wrong(key, "", f"{describe(key)} as a key", "a word")
        elif key.tag == _MERGE and not _mergeable(value):
            sheet.wrong(value, "<<", describe(value), "an alias of a mapping, or a list of them")
            continue  # nothing can be made of it
        elif key.value in first:
            line = first[key.value].start_mark.line + 1
            sheet.wrong(key, key.value, f"given twice, first on line {line}")
        else:
            first[key.value] = key
        kept.append((key, value))
    node.value = kept


def _mergeable(value: Node) -> bool:
    sources = value.value if isinstance(value, SequenceNode) else [value]
    return all(isinstance(source, MappingNode) for source in sources)
