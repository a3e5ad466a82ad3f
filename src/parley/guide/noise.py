"""How people really type: other words, lower case, typos, fillers, words left out.

Applied to every prompt alike, on-topic or off, so that sloppiness never becomes a hint about the
subject. Knows nothing of what the prompt asks.
"""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path
from typing import Any

import yaml

DATA = Path(__file__).with_name("facts") / "noise.yaml"


@cache
def _data() -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(DATA.read_text())
    return data


@cache
def _synonyms() -> dict[str, list[str]]:
    """For each word, the words that may stand in its place."""
    found: dict[str, list[str]] = {}
    for group in yaml.safe_load(DATA.with_name("synonyms.yaml").read_text()):
        for word in group:
            if " " not in word:
                known = found.setdefault(word.lower(), [])
                known += [other for other in group if other != word]
    return found


def reword(text: str, rng: random.Random, chance: float = 0.3) -> str:
    """The same question in other words, a word at a time."""
    words = text.split(" ")
    for at, word in enumerate(words):
        bare = word.rstrip("?.!,:;")
        others = _synonyms().get(bare.lower())
        if others and rng.random() < chance:
            other = rng.choice(others)
            other = other[:1].upper() + other[1:] if bare[:1].isupper() and at == 0 else other
            words[at] = other + word[len(bare) :]
    return " ".join(words)


def typo(word: str, rng: random.Random) -> str:
    """One slip of the fingers inside a word of four letters or more."""
    if len(word) < 4 or not word.isalpha():
        return word
    at = rng.randrange(1, len(word) - 1)
    kind = rng.randrange(4)
    if kind == 0:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind == 1:
        return word[:at] + word[at + 1 :]
    if kind == 2:
        return word[:at] + word[at] + word[at:]
    beside: str = _data()["keys"].get(word[at], word[at])
    return word[:at] + rng.choice(beside) + word[at + 1 :]


def _punctuate(text: str, rng: random.Random) -> str:
    bare = text.rstrip("?.! ")
    draw = rng.random()
    if draw < 0.45:
        return bare
    if draw < 0.50:
        return bare + rng.choice(("??", "?!", "...", " ?", ".", "!"))
    return text


def _drop_words(text: str, rng: random.Random) -> str:
    dropped = _data()["dropped"]
    kept = [word for word in text.split() if word.lower() not in dropped or rng.random() < 0.35]
    return " ".join(kept) if len(kept) >= 2 else text


def _slip(text: str, rng: random.Random) -> str:
    words = text.split(" ")
    for _ in range(rng.choice((1, 1, 2))):
        at = rng.randrange(len(words))
        words[at] = typo(words[at], rng)
    return " ".join(words)


def _case(text: str, rng: random.Random) -> str:
    draw = rng.random()
    if draw < 0.45:
        return text.lower()
    if draw < 0.47:
        return text.upper()
    return text[:1].upper() + text[1:] if draw < 0.85 else text


def roughen(text: str, rng: random.Random, strength: float = 1.0) -> str:
    """The prompt as somebody in a hurry might type it; `strength` scales the heavier slips."""
    if rng.random() < 0.4 * strength:
        text = reword(text, rng)
    if rng.random() < 0.10 * strength:
        text = _drop_words(text, rng)
    if rng.random() < 0.16:
        first = text if text.startswith(("I ", "I'")) else text[:1].lower() + text[1:]
        text = rng.choice(_data()["prefixes"]) + first
    if rng.random() < 0.09:
        text = text.rstrip("?.! ") + rng.choice(_data()["suffixes"])
    text = _punctuate(text, rng)
    if rng.random() < 0.14 * strength:
        text = _slip(text, rng)
    if rng.random() < 0.10 * strength:
        text = text.replace("'", "")
    return _case(text, rng).strip() or "hello"
