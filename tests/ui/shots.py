"""Takes the screenshots in docs/screenshots with the real guide: ``make shots``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.conftest import find_chromium
from tests.ui.conftest import ROOT, Person, running

FOLDER = ROOT / "docs" / "screenshots"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
SETTLE = 400
"""Milliseconds for fades and smooth scrolling to end."""


def shoot(page: Page, name: str) -> None:
    page.wait_for_timeout(SETTLE)
    page.screenshot(path=FOLDER / f"{name}.png")
    print(f"docs/screenshots/{name}.png")


def talk(person: Person) -> None:
    """A conversation in which the model is switched half-way."""
    person.page.click(".top [data-act=settings]")
    person.page.fill(".field[data-key=temperature] input[type=number]", "0")
    person.page.click(".drawer [data-act=settings]")
    person.ask("How do I switch models?")
    person.pick("Parley Guide mini")
    person.ask("What is OLMo?")
    person.pick("Parley Guide")
    person.ask("What are the five items of openness?")


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    chromium = find_chromium()
    if chromium is None:
        sys.exit("Screenshots need Chromium: install it, or name one in PARLEY_CHROMIUM.")
    with (
        tempfile.TemporaryDirectory() as data,
        running(ROOT / "models.yaml", Path(data)) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        person = Person(browser, server.url, **DESKTOP)
        shoot(person.page, "welcome")
        talk(person)
        shoot(person.page, "desktop")
        person.page.click("button.picker")
        shoot(person.page, "picker")
        person.page.keyboard.press("Escape")
        person.page.click("[data-act=machine]")
        shoot(person.page, "machine")
        person.page.keyboard.press("Escape")
        person.page.click(".top [data-act=settings]")
        shoot(person.page, "settings")
        person.close()

        dark = Person(browser, server.url, color_scheme="dark", **DESKTOP)
        talk(dark)
        shoot(dark.page, "dark")
        dark.close()

        phone = Person(browser, server.url, **PHONE)
        shoot(phone.page, "phone-welcome")
        talk(phone)
        shoot(phone.page, "phone")
        phone.close()
        browser.close()


if __name__ == "__main__":
    main()
