"""Finds in the sources what Parley says to a person: sentences and fixes of errors, notes, texts
that are marked as said. For the test that demands a translation of each.

Reads constants, f-strings (a gap is written ``{}``), choices between them, names they were given
to, tables they stand in, functions that return them or hand them on. Knows no language.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

GAP = "{}"
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Place:
    """Where an expression stands: the functions around it, outermost first, and its file."""

    file: str
    functions: tuple[Function, ...] = ()


@dataclass
class Sentences:
    """``said`` are templates that a person may read as they are; ``parts`` stand in the gaps of
    others; ``unknown`` are places whose text could not be found."""

    said: set[str] = field(default_factory=set)
    parts: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)


def is_words(template: str) -> bool:
    """Whether a person reads it as words, rather than as a unit, an address or a field's name."""
    worded = re.search(r"[A-Za-z]{3,}", template) and (" " in template or template[0].isupper())
    return bool(worded) and not template.startswith("https://")


class Finder:
    def __init__(self, root: Path, speakers: dict[str, tuple[int, ...]], skip: Iterable[str]):
        """``speakers`` are the calls to begin with: their names, after their file and a colon where
        others have the same name, and which arguments are said."""
        self._root = root
        self._trees = {
            str(path.relative_to(root)): ast.parse(path.read_text(encoding="utf-8"))
            for path in sorted(root.rglob("*.py"))
            if not any(str(path.relative_to(root)).startswith(one) for one in skip)
        }
        self._calls: list[tuple[ast.Call, Place]] = []
        self._functions: dict[str, list[tuple[Function, Place]]] = {}
        for file, tree in self._trees.items():
            self._walk(tree, Place(file))
        self.found = Sentences()
        self._open: set[int] = set()
        self._first = frozenset(speakers)
        self._todo = [(name, at, False) for name, places in speakers.items() for at in places]
        self._done: set[tuple[str, int, bool]] = set()
        while self._todo:
            speaker = self._todo.pop()
            if speaker not in self._done:
                self._done.add(speaker)
                self._listen(*speaker)

    def also(self, file: str, name: str) -> None:
        """A constant, or what a function returns, is said too."""
        place = Place(file)
        node = ast.Name(name) if self._constant(name, place) else ast.Call(ast.Name(name), [], [])
        self.found.said |= set(self._texts(node, place))

    def _walk(self, node: ast.AST, place: Place) -> None:
        for child in ast.iter_child_nodes(node):
            inner = place
            if isinstance(child, Function):
                self._functions.setdefault(child.name, []).append((child, place))
                inner = Place(place.file, (*place.functions, child))
            if isinstance(child, ast.Call):
                self._calls.append((child, place))
            self._walk(child, inner)

    def _listen(self, name: str, at: int, part: bool) -> None:
        """Every call of ``name``: its argument ``at`` is said, or is a ``part`` of what is."""
        file, _, short = name.rpartition(":")
        home = [one for one in self._functions.get(short, []) if one[1].file == file]
        for call, place in self._calls:
            if not self._calls_it(call.func, short, file, place):
                continue
            for found in self._argument(call, at, home, place, top=name in self._first):
                texts = {text for text in found if is_words(text)}
                if part:
                    self.found.parts |= texts
                else:
                    self.found.said |= texts

    def _calls_it(self, called: ast.expr, name: str, file: str, place: Place) -> bool:
        """Whether this is the function ``name`` of ``file``; of any file where none is given."""
        match called:
            case ast.Name(id=given) if given == name:
                return not file or place.file == file or self._imports(place.file, name, file)
            case ast.Attribute(value=ast.Name(id=home), attr=given) if given == name:
                return (
                    not file or home == Path(file).stem or (home == "self" and place.file == file)
                )
        return False

    def _imports(self, reader: str, name: str, file: str) -> bool:
        return any(
            isinstance(node, ast.ImportFrom)
            and (node.module or "").endswith(f"{Path(file).stem}")
            and any(alias.name == name for alias in node.names)
            for node in ast.walk(self._trees[reader])
        )

    def _argument(
        self, call: ast.Call, at: int, home: list[tuple[Function, Place]], place: Place, top: bool
    ) -> Iterator[Iterator[str]]:
        for n, argument in enumerate(call.args):
            if isinstance(argument, ast.Starred) and n <= at:
                yield self._element(argument.value, at - n, place)
                return
        if at < len(call.args):
            yield self._texts(call.args[at], place, top)
        names = {
            _parameters(function)[at] for function, _ in home if at < len(_parameters(function))
        }
        for keyword in call.keywords:
            if keyword.arg in names:
                yield self._texts(keyword.value, place, top)

    # -- texts of an expression --

    def _texts(self, node: ast.AST, place: Place, top: bool = False) -> Iterator[str]:
        """All it may be. ``top``: somebody reads it, so that it has to be found."""
        if id(node) in self._open:
            return  # a name that was made of itself
        self._open.add(id(node))
        yield from self._spelt(node, place, top)
        self._open.discard(id(node))

    def _spelt(self, node: ast.AST, place: Place, top: bool) -> Iterator[str]:
        match node:
            case ast.Constant(value=str(text)):
                yield text
            case ast.Constant():
                return
            case ast.JoinedStr(values=values):
                pieces = [list(self._piece(value, place)) for value in values]
                yield from map("".join, itertools.product(*pieces))
            case ast.IfExp(body=one, orelse=other):
                for either in (one, other):
                    yield from self._texts(either, place, top)
            case ast.BoolOp(values=values):
                for value in values:
                    yield from self._texts(value, place, top=False)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                pieces = [list(self._texts(side, place)) or [GAP] for side in (left, right)]
                yield from map("".join, itertools.product(*pieces))
            case ast.Name(id=name):
                yield from self._name(name, place, top, part=False)
            case ast.Call(func=ast.Attribute(attr="join"), args=[inside]):
                yield from self._items(inside, place)
            case ast.Call(func=ast.Attribute(attr="get", value=table), args=[_, *default]):
                yield from self._values(table, place)
                for one in default:
                    yield from self._texts(one, place)
            case ast.Call(func=ast.Name(id="Said" | "str"), args=[inside]):
                yield from self._texts(inside, place, top)
            case ast.Call(func=called):
                for returned, inner in self._returns(called, place):
                    yield from self._texts(returned, inner, top)
            case ast.Subscript(value=table):
                yield from self._values(table, place)
            case ast.Attribute():
                return  # an error that is told on: its own words are found where it is made
            case _ if top:
                self.found.unknown.add(f"{place.file}: {ast.unparse(node)}")

    def _piece(self, node: ast.AST, place: Place) -> Iterator[str]:
        """Of an f-string: a choice that stands in it is spelt out, anything else is a gap."""
        if isinstance(node, ast.Constant):
            yield str(node.value)
            return
        assert isinstance(node, ast.FormattedValue)
        inside = node.value
        if isinstance(inside, ast.IfExp):
            yield from self._texts(inside, place)
            return
        texts: Iterable[str] = ()
        if isinstance(inside, ast.Name):
            texts = self._name(inside.id, place, False, part=True)
        elif isinstance(inside, ast.Subscript):
            texts = self._values(inside.value, place)
        self.found.parts |= {text for text in texts if is_words(text)}
        yield GAP

    def _name(self, name: str, place: Place, top: bool, part: bool) -> Iterator[str]:
        found = False
        for function in reversed(place.functions):
            for value, index in _assigned(function, name):
                found = True
                inner = Place(place.file, place.functions)
                if index is None:
                    yield from self._texts(value, inner, top)
                else:
                    yield from self._element(value, index, inner)
            if name in (given := _parameters(function)):
                self._todo.append((f"{place.file}:{function.name}", given.index(name), part))
                return
            if found:
                return
        if (constant := self._constant(name, place)) is not None:
            yield from self._texts(constant, Place(place.file))
        elif top and not any(_looped(function, name) for function in place.functions):
            self.found.unknown.add(f"{place.file}: {name}")

    def _constant(self, name: str, place: Place) -> ast.AST | None:
        for node in self._trees[place.file].body:
            if isinstance(node, ast.Assign) and any(
                isinstance(target, ast.Name) and target.id == name for target in node.targets
            ):
                return node.value
        for file in self._trees:
            if file != place.file and self._imports(place.file, name, file):
                return self._constant(name, Place(file))
        return None

    def _element(self, node: ast.AST, index: int, place: Place) -> Iterator[str]:
        """Of a pair or a longer tuple, whichever it may be."""
        match node:
            case ast.Tuple(elts=elements) if index < len(elements):
                yield from self._texts(elements[index], place)
            case ast.IfExp(body=one, orelse=other):
                yield from self._element(one, index, place)
                yield from self._element(other, index, place)
            case ast.Call(func=ast.Attribute(attr="get", value=ast.Dict(values=values)), args=args):
                for value in (*values, *args[1:]):
                    yield from self._element(value, index, place)
            case ast.Call(func=called):
                for returned, inner in self._returns(called, place):
                    yield from self._element(returned, index, inner)
            case ast.Name(id=name):
                for function in reversed(place.functions):
                    for value, at in _assigned(function, name):
                        if at is None:
                            yield from self._element(value, index, place)

    def _items(self, node: ast.AST, place: Place) -> Iterator[str]:
        """Of a list that is joined."""
        match node:
            case ast.IfExp(body=one, orelse=other):
                yield from self._items(one, place)
                yield from self._items(other, place)
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                for element in elements:
                    yield from self._texts(element, place)
            case ast.GeneratorExp(elt=ast.JoinedStr() as element):
                yield from self._texts(element, place)
            case ast.GeneratorExp(generators=[only]):
                yield from self._items(only.iter, place)
            case ast.Name(id=name):
                for function in reversed(place.functions):
                    for value, _ in _assigned(function, name):
                        yield from self._items(value, place)
                    for value in _appended(function, name):
                        yield from self._texts(value, place)

    def _values(self, table: ast.AST, place: Place) -> Iterator[str]:
        if isinstance(table, ast.Name):
            table = self._constant(table.id, place) or table
        if isinstance(table, ast.DictComp):
            source = table.generators[0].iter
            if isinstance(source, ast.Call) and isinstance(source.func, ast.Attribute):
                yield from self._values(source.func.value, place)
        if isinstance(table, ast.Dict):
            for value in table.values:
                yield from self._texts(value, place)

    def _returns(self, called: ast.expr, place: Place) -> Iterator[tuple[ast.AST, Place]]:
        """What a function of the package gives back: one of this file, one that was imported into
        it by its name, or one of a module that was."""
        match called:
            case ast.Name(id=name):
                home = None
            case ast.Attribute(value=ast.Name(id=home), attr=name):
                pass
            case _:
                return
        found = self._functions.get(name, [])
        if home is None or home == "self":
            found = [one for one in found if one[1].file == place.file] or found
        else:
            found = [one for one in found if Path(one[1].file).stem == home]
        for function, outer in found:
            for node in ast.walk(function):
                if isinstance(node, ast.Return) and node.value is not None:
                    yield node.value, Place(outer.file, (*outer.functions, function))


def _parameters(function: Function) -> list[str]:
    given = function.args
    names = [one.arg for one in (*given.posonlyargs, *given.args)]
    return [name for name in names if name not in ("self", "cls")]


def _assigned(function: Function, name: str) -> Iterator[tuple[ast.AST, int | None]]:
    """What is given to a local name; with an index where it is taken out of a tuple."""
    for node in ast.walk(function):
        if isinstance(node, ast.NamedExpr) and node.target.id == name:
            yield node.value, None
        if (
            isinstance(node, ast.AnnAssign)
            and node.value is not None
            and isinstance(node.target, ast.Name)
            and node.target.id == name
        ):
            yield node.value, None
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            if isinstance(target, ast.Name) and target.id == name:
                yield node.value, None
            if isinstance(target, ast.Tuple):
                for index, one in enumerate(target.elts):
                    if isinstance(one, ast.Name) and one.id == name:
                        if isinstance(node.value, ast.Tuple):
                            yield node.value.elts[index], None
                        else:
                            yield node.value, index


def _looped(function: Function, name: str) -> bool:
    """Whether it is one of several things that are gone through: what made them is looked at."""
    return any(
        isinstance(node, ast.comprehension)
        and isinstance(node.target, ast.Name)
        and node.target.id == name
        for node in ast.walk(function)
    )


def _appended(function: Function, name: str) -> Iterator[ast.AST]:
    for node in ast.walk(function):
        match node:
            case ast.Call(
                func=ast.Attribute(attr="append", value=ast.Name(id=given)), args=[value]
            ) if given == name:
                yield value
