"""What each token reads, for people: control tokens by name, half characters as their bytes.

Not what an answer is put together from; that is ``detokenize.py``. Knows nothing of models.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable

from transformers import PreTrainedTokenizerBase

from parley.engines.detokenize import BROKEN

_PRINTABLE = (*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100))
_BYTES = {chr(byte): byte for byte in _PRINTABLE} | {
    chr(0x100 + place): byte
    for place, byte in enumerate(sorted(set(range(0x100)) - set(_PRINTABLE)))
}
"""The letters in which byte-level tokenizers write bytes: themselves where they can be printed."""


def _as_bytes(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    broken = error.object[error.start : error.end]
    return "".join(f"<0x{byte:02X}>" for byte in broken), error.end


codecs.register_error("parley.bytes", _as_bytes)


class Pieces:
    """A tokenizer's; remembers what has been asked. One thread only."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        self._backend = getattr(tokenizer, "backend_tokenizer", None)
        self._texts: dict[int, str] = {}
        # A token is decoded behind another one: a decoder may drop the first space it sees.
        self._lead = tokenizer.encode("a", add_special_tokens=False)[-1:]
        self._led = self._decode(self._lead)

    def __call__(self, token: int) -> str:
        text = self._texts.get(token)
        if text is None:
            text = self._texts[token] = self._read(token)
        return text

    def all(self, tokens: Iterable[int]) -> tuple[str, ...]:
        """Some microseconds for a token that is new, next to nothing for one met before."""
        return tuple(map(self, tokens))

    def _read(self, token: int) -> str:
        text = self._decode([*self._lead, token])
        behind = text.startswith(self._led)
        text = text[len(self._led) :] if behind else self._decode([token])
        if text and BROKEN not in text:
            return text
        # Byte-fallback tokenizers have such names for their bytes; a number that the model has and
        # the tokenizer has not has none at all.
        name = str(self._tokenizer.convert_ids_to_tokens(token) or f"<{token}>")
        return _spelled(name, text) or name

    def _decode(self, tokens: list[int]) -> str:
        if self._backend is None:
            return str(
                self._tokenizer.decode(
                    tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False
                )
            )
        return str(self._backend.decode(tokens, skip_special_tokens=False))


def _spelled(name: str, text: str) -> str | None:
    """The bytes of a byte-level token, whose decoder made ``text`` of it; None for another kind."""
    try:
        written = bytes(_BYTES[letter] for letter in name)
    except KeyError:
        return None
    if written.decode("utf-8", "replace") != text:
        return None
    return written.decode("utf-8", "parley.bytes")
