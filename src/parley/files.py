"""Files become text: what a person attaches to a message, as a model can read it.

Text is decoded here. A PDF is read by a process of its own (``pdf_text.py``), under a limit of time
and memory: what comes from a browser can be made to keep a parser busy for ever. Knows nothing of
pages, of prompts, or of how a text is put before a model.
"""

from __future__ import annotations

import codecs
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parley import sizes
from parley.errors import ParleyError

MOST_BYTES = 5_000_000
MOST_CHARACTERS = 1_000_000
"""Of text in one file: some 250,000 tokens, more than the windows of models that run at home. It is
stored with the message and kept by the browser while it is a draft."""
MOST_PAGES = 300
PDF_SECONDS = 20.0
PDF_MEMORY = 512_000_000
"""Bytes of address space. A file of 300 full pages takes 50 MB."""

KINDS = {
    "text": "txt text log md markdown rst adoc org tex bib srt vtt po",
    "table": "csv tsv tab",
    "data": "json jsonl ndjson geojson ipynb yaml yml toml ini cfg conf properties env xml svg",
    "page": "html htm xhtml css scss less",
    "code": (
        "py pyi js mjs cjs ts tsx jsx vue svelte java kt kts scala groovy go rs c h cc cpp cxx hh "
        "hpp cs fs swift m mm rb php pl pm lua r jl hs ml mli elm clj cljs erl ex exs dart zig nim "
        "f f90 f95 pas asm s sql sh bash zsh fish ps1 bat cmd awk sed vim el lisp scm rkt tcl v sv "
        "vhd vhdl proto graphql gql tf hcl nix cmake gradle diff patch jinja j2"
    ),
    "pdf": "pdf",
}
"""The extensions that can be read. Whatever is not listed is refused, not guessed at."""

BARE = frozenset(
    ("dockerfile", "makefile", "readme", "license", "licence", "changelog", "notice", "authors")
)
"""Files of text that have no extension."""

_PICTURE = "The models here read text, not pictures: describe it, or attach its text."
_SAVE_AS = "Save it as PDF or as plain text (.txt), then attach that."
_UNPACK = "Unpack it, then attach the files in it."
FIXES = {
    "doc docx odt rtf pages epub mobi ppt pptx odp": _SAVE_AS,
    "xls xlsx ods numbers": "Save the sheet as CSV, then attach that.",
    "png jpg jpeg gif webp bmp tif tiff heic avif ico": _PICTURE,
    "zip tar gz tgz bz2 xz 7z rar": _UNPACK,
    "mp3 wav ogg flac m4a mp4 mov avi mkv webm": "Attach a transcript of it as text.",
}
"""What helps with kinds that people try and that are not text."""

EXTENSIONS = {e: kind for kind, list_ in KINDS.items() for e in list_.split()}
_FIX = {extension: fix for several, fix in FIXES.items() for extension in several.split()}

_BOMS = (  # the longer first: that of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS = bytes({*range(32), 127} - set(b"\t\n\v\f\r\x1b"))
_FEW_CONTROLS = 0.01
"""The share of control characters up to which a file is text: old ones have a few."""


@dataclass(frozen=True, slots=True)
class Document:
    """A file as text. ``note`` says what a person should know of the reading, or is empty."""

    name: str
    text: str
    note: str = ""


def read(name: str, data: bytes) -> Document:
    """The text of a file. Takes as long as ``PDF_SECONDS`` for a PDF: not for an event loop.

    Raises ParleyError: file_unknown, file_too_large, file_empty, file_binary, file_encoding,
    file_too_long, or one of ``pdf_text``.
    """
    name = clean(name)
    kind = kind_of(name)
    if len(data) > MOST_BYTES:
        raise too_large(name)
    if not data.strip():
        raise ParleyError("file_empty", f"{name} is empty.", "Attach a file that has text in it.")
    text, note = pdf_text(name, data) if kind == "pdf" else decode(name, data)
    text = _tidy(text)
    if len(text) > MOST_CHARACTERS:
        raise _too_long(name, f"{len(text):,} characters of text")
    return Document(name, text, note)


def kind_of(name: str) -> str:
    """A key of ``KINDS``. Raises ParleyError("file_unknown")."""
    stem, dot, extension = name.lower().rpartition(".")
    if not dot or not stem:
        if (extension or stem) in BARE:
            return "text"
    elif extension in EXTENSIONS:
        return EXTENSIONS[extension]
    raise ParleyError(
        "file_unknown",
        f"{name} is not a kind of file that can be read.",
        _FIX.get(extension, "If it is text, give its name the ending .txt and attach it again."),
    )


def clean(name: str) -> str:
    """A name that fits on a card and between quotation marks."""
    name = re.split(r"[/\\]", name)[-1]
    name = "".join(c for c in name.replace('"', "'") if c.isprintable()).strip() or "file"
    return name if len(name) <= 120 else f"{name[:80]}…{name[-39:]}"


def decode(name: str, data: bytes) -> tuple[str, str]:
    """Text by its byte order mark, as UTF-8, or as what Windows wrote before; and a note.

    Raises ParleyError: file_binary, file_encoding.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            try:
                return data.decode(encoding), ""
            except UnicodeDecodeError:
                raise _encoding(name) from None
    controls = len(data) - len(data.translate(None, _CONTROLS))
    if b"\0" in data or controls > len(data) * _FEW_CONTROLS:
        raise ParleyError(
            "file_binary",
            f"{name} does not hold text.",
            "Attach the text itself, saved as plain text in UTF-8.",
        )
    try:
        return data.decode("utf-8"), ""
    except UnicodeDecodeError:
        pass
    mended = data.decode("utf-8", errors="replace")
    bad = mended.count("�")
    foreign = sum(c > "\x7f" for c in mended) - bad
    if foreign > 10 * bad:  # letters that only UTF-8 explains: it is that, and damaged
        return mended, f"{bad} damaged characters were left out"
    try:
        return data.decode("cp1252"), "Read as Windows-1252"
    except UnicodeDecodeError:
        raise _encoding(name) from None


def pdf_text(
    name: str,
    data: bytes,
    *,
    seconds: float = PDF_SECONDS,
    memory: int = PDF_MEMORY,
    pages: int = MOST_PAGES,
) -> tuple[str, str]:
    """The text of a PDF and a note, read by a process of its own.

    Raises ParleyError: pdf_locked, pdf_scanned, pdf_pages, pdf_slow, pdf_memory, pdf_broken,
    file_too_long.
    """
    program = str(Path(__file__).with_name("pdf_text.py"))
    limits = json.dumps(
        {"seconds": seconds, "memory": memory, "pages": pages, "characters": MOST_CHARACTERS}
    )
    try:
        # -P: what lies beside the program is Parley's, and none of its business.
        done = subprocess.run(
            [sys.executable, "-P", program, limits],
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
        )
        found: dict[str, Any] = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        raise _pdf(name, {"fault": "slow"}, seconds, pages) from None
    except ValueError:
        # Ended by the system: out of memory where it could not even say so.
        raise _pdf(name, {"fault": "memory"}, seconds, pages) from None
    if "fault" in found:
        raise _pdf(name, found, seconds, pages)
    number, blank = int(found["pages"]), int(found["blank"])
    counted = f"{number} page" if number == 1 else f"{number} pages"
    return str(found["text"]), f"{counted}, {blank} without text" if blank else counted


def _pdf(name: str, found: dict[str, Any], seconds: float, pages: int) -> ParleyError:
    fault = found["fault"]
    if fault == "characters":
        return _too_long(name, f"more than {MOST_CHARACTERS:,} characters of text")
    part = "Attach only the pages that matter."
    sentence, fix = {
        "locked": (f"{name} is locked with a password.", "Save a copy without one; attach that."),
        "scanned": (
            f"{name} holds pictures of its pages and no text.",
            "Have its text recognised (OCR) first, then attach it again.",
        ),
        "pages": (
            f"{name} has {found.get('pages', 0):,} pages; at most {pages} are read.",
            part,
        ),
        "slow": (f"{name} took longer than {seconds:g} seconds to read.", part),
        "memory": (f"{name} needs too much memory to read.", part),
    }.get(
        fault,
        (
            f"{name} cannot be read as a PDF: it is damaged or something else.",
            "Open it, save it as PDF once more, then attach that.",
        ),
    )
    return ParleyError(f"pdf_{fault}", sentence, fix)


def too_large(name: str) -> ParleyError:
    return ParleyError(
        "file_too_large",
        f"{name} is larger than {sizes.size(MOST_BYTES)}.",
        "Attach the part that matters.",
    )


def _too_long(name: str, holds: str) -> ParleyError:
    return ParleyError(
        "file_too_long",
        f"{name} holds {holds}; at most {MOST_CHARACTERS:,} are taken.",
        "Attach the part that matters.",
    )


def _encoding(name: str) -> ParleyError:
    return ParleyError(
        "file_encoding",
        f"The encoding of {name} is not known.",
        "Save it as UTF-8, then attach it again.",
    )


def _tidy(text: str) -> str:
    """Line ends as one character, no NUL, and no half of a surrogate pair, which no file or
    database takes; PDFs have all three."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.lstrip("\n").rstrip()
