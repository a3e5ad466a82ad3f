"""What a person sets before sending: presets and other settings, and files in the prompt."""

from __future__ import annotations

import re

import pytest

from tests.test_files import pdf

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
BOX = ".composer textarea"
NOTES = "# Notes\n\nThe meeting is on Monday.\n"

# -- settings --


def drawer(person) -> None:
    person.page.click(".top [data-act=settings]")


def kept(person, key: str):
    """What this browser keeps under a name."""
    return person.page.evaluate(f"JSON.parse(localStorage.getItem('parley.{key}'))")


def pressed(person) -> list[str]:
    """What the settings are said to be."""
    return person.page.locator(".choice[aria-pressed=true], .choice.custom").all_inner_texts()


def value(person, key: str) -> str:
    return person.page.input_value(f".field[data-key={key}] input[type=number]")


def number(person, key: str, text: str) -> None:
    person.page.fill(f".field[data-key={key}] input[type=number]", text)


def press(person, name: str) -> None:
    person.page.get_by_role("button", name=name, exact=True).click()


def test_presets_follow_from_the_models_own_values(person):
    drawer(person)
    assert pressed(person) == ["Model's own"]
    press(person, "Precise")
    assert kept(person, "settings") == {
        "quick": {"temperature": 0.3, "top_p": 0.9, "min_p": 0.1}  # own: 0.7, 1, 0
    }
    assert pressed(person) == ["Precise"]
    assert [value(person, k) for k in ("temperature", "top_p", "min_p")] == ["0.3", "0.9", "0.1"]
    assert person.page.evaluate("document.activeElement.textContent") == "Precise"
    press(person, "Creative")
    assert kept(person, "settings")["quick"]["temperature"] == 1.05
    assert "top_p" not in kept(person, "settings")["quick"]
    # A model that was tuned for a low temperature stays below it when precise.
    assert person.page.evaluate(
        """() => {
          const model = { ...Parley.byId('quick'), id: 'cool',
            defaults: { ...Parley.byId('quick').defaults, temperature: 0.2 } };
          const apply = changes => { window.c = changes; };
          const drawn = Parley.presets.part({ model, now: () => ({}), apply });
          drawn.querySelector('[data-key=precise]').click();
          return window.c.temperature;
        }"""
    ) == pytest.approx(0.1)
    press(person, "Model's own")
    assert kept(person, "settings") is None or kept(person, "settings") == {}
    assert value(person, "temperature") == "0.7"


def test_a_preset_leaves_the_prompt_and_the_length_alone(person):
    drawer(person)
    person.page.fill(".field[data-key=system_prompt] textarea", "Answer briefly.")
    number(person, "max_new_tokens", "7")
    assert pressed(person) == ["Model's own"]
    press(person, "Balanced")
    assert kept(person, "settings")["quick"]["system_prompt"] == "Answer briefly."
    press(person, "Model's own")
    assert kept(person, "settings") == {
        "quick": {"system_prompt": "Answer briefly.", "max_new_tokens": 7}
    }


def test_other_settings_are_custom_until_they_get_a_name(person):
    page = person.page
    drawer(person)
    press(person, "Precise")
    number(person, "temperature", "0.25")
    assert pressed(person) == ["Custom"]
    page.click(".link:text-is('Save as a preset')")
    page.keyboard.type("precise")
    page.keyboard.press("Enter")
    assert page.inner_text(".yours small") == "There is a preset of that name."
    page.keyboard.press("Control+a")
    page.keyboard.type("For recipes")
    page.keyboard.press("Enter")
    assert pressed(person) == ["For recipes"]
    press(person, "Creative")
    person.pick("Other OLMo")
    assert pressed(person) == ["Model's own"]
    press(person, "For recipes")
    assert value(person, "temperature") == "0.25"
    assert value(person, "min_p") == "0.1"
    page.reload()
    person.ready()
    drawer(person)
    assert pressed(person) == ["For recipes"]
    page.click(".link:text-is('Rename')")
    page.keyboard.type("For soups")
    page.click(".yours .link:text-is('Save')")
    assert pressed(person) == ["For soups"]
    page.click(".yours .link:text-is('Delete')")
    # The values stay; they have lost their name.
    assert pressed(person) == ["Custom"]
    assert value(person, "temperature") == "0.25"
    assert page.locator(".choice:text-is('For soups')").count() == 0


def test_escape_ends_the_naming_and_nothing_else(person):
    page = person.page
    drawer(person)
    number(person, "temperature", "0.25")
    page.click(".link:text-is('Save as a preset')")
    page.keyboard.type("Half")
    page.keyboard.press("Escape")
    assert page.locator(".yours input").count() == 0
    assert page.locator(".parley.drawer-open").count() == 1
    assert pressed(person) == ["Custom"]


def test_two_presets_that_are_alike_keep_the_name_that_was_pressed(person):
    person.page.evaluate(
        "Parley.remember.set('presets', [{ id: 'mine-1', name: 'Mine', values: {} }])"
    )
    person.page.reload()
    person.ready()
    drawer(person)
    assert pressed(person) == ["Model's own"]
    press(person, "Mine")
    assert pressed(person) == ["Mine"]


def test_an_answer_is_written_with_the_preset(person):
    drawer(person)
    press(person, "Precise")
    person.ask("Hello")
    sampling = person.page.evaluate("Parley.settings.changes('quick')")
    assert sampling == {"temperature": 0.3, "top_p": 0.9, "min_p": 0.1}
    assert not person.page.is_visible(".msg.assistant .fault")


def test_a_drawn_seed_is_shown_used_and_cleared(person):
    page = person.page
    drawer(person)
    seed = ".field[data-key=seed]"
    page.click(f"{seed} [aria-label='Draw a seed']")
    first = page.input_value(f"{seed} input")
    assert re.fullmatch(r"\d{1,10}", first)
    assert kept(person, "settings")["quick"]["seed"] == int(first)
    page.click(f"{seed} [aria-label='Draw a seed']")
    assert page.input_value(f"{seed} input") != first
    page.click(f"{seed} [aria-label='Clear the seed']")
    assert page.input_value(f"{seed} input") == ""
    assert kept(person, "settings")["quick"]["seed"] is None
    assert not page.is_visible(f"{seed} [aria-label='Clear the seed']")


def test_an_answer_is_no_longer_than_what_the_window_leaves(person):
    page = person.page
    person.pick("Slow Llama")
    drawer(person)
    field = ".field[data-key=max_new_tokens]"
    note = f"{field} small"
    assert page.get_attribute(f"{field} input[type=number]", "max") == "8192"
    assert page.inner_text(note) == "At most 8,192: what the window leaves."
    number(person, "max_new_tokens", "9000")
    assert page.inner_text(note) == "Use a whole number from 1 to 8,192."
    page.press(f"{field} input[type=number]", "Tab")
    page.evaluate("Parley.settings.room(500)")
    # What was set stays, for the next chat; what holds now is said.
    assert value(person, "max_new_tokens") == "6000"
    assert page.inner_text(note) == "The window leaves 500 now; an answer ends there."
    assert page.get_attribute(f"{field} input[type=range]", "max") == "500"
    page.evaluate("Parley.settings.room(null)")
    assert page.inner_text(note) == "At most 8,192: what the window leaves."


def test_the_thinking_switch_is_there_where_the_model_has_one(person):
    page = person.page
    drawer(person)
    field = ".field[data-key=thinking]"
    assert not page.is_visible(field)
    page.evaluate(
        "() => { Parley.byId('quick').thinking_switch = true; Parley.settings.refresh(); }"
    )
    assert page.is_checked(f"{field} label:has-text('Auto') input")
    assert "thinking" not in page.evaluate("Parley.settings.changes('quick')")
    page.check(f"{field} label:has-text('Off') input")
    assert page.evaluate("Parley.settings.changes('quick')") == {"thinking": False}
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("Parley.settings.changes('quick')") == {"thinking": True}
    # Kept, and not sent to a model that would not know it.
    page.evaluate("Parley.byId('quick').thinking_switch = false")
    assert page.evaluate("Parley.settings.changes('quick')") == {}
    assert kept(person, "settings") == {"quick": {"thinking": True}}


# -- files --


def attach(person, *files: tuple[str, bytes]) -> None:
    person.page.set_input_files(
        ".composer input[type=file]",
        [{"name": n, "mimeType": "application/octet-stream", "buffer": d} for n, d in files],
    )
    person.page.wait_for_function(
        "n => document.querySelectorAll('.composer .file.ready, .composer .file.refused').length"
        " >= n",
        arg=len(files),
    )


def cards(person) -> list[str]:
    return person.page.locator(".composer .file.ready .name").all_inner_texts()


def refused(person) -> list[str]:
    return person.page.locator(".composer .file.refused .more").all_inner_texts()


def stored(person) -> list[dict]:
    """The conversation as the server has it."""
    found = person.page.evaluate("Parley.ask('open_chat', { chat: Parley.chats.id })")
    return found["messages"]


def carry(person, event: str, files: list[tuple[str, str]], text: str = "") -> bool:
    """Something arrives by drag and drop or from the clipboard; whether the page took it."""
    return person.page.evaluate(
        """([event, files, text]) => {
          const data = new DataTransfer();
          for (const [name, body] of files) data.items.add(new File([body], name));
          if (text) data.setData('text/plain', text);
          const options = { bubbles: true, cancelable: true };
          const box = document.querySelector('.composer textarea');
          const made = event === 'paste'
            ? new ClipboardEvent('paste', { ...options, clipboardData: data })
            : new DragEvent(event, { ...options, dataTransfer: data });
          return !box.dispatchEvent(made);
        }""",
        [event, files, text],
    )


def test_a_files_text_goes_before_the_question_and_comes_back_as_a_card(person):
    page = person.page
    attach(person, ("notes.md", NOTES.encode()))
    assert cards(person) == ["notes.md"]
    assert "≈ 9 tokens" in page.inner_text(".composer .file .more")
    person.ask("When is it?")
    question = stored(person)[0]["text"]
    assert question == f'<file name="notes.md">\n{NOTES.strip()}\n</file>\n\nWhen is it?'
    assert page.locator(".composer .file").count() == 0
    for _ in range(2):  # as it was sent, and as it was kept
        assert page.inner_text(".msg.user .said") == "When is it?"
        assert page.inner_text(".msg.user .file .name") == "notes.md"
        page.reload()
        person.ready()
    assert kept(person, "files.new") is None


def test_a_file_alone_is_a_message_too(person):
    assert person.page.is_disabled(".send")
    attach(person, ("notes.md", NOTES.encode()))
    assert person.page.is_enabled(".send")
    person.page.click(".send")
    person.wait_until_done()
    assert stored(person)[0]["text"].endswith("</file>")
    assert not person.page.is_visible(".msg.assistant .fault")


def test_a_pdf_and_a_table_are_read(person):
    attach(person, ("report.pdf", pdf("The first page.", "")), ("t.csv", b"a,b\r\n1,2\r\n"))
    assert cards(person) == ["report.pdf", "t.csv"]
    assert "2 pages, 1 without text" in person.page.inner_text(".composer .file >> nth=0")
    person.ask("Well?")
    question = stored(person)[0]["text"]
    assert "The first page." in question
    assert "a,b\n1,2\n</file>" in question


def test_a_card_opens_and_shows_text_as_text(person):
    page = person.page
    nasty = '<img src=x onerror="window.hit = 1"> & <script>window.hit = 1</script>'
    attach(person, ("<img src=x onerror='window.hit=1'>.txt", nasty.encode()))
    page.click(".composer .file .show")
    assert page.inner_text("dialog.reader pre") == nasty
    assert page.inner_text("dialog.reader h2") == "<img src=x onerror='window.hit=1'>.txt"
    page.keyboard.press("Escape")
    assert not page.is_visible("dialog.reader")
    person.ask("Hm?")
    page.click(".msg.user .file .show")
    assert page.inner_text("dialog.reader pre") == nasty
    page.keyboard.press("Escape")
    assert page.evaluate("window.hit") is None


def test_files_and_text_come_apart_as_they_were_joined(person):
    cases = [
        [[], "plain"],
        [[["a.txt", "one"]], ""],
        [[["a.txt", ""], ["b.txt", "\n\ntwo\n\n"]], "\n text \n"],
        [[["a.html", 'x\n</file>\n\n<file name="b">\ny\n</file>']], "</file>"],
        [[["a.xml", "</file>\n</file-2>"], ["b.txt", "</file-3>"]], 'say <file name="c">'],
        [[["a.txt", "only"]], "two\n\nparagraphs"],
    ]
    wrong = person.page.evaluate(
        """cases => cases.filter(([files, text]) => {
          const given = files.map(([name, text]) => ({ name, text }));
          const found = Parley.attach.parse(Parley.attach.wrap(text, given));
          return JSON.stringify(found) !== JSON.stringify({ files: given, text });
        })""",
        cases,
    )
    assert wrong == []
    for message in ('<file name="a">\nnever ends', '<file name="a">\nx\n</file> and more', "a < b"):
        assert person.page.evaluate("m => Parley.attach.parse(m)", message) == {
            "files": [],
            "text": message,
        }


def test_dropping_shows_where_and_refuses_the_rest(person):
    page = person.page
    page.fill(BOX, "half a thought")
    carry(person, "dragenter", [("a.txt", "A")])
    assert page.is_visible(".drop")
    taken = carry(person, "drop", [("a.txt", "A"), ("holiday.png", "x"), ("b.txt", "B")])
    assert taken  # else the browser leaves the page to show the file
    assert not page.is_visible(".drop")
    page.wait_for_function(
        "document.querySelectorAll('.composer .file:not(.reading)').length === 3"
    )
    assert cards(person) == ["a.txt", "b.txt"]
    assert refused(person) == [
        "holiday.png is not a kind of file that can be read. "
        "The models here read text, not pictures: describe it, or attach its text."
    ]
    assert page.input_value(BOX) == "half a thought"
    page.click(".composer .file.refused [data-act=remove-file]")
    assert refused(person) == []
    page.press(BOX, "Enter")
    person.wait_until_done()
    assert "holiday" not in stored(person)[0]["text"]


def test_text_that_is_dragged_is_left_to_the_browser(person):
    assert not carry(person, "dragenter", [], "words")
    assert not person.page.is_visible(".drop")


def test_a_pasted_file_is_a_card_and_a_copied_cell_is_text(person):
    assert carry(person, "paste", [("shot.log", "line")])
    person.page.wait_for_selector(".composer .file.ready")
    # A file manager gives the name as text, a table program gives a picture beside the text.
    assert carry(person, "paste", [("more.log", "line")], "/home/me/more.log")
    person.page.wait_for_function("document.querySelectorAll('.composer .file.ready').length === 2")
    assert not carry(person, "paste", [("image.png", "x")], "1\t2")
    assert cards(person) == ["shot.log", "more.log"]


def test_a_long_paste_becomes_a_card_and_can_go_back_into_the_text(person):
    page = person.page
    long = "All work and no play.\n" * 200
    page.fill(BOX, "Sum up: ")
    assert not carry(person, "paste", [], "x" * 4000)
    assert carry(person, "paste", [], long)
    assert carry(person, "paste", [], long)
    assert cards(person) == ["Pasted text.txt", "Pasted text (2).txt"]
    assert page.input_value(BOX) == "Sum up: "
    page.click(".composer .file >> nth=0 >> text=Put into the text instead")
    assert page.input_value(BOX) == "Sum up: " + long
    assert cards(person) == ["Pasted text (2).txt"]
    page.reload()
    person.ready()
    assert page.input_value(BOX) == "Sum up: " + long
    assert cards(person) == ["Pasted text (2).txt"]


def test_a_draft_keeps_its_cards_and_every_chat_its_own(person):
    page = person.page
    attach(person, ("first.txt", b"One"))
    person.ask("First chat")
    attach(person, ("later.txt", b"Later"), ("two.txt", b"Two"))
    page.click(".composer .file:has-text('two.txt') [data-act=remove-file]")
    page.reload()
    person.ready()
    assert cards(person) == ["later.txt"]
    page.click(".side .new")
    page.wait_for_selector(".parley[data-view=welcome]")
    assert cards(person) == []
    attach(person, ("new.txt", b"New"))
    page.click(".chat .open:has-text('First chat')")
    page.wait_for_selector(".msg.user")
    assert cards(person) == ["later.txt"]
    page.click(".side .new")
    page.wait_for_selector(".parley[data-view=welcome]")
    assert cards(person) == ["new.txt"]


def test_a_turn_that_is_refused_gives_everything_back(person):
    page = person.page
    drawer(person)
    page.select_option(".field[data-key=form] select", label="Regex")
    page.fill(".field[data-key=form] textarea", "(")
    attach(person, ("notes.md", NOTES.encode()))
    page.fill(BOX, "When is it?")
    page.press(BOX, "Enter")
    page.wait_for_selector("text=This regex cannot be followed")
    assert page.input_value(BOX) == "When is it?"
    assert cards(person) == ["notes.md"]
    page.fill(".field[data-key=form] textarea", "(yes|no)")
    page.press(BOX, "Enter")
    person.wait_until_done()
    assert stored(person)[0]["text"].startswith('<file name="notes.md">')


def test_sending_waits_for_a_file_that_is_being_read(person):
    page = person.page
    page.evaluate(
        """() => {
          const ask = Parley.ask;
          Parley.ask = (name, data) => name === 'read_file'
            ? new Promise(go => { window.go = () => go(ask(name, data)); }) : ask(name, data);
        }"""
    )
    carry(person, "drop", [("slow.txt", "slow")])
    page.fill(BOX, "Well?")
    page.press(BOX, "Enter")
    assert "slow.txt is still being read" in page.inner_text(".hint")
    assert page.input_value(BOX) == "Well?"
    page.wait_for_function("!!window.go")
    page.evaluate("window.go()")
    page.wait_for_selector(".composer .file.ready")
    page.press(BOX, "Enter")
    person.wait_until_done()
    assert "slow\n</file>" in stored(person)[0]["text"]


def test_a_file_taken_away_while_it_is_read_stays_away(person):
    page = person.page
    page.evaluate(
        """() => {
          const ask = Parley.ask;
          Parley.ask = (name, data) => name === 'read_file'
            ? new Promise(go => { window.go = () => go(ask(name, data)); }) : ask(name, data);
        }"""
    )
    carry(person, "drop", [("slow.txt", "slow")])
    page.wait_for_function("!!window.go")
    page.click(".composer [data-act=remove-file]")
    page.evaluate("window.go()")
    page.wait_for_timeout(300)
    assert page.locator(".composer .file").count() == 0
    assert kept(person, "files.new") is None


def test_a_silent_server_is_said_and_can_be_asked_again(person):
    page = person.page
    page.evaluate(
        """() => {
          const ask = window.ask = Parley.ask;
          Parley.ask = (name, data) => name === 'read_file'
            ? Promise.reject(new Error('gone')) : ask(name, data);
        }"""
    )
    attach(person, ("notes.md", NOTES.encode()))
    assert "does not answer" in refused(person)[0]
    page.evaluate("() => { Parley.ask = window.ask; }")
    page.click(".composer .file [data-act=read-again]")
    page.wait_for_selector(".composer .file.ready")
    assert cards(person) == ["notes.md"]


def test_what_is_too_large_is_not_sent_to_be_refused(person):
    page = person.page
    page.evaluate(
        """() => {
          const ask = Parley.ask;
          window.asked = [];
          Parley.ask = (name, data) => { window.asked.push(name); return ask(name, data); };
        }"""
    )
    attach(person, ("big.txt", b"x" * 5_000_001))
    assert refused(person) == ["big.txt is larger than 5.0 MB. Attach the part that matters."]
    assert "read_file" not in page.evaluate("window.asked")


def test_a_message_has_room_for_so_many(person):
    attach(person, *[("same.txt", f"{i}".encode()) for i in range(12)])
    names = cards(person)
    assert len(names) == len(set(names)) == 10
    assert "10 files at most" in refused(person)[0]


def test_the_plus_button_opens_the_file_dialog(person):
    with person.page.expect_file_chooser() as chooser:
        person.page.click("button[aria-label='Attach files']")
    assert chooser.value.is_multiple()
    assert ".pdf" in person.page.get_attribute(".composer input[type=file]", "accept")


def test_a_phone_shows_the_cards_without_sideways_scroll(people):
    phone = people(**PHONE)
    name = "a very long name of a file that would never fit on a phone.txt"
    attach(phone, (name, b"text"), ("b.png", b"x"), ("c.md", b"c"))
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
    for box in phone.page.locator(".composer .file").all():
        edge = box.bounding_box()
        assert edge["x"] >= 0
        assert edge["x"] + edge["width"] <= 390
    send = phone.page.locator(".send").bounding_box()
    assert send["y"] + send["height"] <= 844
