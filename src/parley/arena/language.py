"""Which language a prompt is written in, as far as that can be told without a model.

By script where a script tells; by small, frequent words in Latin script. A guess that would be a
coin's is "other": a wrong tag is worse on a board than none. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

OTHER = "other"

_SCRIPTS = (
    ("HIRAGANA", "ja"),
    ("KATAKANA", "ja"),
    ("CJK", "zh"),
    ("HANGUL", "ko"),
    ("CYRILLIC", "ru"),
    ("ARABIC", "ar"),
    ("HEBREW", "he"),
    ("GREEK", "el"),
    ("DEVANAGARI", "hi"),
    ("THAI", "th"),
    ("LATIN", "latin"),
)
"""The beginning of a letter's Unicode name, and what it says."""

_UKRAINIAN = frozenset("іїєґ")
_PERSIAN = frozenset("پچژگ")

_WORDS = {
    "en": "the of and to in is are was you your that it for on with this what how why who "
    "when where which write explain give tell make can could does do would should "
    "please a an i my me hello hi list translate summarize summarise compare from "
    "between about",
    "de": "der die das und ist nicht ein eine einen ich du sie wir mit für auf von was wie "
    "warum wer wann wo welche schreibe schreib erkläre bitte kannst hallo im den dem zu "
    "über gib",
    "fr": "le la les des et est une un je tu vous nous pour dans sur avec que qui quoi "
    "comment pourquoi quand où quel quelle écris explique peux bonjour du au ne pas ce "
    "donne",
    "es": "el la los las y es un una de en que con para por qué cómo cuál quién cuándo dónde "
    "escribe explica puedes hola del al no me mi tu lo dame",
    "pt": "o a os as e é um uma de em que com para por qual como quem quando onde escreva "
    "explique você pode olá do da no na não me meu ao dê",
    "it": "il lo la i gli le e è un una di che con per come perché chi quando dove quale "
    "scrivi spiega puoi ciao del della non mi nel sono",
    "nl": "de het een en is niet ik je jij we met voor op van wat hoe waarom wie wanneer waar "
    "welke schrijf kun hallo te dat zijn geef",
    "pl": "i w na z do jest nie to się co jak dlaczego kto kiedy gdzie który napisz wyjaśnij "
    "czy możesz cześć dla od podaj",
    "sv": "och är en ett det att jag du vi med för på av vad hur varför vem när var vilken "
    "skriv kan hej inte som till",
    "tr": "ve bir bu ne nasıl neden kim nerede hangi yaz açıkla için ile mı mi mu mü de da "
    "merhaba bana olarak",
    "vi": "là và của có không một cho với như thế nào gì viết giải thích tôi bạn hãy trong được",
    "id": "dan yang di ke dari untuk dengan apa bagaimana mengapa siapa kapan mana tulis "
    "jelaskan saya kamu anda ini itu adalah tolong",
    "cs": "a je v na se co jak proč kdo kdy kde který napiš vysvětli prosím můžeš ahoj pro "
    "není jsem to",
}

LATIN = tuple(_WORDS)
CODES = (*LATIN, "ja", "zh", "ko", "ru", "uk", "ar", "fa", "he", "el", "hi", "th", OTHER)
"""Every answer that there is."""

_SURE = 0.9
"""Of the weight of words; a word of one language weighs 1, one of three a third."""


def guess(text: str) -> str:
    """The language of a text as an ISO 639-1 code, or "other". Blocks of code do not count."""
    prose = re.sub(r"^(```|~~~).*?(?:^\1\s*$|\Z)|`[^`\n]*`", " ", text[:20_000], flags=re.M | re.S)
    scripts = Counter(_script(letter) for letter in prose if letter.isalpha())
    if not scripts:
        return OTHER
    # A Japanese text has more Chinese characters than kana; a Chinese one has no kana.
    if scripts["ja"] * 10 > scripts["zh"]:
        scripts["ja"] += scripts.pop("zh", 0)
    found = scripts.most_common(1)[0][0]
    letters = set(prose.lower())
    if found == "ru" and letters & _UKRAINIAN:
        return "uk"
    if found == "ar" and letters & _PERSIAN:
        return "fa"
    return _latin(prose) if found == "latin" else found


def _script(letter: str) -> str:
    name = unicodedata.name(letter, "")
    return next((code for begin, code in _SCRIPTS if name.startswith(begin)), OTHER)


def _latin(prose: str) -> str:
    tables = {code: frozenset(words.split()) for code, words in _WORDS.items()}
    weights: Counter[str] = Counter()
    for word in re.findall(r"[^\W\d_]+", prose.lower()):
        of = [code for code, table in tables.items() if word in table]
        for code in of:
            weights[code] += 1 / len(of)  # type: ignore[assignment] # a Counter of weights
    ranked = weights.most_common(2)
    if not ranked or ranked[0][1] < _SURE:
        return OTHER
    if len(ranked) > 1 and ranked[1][1] >= ranked[0][1]:
        return OTHER
    return ranked[0][0]
