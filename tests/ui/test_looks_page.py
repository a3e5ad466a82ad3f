"""Looking closely at an answer, on the page: tokens, the exact prompt, code, the window's meter."""

from __future__ import annotations

import re


def opened(person, name):
    """The table of an answer's figures, and what it leads to."""
    if not person.page.locator(".msg.assistant:last-child .looks").is_visible():
        person.page.locator(".msg.assistant:last-child .stats").click()
    person.page.locator(f".msg.assistant:last-child [data-act={name}]").click()


def test_tokens_are_told_apart_by_their_probability_and_one_can_branch_from_each(person):
    person.ask("Say something")
    opened(person, "inspect")
    tokens = person.page.locator(".inspector .tokens .token")
    tokens.nth(5).wait_for()
    assert tokens.count() >= 30
    assert len(set(tokens.evaluate_all("all => all.map(n => n.className)"))) > 1
    tokens.nth(3).click()
    choices = person.page.locator(".alternatives .choice")
    assert choices.count() in (5, 6)  # the five likeliest, and the one that was drawn
    assert re.fullmatch(r"[<>]?[\d.]+ %", choices.first.locator("span").inner_text())
    person.page.locator(".alternatives button.choice").first.click()
    person.page.wait_for_selector(".msg.assistant:last-child .turns")
    person.wait_until_done()
    assert "2/2" in person.page.inner_text(".msg.assistant:last-child .turns")
    assert person.page.locator(".inspector").count() == 0


def test_tokens_can_be_walked_by_keyboard(person):
    person.ask("Say something")
    opened(person, "inspect")
    tokens = person.page.locator(".inspector .tokens .token")
    tokens.first.wait_for()
    tokens.first.focus()
    person.page.keyboard.press("ArrowRight")
    assert tokens.nth(1).evaluate("node => node === document.activeElement")
    person.page.keyboard.press("ArrowDown")
    assert person.page.evaluate("!!document.activeElement.closest('.alternatives')")
    person.page.keyboard.press("Escape")
    assert tokens.nth(1).evaluate("node => node === document.activeElement")
    assert not person.page.locator(".alternatives").is_visible()


def test_the_exact_prompt_shows_every_token_and_what_the_cache_holds(person):
    person.ask("A very particular question")
    opened(person, "exact-prompt")
    sheet = person.page.locator("dialog.looking")
    sheet.wait_for()
    assert "A very particular question" in sheet.locator(".prompt").inner_text()
    assert sheet.locator(".prompt .control").count() >= 2
    assert sheet.locator(".prompt .cached").count() > 3
    ids = sheet.locator(".prompt span").evaluate_all("all => all.map(n => +n.dataset.id)")
    assert all(isinstance(i, int) for i in ids)
    sheet.locator("input[type=checkbox]").check()
    assert "ids" in sheet.locator(".prompt").get_attribute("class")


def test_code_can_be_chosen_and_copied(person):
    person.context.grant_permissions(["clipboard-read", "clipboard-write"])
    person.ask("Say something")
    opened(person, "view-code")
    sheet = person.page.locator("dialog.looking")
    sheet.wait_for()
    assert "from transformers import" in sheet.locator("code").inner_text()
    sheet.get_by_role("button", name="OpenAI").click()
    assert "from openai import OpenAI" in sheet.locator("code").inner_text()
    sheet.get_by_role("button", name="Copy").click()
    copied = person.page.evaluate("navigator.clipboard.readText()")
    assert copied == sheet.locator("code").inner_text() or "openai" in copied


def used(person):
    about, of = person.page.inner_text(".composer .used").split("/")
    return about.startswith("≈"), int(re.sub(r"\D", "", about)), int(re.sub(r"\D", "", of))


def test_the_meter_counts_with_the_models_own_tokenizer_once_it_is_there(person):
    person.pick("Quick Llama")
    person.ask("Say something")
    person.page.wait_for_function("/^\\d/.test(document.querySelector('.used').textContent)")
    guessed, before, window = used(person)
    assert not guessed
    person.page.fill(".composer textarea", "word " * 30)
    person.page.wait_for_function(
        "before => +document.querySelector('.used').textContent.split('/')[0].replace(/\\D/g, '')"
        " > before + 25",
        arg=before,
    )
    assert used(person)[2] == window


def test_a_link_picks_a_model_and_begins_or_sends_a_message(people):
    person = people()
    person.open("/?model=other&prompt=Half%20a%20thought")
    assert person.page.input_value(".composer textarea") == "Half a thought"
    assert "Other OLMo" in person.page.inner_text("button.picker")
    person.page.reload()
    person.ready()
    assert "prompt=" not in person.page.url
    person.open("/?model=quick&q=Say%20it")
    person.page.wait_for_selector(".msg.assistant:not(.live) .stats")
    assert person.page.inner_text(".msg.user .said") == "Say it"
    assert person.stamps() == ["Quick Llama"]
    person.page.reload()
    person.ready()
    assert person.page.locator(".msg.user").count() == 1


def test_a_link_to_an_unknown_model_says_so_and_sends_nothing(person):
    person.open("/?model=nobody&q=Hello")
    assert "nobody" in person.page.inner_text(".hint")
    assert person.page.locator(".msg").count() == 0
