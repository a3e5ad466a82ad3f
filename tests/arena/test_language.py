"""The language of a prompt, or none where it cannot be told."""

from __future__ import annotations

import pytest

from parley.arena.language import CODES, guess


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("What is the capital of France?", "en"),
        ("Write a poem about the sea", "en"),
        ("Explain recursion", "en"),
        ("Wie heißt die Hauptstadt von Frankreich?", "de"),
        ("Quelle est la capitale de la France ?", "fr"),
        ("¿Cuál es la capital de Francia?", "es"),
        ("Qual é a capital do Brasil? Você pode explicar?", "pt"),
        ("Qual è la capitale della Francia? Puoi spiegare perché?", "it"),
        ("Wat is de hoofdstad van het land?", "nl"),
        ("Jak możesz to wyjaśnić?", "pl"),
        ("Vad är huvudstaden och varför?", "sv"),
        ("Türkiye'nin başkenti nedir ve neden?", "tr"),
        ("日本の首都はどこですか", "ja"),
        ("東京都知事について", "ja"),
        ("法国的首都是哪里？", "zh"),
        ("프랑스의 수도는 어디입니까?", "ko"),
        ("Какая столица у Франции?", "ru"),
        ("Яка столиця України?", "uk"),
        ("ما هي عاصمة فرنسا؟", "ar"),
        ("پایتخت فرانسه کجاست؟", "fa"),
        ("מהי בירת צרפת?", "he"),
        ("Ποια είναι η πρωτεύουσα;", "el"),
        ("फ्रांस की राजधानी क्या है?", "hi"),
        ("เมืองหลวงของฝรั่งเศสคืออะไร", "th"),
        ("Переведи: good", "ru"),
        ("", "other"),
        ("2 + 2 = ?", "other"),
        ("Xyzzy plugh", "other"),
        ("🙂🙂", "other"),
        ("Was macht das?\n```python\nfor the in what: print(where)\n```", "de"),
    ],
)
def test_a_language_is_told_or_not_guessed(text, code):
    assert guess(text) == code
    assert code in CODES
