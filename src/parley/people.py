"""Who may come in by name, and which name a page's chats are kept under.

Accounts stand in a text file, one ``name:salt:hash`` a line, hashed by scrypt (RFC 7914). A person
who has signed in is the same one in every browser: the page gets an identity made of their name and
this data folder's own key, which nobody can guess who has not signed in. Knows nothing of pages.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import secrets
from pathlib import Path

from parley.errors import ParleyError
from parley.secret_file import secret

KEY_FILE = "identity.key"
LONGEST_NAME = 100
COST, BLOCK, LANES = 2**14, 8, 1
"""What one guess costs: 16 MB and some 50 ms."""


class People:
    """The accounts of one file, read anew at every sign-in: no restart when somebody is added."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def check(self, name: str, password: str) -> bool:
        """Whether this is somebody's name and password; takes as long for a name nobody has."""
        salt, kept = self._accounts().get(name, (b"nobody", b""))
        return hmac.compare_digest(_hash(password, salt), kept)

    def add(self, name: str, password: str) -> None:
        """A new account, or a new password for an old one. Raises ParleyError("bad_account")."""
        if not name.strip() or len(name) > LONGEST_NAME or any(c in name for c in ":\r\n"):
            raise _bad(
                f"{name!r:.120} cannot be the name of an account.",
                f"Use up to {LONGEST_NAME} characters and no colon.",
            )
        if not password:
            raise _bad("The password is empty.", "Choose one.")
        salt = secrets.token_bytes(16)
        accounts = {**self._accounts(), name.strip(): (salt, _hash(password, salt))}
        lines = [f"{n}:{s.hex()}:{h.hex()}\n" for n, (s, h) in accounts.items()]
        made = self._file.with_name(self._file.name + ".new")
        made.unlink(missing_ok=True)
        made.touch(mode=0o600)
        made.write_text("".join(lines), encoding="utf-8")
        made.replace(self._file)

    def _accounts(self) -> dict[str, tuple[bytes, bytes]]:
        try:
            lines = self._file.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError) as error:
            raise _bad(
                f"The accounts in {self._file} cannot be read.", "Make it a file Parley may read."
            ) from error
        found = {}
        for line in lines:
            with contextlib.suppress(ValueError):  # a line of another kind is nobody's
                name, salt, kept = line.rsplit(":", 2)
                found[name] = (bytes.fromhex(salt), bytes.fromhex(kept))
        return found


def key(folder: Path) -> bytes:
    """This data folder's own secret, made when first asked for."""
    folder.mkdir(parents=True, exist_ok=True)
    return secret(folder / KEY_FILE)


def identity(key: bytes, name: str) -> str:
    """What stands for somebody who has signed in, in place of a browser's own random identity."""
    return hmac.new(key, name.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:32]


def _hash(password: str, salt: bytes) -> bytes:
    text = password.encode("utf-8", "replace")
    return hashlib.scrypt(text, salt=salt, n=COST, r=BLOCK, p=LANES)


def _bad(sentence: str, fix: str) -> ParleyError:
    return ParleyError("bad_account", sentence, fix)
