"""What the server says, in the language of whoever reads it.

English is the source: every sentence is written where it is needed, as English. What leaves for a
page is marked as ``Said`` there, and at the edge ``spoken`` turns it into the reader's language, by
a table of templates (``speech_ru.py``). What has no entry stays English. Logs, the command line and
the endpoints are English and never come here. Knows nothing of pages, or of who says what.

Templates are English texts with gaps. ``{name}`` is taken over as it is; ``{count:#}`` is a number,
``{time:said}`` is itself something that is said, ``{names:list}`` are names joined by "and". In the
translation a gap is ``{name}``, or ``{count:one|few|many}`` for the form of a word that goes with
the number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from parley import speech_ru

ENGLISH = "en"

_GAP = re.compile(r"\{([a-z]+)(?::([^{}]*))?\}")
_KINDS = {"#": r"\d[\d,]*(?:\.\d+)?", "said": r".*?", "list": r".+?", None: r".+?"}
_JOINTS = ("\n", " · ")
_LOOSE_JOINT = "; "
_REMEMBERED = 4096
"""Texts: a page asks for the same ones every second."""


class Said(str):
    """A text of ours, in English, that a person is going to read."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class _Template:
    """A sentence with gaps: how to know it, and what it is in the other language."""

    pattern: re.Pattern[str]
    kinds: tuple[tuple[str, str | None], ...]
    translation: str


class Language:
    """One table at work. Immutable but for what it remembers having said."""

    def __init__(
        self,
        table: Mapping[str, str],
        number: Callable[[str], str],
        form: Callable[[str], int],
        conjunction: str,
    ) -> None:
        """``number`` writes an English figure as the language does; ``form`` says which of the
        three forms of a word goes with one."""
        self._number = number
        self._form = form
        self._and = conjunction
        self._whole = {key: text for key, text in table.items() if not _GAP.search(key)}
        made = [(_literal(key), _template(key, table[key])) for key in table if _GAP.search(key)]
        # The more of a template is given, the surer it is meant.
        made.sort(key=lambda one: -one[0])
        self._templates = tuple(template for _, template in made)
        self.say: Callable[[str], str] = lru_cache(_REMEMBERED)(self._say)

    def _say(self, text: str) -> str:
        if text in self._whole:
            return self._whole[text]
        for joint in _JOINTS:
            if joint in text:
                return joint.join(self.say(part) for part in text.split(joint))
        for template in self._templates:
            if found := template.pattern.fullmatch(text):
                return self._filled(template, found)
        if _LOOSE_JOINT in text:
            return _LOOSE_JOINT.join(self.say(part) for part in text.split(_LOOSE_JOINT))
        return text

    def _filled(self, template: _Template, found: re.Match[str]) -> str:
        given = {name: found[name] for name, _ in template.kinds}
        shown = {name: self._shown(kind, given[name]) for name, kind in template.kinds}

        def gap(match: re.Match[str]) -> str:
            name, forms = match[1], match[2]
            return forms.split("|")[self._form(given[name])] if forms else shown[name]

        return _GAP.sub(gap, template.translation)

    def _shown(self, kind: str | None, text: str) -> str:
        if kind == "#":
            return self._number(text)
        if kind == "said":
            return self.say(text)
        if kind == "list":
            return self._and.join(text.rsplit(" and ", 1))
        return text


def _template(key: str, translation: str) -> _Template:
    pieces, kinds, at = [], [], 0
    for gap in _GAP.finditer(key):
        pieces += [re.escape(key[at : gap.start()]), f"(?P<{gap[1]}>{_KINDS[gap[2]]})"]
        kinds.append((gap[1], gap[2]))
        at = gap.end()
    pieces.append(re.escape(key[at:]))
    return _Template(re.compile("".join(pieces), re.DOTALL), tuple(kinds), translation)


def _literal(key: str) -> int:
    return len(_GAP.sub("", key))


def russian_number(figure: str) -> str:
    """1,234.5 as 1 234,5, with a space that does not break."""
    return figure.replace(",", "\u00a0").replace(".", ",")


def russian_form(figure: str) -> int:
    """Which form goes with it: 1 токен, 2 токена, 5 токенов; a fraction takes the second."""
    if "." in figure:
        return 1
    whole = int(figure.replace(",", ""))
    if whole % 10 == 1 and whole % 100 != 11:
        return 0
    return 1 if 2 <= whole % 10 <= 4 and not 12 <= whole % 100 <= 14 else 2


LANGUAGES: Mapping[str, Language] = {
    "ru": Language(speech_ru.SAID, russian_number, russian_form, " и "),
}
"""All but English, which needs no table."""


def language_of(name: object) -> str:
    """The language a page asks for; English where it is none that is spoken here."""
    return name if isinstance(name, str) and name in LANGUAGES else ENGLISH


def say(text: str, language: str) -> str:
    """An English text of ours in ``language``; as it is where nobody has translated it."""
    spoken_here = LANGUAGES.get(language)
    return spoken_here.say(text) if spoken_here else text


def spoken(value: Any, language: str) -> Any:
    """Plain data for a page, with everything in it that is ``Said`` in ``language``."""
    if language == ENGLISH:
        return value
    if isinstance(value, Said):
        return say(value, language)
    if isinstance(value, dict):
        return {key: spoken(item, language) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [spoken(item, language) for item in value]
    return value
