"""The kinds of value that only a model's entry has: licence, language, checkpoint folder, logo.

Knows one key at a time; what keys owe each other is ``loader``'s business.
"""

from __future__ import annotations

import datetime
import os
import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from parley.catalog.kinds import Number, Table, Text, is_web_address
from parley.catalog.mistakes import Sheet, closest, did_you_mean
from parley.catalog.spec import Link, OpennessItem
from parley.catalog.yaml_nodes import describe, get, pairs

_LICENCES = (
    *("Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MPL-2.0", "Unlicense"),
    *("GPL-2.0-only", "GPL-3.0-only", "GPL-3.0-or-later", "LGPL-3.0-only", "AGPL-3.0-only"),
    *("CC0-1.0", "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", "ODC-By-1.0"),
)
"""The SPDX licences that models come under, for suggestions; what is valid, ``packaging`` knows."""

_LANGUAGES = (
    "aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da "
    "de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy "
    "hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg "
    "li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or "
    "os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta "
    "te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu"
)
"""ISO 639-1. Three-letter codes are taken on trust: there are thousands."""

_LANGUAGE_NAMES = {
    "arabic": "ar", "chinese": "zh", "cn": "zh", "czech": "cs", "dutch": "nl", "english": "en",
    "french": "fr", "german": "de", "hindi": "hi", "italian": "it", "japanese": "ja", "jp": "ja",
    "korean": "ko", "polish": "pl", "portuguese": "pt", "russian": "ru", "spanish": "es",
    "turkish": "tr", "ukrainian": "uk", "vietnamese": "vi",
}  # fmt: skip

_IMAGES = (".png", ".svg", ".jpg", ".jpeg", ".webp", ".gif")
_MOST_IMAGE_BYTES = 256_000  # it is sent with the page

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}


@dataclass(frozen=True, slots=True)
class Count:
    """A number of parameters."""

    allowed: str = "a count such as 135000000, 135M or 1.7B"

    def read(self, sheet: Sheet, node: Node, key: str) -> int | None:
        if isinstance(node, ScalarNode):
            text = node.value.replace("_", "").strip().upper()
            if match := re.fullmatch(r"(\d{1,18}(?:\.\d{1,9})?) ?([KMBT]?)", text, re.ASCII):
                count = Decimal(match[1]) * _UNITS[match[2]]
                if count == int(count) and 1 <= count <= 10**14:
                    return int(count)
        sheet.wrong(node, key, describe(node), self.allowed)
        return None


@dataclass(frozen=True, slots=True)
class Licence:
    """An SPDX licence expression, or a name of one's own that starts with LicenseRef-."""

    allowed: str = "an SPDX licence such as Apache-2.0, or LicenseRef-NAME with a license_url"

    def read(self, sheet: Sheet, node: Node, key: str) -> str | None:
        text = Text().read(sheet, node, key)
        if text is None:
            return None
        try:
            return str(canonicalize_license_expression(text))
        except InvalidLicenseExpression:
            name = re.sub(r"[^A-Za-z0-9.]+", "-", text).strip("-")
            meant = closest(text, _LICENCES) or f"LicenseRef-{name}"
            sheet.wrong(node, key, describe(node), self.allowed, did_you_mean(meant))
            return None


@dataclass(frozen=True, slots=True)
class Language:
    """A language code of BCP 47."""

    allowed: str = "a language code such as en, pt-BR or zh-Hans"

    def read(self, sheet: Sheet, node: Node, key: str) -> str | None:
        text = Text().read(sheet, node, key)
        if text is None:
            return None
        two_letters = _LANGUAGES.split()
        match = re.fullmatch(r"([a-z]{2,3})(-[A-Za-z0-9]{2,8})*", text)
        if match and (len(match[1]) == 3 or match[1] in two_letters):
            return text
        meant = _LANGUAGE_NAMES.get(text.lower())
        if meant is None and text.lower() in two_letters:
            meant = text.lower()
        sheet.wrong(node, key, describe(node), self.allowed, did_you_mean(meant))
        return None


@dataclass(frozen=True, slots=True)
class Day:
    """A date as exact as it is known."""

    allowed: str = "a date: 2024, 2024-11 or 2024-11-28"

    def read(self, sheet: Sheet, node: Node, key: str) -> str | None:
        text = node.value.strip() if isinstance(node, ScalarNode) else ""
        if match := re.fullmatch(r"(19|20)(\d\d)(?:-(\d\d))?(?:-(\d\d))?", text, re.ASCII):
            try:
                datetime.date(int(match[1] + match[2]), int(match[3] or 1), int(match[4] or 1))
                return str(text)
            except ValueError:
                pass  # such as a month 13
        sheet.wrong(node, key, describe(node), self.allowed)
        return None


@dataclass(frozen=True, slots=True)
class Folder:
    """A checkpoint on this machine, as an absolute path."""

    allowed: str = "the folder of a checkpoint, relative to this file, absolute or with ~"

    def read(self, sheet: Sheet, node: Node, key: str) -> Path | None:
        text = Text(1000).read(sheet, node, key)
        if text is None:
            return None
        path = _beside(sheet, text)
        if _is(path, "file"):
            hint = "give the folder that the file is in"
        elif not _is(path, "dir"):
            hint = f"there is no {path}"
        elif not _is(path / "config.json", "file"):
            hint = f"there is no config.json in {path}"
        else:
            return path
        sheet.wrong(node, key, describe(node), self.allowed, hint)
        return None


@dataclass(frozen=True, slots=True)
class Logo:
    """One or two characters as they are, or an image as its absolute path."""

    allowed: str = (
        "one or two characters or emoji, or a PNG, SVG, JPEG, WebP or GIF file of at most "
        f"{_MOST_IMAGE_BYTES // 1000} KB, relative to this file"
    )

    def read(self, sheet: Sheet, node: Node, key: str) -> str | None:
        text = Text(1000).read(sheet, node, key)
        if text is None:
            return None
        if _drawn(text) <= 2:
            return text
        path = _beside(sheet, text)
        if not text.lower().endswith(_IMAGES):
            hint = ""
        elif not _is(path, "file"):
            hint = f"there is no {path}"
        elif path.stat().st_size > _MOST_IMAGE_BYTES:
            hint = f"the file has {path.stat().st_size // 1000} KB"
        else:
            return str(path)
        sheet.wrong(node, key, describe(node), self.allowed, hint)
        return None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What shows that a state of openness is true."""

    allowed: str = "a web address, or a file or folder relative to this file"

    def read(self, sheet: Sheet, node: Node, key: str) -> str | None:
        text = Text(2000).read(sheet, node, key)
        if text is None or is_web_address(text):
            return text
        path = _beside(sheet, text)
        if _is(path, "file") or _is(path, "dir"):
            return text
        sheet.wrong(node, key, describe(node), self.allowed, f"there is no {path}")
        return None


@dataclass(frozen=True, slots=True)
class Context:
    """The context window, as ``{"context_trained": …, "context_max": …}``."""

    tokens: Number
    table: Table

    @property
    def allowed(self) -> str:
        return f"{self.tokens.allowed}, or {self.table.allowed}"

    def read(self, sheet: Sheet, node: Node, key: str) -> dict[str, Any] | None:
        if isinstance(node, MappingNode):
            values = self.table.read(sheet, node, key) or {}
            return {f"context_{name}": value for name, value in values.items()}
        if isinstance(node, SequenceNode):
            sheet.wrong(node, key, describe(node), self.allowed)
            return None
        both = self.tokens.read(sheet, node, key)
        return {"context_trained": both, "context_max": both}


@dataclass(frozen=True, slots=True)
class Links:
    """Labelled addresses, as a list of label and url or as a mapping from label to url."""

    table: Table
    allowed: str = "a list of {label, url}, or a mapping from label to url"

    def read(self, sheet: Sheet, node: Node, key: str) -> tuple[Link, ...] | None:
        if isinstance(node, MappingNode):
            label, url = (k.kind for k in self.table.keys)
            read = [
                (label.read(sheet, name_node, key), url.read(sheet, url_node, f"{key}.{name}"))
                for name, name_node, url_node in pairs(node)
            ]
            return tuple(Link(*pair) for pair in read)
        if not isinstance(node, SequenceNode):
            sheet.wrong(node, key, describe(node), self.allowed)
            return None
        tables = [self.table.read(sheet, item, key) for item in node.value]
        return tuple(Link(t["label"], t["url"]) for t in tables if t and len(t) == 2)


@dataclass(frozen=True, slots=True)
class OpennessRow:
    """One row of the openness card. A claim needs its evidence and its date."""

    table: Table

    @property
    def allowed(self) -> str:
        return self.table.allowed

    def read(self, sheet: Sheet, node: Node, key: str) -> OpennessItem | None:
        values = self.table.read(sheet, node, key)
        if values is None or values.get("state") is None:
            return None
        if values["state"] != "unknown":
            for name, kind in ((k.name, k.kind) for k in self.table.keys if k.name != "note"):
                if name not in values:
                    at = get(node, "state") or node
                    found = f"missing, and the state is {values['state']}"
                    sheet.wrong(at, f"{key}.{name}", found, kind.allowed, "or say unknown")
        return OpennessItem(**values)


def _beside(sheet: Sheet, text: str) -> Path:
    """A path as written in the file; normalised, but with links left as they are."""
    try:
        path = Path(text).expanduser()
    except RuntimeError:  # ~name, and there is no such person
        path = Path(text)
    return Path(os.path.normpath(sheet.folder / path))


def _is(path: Path, kind: Literal["file", "dir"]) -> bool:
    try:
        return path.is_file() if kind == "file" else path.is_dir()
    except OSError:  # such as a name that is too long, or a folder one may not look into
        return False


def _drawn(text: str) -> int:
    """How many characters a person sees; an emoji of several code points is one."""
    seen, joined, flag = 0, False, False
    for char in text:
        indicator = "\U0001f1e6" <= char <= "\U0001f1ff"
        skin = "\U0001f3fb" <= char <= "\U0001f3ff"
        if char == "\u200d":
            joined = True
        elif unicodedata.category(char) in ("Mn", "Me", "Cf") or (skin and seen):
            pass
        elif joined or (indicator and flag):
            joined, flag = False, False
        else:
            seen, flag = seen + 1, indicator
    return seen
