"""A title as a file's name that every system takes: Windows, macOS, Linux, and what people mount.

Pure. Knows nothing of what is in the file.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST = 120
"""Bytes of a name without its ending: the usual limit is 255, and a browser may add a number."""

_FORBIDDEN = re.compile(r'[<>:"/\\|?*\s]+')
# Windows takes these for devices, whatever ending they have.
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)


def file_name(title: str, ending: str) -> str:
    """``title`` as the name of a file with this ending, such as "md"; "chat" where nothing of the
    title is left."""
    # Controls and what is unassigned or half a character; also the marks that turn the direction
    # of writing, by which a name may show another ending than it has.
    kept = "".join(" " if unicodedata.category(c)[0] == "C" else c for c in title)
    # A leading dot hides a file, a trailing one vanishes on Windows, as a blank does.
    name = _FORBIDDEN.sub(" ", unicodedata.normalize("NFC", kept)).strip(" .")
    name = name.encode()[:LONGEST].decode(errors="ignore").strip(" .")
    if _DEVICES.fullmatch(name):
        name += " chat"
    return f"{name or 'chat'}.{ending}"
