"""The sidebar and what it does to whole chats, tried by a person in a real browser."""

from __future__ import annotations

import contextlib
import json
import re
import time
from datetime import datetime, timedelta

import pytest

from parley.chats import formats
from parley.chats.records import Chat, ChatMessage, owner_of
from parley.chats.store import Store
from tests.ui.conftest import Person, running

MANY = 450
"""Chats: more than two pages of the list."""

DAY = 86400.0

IDLE = 0.03
"""Processor seconds an idle engine may use in 0.3 s of watching; a busy one uses ten times that."""


@pytest.fixture
def kept(server):
    """The server's own store, from a second process, as the files allow."""
    store = Store(server.data)
    yield store
    store.close()


def owner(person) -> str:
    return owner_of(person.page.evaluate("Parley.owner"))


def bring(store, person, *titles_and_times):
    """Chats of one question each, as an import brings them; then the page as it is with them."""
    chats = []
    for title, updated in titles_and_times:
        question = ChatMessage("q", None, "user", f"Question about {title}")
        answer = ChatMessage(
            "a", "q", "assistant", f"Answer about {title}", model="quick", model_name="Quick Llama"
        )
        chat = Chat("", "", title, updated, updated, "quick", "a")
        chats.append((chat, (question, answer)))
    made = store.import_chats(owner(person), formats.to_json(chats))
    again(person)
    return {chat.title: chat.id for chat in made}


def again(person):
    person.page.reload()
    person.ready()


def now(minus: float = 0.0) -> float:
    return time.time() - minus


def titles(person) -> list[str]:
    return person.page.eval_on_selector_all(
        ".history .chat .name", "all => all.map(node => node.textContent)"
    )


def shown(person) -> list[str]:
    """Headings and titles, in the order of the list."""
    return person.page.eval_on_selector_all(
        ".history .list > *",
        "all => all.map(n => n.matches('.chat') ? n.querySelector('.name').textContent"
        " : '# ' + n.textContent)",
    )


def row(title: str) -> str:
    return f".chat:has(.name:text-is('{title}'))"


def menu(person, title: str, *items: str) -> None:
    person.page.hover(row(title))
    person.page.click(f"{row(title)} .acts")
    for item in items:
        person.page.click(f".menu [role=menuitem]:has-text('{item}')")


def wait_for_titles(person, wanted: list[str]) -> None:
    person.page.wait_for_function(
        "wanted => JSON.stringify([...document.querySelectorAll('.history .chat .name')]"
        ".map(n => n.textContent)) === JSON.stringify(wanted)",
        arg=wanted,
    )


def focused(person) -> str:
    """The title of the row that has the focus."""
    return person.page.evaluate(
        "document.activeElement.closest('.chat')?.querySelector('.name').textContent || ''"
    )


# -- the list --


def test_chats_are_grouped_by_when_they_were_last_touched(person, kept):
    noon = datetime.now().replace(hour=12, minute=0, second=0, microsecond=0)

    def days(n: int) -> float:
        return (noon - timedelta(days=n)).timestamp()

    made = bring(
        kept,
        person,
        *(("Two months ago", days(60)), ("Six days ago", days(6)), ("Yesterday's", days(1))),
        *(("Three days ago", days(3)), ("A week ago", days(7)), ("Today's", now())),
        ("Also a week ago", days(7)),
    )
    kept.pin(owner(person), made["A week ago"], True)
    again(person)
    assert shown(person) == [
        *("# Pinned", "A week ago", "# Today", "Today's", "# Yesterday", "Yesterday's"),
        *("# This week", "Three days ago", "Six days ago"),
        *("# Earlier", "Also a week ago", "Two months ago"),
    ]


def test_an_empty_list_says_what_will_be_there(person):
    assert person.page.inner_text(".history .empty") == "Your chats appear here."


def test_a_title_is_text_and_reads_in_its_own_direction(person, kept):
    bring(kept, person, ("<img src=x onerror=alert(1)>", now()), ("שלום עולם", now(60)))
    assert titles(person) == ["<img src=x onerror=alert(1)>", "שלום עולם"]
    directions = person.page.eval_on_selector_all(
        ".chat .name", "all => all.map(n => getComputedStyle(n).direction)"
    )
    assert directions == ["ltr", "rtl"]


def test_a_pinned_chat_stays_on_top(person, kept):
    bring(kept, person, ("New", now()), ("Old", now(40 * DAY)))
    menu(person, "Old", "Pin")
    person.page.wait_for_selector("h3:has-text('Pinned')")
    assert shown(person) == ["# Pinned", "Old", "# Today", "New"]
    again(person)
    assert shown(person) == ["# Pinned", "Old", "# Today", "New"]
    menu(person, "Old", "Unpin")
    person.page.wait_for_selector("h3:has-text('Earlier')")
    assert shown(person) == ["# Today", "New", "# Earlier", "Old"]


def test_more_chats_come_as_one_scrolls(person, kept):
    bring(kept, person, *((f"Chat {n}", now(60.0 * n)) for n in range(MANY)))
    # One row's worth of scrolling at a time would take long; a page's worth never shows a gap.
    for _ in range(60):
        if len(titles(person)) == MANY:
            break
        person.page.eval_on_selector(".history", "n => n.scrollTop = n.scrollHeight")
        person.page.wait_for_timeout(100)
    assert titles(person) == [f"Chat {n}" for n in range(MANY)]
    assert not person.page.is_visible(".further")
    person.page.click(f"{row(f'Chat {MANY - 1}')} .open")
    person.page.wait_for_selector(f".msg.user:has-text('Question about Chat {MANY - 1}')")


def test_a_chat_that_is_being_answered_shows_it(person, kept):
    bring(kept, person, ("Idle", now(60)))
    person.pick("Slow Llama")
    person.send("Busy")
    person.wait_for_text(length=10)
    pulse = f"{row('Busy')} .pulse"
    person.page.wait_for_selector(pulse)
    turn = person.page.evaluate("Parley.turn.current.id")
    # It goes on, and shows, while its reader is elsewhere.
    person.page.click(f"{row('Idle')} .open")
    person.page.wait_for_selector(".msg.user:has-text('Question about Idle')")
    assert person.page.is_visible(pulse)
    assert not person.page.is_visible(f"{row('Idle')} .pulse")
    button = person.page.get_by_role("button", name=re.compile("Busy.*being answered"))
    assert button.count() == 1
    # That it has ended is said, with a way there.
    person.page.evaluate("turn => Parley.ask('stop', { turn })", turn)
    person.page.click(".toast:has-text('Answer ready: Busy') .undo")
    person.page.wait_for_selector(".msg.user:has-text('Busy')")
    assert not person.page.is_visible(pulse)


def test_another_tabs_chats_come_when_one_comes_back(person, kept):
    made = bring(kept, person, ("Here", now()), ("Gone", now(60)))
    kept.delete(owner(person), made["Gone"])
    kept.import_chats(
        owner(person),
        formats.to_json([(Chat("", "", "There", 0, now(), None, "m"), (SAID,))]),
    )
    person.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    wait_for_titles(person, ["There", "Here"])


SAID = ChatMessage("m", None, "user", "Said")


# -- rename --


@pytest.mark.parametrize("way", ["double click", "menu", "F2"])
def test_a_chat_is_renamed_in_place(person, kept, way):
    bring(kept, person, ("First name", now()))
    if way == "double click":
        person.page.dblclick(f"{row('First name')} .open")
    elif way == "menu":
        menu(person, "First name", "Rename")
    else:
        person.page.focus(".chat .open")
        person.page.keyboard.press("F2")
    assert person.page.input_value(".rename") == "First name"
    person.page.keyboard.type("Second name")
    person.page.keyboard.press("Enter")
    wait_for_titles(person, ["Second name"])
    assert focused(person) == "Second name"
    again(person)
    assert titles(person) == ["Second name"]


def test_the_open_chats_name_is_above_it_too(person):
    person.ask("What it was")
    person.page.dblclick(".chat .open")
    person.page.keyboard.type("What it is")
    # Leaving the field keeps the name.
    person.page.click(".composer textarea")
    person.page.wait_for_selector("h1:has-text('What it is')")
    assert titles(person) == ["What it is"]


def test_escape_and_a_blank_keep_the_old_name(person, kept):
    bring(kept, person, ("Name", now()))
    for typed, key in [("Other", "Escape"), ("  ", "Enter")]:
        person.page.focus(".chat .open")
        person.page.keyboard.press("F2")
        person.page.fill(".rename", typed)
        person.page.keyboard.press(key)
        assert person.page.locator(".rename").count() == 0
        assert titles(person) == ["Name"]
    again(person)
    assert titles(person) == ["Name"]


# -- delete --


def test_a_deleted_chat_comes_back_by_undo(person, kept):
    bring(kept, person, ("One", now()), ("Two", now(60)))
    person.page.click(f"{row('One')} .open")
    person.page.wait_for_selector(".msg.user:has-text('One')")
    menu(person, "One", "Delete")
    wait_for_titles(person, ["Two"])
    person.page.wait_for_selector(".parley[data-view=welcome]")
    person.page.click(".toast:has-text('Deleted: One') .undo")
    wait_for_titles(person, ["One", "Two"])
    person.page.wait_for_selector(".msg.user:has-text('One')")
    assert person.page.locator(".toast").count() == 0
    again(person)
    assert titles(person) == ["One", "Two"]


def test_a_deleted_chat_is_gone(person, kept):
    bring(kept, person, ("One", now()), ("Two", now(60)))
    menu(person, "One", "Delete")
    person.page.wait_for_selector(".toast")
    again(person)
    assert titles(person) == ["Two"]


def test_the_delete_key_deletes_and_goes_on_to_the_next(person, kept):
    bring(kept, person, *((name, now(60.0 * n)) for n, name in enumerate("ABC")))
    person.page.focus(f"{row('B')} .open")
    person.page.keyboard.press("Delete")
    wait_for_titles(person, ["A", "C"])
    assert focused(person) == "C"
    person.page.keyboard.press("Delete")
    wait_for_titles(person, ["A"])
    assert focused(person) == "A"
    person.page.wait_for_selector(".toast:has-text('Deleted: C')")
    person.page.keyboard.press("Control+z")
    wait_for_titles(person, ["A", "C"])
    person.page.wait_for_function("document.querySelectorAll('.toast').length === 1")
    person.page.keyboard.press("Control+z")
    wait_for_titles(person, ["A", "B", "C"])


def test_deleting_stops_the_answer(person, server):
    person.pick("Slow Llama")
    person.send("Go on for ever")
    person.wait_for_text(length=30)
    menu(person, "Go on for ever", "Delete")
    person.page.wait_for_selector(".toast")
    wait_until_idle(server)
    person.page.click(".toast .undo")
    person.page.wait_for_selector(".msg.assistant .stats:has-text('stopped')")


def wait_until_idle(server) -> None:
    began = time.monotonic()
    while server.busy() > IDLE:
        assert time.monotonic() - began < 10, "the engine goes on computing"


def test_a_delete_that_fails_says_so_and_puts_it_back(person, kept):
    bring(kept, person, ("Stays", now()))
    person.page.evaluate(
        "() => { const ask = Parley.ask; Parley.ask = (name, data) => name === 'delete_chats'"
        " ? Promise.resolve({ error: { sentence: 'The disk is full.', fix: 'Free some.' } })"
        " : ask(name, data); }"
    )
    menu(person, "Stays", "Delete")
    person.page.wait_for_selector(".toast:has-text('The disk is full. Free some.')")
    assert titles(person) == ["Stays"]


def test_a_toast_waits_while_it_is_looked_at_and_then_goes(person):
    person.page.clock.install()
    person.page.evaluate("() => { Parley.toast('Done', { seconds: 8 }); }")
    person.page.clock.run_for(6000)
    person.page.hover(".toast")
    person.page.clock.run_for(20000)
    assert person.page.is_visible(".toast")
    person.page.mouse.move(5, 5)
    person.page.clock.run_for(1000)
    assert person.page.is_visible(".toast")
    person.page.clock.run_for(3000)
    assert person.page.locator(".toast").count() == 0


# -- several at once --


def test_several_are_deleted_and_come_back_at_once(person, kept):
    bring(kept, person, *((name, now(60.0 * n)) for n, name in enumerate("ABCD")))
    page = person.page
    page.click(".seek [data-act=choose]")
    assert page.get_attribute("[data-act=delete-chosen]", "aria-disabled") == "true"
    page.get_by_role("checkbox", name="B").click()
    page.get_by_role("checkbox", name="D").click(modifiers=["Shift"])
    assert page.inner_text(".chosen .count") == "3 selected"
    assert page.get_by_role("checkbox", checked=True).count() == 3
    page.get_by_role("checkbox", name="C").click()
    assert page.inner_text(".chosen .count") == "2 selected"
    page.click(".chosen [data-act=delete-chosen]")
    wait_for_titles(person, ["A", "C"])
    assert not page.is_visible(".chosen")
    page.click(".toast:has-text('Deleted 2 chats') .undo")
    wait_for_titles(person, ["A", "B", "C", "D"])
    # A click opens again.
    page.click(f"{row('B')} .open")
    page.wait_for_selector(".msg.user:has-text('Question about B')")


def test_select_all_means_all_there_are(person, kept):
    bring(kept, person, *((f"Chat {n}", now(60.0 * n)) for n in range(MANY)))
    page = person.page
    page.click(".seek [data-act=choose]")
    page.click("[data-act=choose-all]")
    page.wait_for_selector(f".chosen .count:has-text('{MANY} selected')")
    page.click("[data-act=choose-all]:has-text('Select none')")
    assert page.inner_text(".chosen .count") == "0 selected"
    page.click("[data-act=choose-all]")
    page.click(".chosen [data-act=delete-chosen]")
    page.wait_for_selector(f".toast:has-text('Deleted {MANY} chats')")
    again(person)
    assert titles(person) == []


def test_escape_ends_the_selection_and_nothing_else(person, kept):
    bring(kept, person, ("A", now()))
    page = person.page
    page.click(".seek [data-act=choose]")
    assert focused(person) == "A"
    page.keyboard.press("Space")
    assert page.inner_text(".chosen .count") == "1 selected"
    page.keyboard.press("Escape")
    assert not page.is_visible(".chosen")
    assert page.get_by_role("checkbox", name="A").count() == 0


# -- keyboard --


def test_the_list_is_one_stop_for_tab_and_arrows_move_in_it(person, kept):
    bring(kept, person, *((name, now(60.0 * n)) for n, name in enumerate("ABC")))
    page = person.page
    stops = page.locator(".history .chat button:not([tabindex='-1'])")
    assert stops.count() == 2  # a row and its menu
    page.focus(".chat .open")
    for key, at in [
        *(("ArrowDown", "B"), ("ArrowDown", "C"), ("ArrowDown", "C")),
        *(("ArrowUp", "B"), ("Home", "A"), ("End", "C")),
    ]:
        page.keyboard.press(key)
        assert focused(person) == at
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "acts"
    page.keyboard.press("Enter")
    page.wait_for_selector(".menu:popover-open")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.innerText") == "Pin"
    page.keyboard.press("End")
    assert "Delete" in page.evaluate("document.activeElement.innerText")
    page.keyboard.press("e")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.innerText") == "Markdown"
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.innerText") == "Export"
    page.keyboard.press("Escape")
    assert not page.is_visible(".menu")
    assert page.evaluate("document.activeElement.className") == "acts"
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(".msg.user:has-text('Question about C')")


def test_a_row_that_moves_up_keeps_the_focus(person, kept):
    bring(kept, person, *((name, now(60.0 * n)) for n, name in enumerate("ABC")))
    person.page.focus(f"{row('C')} .open")
    person.page.evaluate(
        "now => Parley.history.touch({ ...Parley.history.chat("
        "document.activeElement.closest('.chat').dataset.id), updated: now })",
        now(-60),
    )
    assert titles(person) == ["C", "A", "B"]
    assert focused(person) == "C"


def test_escape_in_the_menu_leaves_the_answer_alone(person):
    person.pick("Slow Llama")
    person.send("Go on for ever")
    person.wait_for_text(length=10)
    person.page.click(".chat .acts")
    person.page.keyboard.press("Escape")
    person.page.wait_for_timeout(500)
    assert person.page.is_visible(".parley.busy")
    person.stop()


def test_the_menu_closes_by_its_own_button_and_by_a_click_elsewhere(person, kept):
    bring(kept, person, ("A", now()))
    for way in (".chat .acts", ".top .title"):
        person.page.hover(".chat")
        person.page.click(".chat .acts")
        assert person.page.is_visible(".menu")
        assert person.page.get_attribute(".chat .acts", "aria-expanded") == "true"
        person.page.click(way)
        assert not person.page.is_visible(".menu")
        assert person.page.get_attribute(".chat .acts", "aria-expanded") == "false"
        person.page.wait_for_timeout(400)


# -- search --


def find(person, text: str) -> list[str]:
    person.page.fill(".find input", text)
    person.page.wait_for_function("document.querySelector('.history .count').innerText !== ''")
    person.page.wait_for_timeout(400)
    return person.page.eval_on_selector_all(".hit", "all => all.map(n => n.innerText)")


def test_search_finds_messages_and_marks_what_was_searched(person, kept):
    bring(kept, person, ("Whales", now()), ("Ships", now(60)))
    person.page.keyboard.press("Control+Shift+F")
    person.page.keyboard.type("ships")
    person.page.wait_for_selector(".history .count:has-text('3 results')")
    hits = person.page.eval_on_selector_all(".hit", "all => all.map(n => n.innerText)")
    assert hits[0] == "Ships"
    assert any("Answer about Ships" in hit for hit in hits)
    marks = person.page.eval_on_selector_all(".hit mark", "all => all.map(n => n.innerText)")
    assert set(marks) == {"Ships"}
    assert not person.page.is_visible(".history .list")
    person.page.keyboard.press("Escape")
    assert person.page.input_value(".find input") == ""
    assert titles(person) == ["Whales", "Ships"]
    assert person.page.is_visible(".history .list")


def test_a_search_without_result_says_so(person, kept):
    bring(kept, person, ("Whales", now()))
    assert find(person, "<b>zeppelin</b>") == []
    assert person.page.inner_text(".history .count") == "No chat has “<b>zeppelin</b>”."
    person.page.click("[data-act=clear-find]")
    assert person.page.inner_text(".history .count") == ""
    assert person.page.is_visible(row("Whales"))


def test_arrows_and_enter_open_a_message_where_it_stands(person, kept):
    made = bring(kept, person, ("Long", now()), ("Other", now(60)))
    key = made["Long"]
    leaf = kept.chat(owner(person), key)[0].leaf
    for number in range(12):
        text = "Here is the zeppelin. " if number == 2 else ""
        leaf = kept.add_user(key, leaf, f"{text}Question {number}. " + "More words. " * 60).id
    again(person)
    assert len(find(person, "zeppelin")) == 1
    person.page.press(".find input", "Enter")
    person.page.wait_for_selector(".msg.user.shown:has-text('zeppelin')")
    person.page.wait_for_timeout(300)
    top = person.page.eval_on_selector(
        ".msg.user:has-text('zeppelin')",
        "n => n.getBoundingClientRect().top"
        " - document.querySelector('.scroll').getBoundingClientRect().top",
    )
    assert 0 <= top <= 200
    assert find(person, "about")[0:1]
    person.page.press(".find input", "ArrowDown")
    assert person.page.get_attribute(".hit >> nth=1", "aria-selected") == "true"
    active = person.page.get_attribute(".find input", "aria-activedescendant")
    assert active == person.page.get_attribute(".hit >> nth=1", "id")
    person.page.press(".find input", "ArrowUp")
    person.page.press(".find input", "ArrowUp")
    assert person.page.get_attribute(".hit:last-child", "aria-selected") == "true"


def test_a_message_on_another_branch_is_opened(person, kept):
    key = bring(kept, person, ("Branches", now()))["Branches"]
    who = owner(person)
    _, (question, first) = kept.chat(who, key)
    second = kept.begin_answer(key, question.id, "other", "Other OLMo")
    kept.end_answer(second.id, "done", "The second answer")
    again(person)
    person.page.click(".chat .open")
    person.page.wait_for_selector(".msg.assistant:has-text('The second answer')")
    assert len(find(person, "Answer about Branches")) == 1
    person.page.press(".find input", "Enter")
    person.page.wait_for_selector(".msg.assistant.shown:has-text('Answer about Branches')")
    assert person.page.locator(".msg.assistant").count() == 1
    assert kept.chat(who, key)[0].leaf == first.id


def test_the_last_thing_typed_is_what_is_found(person, kept):
    bring(kept, person, ("Whales", now()), ("Ships", now(60)))
    person.page.evaluate(
        "() => { const ask = Parley.ask; Parley.ask = async (name, data) => {"
        " const found = await ask(name, data);"
        " if (name === 'find_chats' && data.text === 'whales')"
        "   await new Promise(go => setTimeout(go, 1500));"
        " return found; }; }"
    )
    person.page.fill(".find input", "whales")
    person.page.wait_for_timeout(400)
    assert "Ships" in find(person, "ships")[0]
    person.page.wait_for_timeout(1600)
    assert "Ships" in person.page.inner_text(".hit >> nth=0")


# -- export, import, everything --


def download(person, press) -> tuple[str, str]:
    with person.page.expect_download() as caught:
        press()
    return caught.value.suggested_filename, caught.value.path().read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("format", "ending", "begins"),
    [
        ("Markdown", "md", "# What? And/or: why"),
        ("JSON", "json", "{"),
        ("HTML", "html", "<!doctype html>"),
    ],
)
def test_a_chat_is_exported_under_its_own_name(person, kept, format, ending, begins):
    bring(kept, person, ("What? And/or: why", now()))
    name, text = download(person, lambda: menu(person, "What? And/or: why", "Export", format))
    assert name == f"What And or why.{ending}"
    assert text.startswith(begins)
    assert "Question about" in text


def test_a_selection_is_exported_as_one_file(person, kept):
    bring(kept, person, *((name, now(60.0 * n)) for n, name in enumerate(("A1", "B2", "C3"))))
    page = person.page
    page.click(".seek [data-act=choose]")
    page.get_by_role("checkbox", name="A1").click()
    page.get_by_role("checkbox", name="C3").click()
    page.click("[data-act=export-chosen]")
    assert page.locator(".menu [role=menuitem]").all_inner_texts() == ["Markdown", "JSON"]
    name, text = download(person, lambda: page.click(".menu [role=menuitem]:has-text('Markdown')"))
    assert re.fullmatch(r"Parley chats \d{4}-\d\d-\d\d\.md", name)
    assert ("# A1" in text, "# B2" in text, "# C3" in text) == (True, False, True)


def test_everything_goes_out_and_comes_in_as_another_person(people, kept, tmp_path):
    one, other = people(), people()
    bring(kept, one, ("First", now()), ("Second", now(60)))
    one.page.click("[data-act=data]")
    one.page.wait_for_selector(".data .about:has-text('You have 2 chats.')")
    name, text = download(one, lambda: one.page.click(".data button:has-text('JSON')"))
    file = tmp_path / name
    file.write_text(text)
    other.page.click("[data-act=data]")
    other.page.wait_for_selector(".data .about:has-text('You have 0 chats.')")
    other.page.set_input_files(".data input[type=file]", file)
    other.page.wait_for_selector(".data .news:has-text('2 chats came in.')")
    other.page.wait_for_selector(".data .about:has-text('You have 2 chats.')")
    other.page.keyboard.press("Escape")
    assert titles(other) == ["First", "Second"]


def test_messages_of_openai_are_dropped_in(person):
    messages = [{"role": "user", "content": "Asked elsewhere"}]
    messages += [{"role": "assistant", "content": "Answered elsewhere"}]
    person.page.click("[data-act=data]")
    person.page.evaluate(
        """text => {
          const data = new DataTransfer();
          data.items.add(new File([text], "chat.json", { type: "application/json" }));
          document.querySelector(".data .bring").dispatchEvent(
            new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
        }""",
        json.dumps({"messages": messages}),
    )
    person.page.wait_for_selector(".data .news:has-text('1 chat came in.')")
    person.page.keyboard.press("Escape")
    person.page.click(".chat .open:has-text('Asked elsewhere')")
    person.page.wait_for_selector(".msg.assistant:has-text('Answered elsewhere')")


def test_a_file_that_cannot_come_in_says_why_and_where(person, tmp_path):
    broken = tmp_path / "broken.json"
    broken.write_text('{"messages": [{"role": "wizard", "content": "x"}]}')
    person.page.click("[data-act=data]")
    person.page.set_input_files(".data input[type=file]", broken)
    person.page.wait_for_selector(".data .news.bad:has-text('messages[0].role')")
    assert titles(person) == []


def test_where_the_chats_are_is_said_on_this_machine(person, server):
    person.page.click("[data-act=data]")
    person.page.wait_for_selector(f".data .where:has-text('{server.data}')")


def test_all_data_goes_for_good_once_the_word_is_typed(person, kept):
    bring(kept, person, ("One", now()), ("Two", now(60)))
    page = person.page
    before = page.evaluate("Parley.owner")
    page.evaluate("Parley.remember.set('theme', 'dark')")
    kept.share(owner_of(before), kept.chats(owner_of(before))[0].id)
    page.click("[data-act=data]")
    page.click(".data button:has-text('Delete all my data')")
    page.wait_for_selector(".data .sure:has-text('all your chats (2), your shared links (1)')")
    assert page.is_disabled(".data .sure [type=submit]")
    page.keyboard.type("delet")
    page.keyboard.press("Enter")
    assert page.is_disabled(".data .sure [type=submit]")
    page.keyboard.type("e")
    page.keyboard.press("Enter")
    page.wait_for_selector(".toast:has-text('All your data is deleted.')")
    person.ready()
    assert titles(person) == []
    assert kept.chats(owner_of(before)) == ()
    assert kept.shares(owner_of(before)) == ()
    assert page.evaluate("Parley.owner") != before
    assert page.evaluate("Parley.theme.name") == "system"


def test_what_is_written_while_all_goes_is_stopped(person, server):
    person.pick("Slow Llama")
    person.send("Go on for ever")
    person.wait_for_text(length=30)
    person.page.click("[data-act=data]")
    person.page.click(".data button:has-text('Delete all my data')")
    person.page.keyboard.type("delete")
    person.page.keyboard.press("Enter")
    person.page.wait_for_selector(".toast")
    wait_until_idle(server)


# -- sharing --


def share(person, title: str) -> str:
    menu(person, title, "Share")
    person.page.click(".share button:has-text('Create link')")
    person.page.wait_for_selector(".share .copyable:visible")
    return person.page.input_value(".share .copyable input")


def test_a_shared_copy_is_read_only_and_continues_as_ones_own(people, kept):
    one, other = people(), people()
    key = bring(kept, one, ("Look", now()))["Look"]
    link = share(one, "Look")
    kept.add_user(key, kept.chat(owner(one), key)[0].leaf, "Said later")
    page = other.page
    page.goto(link)
    other.ready()
    page.wait_for_selector(".msg.assistant:has-text('Answer about Look')")
    assert page.inner_text("h1") == "Look"
    assert not page.is_visible("text=Said later")
    assert not page.is_visible(".composer textarea")
    page.hover(".msg.assistant")
    left = page.eval_on_selector_all(
        ".msg button, .msg [data-act]", "all => all.filter(n => n.checkVisibility()).length"
    )
    assert left == page.locator(".msg [data-act=copy]:visible").count()
    assert titles(other) == []
    page.click("[data-act=adopt]")
    wait_for_titles(other, ["Look"])
    page.wait_for_url(re.compile(r"/#/c/[0-9a-f]+$"))
    assert page.is_visible(".composer textarea")
    other.ask("And then?")
    assert len(kept.chat(owner(one), key)[1]) == 3  # the original is not touched


def test_links_are_listed_and_taken_back(people, kept):
    one, other = people(), people()
    bring(kept, one, ("Mine", now()))
    assert kept.shares(owner(one)) == ()
    link = share(one, "Mine")
    one.page.wait_for_selector(".share .item:has-text('Mine')")
    one.page.click(".share .item button:has-text('Remove')")
    one.page.wait_for_selector(".share :text('You share nothing.')")
    other.page.goto(link)
    other.ready()
    other.page.wait_for_selector(".hint:has-text('Nothing is shared under this link')")
    assert "shared=" not in other.page.url
    assert other.page.is_visible(".composer textarea")


def test_another_chat_ends_the_reading(people, kept):
    one, other = people(), people()
    bring(kept, one, ("Look", now()))
    link = share(one, "Look")
    other.page.goto(link)
    other.ready()
    other.page.wait_for_selector(".msg.assistant")
    other.page.click(".side .new")
    assert "shared=" not in other.page.url
    assert other.page.is_visible(".composer textarea")
    assert other.page.is_visible(".welcome")


@pytest.fixture(scope="module")
def public(models_file, tmp_path_factory):
    """An instance that says of itself that it is a Space."""
    with running(
        models_file,
        tmp_path_factory.mktemp("public"),
        SYSTEM="spaces",
        GRADIO_SERVER_NAME="127.0.0.1",
    ) as started:
        yield started


def test_nothing_is_shared_on_a_public_instance(browser, public):
    visitor = Person(browser, public.url)
    try:
        with contextlib.closing(Store(public.data)) as store:
            key = bring(store, visitor, ("A chat", now()))["A chat"]
        visitor.page.hover(".chat")
        visitor.page.click(".chat .acts")
        items = visitor.page.locator(".menu [role=menuitem]").all_inner_texts()
        assert [re.split(r"\n", item)[0] for item in items] == ["Rename", "Pin", "Export", "Delete"]
        refused = visitor.page.evaluate("id => Parley.ask('share_chat', { chat: id })", key)
        assert refused["error"]["sentence"] == "Sharing is turned off here."
        visitor.page.keyboard.press("Escape")
        visitor.page.click("[data-act=data]")
        visitor.page.wait_for_selector(".data .where:has-text('kept by the server')")
        assert str(public.data) not in visitor.page.content()
    finally:
        visitor.close()
    assert visitor.faults == []


# -- a chat that leaves no trace --


def test_a_temporary_chat_is_marked_and_left_by_the_same_button(person):
    page = person.page
    toggle = page.get_by_role("button", name="Temporary chat")
    toggle.click()
    page.wait_for_selector(".badge:has-text('Temporary')")
    assert toggle.get_attribute("aria-pressed") == "true"
    person.ask("Off the record")
    assert titles(person) == []
    toggle.click()
    assert not page.is_visible(".badge")
    assert toggle.get_attribute("aria-pressed") == "false"
    again(person)
    assert titles(person) == []


# -- a phone --


def test_a_phone_reaches_all_of_it(people, kept):
    phone = people(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    bring(kept, phone, ("A chat with a rather long title that does not fit", now()), ("B", now(60)))
    page = phone.page
    page.click(".show-side")
    page.wait_for_selector(".chat .acts:visible")
    page.click(".chat .acts >> nth=0")
    box = page.locator(".menu").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    page.click(".menu [role=menuitem]:has-text('Share')")
    box = page.locator(".share").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    page.click(".share header button")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
