"""Keeps what a model thinks apart from what it answers, while the text streams.

``STYLES`` is the one table of tag styles. Pure text in, text out, however the text is cut up: half
a tag is held back until it is a tag or is not. Knows nothing of tokens or templates.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Style:
    """How one family of models marks its thinking. ``asides`` are marks around the answer itself,
    left out wherever they stand."""

    name: str
    opens: tuple[str, ...]
    closes: tuple[str, ...]
    asides: tuple[str, ...] = ()


STYLES = (
    Style("think", ("<think>",), ("</think>",)),
    Style("thinking", ("<thinking>",), ("</thinking>",)),
    Style("thought", ("<thought>",), ("</thought>",)),
    Style("reasoning", ("<reasoning>",), ("</reasoning>",)),
    Style("seed", ("<seed:think>",), ("</seed:think>",)),
    Style("mistral", ("[THINK]",), ("[/THINK]",)),
    Style("kimi", ("◁think▷",), ("◁/think▷",)),
    Style("apertus", ("<|inner_prefix|>",), ("<|inner_suffix|>",)),
    Style(
        "command",
        ("<|START_THINKING|>",),
        ("<|END_THINKING|>",),
        ("<|START_RESPONSE|>", "<|END_RESPONSE|>"),
    ),
    Style(
        "harmony",
        ("<|channel|>analysis<|message|>", "<|channel|>commentary<|message|>"),
        ("<|end|>",),
        ("<|channel|>final<|message|>", "<|start|>assistant"),
    ),
    Style("gemma", ("<|channel>thought\n",), ("<channel|>",)),
)

_OPENS = tuple(tag for s in STYLES for tag in s.opens)
_CLOSES = tuple(tag for s in STYLES for tag in s.closes)
_ASIDES = tuple(tag for s in STYLES for tag in s.asides)


def is_brick(special: str) -> bool:
    """Whether the splitter has to see this special token of a tokenizer: tags are built of it."""
    return any(special in tag for tag in _OPENS + _CLOSES + _ASIDES)


def is_tag(text: str) -> bool:
    """Whether it is a whole tag: some tokenizers have one that is not among their special ones."""
    return text in _OPENS + _CLOSES + _ASIDES


def left_open(prompt: str) -> Style | None:
    """The style whose block the end of a rendered prompt has opened, if any: some templates write
    the opening tag themselves, so that the model only ever writes the closing one."""
    end = prompt.rstrip()
    for style in STYLES:
        if end.endswith(tuple(tag.rstrip() for tag in style.opens)):
            return style
    return None


@dataclass(frozen=True, slots=True)
class Piece:
    """New text of either kind. ``told`` of its characters, the first ones, are new to the parser
    only: its reader has seen them."""

    text: str = ""
    thinking: str = ""
    told: int = 0


class ThinkingSplitter:
    """One answer. ``opened`` is the style the prompt has left open. ``bricks`` are special tokens
    that reach the text only for the tags' sake; on their own they are left out."""

    def __init__(self, opened: Style | None = None, bricks: Iterable[str] = ()) -> None:
        self._style = opened
        self._bricks = tuple(bricks)
        self._held = ""
        self._told = 0  # characters of what is held back that the reader has seen nevertheless
        # White space that begins a stretch: part of a plain answer, mere layout after a tag.
        self._blank = ""
        self._fresh = True
        self._tagged = opened is not None
        self._answered = False
        self._tags = self._tags_now()

    @property
    def thinking(self) -> bool:
        """Whether the model is in a thinking block now."""
        return self._style is not None

    @property
    def held(self) -> int:
        """Characters held back because a tag may be beginning."""
        return len(self._held)

    def push(self, text: str) -> Piece:
        return self._scan(self._held + text, last=False)

    def tell(self) -> None:
        """All so far has been shown, also what is held back because a tag may be beginning: it was
        the end of a text once. It may become a tag all the same."""
        self._told = len(self._held)
        self._blank = ""

    def flush(self) -> Piece:
        """What was held back because a tag might have been beginning."""
        piece = self._scan(self._held, last=True)
        # An answer of nothing but white space is shown as it is.
        return piece if self._tagged or self._answered else Piece(self._blank)

    def _scan(self, text: str, *, last: bool) -> Piece:
        shown: list[str] = []
        thought: list[str] = []
        self._held = ""
        told = 0
        at = 0
        while at < len(text):
            rest = text[at:]
            if not last and any(len(t) > len(rest) and t.startswith(rest) for t in self._tags):
                self._held = rest
                break
            tag = max((t for t in self._tags if rest.startswith(t)), key=len, default="")
            if tag:
                self._pass(tag)
                at += len(tag)
            else:
                (shown if self._style is None else thought).append(self._emit(text[at]))
                told += at < self._told
                at += 1
        self._told = max(0, self._told - at)
        return Piece("".join(shown), "".join(thought), told)

    def _tags_now(self) -> tuple[str, ...]:
        """The tags that count here. None opens once the answer has begun: an answer may speak of
        tags."""
        if self._style is not None:
            return self._style.closes + self._bricks
        if self._answered:
            return _ASIDES + self._bricks
        return _OPENS + _ASIDES + self._bricks

    def _emit(self, character: str) -> str:
        if self._fresh:
            if character.isspace():
                self._blank += character
                return ""
            self._fresh = False
            if not self._tagged:
                character = self._blank + character
            self._blank = ""
        if self._style is None and not self._answered:
            self._answered = True
            self._tags = self._tags_now()
        return character

    def _pass(self, tag: str) -> None:
        if self._style is not None and tag in self._style.closes:
            self._style = None
        elif self._style is None and not self._answered:
            self._style = next((s for s in STYLES if tag in s.opens), None)
        self._fresh, self._blank, self._tagged = not self._answered, "", True
        self._tags = self._tags_now()
