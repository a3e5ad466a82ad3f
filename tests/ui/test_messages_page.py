"""Everything one can do with a message, tried by a person in a real browser.

Answers come from real models where what they do matters, and from the store where their words do.
"""

from __future__ import annotations

import itertools

from tests.ui.transcripts import BOX, LAST, said

LENGTHS = """() => {
  window.lengths = [];
  const look = () => {
    const answers = [...document.querySelectorAll('.msg.assistant .body')];
    window.lengths.push(answers.at(-1).textContent.length);
    requestAnimationFrame(look);
  };
  look();
}"""
"""Watches how long the last answer is, frame by frame."""


# -- alternatives --


def test_an_edited_question_is_a_version_beside_the_old_one(person):
    page = person.page
    first = person.ask("The first wording")
    page.hover(".msg.user")
    page.click(".msg.user [data-act=edit]")
    assert page.input_value(".editor textarea") == "The first wording"
    page.fill(".editor textarea", "The second wording")
    page.press(".editor textarea", "Control+Enter")
    page.wait_for_selector(".msg.user:has-text('The second wording')")
    person.wait_until_done()
    assert said(page) == ["The second wording"]
    page.wait_for_selector(".msg.user .turns:has-text('2/2')")
    page.click(".msg.user .turns [data-step='-1']")
    page.wait_for_selector(".msg.user:has-text('The first wording')")
    assert person.answers() == [first]
    # Still so after a reload, which shows what is in the store.
    page.reload()
    person.ready()
    assert said(page) == ["The first wording"]
    assert "1/2" in page.inner_text(".msg.user .turns")


def test_alt_and_an_arrow_turn_the_alternatives(person):
    page = person.page
    first = person.ask("Say something")
    person.pick("Other OLMo")
    page.click(f"{LAST} [data-act=retry]")
    person.wait_until_done()
    second = person.answers()[-1]
    page.wait_for_selector(f"{LAST} .turns:has-text('2/2')")
    page.focus(BOX)
    page.keyboard.press("Alt+ArrowLeft")
    page.wait_for_selector(f"{LAST} .turns:has-text('1/2')")
    assert person.answers() == [first]
    # The focus stays where it was, and the next press works as well.
    assert page.evaluate("document.activeElement.matches('.composer textarea')")
    page.keyboard.press("Alt+ArrowRight")
    page.wait_for_selector(f"{LAST} .turns:has-text('2/2')")
    assert person.answers() == [second]
    # In a text the same keys belong to the text.
    page.fill(BOX, "some words")
    page.keyboard.press("Alt+ArrowLeft")
    page.wait_for_timeout(300)
    assert "2/2" in page.inner_text(f"{LAST} .turns")


def test_the_arrow_that_turned_a_message_keeps_the_focus(person):
    page = person.page
    person.ask("Say something")
    for _ in range(2):
        page.click(f"{LAST} [data-act=retry]")
        person.wait_until_done()
    page.wait_for_selector(f"{LAST} .turns:has-text('3/3')")
    page.focus(f"{LAST} .turns [data-step='-1']")
    for place in ("2/3", "1/3"):
        page.keyboard.press("Enter")
        page.wait_for_selector(f"{LAST} .turns:has-text('{place}')")
    # At the end there is no further; the other arrow has it then.
    assert page.evaluate("document.activeElement.matches('.turns [data-step=\"1\"]')")


def test_every_alternative_is_labelled_with_the_model_that_wrote_it(person):
    page = person.page
    person.ask("Say something")
    page.hover(LAST)
    page.click(f"{LAST} [data-act=retry-with]")
    page.click(".sheet[open] .option:has-text('Other OLMo')")
    page.wait_for_function("document.querySelector('.parley.busy') || 1")
    page.wait_for_selector(f"{LAST} .turns:has-text('2/2')")
    assert person.stamps() == ["Other OLMo"]
    # What answers next is still what the composer says.
    assert page.inner_text("button.picker .name") == "Quick Llama"
    arrow = page.locator(f"{LAST} .turns [data-step='-1']")
    assert arrow.get_attribute("aria-label") == "Previous answer, by Quick Llama"
    assert arrow.get_attribute("title") == "Previous answer, by Quick Llama"


# -- going on --


def test_an_answer_cut_by_its_length_can_be_continued_and_no_other(person):
    page = person.page
    field = ".field[data-key=max_new_tokens] input[type=number]"
    form = ".field[data-key=form]"
    page.click(".top [data-act=settings]")
    page.select_option(f"{form} select", label="Regex")
    page.fill(f"{form} textarea", "(yes|no)")
    person.ask("Yes or no?")  # which ends by itself
    page.wait_for_selector(f"{LAST} .thumb")
    assert page.locator("[data-act=continue]").count() == 0
    page.select_option(f"{form} select", label="Free text")
    page.fill(field, "5")
    short = person.ask("Say more")
    page.wait_for_selector(f"{LAST} [data-act=continue]")
    # Another tab of the same person says the same.
    page.reload()
    person.ready()
    page.evaluate(LENGTHS)
    page.click(".top [data-act=settings]")
    page.fill(field, "30")
    page.click(f"{LAST} [data-act=continue]")
    person.wait_for_text(length=len(short) + 1)
    person.wait_until_done()
    grown = person.answers()[-1]
    assert len(grown) > len(short)
    assert grown.startswith(short[:10])
    assert len(person.answers()) == 2
    lengths = page.evaluate("window.lengths")
    assert all(later >= earlier - 4 for earlier, later in itertools.pairwise(lengths))
    page.reload()
    person.ready()
    assert person.answers()[-1].split() == grown.split()


# -- editing --


def test_escape_leaves_a_question_as_it_was(person):
    page = person.page
    person.ask("As it was")
    page.hover(".msg.user")
    page.click(".msg.user [data-act=edit]")
    page.fill(".editor textarea", "As it will never be")
    page.keyboard.press("Escape")
    assert page.locator(".editor").count() == 0
    assert said(page) == ["As it was"]
    assert page.evaluate("document.activeElement.dataset.act") == "edit"


def test_arrow_up_in_an_empty_composer_edits_the_last_question(person):
    page = person.page
    person.ask("The first")
    person.ask("The last")
    page.fill(BOX, "a draft")
    page.press(BOX, "ArrowUp")
    assert page.locator(".editor").count() == 0
    page.fill(BOX, "")
    page.press(BOX, "ArrowUp")
    assert page.input_value(".editor textarea") == "The last"
    assert page.evaluate("document.activeElement.matches('.editor textarea')")


def test_an_edit_in_the_middle_keeps_what_followed_it_on_its_own_branch(person):
    page = person.page
    for question in ("One", "Two", "Three"):
        person.ask(question)
    page.hover(".msg.user >> nth=1")
    page.click(".msg.user >> nth=1 >> [data-act=edit]")
    page.fill(".editor textarea", "Two, but otherwise")
    page.click(".editor [type=submit]")
    page.wait_for_selector(".msg.user:has-text('otherwise')")
    person.wait_until_done()
    assert said(page) == ["One", "Two, but otherwise"]
    page.wait_for_selector(".turns:has-text('2/2')")
    page.click(".turns [data-step='-1']")
    page.wait_for_selector(".msg.user:has-text('Three')")
    assert said(page) == ["One", "Two", "Three"]


def test_a_refused_edit_keeps_what_was_written(person):
    page = person.page
    person.ask("As it was")
    # A setting that the server refuses: nothing is stored, and the person is told why.
    page.click(".top [data-act=settings]")
    page.select_option(".field[data-key=form] select", label="Regex")
    page.fill(".field[data-key=form] textarea", "(")
    page.hover(".msg.user")
    page.click(".msg.user [data-act=edit]")
    page.fill(".editor textarea", "Many carefully chosen words")
    page.press(".editor textarea", "Control+Enter")
    page.wait_for_selector("text=This regex cannot be followed")
    page.wait_for_selector(".editor textarea")
    assert page.input_value(".editor textarea") == "Many carefully chosen words"


def test_an_edited_answer_is_an_alternative_and_says_so(person):
    page = person.page
    first = person.ask("Say something")
    page.hover(LAST)
    page.click(f"{LAST} [data-act=edit]")
    page.fill(".editor textarea", "Something **else**.")
    page.click(".editor [type=submit]")
    page.wait_for_selector(f"{LAST} .body strong:has-text('else')")
    assert person.answers() == ["Something else."]
    assert "2/2" in page.inner_text(f"{LAST} .turns")
    assert page.inner_text(f"{LAST} .stats") == "edited"
    assert person.stamps() == ["Quick Llama"]
    # What was edited is Markdown, and the model reads it as its own words from then on.
    page.click(f"{LAST} [data-act=edit]")
    assert page.input_value(".editor textarea") == "Something **else**."
    page.keyboard.press("Escape")
    page.click(f"{LAST} .turns [data-step='-1']")
    page.wait_for_selector(f"{LAST} .turns:has-text('1/2')")
    assert person.answers() == [first]


def test_an_edit_by_keyboard_does_not_stop_the_answer_under_way(person, server):
    page = person.page
    person.pick("Slow Llama")
    person.send("Go on for ever")
    person.wait_for_text(length=20)
    page.hover(".msg.user")
    page.click(".msg.user [data-act=edit]")
    page.fill(".editor textarea", "Later")
    page.press(".editor textarea", "Control+Enter")
    page.wait_for_selector(".toast:has-text('still being written')")
    assert page.input_value(".editor textarea") == "Later"
    page.press(".editor textarea", "Escape")
    assert page.locator(".parley.busy").count() == 1
    person.stop()


# -- taking away --


def test_a_deleted_message_takes_what_is_below_and_comes_back(person):
    page = person.page
    for question in ("One", "Two"):
        person.ask(question)
    before = person.answers()
    page.hover(".msg.user >> nth=1")
    page.click(".msg.user >> nth=1 >> [data-act=delete-message]")
    page.wait_for_selector(".toast:has-text('2 messages deleted')")
    assert said(page) == ["One"]
    page.click(".toast .undo")
    page.wait_for_selector(".msg.user:has-text('Two')")
    assert said(page) == ["One", "Two"]
    assert person.answers() == before
    # And for good.
    page.hover(LAST)
    page.click(f"{LAST} [data-act=delete-message]")
    page.wait_for_selector(".toast:has-text('Message deleted')")
    page.reload()
    person.ready()
    assert len(person.answers()) == 1
    assert said(page) == ["One", "Two"]


def test_deleting_one_alternative_leaves_the_others(person):
    page = person.page
    first = person.ask("Say something")
    person.pick("Other OLMo")
    page.click(f"{LAST} [data-act=retry]")
    person.wait_until_done()
    page.hover(LAST)
    page.click(f"{LAST} [data-act=delete-message]")
    page.wait_for_selector(".toast:has-text('Message deleted')")
    assert person.answers() == [first]
    assert page.locator(".turns").count() == 0


def test_deleting_the_first_message_leaves_an_empty_chat_that_can_be_undone(person):
    page = person.page
    answer = person.ask("The only one")
    page.hover(".msg.user")
    page.click(".msg.user [data-act=delete-message]")
    page.wait_for_selector(".parley[data-view=welcome]")
    page.click(".toast .undo")
    page.wait_for_selector(".parley[data-view=chat] .msg.user")
    assert person.answers() == [answer]


# -- feedback --


def test_a_thumb_a_reason_and_a_note_are_kept(person):
    page = person.page
    person.ask("Say something")
    page.hover(LAST)
    up, down = f"{LAST} .thumb[data-value='1']", f"{LAST} .thumb[data-value='-1']"
    page.click(up)
    page.wait_for_selector(f"{up}[aria-pressed=true]")
    # Another opinion replaces it.
    page.click(down)
    page.wait_for_selector(f"{down}[aria-pressed=true]")
    assert page.get_attribute(up, "aria-pressed") == "false"
    page.check(f"{LAST} .rating input[value=off_topic]")
    page.fill(f"{LAST} .rating textarea", "It babbles.")
    page.click(f"{LAST} .rating [type=submit]")
    page.wait_for_selector(f"{LAST} .rating", state="hidden")
    assert page.inner_text(f"{LAST} .told") == "Off topic · It babbles."
    page.reload()
    person.ready()
    assert page.get_attribute(down, "aria-pressed") == "true"
    assert page.inner_text(f"{LAST} .told") == "Off topic · It babbles."
    # It opens as it was left.
    page.click(f"{LAST} .told")
    assert page.is_checked(f"{LAST} .rating input[value=off_topic]")
    page.keyboard.press("Escape")
    # A pressed thumb is taken back by a second press.
    page.hover(LAST)
    page.click(down)
    page.wait_for_selector(f"{down}[aria-pressed=false]")
    page.reload()
    person.ready()
    assert page.get_attribute(down, "aria-pressed") == "false"
    assert not page.is_visible(f"{LAST} .told")
