"""What the server says is said in the reader's language: every sentence has its translation,
numbers and words agree, and nothing that a person or a model wrote is touched."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from parley import labels_ru, sizes, speech
from parley.errors import StoreError
from parley.speech import Said, say, spoken
from parley.speech_ru import SAID
from parley.ui import stats, views
from tests.sentences import GAP, Finder, is_words

SOURCES = Path(speech.__file__).parent
SPEAKERS = {
    **dict.fromkeys(
        (
            *("ParleyError", "CatalogueError", "LoadError", "PromptError", "GenerationError"),
            *("PoolError", "StoreError", "Failed"),
        ),
        (1, 2),
    ),
    "speech.py:Said": (0,),
    "Document": (2,),
}
"""Calls whose arguments a person reads, and which arguments these are."""

ELSEWHERE = {
    "guide/": "training, by developers",
    "settings.py": "read in a terminal, before there is a page",
    "cli.py": "read in a terminal",
    "people.py": "read in a terminal",
    "chats/backup.py": "read in a terminal",
    "ui/app.py": "read in a terminal",
    "ui/endpoints.py": "read by programs",
    "ui/token_endpoints.py": "read by programs",
    "snippet.py": "code",
    "errors.py": "hands errors on",
}
"""What is not said on the page, and where instead."""

KNOWN_GAP = re.compile(r"\{[a-z]+(?::[^{}]*)?\}")


@pytest.fixture(scope="module")
def found():
    finder = Finder(SOURCES, SPEAKERS, ELSEWHERE)
    finder.also("prompts/render.py", "NO_TEMPLATE")
    finder.also("prompts/render.py", "FOLDED")
    finder.also("prompts/trim.py", "note")
    return finder.found


def test_every_sentence_the_server_says_has_a_russian_one(found):
    said = {part for text in found.said | found.parts for part in text.split(" · ")}
    known = {KNOWN_GAP.sub(GAP, key) for key in SAID}
    assert sorted(text for text in said - known if is_words(text)) == []


def test_the_sources_are_read_where_they_speak(found):
    """One of each way to say something, so that the test above cannot pass by finding nothing."""
    assert len(found.said) > 200
    for text in (
        "The message is empty.",  # a constant
        "{} is larger than {}.",  # an f-string
        "Restore the files in its folder, then press Retry.",  # a choice
        "Save the sheet as CSV, then attach that.",  # a table
        "This JSON schema cannot be followed: {}.",  # a pair that a function returns
        "Reading the prompt",  # marked where it is sent
        "The chat template of {} uses something it was not given ({}).",
    ):
        assert text in found.said
    assert "there is no folder {}" in found.parts
    assert "an object" in found.parts


def test_no_sentence_is_out_of_sight(found):
    assert found.unknown == set()


@pytest.mark.parametrize("key", sorted(SAID))
def test_a_translation_fills_every_gap_and_no_other(key):
    names = {match[1] for match in speech._GAP.finditer(key)}
    assert {match[1] for match in speech._GAP.finditer(SAID[key])} == names
    for match in speech._GAP.finditer(SAID[key]):
        assert match[2] is None or len(match[2].split("|")) == 3


def test_buttons_are_called_what_the_page_calls_them():
    labels = {text for name, text in vars(labels_ru).items() if name.isupper()}
    quoted = {name for text in SAID.values() for name in re.findall(r"«([^»]*)»", text)}
    assert quoted - labels == set()


@pytest.mark.parametrize(
    ("english", "russian"),
    [
        ("1 token", "1 токен"),
        (
            "2 tokens · 38 tok/s · first token 0.6 s",
            "2 токена · 38 ток/с · первый токен через 0,6 с",
        ),
        ("5 tokens · stopped", "5 токенов · остановлено"),
        ("11 tokens", "11 токенов"),
        ("21 tokens", "21 токен"),
        ("1,012 tokens", "1\u00a0012 токенов"),
        (
            "Downloading 1.2 of 3.1 GB · 3.1 MB/s · 2 min left",
            "Скачано 1,2 из 3,1 ГБ · 3,1 МБ/с · осталось 2 мин",
        ),
        (
            "Waiting for memory, place 2 in the queue",
            "Ожидание памяти, место в очереди: 2",
        ),
        ("Press Retry in 30 s.", "Нажмите «Повторить» через 30 с."),
        ("Fits after unloading A, B and C", "Поместится, если выгрузить: A, B и C"),
        ("training data: open; weights: closed", "данные обучения: открыто; веса: закрыто"),
        (
            "The 3 oldest messages were left out: together with the rest they do not fit this "
            "model's context window of 1,024 tokens.",
            "Опущено самых старых сообщений: 3: вместе с остальными они не помещаются в окно "
            "контекста этой модели (1\u00a0024 токена).",
        ),
        (
            "chats[0].messages[2].id is missing, not a text.",
            "chats[0].messages[2].id: отсутствует, а нужно: текст.",
        ),
        ("Write it like {1234: -5}.", "Запишите так: {1234: -5}."),
    ],
)
def test_said_in_russian(english, russian):
    assert say(english, "ru") == russian
    assert say(english, "en") == english


@pytest.mark.parametrize("unit", [unit for _, unit in sizes._UNITS])
def test_every_unit_is_known(unit):
    assert say(f"3 {unit}", "ru") != f"3 {unit}"
    assert say(f"1 of 3 {unit}", "ru") != f"1 of 3 {unit}"


@pytest.mark.parametrize("seconds", [0.04, 0.6, 61, 400, 4000, 3600, 200_000])
def test_every_length_of_time_is_known(seconds):
    for text in (stats.seconds(seconds), stats.duration(seconds)):
        assert not re.search("[A-Za-z]", say(text, "ru"))


@pytest.mark.parametrize("text", ["", "Nobody has translated this.", "a · b", "x; y", "7b: q"])
def test_what_has_no_entry_stays(text):
    assert say(text, "ru") == text


def test_names_in_a_sentence_are_left_alone():
    assert say("The message is empty. is empty.", "ru") == "The message is empty.: файл пуст."
    assert say("Loading Fits was stopped.", "ru") == "Загрузка Fits остановлена."


def test_only_what_is_marked_is_translated():
    reply = {"text": "Fits", "status": Said("Fits"), "all": [Said("Gated"), "Gated", 1, None]}
    assert spoken(reply, "ru") == {
        "text": "Fits",
        "status": "Помещается",
        "all": ["С доступом по запросу", "Gated", 1, None],
    }
    assert spoken(reply, "en") == reply


def test_an_error_is_told_in_the_readers_language():
    error = StoreError("not_found", "That answer is gone.", "Reload the page.")
    assert spoken(views.refusal(error), "ru") == {
        "sentence": "Этого ответа больше нет.",
        "fix": "Обновите страницу.",
    }


@pytest.mark.parametrize(("asked", "spoken_in"), [("ru", "ru"), ("en", "en"), ("xx", "en")])
def test_a_page_gets_a_language_that_is_spoken_here(asked, spoken_in):
    assert speech.language_of(asked) == spoken_in
    assert speech.language_of(None) == speech.language_of(["ru"]) == "en"
