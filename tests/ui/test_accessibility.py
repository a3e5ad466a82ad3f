"""What axe-core finds on the page, in both themes and on a phone: nothing serious or critical. And
the sheet of keyboard shortcuts."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from parley import labels

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
LOOKS = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": PHONE | {"color_scheme": "light"},
    "russian": {"color_scheme": "light", "locale": "ru-RU"},
}
GRAVE = {"serious", "critical"}

FADES = "*, *::before, *::after { transition: none !important; animation: none !important; }"
"""Axe judges the colours of the moment."""


def findings(page):
    page.add_style_tag(content=FADES)
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{v['id']}: {node['target']} {node['failureSummary']}"
        for v in found
        if v["impact"] in GRAVE
        for node in v["nodes"]
    ]


@pytest.fixture(params=LOOKS)
def look(request, people):
    """A person with one answer, whose page looks one way."""
    person = people(**LOOKS[request.param])
    person.phone = request.param == "phone"
    return person


def foot(person, name):
    """Presses a button at the sidebar's foot, which a phone shows on demand."""
    if person.phone:
        person.page.click(".show-side")
    person.page.click(f".foot [data-act={name}]")


def shut(page):
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_nothing_grave_is_found_before_the_first_message(look):
    page, found = look.page, {}
    found["welcome"] = findings(page)
    page.click("button.picker")
    expect(page.locator("dialog.sheet[open] .option").first).to_be_visible()
    found["picker"] = findings(page)
    shut(page)
    page.click(".top [data-act=settings]")
    expect(page.locator(".field").first).to_be_visible()
    found["settings"] = findings(page)
    page.click(".drawer [data-act=settings]")
    foot(look, "machine")
    expect(page.locator("dialog.machine .device").first).to_be_visible()
    found["machine"] = findings(page)
    shut(page)
    foot(look, "data")
    expect(page.locator("dialog.data[open]")).to_be_visible()
    found["data"] = findings(page)
    shut(page)
    if not look.phone:
        foot(look, "keys")
        expect(page.locator("dialog.shortcuts")).to_be_visible()
        found["keys"] = findings(page)
        shut(page)
    else:
        page.click(".show-side")
        found["sidebar"] = findings(page)
    assert {where: what for where, what in found.items() if what} == {}


def test_nothing_grave_is_found_about_an_answer(look):
    page, found = look.page, {}
    look.ask("Say anything")
    found["chat"] = findings(page)
    page.locator(".msg.assistant [data-act=facts]").last.click()
    found["facts"] = findings(page)
    page.locator("[data-act=inspect]").click()
    page.locator(".inspector .tokens .token").first.click()
    expect(page.locator(".alternatives")).to_be_visible()
    found["tokens"] = findings(page)
    page.keyboard.press("Escape")
    page.locator("[data-act=exact-prompt]").click()
    expect(page.locator("dialog.looking[open]")).to_be_visible()
    found["prompt"] = findings(page)
    shut(page)
    page.locator("[data-act=view-code]").click()
    expect(page.locator("dialog.looking[open]")).to_be_visible()
    found["code"] = findings(page)
    shut(page)
    if look.phone:
        page.click(".show-side")
    page.locator(".chat .acts").first.click()
    expect(page.locator(".menu")).to_be_visible()
    found["menu"] = findings(page)
    page.locator(".menu button, .menu [role=menuitem]").filter(
        has_text=page.evaluate("LABELS.SHARE")
    ).first.click()
    expect(page.locator("dialog.share[open]")).to_be_visible()
    found["share"] = findings(page)
    assert {where: what for where, what in found.items() if what} == {}


def test_nothing_grave_is_found_side_by_side(look):
    page, found = look.page, {}
    page.evaluate("Parley.compare.fresh(['quick', 'other'].map(model => ({ model })))")
    found["columns"] = findings(page)
    look.send("Say anything")
    page.wait_for_selector(".parley:not(.busy) .figures:visible")
    found["answers"] = findings(page)
    page.click("[data-act=word-diff]")
    page.wait_for_selector(".differing mark")
    found["diff"] = findings(page)
    page.click("[data-act=cross-read]")
    page.wait_for_function("document.querySelectorAll('.crossing .cell').length === 4")
    page.locator(".crossing .cell").nth(1).click()
    found["cross-reading"] = findings(page)
    shut(page)
    page.locator("[data-act=column-menu]:visible").first.click()
    expect(page.locator(".menu")).to_be_visible()
    found["menu"] = findings(page)
    page.keyboard.press("Escape")
    page.evaluate("Parley.blind.fresh()")
    page.evaluate("Parley.blind.among = ['quick', 'other']")
    found["round"] = findings(page)
    look.send("Say anything")
    page.wait_for_selector(".parley:not(.busy) .voting:not(.early)")
    page.click(".why summary")
    found["vote"] = findings(page)
    page.click(".outcome.tie")
    page.wait_for_selector(".model-card")
    found["reveal"] = findings(page)
    assert {where: what for where, what in found.items() if what} == {}


def test_axe_would_find_a_fault(person):
    person.page.evaluate("document.querySelector('.send').removeAttribute('aria-label')")
    person.page.evaluate("document.querySelector('.send').removeAttribute('title')")
    assert any("button-name" in fault for fault in findings(person.page))


def test_a_question_mark_shows_the_shortcuts_but_not_while_writing(person):
    page = person.page
    sheet = page.get_by_role("dialog", name=labels.KEYS)
    page.click(".composer textarea")
    page.keyboard.type("what?")
    expect(page.locator(".composer textarea")).to_have_value("what?")
    expect(sheet).not_to_be_visible()
    page.locator(".picker").focus()
    page.keyboard.press("?")
    expect(sheet).to_be_visible()
    expect(sheet).to_contain_text(labels.KEY_VERSIONS)
    page.keyboard.press("?")
    expect(sheet).not_to_be_visible()
    page.get_by_role("button", name=labels.KEYS).click()
    expect(sheet).to_be_visible()
    page.keyboard.press("Escape")
    expect(sheet).not_to_be_visible()


def test_what_is_said_aloud_is_said_outside_closed_dialogs(person):
    person.ask("Say anything")
    # That the answer is ready, or after it that the model is.
    expect(person.page.locator(".parley > .announce")).to_contain_text("ready")
