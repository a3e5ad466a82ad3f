"""What the page promises, tried by a person in a real browser on real models."""

from __future__ import annotations

import os
import re
import signal
import time

IDLE = 0.03
"""Processor seconds an idle engine may use in 0.3 s of watching; a busy one uses ten times that."""


def wait_until_idle(server, seconds: float = 10) -> float:
    """How long the engines went on computing."""
    began = time.monotonic()
    while server.busy() > IDLE:
        assert time.monotonic() - began < seconds, "the engine goes on computing"
    return time.monotonic() - began


def begins(text: str) -> str:
    """How it begins, without what Markdown may show or swallow while it is half received."""
    return re.sub(r"[\W_]", "", text)[:8]


def test_an_answer_streams_and_carries_its_models_name_and_figures(person):
    answer = person.ask("Hello")
    assert answer.strip()
    assert person.stamps() == ["Quick Llama"]
    stats = person.page.inner_text(".msg.assistant .stats")
    assert "token" in stats
    assert "first token" in stats


def test_another_model_answers_inside_the_same_conversation(person):
    person.ask("First question")
    person.pick("Other OLMo")
    person.ask("Second question")
    assert person.stamps() == ["Quick Llama", "Other OLMo"]
    questions = person.page.eval_on_selector_all(".msg.user", "all => all.map(n => n.innerText)")
    assert questions == ["First question", "Second question"]


def test_an_answer_goes_on_when_its_tab_is_closed_and_is_complete_on_return(people, server):
    leaver = people()
    leaver.pick("Quick Llama")
    leaver.send("Say it all")
    leaver.page.wait_for_selector(".msg.assistant")
    leaver.page.wait_for_function("location.hash.startsWith('#/c/')")
    address = leaver.page.url
    another = leaver.page.context.new_page()
    leaver.page.close()
    assert wait_until_idle(server) < 10
    another.goto(address)
    another.wait_for_selector(".msg.assistant:not(.live) .stats")
    assert "40 tokens" in another.inner_text(".msg.assistant .stats")


def test_reloading_while_streaming_takes_the_answer_up_again(person, server):
    person.pick("Slow Llama")
    person.send("Go on for ever")
    person.wait_for_text(length=60)
    seen = person.answers()[-1]
    person.page.reload()
    person.ready()
    person.wait_for_text(length=len(seen) + 40)
    assert begins(person.answers()[-1]) == begins(seen)
    assert person.stamps() == ["Slow Llama"]
    person.stop()
    assert wait_until_idle(server) < 5
    kept = person.answers()[-1]
    person.page.reload()
    person.ready()
    assert person.answers()[-1] == kept


def test_a_killed_engine_is_said_and_retry_works(person, server):
    person.pick("Slow Llama")
    person.send("Go on for ever")
    person.wait_for_text(length=40)
    before = person.answers()[-1]
    busiest = max(server.engines(), key=lambda pid: _cpu_now(pid))
    os.kill(busiest, signal.SIGKILL)
    person.wait_until_done()
    assert "ended unexpectedly" in person.page.inner_text(".msg.assistant:last-child .fault")
    assert begins(person.answers()[-1]) == begins(before)
    person.page.click(".msg.assistant .fault .again")
    person.wait_for_text(length=20)
    person.stop()
    assert not person.page.is_visible(".msg.assistant .fault")


def _cpu_now(pid: int) -> float:
    from tests.ui.conftest import cpu_seconds

    before = cpu_seconds(pid)
    time.sleep(0.1)
    return cpu_seconds(pid) - before


def test_enter_while_an_answer_is_written_keeps_the_text(person):
    person.pick("Slow Llama")
    person.send("Go on for ever")
    person.wait_for_text()
    person.send("My next question")
    assert person.page.input_value(".composer textarea") == "My next question"
    assert person.page.is_enabled(".composer textarea")
    person.stop()
    person.page.press(".composer textarea", "Enter")
    person.wait_for_text(index=1)
    person.stop()
    assert len(person.answers()) == 2


def test_a_draft_survives_a_reload(person):
    person.page.fill(".composer textarea", "half a thought")
    person.page.reload()
    person.ready()
    assert person.page.input_value(".composer textarea") == "half a thought"


def test_shift_enter_makes_a_new_line(person):
    person.page.fill(".composer textarea", "one")
    person.page.press(".composer textarea", "Shift+Enter")
    person.page.type(".composer textarea", "two")
    assert person.page.input_value(".composer textarea") == "one\ntwo"


def test_picking_another_model_mid_answer_ends_the_computation(person, server):
    person.pick("Slow Llama")
    person.send("Go on for ever")
    person.wait_for_text(length=30)
    person.pick("Quick Llama")
    person.wait_until_done()
    assert wait_until_idle(server) < 5


def test_retry_writes_a_second_answer_and_the_arrows_walk_between_both(person):
    first = person.ask("Say something")
    person.pick("Other OLMo")
    person.page.click(".msg.assistant [data-act=retry]")
    person.wait_until_done()
    assert person.stamps() == ["Other OLMo"]
    assert "2/2" in person.page.inner_text(".turns")
    person.page.click(".turns [data-step='-1']")
    person.page.wait_for_function(
        "document.querySelector('.msg.assistant .who .name').innerText === 'Quick Llama'"
    )
    assert person.answers() == [first]


def test_one_person_never_sees_anothers_chats(people):
    one, other = people(), people()
    one.ask("A private question")
    other.page.reload()
    other.ready()
    assert other.page.locator(".chat").count() == 0
    other.page.goto(one.page.url)
    other.page.reload()
    other.ready()
    assert other.answers() == []


def test_settings_are_kept_per_model_and_reset(person):
    person.page.click(".top [data-act=settings]")
    field = ".field[data-key=max_new_tokens] input[type=number]"
    person.page.fill(field, "3")
    person.page.press(field, "Tab")
    person.ask("Hello")
    assert person.page.inner_text(".msg.assistant .stats").startswith("3 tokens")
    person.pick("Other OLMo")
    assert person.page.input_value(field) == "40"
    person.pick("Quick Llama")
    assert person.page.input_value(field) == "3"
    person.page.click("[data-act=reset]")
    assert person.page.input_value(field) == "40"


def test_the_same_seed_gives_the_same_text(person):
    person.page.click(".top [data-act=settings]")
    person.page.fill(".field[data-key=seed] input", "7")
    first = person.ask("Hello")
    person.page.click(".side .new")
    assert person.ask("Hello") == first


def test_an_example_is_sent_by_a_click(person):
    person.page.click(".examples button:has-text('Say anything')")
    person.wait_until_done()
    assert person.page.inner_text(".msg.user") == "Say anything"


def test_a_changed_catalogue_is_taken_and_a_broken_one_is_said(person, server):
    kept = server.models.read_text()
    try:
        server.models.write_text(kept.replace("Other OLMo", "Renamed OLMo"))
        person.page.click(".top [data-act=settings]")
        person.page.click("[data-act=reload]")
        person.page.click("button.picker")
        person.page.wait_for_selector(".option:has-text('Renamed OLMo')")
        person.page.keyboard.press("Escape")
        server.models.write_text(kept.replace("sampling", "samplign"))
        person.page.click("[data-act=reload]")
        person.page.wait_for_selector(".catalogue-error:has-text('samplign')")
        person.ask("Still there?")
        assert not person.page.is_visible(".msg.assistant:last-child .fault")
    finally:
        server.models.write_text(kept)


def test_deleting_a_chat_is_done_at_once_and_can_be_undone(person):
    person.ask("To be deleted")
    person.page.click(".chat .acts")
    person.page.click(".menu .bad")
    person.page.wait_for_function("!document.querySelector('.chat')")
    person.page.click(".toast .undo")
    person.page.wait_for_selector(".msg.user:has-text('To be deleted')")
    assert person.page.locator(".chat").count() == 1


def test_a_phone_reaches_everything_without_sideways_scroll(people):
    phone = people(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    phone.pick("Slow Llama")
    phone.page.fill(".composer textarea", "Go on")
    phone.page.click(".send")
    phone.wait_for_text(length=20)
    box = phone.page.locator(".stop").bounding_box()
    assert 0 <= box["x"] <= 390 - box["width"]
    assert box["y"] + box["height"] <= 844
    phone.stop()
    phone.page.click(".show-side")
    phone.page.wait_for_selector(".chat .open:visible")
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_no_request_leaves_the_machine(people, server):
    asked: list[str] = []
    visitor = people()
    visitor.page.on("request", lambda request: asked.append(request.url))
    visitor.page.reload()
    visitor.ready()
    visitor.ask("Hello")
    assert [url for url in asked if not url.startswith((server.url, "data:", "blob:"))] == []


def test_a_sent_message_is_pinned_near_the_top(people):
    # So high that the answer cannot outgrow the view while the test looks.
    person = people(viewport={"width": 1200, "height": 2400})
    person.ask("First")
    person.pick("Slow Llama")
    person.send("Second")
    person.wait_for_text(length=10)
    person.page.wait_for_timeout(900)
    top = "document.querySelectorAll('.msg.user')[1].getBoundingClientRect().top"
    scroller = "document.querySelector('.scroll').getBoundingClientRect().top"
    assert 30 <= person.page.evaluate(f"{top} - {scroller}") <= 80
    person.stop()


def test_the_view_follows_the_answer_and_never_fights_a_hand_on_the_wheel(people):
    person = people(viewport={"width": 1000, "height": 480})
    person.pick("Slow Llama")
    person.send("Go on for ever")
    end = (
        "document.querySelector('.msg:last-child').getBoundingClientRect().bottom"
        " - document.querySelector('.dock').getBoundingClientRect().top"
    )
    person.wait_for_text(length=1200)
    assert person.page.evaluate(end) < 60
    # A hand on the wheel is never fought.
    person.page.hover(".messages")
    person.page.mouse.wheel(0, -120)
    person.page.wait_for_timeout(300)
    before = person.page.evaluate("document.querySelector('.scroll').scrollTop")
    person.wait_for_text(length=1400)
    assert person.page.evaluate("document.querySelector('.scroll').scrollTop") == before
    person.stop()


def test_nothing_but_words_is_shown_while_a_model_loads(people):
    person = people()
    person.page.evaluate(
        """() => {
          window.said = new Set();
          const look = () => {
            for (const node of document.querySelectorAll('.status:not([hidden])'))
              window.said.add(node.innerText);
            requestAnimationFrame(look);
          };
          look();
        }"""
    )
    person.pick("Other OLMo")
    person.ask("Hello")
    said = person.page.evaluate("[...window.said]")
    assert said
    assert not [line for line in said if re.search(r"null|undefined|NaN|\[object", line)]


def test_load_now_that_fails_says_why_on_the_card(person):
    person.pick("Torn Llama")
    person.page.click("[data-act=load-now]")
    person.page.wait_for_selector(".card .notice:has-text('damaged')")


def test_a_second_tabs_turn_does_not_vanish(people):
    person = people()
    person.ask("Begun in the first tab")
    address = person.page.url
    first = person.page
    second = person.context.new_page()
    second.goto(address)
    second.wait_for_selector(".parley[data-ready]")
    second.fill(".composer textarea", "Said in the second tab")
    second.press(".composer textarea", "Enter")
    second.wait_for_function("!document.querySelector('.parley.busy')")
    person.page = first
    person.ask("Said in the first tab again")
    first.wait_for_selector(".msg.user:has-text('Said in the second tab')")
    questions = first.eval_on_selector_all(".msg.user", "all => all.map(n => n.innerText)")
    assert questions == [
        "Begun in the first tab",
        "Said in the second tab",
        "Said in the first tab again",
    ]


def test_a_refused_setting_says_what_is_allowed_and_keeps_the_last_good_one(person):
    person.page.click(".top [data-act=settings]")
    field = ".field[data-key=temperature]"
    person.page.fill(f"{field} input[type=number]", "99")
    assert person.page.inner_text(f"{field} small") == "Use a number from 0 to 5."
    person.page.press(f"{field} input[type=number]", "Tab")
    assert person.page.input_value(f"{field} input[type=number]") == "0.7"


def changes(person):
    """What this browser keeps of the settings, by model."""
    return person.page.evaluate("JSON.parse(localStorage.getItem('parley.settings')) || {}")


def test_rare_settings_wait_under_more(person):
    page = person.page
    page.click(".top [data-act=settings]")
    bias = ".field[data-key=logit_bias]"
    assert not page.is_visible(bias)
    page.click("summary:has-text('More')")
    page.fill(f"{bias} input", "12: -5, 13: much")
    assert page.inner_text(f"{bias} small").startswith("Write each as token id: bias")
    page.fill(f"{bias} input", "12: 500")
    assert page.inner_text(f"{bias} small") == "Use a bias from -100 to 100."
    assert changes(person) == {}
    page.fill(f"{bias} input", "12: -5, 13:1.5")
    page.fill(".field[data-key=presence_penalty] input[type=number]", "0.4")
    assert changes(person) == {
        "quick": {"logit_bias": [[12, -5], [13, 1.5]], "presence_penalty": 0.4}
    }
    page.reload()
    page.click(".top [data-act=settings]")
    # What is changed is not hidden.
    assert page.input_value(f"{bias} input") == "12: -5, 13: 1.5"
    assert page.is_visible(bias)
    page.click("[data-act=reset]")
    assert page.input_value(f"{bias} input") == ""
    assert changes(person) == {}


def test_the_answer_format_is_one_of_four(person):
    page = person.page
    page.click(".top [data-act=settings]")
    form = ".field[data-key=form]"
    assert not page.is_visible(f"{form} textarea")
    page.select_option(f"{form} select", label="JSON")
    assert list(changes(person)["quick"]) == ["json_schema"]
    page.select_option(f"{form} select", label="JSON schema")
    page.fill(f"{form} textarea", '{"type": ')
    assert page.inner_text(f"{form} small") == "This is not JSON yet."
    page.fill(f"{form} textarea", '{"type": "boolean"}')
    assert page.inner_text(f"{form} small") == "The answer is JSON that fits it."
    assert changes(person) == {"quick": {"json_schema": '{"type": "boolean"}'}}
    page.select_option(f"{form} select", label="Regex")
    page.fill(f"{form} textarea", "(yes|no){2}")
    assert changes(person) == {"quick": {"regex": "(yes|no){2}"}}
    page.reload()
    page.click(".top [data-act=settings]")
    assert page.input_value(f"{form} textarea") == "(yes|no){2}"
    page.select_option(f"{form} select", label="Free text")
    assert not page.is_visible(f"{form} textarea")
    assert changes(person) == {}


def test_an_answer_keeps_to_the_settings_format(person):
    page = person.page
    page.click(".top [data-act=settings]")
    page.select_option(".field[data-key=form] select", label="Regex")
    page.fill(".field[data-key=form] textarea", "(yes|no){2}")
    assert person.ask("Well?") in {a + b for a in ("yes", "no") for b in ("yes", "no")}
    page.fill(".field[data-key=form] textarea", "(")
    page.fill(".composer textarea", "And now?")
    page.press(".composer textarea", "Enter")
    page.wait_for_selector("text=This regex cannot be followed: unclosed group.")


def test_a_long_question_is_folded(person):
    person.page.click(".top [data-act=settings]")
    person.ask("word " * 400)
    assert person.page.locator(".msg.user.folded").count() == 1
    person.page.click(".msg.user .more")
    assert person.page.locator(".msg.user.folded").count() == 0
