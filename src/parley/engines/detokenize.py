"""Text out of tokens, one at a time: whole characters only, and nothing already shown changes.

Special tokens are left out, except those the caller asks to see. Knows nothing of what the text
means, of stop strings or of thinking.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from transformers import PreTrainedTokenizerBase

# What a decoder writes for bytes that are no character, or not yet one.
BROKEN = "\ufffd"
# Tokens that are decoded together with a new one: enough to know what it follows (a SentencePiece
# decoder drops the first space it sees) and to hold any character.
CONTEXT = 16
# The window moves on once it is this long, so that a token costs the same however long the answer.
LONGEST = 48


class Detokenizer:
    """One answer's text. ``visible`` are special tokens to write out, and what they read.

    Not ``tokenizers.decoders.DecodeStream``: it holds whole words back while their last byte is
    missing, repeats its seed when that ends in half a character, and raises on bytes that are not
    text, all of which a model can write.
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        prompt: Sequence[int],
        visible: Mapping[int, str] = MappingProxyType({}),
    ) -> None:
        self._visible = visible
        self._tokenizer = tokenizer
        self._backend = getattr(tokenizer, "backend_tokenizer", None)
        self._window = list(prompt[-CONTEXT:])
        self._shown = self._decode(self._window)

    def push(self, token: int) -> str:
        """The characters that ``token`` completes; often none."""
        self._window.append(token)
        text = self._decode(self._window)
        # A broken end may become a character; a broken middle will not.
        new = self._take(text.rstrip(BROKEN))
        if len(self._window) > LONGEST:
            self._move_on(text)
        return new + self._visible.get(token, "")

    def _take(self, text: str) -> str:
        if text.startswith(self._shown):
            new = text[len(self._shown) :]
        elif len(text) > len(self._shown):
            # Byte-fallback decoders give up a whole run of bytes for one that is wrong, also the
            # characters shown from it. What is new stands behind it.
            new = text.rpartition(BROKEN)[2]
        else:
            return ""
        self._shown = text
        return new.replace(BROKEN, "")

    def _move_on(self, text: str) -> None:
        shorter = self._window[-CONTEXT:]
        shown = self._decode(shorter)
        # Between two characters, and only there.
        if text.endswith(shown) and not shown.endswith(BROKEN) and self._shown == text:
            self._window, self._shown = shorter, shown

    def _decode(self, tokens: list[int]) -> str:
        if self._backend is None:
            return str(
                self._tokenizer.decode(
                    tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False
                )
            )
        return str(self._backend.decode(tokens, skip_special_tokens=True))
