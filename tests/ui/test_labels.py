"""The page's words: complete in every language, nowhere else than in the tables, and chosen by the
browser's language or by the person."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import expect

from parley import labels, labels_ru
from parley.ui import page_files

ENGLISH = {name: text for name, text in vars(labels).items() if name.isupper()}
RUSSIAN = {name: text for name, text in vars(labels_ru).items() if name.isupper()}

SAME = {
    "APP": "a name",
    "MARKDOWN": "a name",
    "HTML": "a name",
    "JSON": "a name",
    "JSONL": "a name",
    "CSV": "a name",
    "DELETE_KEY": "what is written on the key",
    "TOP_P": "the setting's name in Russian too",
    "TOP_K": "the setting's name in Russian too",
    "MIN_P": "the setting's name in Russian too",
    "TYPICAL_P": "the setting's name in Russian too",
    "TOKEN": "nothing but placeholders",
    "SETTING_FROM_TO": "nothing but placeholders",
}
"""Labels that read alike in both languages, and why."""

NAMES = {"OpenAI", "CMakeLists", "Dockerfile", "Makefile"}
"""Words in the scripts that a person may read and that are the same in every language."""

KEYS = {"Ctrl", "Shift", "Alt", "Enter", "Esc", "Del"}
"""What is written on the keys."""


def gaps(text):
    return sorted(re.findall(r"\{\w+\}", text))


def test_both_tables_have_the_same_names():
    assert set(RUSSIAN) == set(ENGLISH)


@pytest.mark.parametrize("table", [labels, labels_ru])
def test_no_name_is_given_twice(table):
    text = Path(table.__file__).read_text(encoding="utf-8")
    names = re.findall(r"^([A-Z][A-Z_0-9]*) = ", text, re.MULTILINE)
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("name", sorted(ENGLISH))
def test_a_translation_has_the_placeholders_of_the_original(name):
    assert gaps(RUSSIAN[name]) == gaps(ENGLISH[name])


def test_every_label_is_translated():
    assert {name for name in ENGLISH if RUSSIAN[name] == ENGLISH[name]} == set(SAME)


# What a regular expression takes for words that a person reads, in a script or in the markup.
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`')
SHOWN = re.compile(
    r"""(?:"?(?:aria-label|placeholder|alt)"?: |"(?:title|aria-label)", """
    r"""|\b(?:title|fix|sentence): |textContent = """
    r"""|\b(?:put|say|said|toast|flash)\((?:[^"`(]*, )?)\Z"""
)
CODE = re.compile(r"[\[\]=<>#]|^\s*\.|M\d|\d+(?:px|%|ms)|data-|aria-|--|[a-z]-[a-z]")


def sentences(script):
    """Literals of two words or more, or that begin as a sentence does; and short ones in places
    where people read them."""
    code = re.sub(r"(?m)(?:^|\s)//.*$", "", script)
    code = re.sub(
        r"(?:(?<=[=(,:!&|?])|(?<=return))\s*/(?![/*])(?:[^/\\\n\[]|\\.|\[[^\]\n]*\])+/[a-z]*",
        " 0",
        code,
    )
    found = []
    for literal in LITERAL.finditer(code):
        text = re.sub(r"\$\{[^}]*\}", "", literal[1] if literal[1] is not None else literal[2])
        before = code[max(0, literal.start() - 60) : literal.start()]
        classes = re.search(
            r"(?:class: |\"class\", |className = |matches\(|closest\(|querySelector(?:All)?\(|\$\()"
            r"(?:\"[^\"]*\" \+ )*$",
            before,
        )
        if classes or CODE.search(text):
            continue
        capital = re.match(r"\s*[A-Z][a-z]+(?: |[.!?,…]|$)", text) and not re.search(
            r"(?:key\s*[!=]==?|includes\()\s*$|\[(?:\s*\"\w+\",)*\s*$", before
        )
        plain = re.search(r"[A-Za-z]{2,}[.,;:]? [a-z]{2,}", text)
        place = SHOWN.search(before)
        if (capital or plain or (place and re.search(r"[A-Za-z]{3,}", text))) and not (
            set(re.findall(r"[A-Za-z]+", text)) & NAMES
        ):
            found.append(text)
    return found


NOT_SHOWN = {
    "noopener noreferrer": "a link's relation",
    "(hover: none) and (pointer: coarse)": "a media query",
    "icon mark": "classes in markup",
    "Key": "the beginning of a key's code",
}
"""What looks like words and is for the browser."""


@pytest.mark.parametrize("name", page_files.SCRIPTS)
def test_a_script_contains_no_words_that_a_person_reads(name):
    assert [
        s for s in sentences(page_files._read(f"{name}.js")) if s not in {*NOT_SHOWN, *KEYS}
    ] == []


@pytest.mark.parametrize(
    "script",
    [
        'say("Parley does not answer yet.");',
        "put(ear, `Loading ${model.name} was stopped.`);",
        'attr(pin, "title", on ? "Pinned: stays until somebody unloads it" : null);',
        'el("p", {}, "Copied")',
        'el("button", { "aria-label": "close" })',
        'node.textContent = "none";',
        'wait + ", until it is loaded"',
    ],
)
def test_words_in_a_script_would_be_found(script):
    assert sentences(script)


def test_the_markup_contains_no_words_that_a_person_reads():
    html = page_files._read("page.html")
    spoken = re.findall(r'(?:aria-label|title|placeholder|alt)="([^"]*)"', html)
    shown = re.findall(r">([^<]+)<", html)
    left = [re.sub(r"\[\[\w+\]\]", "", text) for text in [*spoken, *shown]]
    keys = {"Ctrl+Shift+F", "(Esc)", "?"}
    assert [text for text in left if text.strip() and text.strip() not in keys] == []


@pytest.mark.skipif(not shutil.which("node"), reason="needs node to run the script")
@pytest.mark.parametrize(
    ("kept", "preferred", "language"),
    [
        (None, ["ru-RU", "en"], "ru"),
        (None, ["ru"], "ru"),
        (None, ["de-DE", "ru"], "en"),
        (None, ["en-GB", "ru"], "en"),
        (None, [], "en"),
        ('"ru"', ["en-US"], "ru"),
        ('"en"', ["ru-RU"], "en"),
        ('"xx"', ["ru-RU"], "ru"),
        ("torn{", ["ru-RU"], "ru"),
    ],
)
def test_the_language_is_the_chosen_one_else_the_browsers_first(kept, preferred, language):
    before = (
        f"const WORDS = {{ en: {{ X: 'en' }}, ru: {{ X: 'ru' }} }};"
        f"const localStorage = {{ getItem: () => {json.dumps(kept)} }};"
        "Object.defineProperty(globalThis, 'navigator', "
        f"{{ value: {{ languages: {json.dumps(preferred)} }} }});"
        "const document = { documentElement: {} };"
    )
    after = "console.log(LANGUAGE, LABELS.X, document.documentElement.lang);"
    script = before + page_files._read("language.js") + after
    done = subprocess.run(
        ["node", "-e", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.split() == [language] * 3, done.stderr


def test_a_russian_browser_gets_a_russian_page(people):
    page = people(locale="ru-RU").page
    assert page.evaluate("document.documentElement.lang") == "ru"
    expect(page.get_by_role("button", name="Новый чат").first).to_be_visible()
    expect(page.get_by_role("button", name="Настройки").first).to_be_visible()
    expect(page.get_by_label("Спросите что угодно")).to_be_visible()
    # The page's own words, wherever they stand; the rest is the server's or a model's.
    for words in ("New chat", "Ask anything", "Theme", "Your data", "Load now"):
        expect(page.get_by_text(words, exact=True)).to_have_count(0)


def test_any_other_browser_gets_an_english_page(people):
    page = people(locale="de-DE").page
    assert page.evaluate("document.documentElement.lang") == "en"
    expect(page.get_by_role("button", name="New chat").first).to_be_visible()
    expect(page.get_by_label("Ask anything")).to_be_visible()


def test_a_person_chooses_the_language_and_it_stays_chosen(people):
    person = people(locale="en-US")
    person.page.fill(".composer textarea", "half a thought")
    with person.page.expect_navigation():
        person.page.get_by_role("button", name="Language").click()
    person.ready()
    expect(person.page.get_by_role("button", name="Язык")).to_contain_text("Русский")
    expect(person.page.locator(".composer textarea")).to_have_value("half a thought")
    person.open()
    expect(person.page.get_by_role("button", name="Новый чат").first).to_be_visible()
    with person.page.expect_navigation():
        person.page.get_by_role("button", name="Язык").click()
    person.ready()
    expect(person.page.get_by_role("button", name="New chat").first).to_be_visible()


def test_choosing_a_language_does_not_end_a_temporary_chat(people):
    person = people(locale="en-US")
    person.page.click("[data-act=temporary]")
    person.ask("Say anything")
    answers = person.answers()
    person.page.get_by_role("button", name="Language").click()
    expect(person.page.locator(".toast")).to_contain_text(labels.LANGUAGE_LATER)
    assert person.answers() == answers
    person.page.reload()
    person.ready()
    expect(person.page.get_by_role("button", name="Новый чат").first).to_be_visible()


def test_the_shortcuts_work_on_a_russian_keyboard(people):
    page = people(locale="ru-RU").page
    page.evaluate(
        "document.dispatchEvent(new KeyboardEvent('keydown',"
        " { key: 'л', code: 'KeyK', ctrlKey: true, bubbles: true }))"
    )
    expect(page.get_by_role("dialog", name="Выбор модели")).to_be_visible()
