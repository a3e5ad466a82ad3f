"""Side by side, in a real browser on real models: columns that go their own ways."""

from __future__ import annotations

import json

import pytest

from parley.arena.votes import VoteBox
from tests.ui.conftest import Person, running

BOX = ".composer textarea"


class Columns:
    """A person's comparison, in their own words."""

    def __init__(self, person) -> None:
        self.person, self.page = person, person.page

    def begin(self, *models: str) -> None:
        self.page.evaluate(
            "ids => Parley.compare.fresh(ids.map(model => ({ model, settings: {} })))", models
        )

    def column(self, index: int):
        return self.page.locator(".col").nth(index)

    def send(self, text: str) -> None:
        self.person.send(text)

    def ask(self, text: str) -> list[str]:
        self.send(text)
        self.page.wait_for_selector(".parley:not(.busy) .col .figures:visible")
        return self.answers()

    def answers(self) -> list[str]:
        """The last one of each column."""
        return self.page.eval_on_selector_all(
            ".col",
            "all => all.map(c => [...c.querySelectorAll('.msg.assistant .body')]"
            ".at(-1)?.innerText ?? '')",
        )

    def wait_for_text(self, index: int, length: int = 1) -> None:
        self.page.wait_for_function(
            "([i, n]) => [...document.querySelectorAll('.col')[i]"
            ".querySelectorAll('.msg.assistant .body')].at(-1)?.innerText.length >= n",
            arg=[index, length],
        )

    def wait_until_done(self, index: int) -> None:
        self.page.wait_for_function(
            "i => !document.querySelectorAll('.col')[i].querySelector('.live')", arg=index
        )

    def names(self) -> list[str]:
        return self.page.eval_on_selector_all(
            ".col:not([hidden]) .pick .name", "all => all.map(n => n.innerText)"
        )

    def menu(self, index: int, item: str) -> None:
        self.column(index).locator("[data-act=column-menu]").click()
        self.page.click(f"[role=menuitem]:has-text('{item}')")


@pytest.fixture
def columns(person):
    return Columns(person)


def test_a_fast_column_does_not_wait_for_a_slow_one(columns, person):
    columns.begin("quick", "slow", "other")
    columns.send("Babble")
    columns.wait_until_done(0)
    columns.wait_until_done(2)
    columns.wait_for_text(1, 10)
    # The slow one goes on, and what it is is said.
    assert columns.column(1).locator(".live").count() == 1
    before = columns.answers()
    columns.column(1).locator("[data-act=column-stop]").click()
    columns.wait_until_done(1)
    person.wait_until_done()
    after = columns.answers()
    assert (after[0], after[2]) == (before[0], before[2])
    assert len(after[1]) >= len(before[1])


def test_one_is_stopped_one_retried_and_one_taken_on(columns, person):
    page = columns.page
    columns.begin("quick", "slow")
    columns.send("Babble")
    columns.wait_for_text(1, 30)
    columns.column(1).locator("[data-act=column-stop]").click()
    person.wait_until_done()
    stopped = columns.answers()[1]
    first = columns.answers()[0]
    # Retry in one column leaves the other alone.
    columns.column(0).locator(".msg.assistant").hover()
    columns.column(0).locator("[data-act=retry]").click()
    page.wait_for_function("document.querySelectorAll('.col')[0].innerText.includes('2/2')")
    person.wait_until_done()
    assert columns.answers() == [first, stopped]  # the same seed
    columns.menu(0, "Continue with this one")
    page.wait_for_selector(".parley[data-stage=c] .msg.assistant")
    assert person.answers()[-1] == first
    assert "quick" in page.evaluate("Parley.picker.current")
    # The comparison is still there.
    page.click(".chat .open:has(> .icon)")
    page.wait_for_selector(".parley[data-stage=compare] .col .msg.assistant")
    assert columns.answers() == [first, stopped]


def test_a_column_that_fails_says_so_and_the_others_go_on(columns, person):
    columns.begin("quick", "torn")
    columns.send("Babble")
    columns.wait_until_done(0)
    columns.column(1).locator(".fault").wait_for()
    person.wait_until_done()
    assert columns.answers()[0]
    assert "Torn Llama" in columns.column(1).locator(".fault").inner_text()
    columns.column(1).locator(".fault [data-act=retry]").click()
    person.wait_until_done()
    columns.column(1).locator(".fault").wait_for()
    assert columns.answers()[0]


def test_each_column_keeps_its_own_history_through_reload_and_search(columns, person):
    page = columns.page
    columns.begin("quick", "other")
    first = columns.ask("Something unheard-of")
    second = columns.ask("And more of it")
    assert first != second
    page.reload()
    person.ready()
    page.wait_for_selector(".col .msg.assistant")
    assert columns.answers() == second
    assert page.locator(".col").nth(0).locator(".msg").count() == 4
    # One place in the list and in what is found, however many columns.
    assert page.locator(".chat:has-text('Something unheard-of')").count() == 1
    page.fill(".find input", "unheard")
    page.wait_for_selector(".found [role=option]")
    assert page.locator(".found [role=option]").count() == 2  # the title and the question
    page.locator(".found [role=option]").last.click()
    page.wait_for_selector(".col .msg.user.shown")
    assert columns.answers() == second


def test_columns_are_added_replaced_hidden_and_removed_with_undo(columns, person):
    page = columns.page
    columns.begin("quick", "other")
    columns.ask("Babble")
    page.click("[data-act=add-column]")
    page.click(".option:has-text('Quick Llama')")
    page.wait_for_function("document.querySelectorAll('.col').length === 3")
    assert columns.names() == ["Quick Llama", "Other OLMo", "Quick Llama"]
    columns.ask("Again")
    assert columns.column(2).locator(".msg").count() == 2
    assert columns.column(0).locator(".msg").count() == 4
    columns.column(1).locator("[data-act=column-model]").click()
    page.click(".option:has-text('Quick Llama')")
    assert columns.names()[1] == "Quick Llama"
    columns.menu(1, "Hide")
    assert len(columns.names()) == 2
    page.reload()
    person.ready()
    page.wait_for_selector(".col .msg.assistant")
    assert columns.names() == ["Quick Llama", "Quick Llama"]
    page.click("button:has-text('Show Quick Llama')")
    columns.menu(2, "Remove")
    page.wait_for_function("document.querySelectorAll('.col').length === 2")
    page.click(".toasts button:has-text('Undo')")
    page.wait_for_function("document.querySelectorAll('.col').length === 3")
    assert columns.column(2).locator(".msg").count() == 2


def test_a_twin_begins_with_what_was_said(columns):
    page = columns.page
    columns.begin("quick", "other")
    columns.ask("Babble")
    columns.menu(0, "The same model once more")
    page.wait_for_function("document.querySelectorAll('.col').length === 3")
    page.wait_for_function("document.querySelectorAll('.col')[2].querySelectorAll('.msg').length")
    assert columns.answers()[2] == columns.answers()[0]


def test_a_chat_becomes_a_comparison(person):
    page = person.page
    said = person.ask("Where it began")
    page.click("[data-act=compare-chat]")
    page.click(".option:has-text('Other OLMo')")
    page.wait_for_selector(".parley[data-stage=compare] .col .msg.assistant")
    columns = Columns(person)
    assert columns.answers() == [said, said]
    answers = columns.ask("And on it goes")
    assert answers[0] != answers[1]
    # The chat itself is as it was.
    page.locator(".chat .open:not(:has(> .icon)):has-text('Where it began')").first.click()
    page.wait_for_selector(".parley[data-stage=c] .msg.assistant")
    assert person.answers() == [said]


def test_settings_are_a_columns_own(columns, person):
    page = columns.page
    columns.begin("quick", "quick")
    columns.column(1).locator("[data-act=column-settings]").click()
    page.fill(".field[data-key=max_new_tokens] input[type=number]", "5")
    page.press("body", "Escape")
    columns.ask("Babble")
    tokens = page.eval_on_selector_all(
        ".figures .completion_tokens dd", "all => all.map(n => +n.innerText)"
    )
    assert tokens == [40, 5]
    page.reload()
    person.ready()
    page.wait_for_selector(".col .msg.assistant")
    columns.ask("Again")
    tokens = page.eval_on_selector_all(
        ".figures .completion_tokens dd", "all => all.map(n => +n.innerText)"
    )
    assert tokens == [40, 5]


def test_figures_stand_under_each_answer_with_a_bar(columns):
    columns.begin("quick", "other")
    columns.ask("Babble")
    for index in range(2):
        figures = columns.column(index).locator(".figures").inner_text()
        assert "First token" in figures
        assert "tok/s" in figures
        assert "Ended" in figures
    widths = columns.page.eval_on_selector_all(
        ".figures .tokens_per_second .share b", "all => all.map(b => parseFloat(b.style.width))"
    )
    assert max(widths) == 100
    assert min(widths) > 0


def test_two_answers_word_by_word(columns):
    page = columns.page
    columns.begin("quick", "other")
    answers = columns.ask("Babble")
    page.click("[data-act=word-diff]")
    page.wait_for_selector(".differing mark")
    shown = page.eval_on_selector_all(
        ".differing > div", "all => all.map(n => n.textContent.replace(/\\s+/g, ''))"
    )
    marked = page.eval_on_selector_all(".differing mark", "all => all.map(n => n.textContent)")
    assert len(shown) == 2
    assert shown[0] != shown[1]
    assert marked
    page.click("[data-act=word-diff]")
    assert columns.answers() == answers


def test_each_model_reads_the_others_answer(columns):
    page = columns.page
    columns.begin("quick", "other")
    columns.ask("Babble")
    page.click("[data-act=cross-read]")
    page.wait_for_function("document.querySelectorAll('.crossing .cell').length === 4")
    values = page.eval_on_selector_all(
        ".crossing .cell strong", "all => all.map(n => parseFloat(n.innerText.replace(/,/g, '')))"
    )
    # Greedy or not, nobody finds an answer likelier than its own writer does here.
    assert values[0] < values[1]
    assert values[3] < values[2]
    page.locator(".crossing .cell").nth(1).click()
    page.wait_for_selector(".reading .tokens .token")
    assert page.locator(".reading .token.p-rare").count() > 0


def test_a_table_of_everything_is_copied(columns):
    page = columns.page
    columns.begin("quick", "other")
    columns.ask("What | is this?")
    text = page.evaluate("Parley.across.table()")
    assert text.startswith("> What | is this?\n")
    assert "| Quick Llama | Other OLMo |" in text
    assert text.count("\n| ") >= 5


def test_lineups_are_kept_and_travel_in_a_link(columns, person):
    page = columns.page
    columns.begin("quick", "other", "quick")
    page.click("[data-act=lineups]")
    page.click("[role=menuitem]:has-text('Save this line-up')")
    page.fill(".lineup input", "Three of them")
    page.click(".lineup button:has-text('Save')")
    columns.begin("quick", "other")
    page.wait_for_timeout(400)  # a second press at once would be a slip of the hand
    page.click("[data-act=lineups]")
    page.click("[role=menuitem]:has-text('Three of them')")
    page.click("[role=menuitem]:has-text('Compare these')")
    page.wait_for_function("document.querySelectorAll('.col').length === 3")
    person.open("/?models=other,quick&prompt=Well%3F")
    linked = Columns(person)
    person.page.wait_for_function("document.querySelectorAll('.col').length === 2")
    assert linked.names() == ["Other OLMo", "Quick Llama"]
    assert person.page.input_value(BOX) == "Well?"


def test_scrolling_together_is_a_choice(columns, person):
    page = columns.page
    columns.begin("slow", "slow")
    columns.send("Babble")
    columns.wait_for_text(0, 1500)
    columns.wait_for_text(1, 1500)
    page.keyboard.press("Escape")
    person.wait_until_done()
    tops = "() => [...document.querySelectorAll('.col .scroll')].map(n => n.scrollTop)"
    page.click("[data-act=sync-scroll]")
    columns.column(0).locator(".scroll").hover()
    page.mouse.wheel(0, -3000)
    page.wait_for_function(f"Math.max(...({tops})()) < 20")
    page.click("[data-act=sync-scroll]")
    columns.column(0).locator(".scroll").hover()
    page.mouse.wheel(0, 3000)
    page.wait_for_function(f"({tops})()[0] > 100")
    assert page.evaluate(tops)[1] < 20


def test_a_vote_with_names_in_sight_is_kept_and_does_not_rank(columns, server):
    page = columns.page
    columns.begin("quick", "other")
    columns.ask("Babble")
    page.click(".open-vote button:has-text('Other OLMo is better')")
    page.wait_for_selector(".open-vote [role=status]")
    box = VoteBox(server.data)
    vote = list(box.votes("nobody"))[-1]
    box.close()
    assert (vote.outcome, vote.mode, vote.ranked) == ("right", "open", False)
    # The next question is another one to vote on.
    columns.ask("Again")
    page.wait_for_selector(".open-vote button")


def test_one_persons_comparison_is_nobody_elses(columns, people, server):
    columns.begin("quick", "other")
    columns.ask("Private matters")
    key = columns.page.evaluate("Parley.compare.id")
    column = columns.page.evaluate("Parley.compare.columns[0].chat")
    stranger = people()
    for question, data in (
        ("open_comparison", {"chat": key}),
        ("take_on", {"column": column}),
        ("remove_column", {"chat": key, "column": column}),
        ("word_diff", {"left": {"column": column, "message": "x"}, "right": {}}),
    ):
        reply = stranger.page.evaluate(f"Parley.ask('{question}', {json.dumps(data)})")
        assert reply["error"]["sentence"]


def test_on_a_phone_the_columns_are_tabs(people):
    person = people(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page, columns = person.page, Columns(person)
    columns.begin("quick", "other")
    columns.send("Babble")
    person.wait_until_done()
    assert page.locator(".col:visible").count() == 1
    assert page.locator(".tabs [role=tab]").count() == 2
    page.click(".tabs [role=tab] >> nth=1")
    assert page.locator(".col:visible .pick .name").inner_text() == "Other OLMo"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator(BOX).is_visible()


def test_models_that_do_not_fit_together_answer_in_turn(models_file, tmp_path, browser):
    with running(models_file, tmp_path, PARLEY_MEMORY="470MB") as server:
        person = Person(browser, server.url)
        columns = Columns(person)
        columns.begin("quick", "other")
        person.page.wait_for_selector(".turns-note:visible")
        assert "one after the other" in person.page.inner_text(".turns-note")
        columns.ask("Babble")
        assert all(columns.answers())
        person.close()
        assert person.faults == []
