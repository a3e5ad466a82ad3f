"""A Russian page hears Russian from the server too; an English one beside it hears English."""

from __future__ import annotations

import re

from playwright.sync_api import expect

LATIN_WORDS = re.compile(r"\b(?:tokens?|tok/s|first|loaded|memory|free|Fits|On disk|parameters)\b")


def test_the_line_under_an_answer_is_in_the_readers_language(people):
    russian, english = people(locale="ru-RU"), people(locale="en-GB")
    for person, words in ((russian, ("токен", "ток/с", " с")), (english, ("tokens", "tok/s"))):
        person.ask("Say anything")
        line = person.page.locator(".msg.assistant .stats")
        for word in words:
            expect(line).to_contain_text(word)
    assert not LATIN_WORDS.search(russian.page.inner_text(".msg.assistant .stats"))


def test_the_cards_and_the_machine_are_in_russian(people):
    page = people(locale="ru-RU").page
    page.click("button.picker")
    expect(page.locator(".sheet[open] .option", has_text="Slow Llama")).to_contain_text("На диске")
    assert not LATIN_WORDS.search(page.inner_text(".sheet[open]"))
    page.keyboard.press("Escape")
    page.click("[data-act=machine]")
    panel = page.locator(".machine[open]")
    expect(panel).to_contain_text("свободно")
    expect(panel).to_contain_text(re.compile(r"\d ГБ"))
    assert not LATIN_WORDS.search(panel.inner_text())


def test_a_failure_is_told_in_russian_also_when_it_is_read_again(people):
    person = people(locale="ru-RU")
    person.pick("Torn Llama")
    person.send("Say anything")
    fault = person.page.locator(".msg.assistant .fault")
    expect(fault).to_contain_text("Файлы Torn Llama повреждены")
    expect(fault).to_contain_text("«Повторить»")
    person.page.reload()
    person.ready()
    expect(fault).to_contain_text("Файлы Torn Llama повреждены")


def test_a_question_is_refused_in_russian(people):
    page = people(locale="ru-RU").page
    reply = page.evaluate("Parley.ask('open_chat', { chat: 'nowhere' })")
    assert reply["error"]["sentence"] == "Этого разговора больше нет."
    reply = page.evaluate("Parley.ask('open_chat', { chat: 'nowhere', speaks: 'xx' })")
    assert reply["error"]["sentence"] == "This conversation is no longer there."
