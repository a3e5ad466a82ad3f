"""How an answer looks and what it says of itself, in a real browser: what was changed before it,
figures, code, tables, thoughts, any script, any device.

Its words are put into the store, or handed to the page as the stream would hand them.
"""

from __future__ import annotations

import pytest

from parley.chats.records import owner_of
from parley.chats.store import Store
from parley.ui.markdown import render
from tests.ui.transcripts import CODE, LAST, Stream, texts, written


@pytest.fixture
def store(server):
    opened = Store(server.data)
    yield opened
    opened.close()


# -- what was changed --


def test_a_change_of_model_or_settings_is_said_where_it_happened(person):
    page = person.page
    person.ask("First")
    person.pick("Other OLMo")
    person.ask("Second")
    assert texts(page, ".divider") == ["now Other OLMo"]
    page.click(".top [data-act=settings]")
    page.fill(".field[data-key=temperature] input[type=number]", "1.2")
    person.ask("Third")
    page.wait_for_selector(".divider >> nth=1")
    assert texts(page, ".divider") == ["now Other OLMo", "temperature 0.7 → 1.2"]
    # It stands between the turns: right before the question that was asked that way.
    after = page.eval_on_selector_all(
        ".divider", "all => all.map(n => n.nextElementSibling.innerText)"
    )
    assert after == ["Second", "Third"]
    page.reload()
    person.ready()
    page.wait_for_selector(".divider >> nth=1")
    assert texts(page, ".divider") == ["now Other OLMo", "temperature 0.7 → 1.2"]


def test_another_system_prompt_is_said(person, store):
    owner = owner_of(person.page.evaluate("Parley.owner"))
    chat, parent = store.create_chat(owner, "quick").id, None
    for prompt in ("Be brief.", "Be long."):
        question = store.add_user(chat, parent, "Well?")
        parent = store.begin_answer(chat, question.id, "quick", "Quick Llama").id
        store.end_answer(parent, "done", "Well.", reason="stop", meta={"system_prompt": prompt})
    person.page.goto(f"{person.url}/#/c/{chat}")
    person.page.wait_for_selector(".msg >> nth=3")
    person.page.wait_for_selector(".divider")
    assert texts(person.page, ".divider") == ["system prompt changed"]


# -- figures --


def test_the_line_of_figures_opens_a_table_of_all_of_them(person):
    page = person.page
    page.click(".top [data-act=settings]")
    page.fill(".field[data-key=temperature] input[type=number]", "1.1")
    person.ask("Say something")
    line = page.locator(f"{LAST} .stats")
    assert line.get_attribute("aria-expanded") == "false"
    line.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(f"{LAST} .facts table")
    assert line.get_attribute("aria-expanded") == "true"
    rows = dict(
        page.eval_on_selector_all(
            f"{LAST} .facts tr", "all => all.map(r => [...r.children].map(c => c.innerText))"
        )
    )
    assert rows["Model"] == "Quick Llama (quick)"
    assert rows["Number format"] == "float32"
    assert rows["Device"] == "cpu"
    assert rows["Temperature"] == "1.1"
    assert "Top-p" not in rows
    assert rows["Answer tokens"].isdigit()
    assert "tok/s" in rows["Speed"]
    assert "(tokens − 1)" in rows["Speed"]
    assert rows["Seed"] == "1"
    page.keyboard.press("Enter")
    assert not page.is_visible(f"{LAST} .facts")


# -- code and tables --


def test_a_block_of_code_is_labelled_copied_wrapped_and_saved(person, store):
    page = person.page
    person.context.grant_permissions(["clipboard-read", "clipboard-write"])
    written(person, store, ("Code?", CODE))
    block = page.locator("figure.code")
    assert block.locator("figcaption > span").inner_text() == "python"
    block.locator(".copy-code").click()
    code = page.evaluate("navigator.clipboard.readText()")
    assert code.startswith("def f(x):\n    return [")
    wide = "n => n.scrollWidth - n.clientWidth"
    pre = block.locator("pre")
    assert pre.evaluate(wide) > 100
    wrap = block.get_by_text("Wrap")
    wrap.click()
    assert wrap.get_attribute("aria-pressed") == "true"
    assert pre.evaluate(wide) <= 0
    wrap.click()
    assert pre.evaluate(wide) > 100
    with page.expect_download() as download:
        block.get_by_text("Download").click()
    assert download.value.suggested_filename == "code.py"
    assert download.value.path().read_text() == code


@pytest.mark.parametrize(
    ("language", "name"),
    [
        ("python", "code.py"),
        ("c++", "code.cpp"),
        ("text", "code.txt"),
        ("json", "code.json"),
        ("dockerfile", "Dockerfile"),
        ("../../x", "code.x"),
        ("..", "code.txt"),
    ],
)
def test_code_is_saved_under_a_name_that_fits_its_language(person, language, name):
    assert person.page.evaluate("l => Parley.prose.fileName(l)", language) == name


def test_a_table_scrolls_in_its_own_box(person, store):
    page = person.page
    page.set_viewport_size({"width": 390, "height": 800})
    written(person, store, ("Table?", CODE))
    box = page.locator(".table-scroll")
    assert box.evaluate("n => n.scrollWidth > n.clientWidth + 100")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("document.querySelector('.scroll').scrollWidth") <= 390


def test_the_head_of_a_long_block_stays_while_it_scrolls(person, store):
    page = person.page
    lines = "\n".join(f"line {n}" for n in range(200))
    written(person, store, ("Code?", f"```python\n{lines}\n```"))
    page.evaluate(
        """() => {
          const box = document.querySelector('.scroll'), top = n => n.getBoundingClientRect().top;
          box.scrollTop += top(document.querySelector('figure.code')) - top(box) + 600;
        }"""
    )
    page.wait_for_timeout(100)
    above = page.evaluate(
        """() => document.querySelector('figcaption').getBoundingClientRect().top
          - document.querySelector('.scroll').getBoundingClientRect().top"""
    )
    assert -2 <= above <= 2
    # And it can be used there.
    page.get_by_text("Wrap").click(timeout=5000)


def test_an_open_block_can_be_used_while_it_grows(person):
    page = person.page
    person.context.grant_permissions(["clipboard-read", "clipboard-write"])
    stream = Stream(page)
    stream.start()
    stream.say("Look:\n\n```python\nx = 1\n")
    copy, wrap = page.locator("figure .copy-code"), page.locator("figure [data-own=wrap]")
    assert page.inner_text("figure figcaption > span") == "python"
    # The button is pressed, more text comes, the button is let go: it is still the same button.
    box = copy.bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    stream.say("y = 2\n")
    page.mouse.up()
    page.wait_for_selector("figure .copy-code.done")
    assert page.evaluate("navigator.clipboard.readText()") == "x = 1\ny = 2\n"
    wrap.focus()
    page.keyboard.press("Enter")
    stream.say("z = 3\n```\n\nThat was it.")
    stream.end()
    # What was pressed stays pressed when the block is complete, and keeps the focus.
    assert wrap.get_attribute("aria-pressed") == "true"
    assert page.evaluate("document.activeElement.matches('figure [data-own=wrap]')")
    assert page.evaluate("getComputedStyle(document.querySelector('figure pre')).whiteSpace") in (
        "pre-wrap",
        "break-spaces",
    )
    assert page.inner_text("figure pre").strip() == "x = 1\ny = 2\nz = 3"


def test_a_selection_survives_the_growth_of_the_text(person):
    page = person.page
    stream = Stream(page)
    stream.say("Some words to be selected, and")
    page.evaluate(
        """() => {
          const text = document.querySelector('.msg.assistant .body p').firstChild;
          const range = document.createRange();
          range.setStart(text, 5); range.setEnd(text, 10);
          getSelection().removeAllRanges(); getSelection().addRange(range);
        }"""
    )
    for piece in (" more", " of", " them.\n\n", "Another paragraph.", "\n\nA third."):
        stream.say(piece)
        assert page.evaluate("getSelection().toString()") == "words"
    stream.end()
    assert page.evaluate("getSelection().toString()") == "words"


def test_however_it_arrives_the_text_is_that_of_the_whole(person):
    page = person.page
    stream = Stream(page)
    for start in range(0, len(CODE), 7):
        stream.say(CODE[start : start + 7])
    stream.end()
    shown = page.evaluate(
        """html => {
          const whole = document.createElement('div');
          whole.innerHTML = html;
          const mine = document.querySelector('.msg.assistant .body').cloneNode(true);
          for (const node of mine.querySelectorAll('[data-own]')) node.remove();
          return [mine.textContent.replace(/\\s+/g, ''), whole.textContent.replace(/\\s+/g, '')];
        }""",
        render(CODE),
    )
    assert shown[0] == shown[1]


# -- thinking --


def test_thoughts_are_open_until_the_answer_begins(person):
    page = person.page
    stream = Stream(page)
    stream.start()
    stream.say(thinking="Let me see. ")
    assert page.locator(".thinking[open]").count() == 1
    assert page.inner_text(".thinking summary").startswith("Thinking")
    page.wait_for_timeout(150)
    stream.say(thinking="Yes.")
    assert page.inner_text(".thinking div") == "Let me see. Yes."
    stream.say("Forty-two")
    assert page.locator(".thinking[open]").count() == 0
    assert page.inner_text(".thinking summary").startswith("Thought for 0.")
    stream.end(thinking_seconds=3.2, completion_tokens=2)
    assert page.inner_text(".thinking summary").startswith("Thought for 3.2 s")


def test_what_the_reader_opened_or_folded_stays_so(person):
    page = person.page
    stream = Stream(page)
    stream.start()
    stream.say(thinking="Let me see. ")
    page.click(".thinking summary")
    assert page.locator(".thinking[open]").count() == 0
    stream.say(thinking="More of it. ")
    assert page.locator(".thinking[open]").count() == 0
    page.click(".thinking summary")
    stream.say("Forty-two")
    assert page.locator(".thinking[open]").count() == 1
    stream.end(thinking_seconds=3.2)
    assert page.locator(".thinking[open]").count() == 1


# -- any script, any device --


def test_each_paragraph_is_read_from_its_own_side(person, store):
    page = person.page
    written(person, store, ("مرحبا\nHello", "مرحبا بك\n\nHello there\n\n> مرحبا\n>\n> Hello"))
    sides = """node => {
      const box = node.getBoundingClientRect(), range = document.createRange();
      return [...node.childNodes].flatMap(n => n.data ? n.data.split('\\n').map((line, i, all) => {
        const from = all.slice(0, i).join('\\n').length + (i ? 1 : 0);
        range.setStart(n, from); range.setEnd(n, from + line.length);
        const at = range.getBoundingClientRect();
        return at.left - box.left < box.right - at.right ? 'left' : 'right';
      }) : []);
    }"""
    # As wide as if there were more to say, so that the sides differ.
    page.add_style_tag(content=".said { width: 300px }")
    assert page.locator(".msg.user .said").evaluate(sides) == ["right", "left"]
    paragraphs = page.locator(".msg.assistant .body p")
    found = [paragraphs.nth(n).evaluate(sides)[0] for n in range(4)]
    assert found == ["right", "left", "right", "left"]


def test_on_a_phone_every_button_is_there_without_hovering(people, store):
    phone = people(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    written(phone, store, ("One", "First."), ("Two", "Second."))
    page = phone.page
    buttons = page.locator(".msg.assistant >> nth=0 >> .act")
    assert buttons.count() >= 6
    for n in range(buttons.count()):
        assert buttons.nth(n).evaluate("b => getComputedStyle(b).opacity") == "1"
        box = buttons.nth(n).bounding_box()
        assert box["width"] >= 40
        assert box["height"] >= 40
        assert box["x"] + box["width"] <= 390
    page.locator(".msg.user >> nth=0 >> [data-act=edit]").tap()
    assert page.input_value(".editor textarea") == "One"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_every_button_of_a_message_has_a_name_and_is_reached_by_keyboard(person, store):
    page = person.page
    written(person, store, ("One", CODE), stats={"completion_tokens": 3})
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('.msg button, .msg input, .msg textarea')]
          .filter(b => b.checkVisibility())
          .filter(b => !(b.getAttribute('aria-label') || b.innerText).trim() || b.tabIndex < 0)
          .map(b => b.outerHTML)"""
    )
    assert nameless == []
