"""Takes the screenshots in docs/screenshots with the real guide, every screen in three looks:
``make shots``, or ``make shots ARGS="phone settings"`` for those whose names hold one of the words.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from parley import labels
from tests.conftest import find_chromium
from tests.ui.conftest import ROOT, Person, running
from tests.ui.transcripts import Stream

FOLDER = ROOT / "docs" / "screenshots"
LOOKS = {
    "": {"viewport": {"width": 1280, "height": 800}},
    "dark-": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
    "phone-": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}
"""How a page may look, by the beginning of the files' names."""

OWN_NAMES = {"chat": "desktop", "dark-chat": "dark", "phone-chat": "phone"}
SETTLE = 400
"""Milliseconds for fades and smooth scrolling to end."""
COLOURS = 128
"""Of a picture: a page has few, and the file becomes a third."""
LAST = ".msg.assistant:last-child"
FILE = {"name": "models.csv", "mimeType": "text/csv", "buffer": b"model,parameters\nOLMo 2,1.48B\n"}

PLACES = """(places) => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode())
    for (const [real, shown] of places)
      walker.currentNode.data = walker.currentNode.data.replaceAll(real, shown);
}"""
"""Where this machine keeps things is replaced by where people usually do."""
DATA = Path(tempfile.gettempdir()) / "parley-shots"

Screen = Callable[[Person], None]


def shoot(page: Page, name: str) -> None:
    page.wait_for_timeout(SETTLE)
    page.evaluate(PLACES, [[str(ROOT), "~/parley"], [str(DATA), "~/.local/share/parley"]])
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    name = OWN_NAMES.get(name, name)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    small = picture.quantize(COLOURS, dither=Image.Dither.NONE)
    small.save(FOLDER / f"{name}.png", optimize=True)
    print(f"docs/screenshots/{name}.png", f"({wide} px too wide)" if wide > 0 else "", flush=True)


def talk(person: Person) -> None:
    """A conversation in which the model is switched half-way."""
    page = person.page
    for name in ("Parley Guide mini", "Parley Guide"):
        pick(person, name)
        page.click(".top [data-act=settings]")
        page.fill(".field[data-key=temperature] input[type=number]", "0")
        page.click(".drawer [data-act=settings]")
    person.ask("How do I switch models?")
    pick(person, "Parley Guide mini")
    person.ask("What is OLMo?")
    pick(person, "Parley Guide")
    person.ask("What are the five items of openness?")


def pick(person: Person, name: str) -> None:
    """One of two names may begin with the other."""
    person.page.click("button.picker")
    person.page.locator(".option .name").get_by_text(name, exact=True).first.click()


# -- screens: each is reached from a conversation --


def phone(page: Page) -> bool:
    return int(page.evaluate("innerWidth")) < 900


def side(page: Page) -> None:
    if phone(page):
        page.click(".show-side")


def foot(person: Person, name: str) -> None:
    side(person.page)
    person.page.click(f".foot [data-act={name}]")


def chat(person: Person) -> None:
    """As it stands."""


def picker(person: Person) -> None:
    person.page.click("button.picker")


def filtered(person: Person) -> None:
    person.page.click("button.picker")
    person.page.get_by_role("button", name=labels.FILTER_PERMISSIVE).click()


def settings(person: Person) -> None:
    person.page.click(".top [data-act=settings]")


def machine(person: Person) -> None:
    foot(person, "machine")


def data(person: Person) -> None:
    foot(person, "data")


def keys(person: Person) -> None:
    foot(person, "keys")


def history_menu(person: Person) -> None:
    side(person.page)
    person.page.hover(".chat")
    person.page.click(".chat .acts")


def choosing(person: Person) -> None:
    side(person.page)
    person.page.click(".seek [data-act=choose]")
    person.page.click(".chat .open")


def found(person: Person) -> None:
    side(person.page)
    person.page.fill(".seek input", "openness")
    person.page.wait_for_selector(".found mark, .list mark, mark")


def share(person: Person) -> None:
    history_menu(person)
    person.page.click(f".menu [role=menuitem]:has-text('{labels.SHARE}')")
    person.page.click(f".share button:has-text('{labels.SHARE_MAKE}')")
    person.page.wait_for_function("document.querySelector('.share input').value")


def shared(person: Person) -> None:
    share(person)
    person.page.goto(person.page.input_value(".share input"))
    person.page.reload()
    person.ready()


def details(person: Person) -> None:
    person.page.click(f"{LAST} .stats")
    person.page.wait_for_selector(f"{LAST} .facts tr, {LAST} .facts dt")
    person.page.locator(f"{LAST} .facts").scroll_into_view_if_needed()


def inspector(person: Person) -> None:
    details(person)
    person.page.click(f"{LAST} [data-act=inspect]")
    person.page.locator(".inspector .tokens .token").nth(3).click()


def exact_prompt(person: Person) -> None:
    details(person)
    person.page.click(f"{LAST} [data-act=exact-prompt]")


def view_code(person: Person) -> None:
    details(person)
    person.page.click(f"{LAST} [data-act=view-code]")


def feedback(person: Person) -> None:
    if not phone(person.page):
        person.page.hover(LAST)
    person.page.click(f"{LAST} .thumb[data-value='1']")


def files(person: Person) -> None:
    person.page.set_input_files("input[type=file] >> nth=0", [FILE])
    person.page.wait_for_selector(".composer .file")
    person.page.fill(".composer textarea", "Which of these is the largest?")


def thinking(person: Person) -> None:
    person.page.evaluate("Parley.chats.fresh()")
    stream = Stream(person.page)
    stream.start()
    stream.say(thinking="Five items are asked for: what the training data is, whether the weights")
    stream.say(thinking=" can be had, and three more. I name them in the order of the card.")


SCREENS: tuple[Screen, ...] = (
    *(chat, picker, filtered, settings, machine, data, keys, history_menu, choosing, found, share),
    *(details, inspector, exact_prompt, view_code, feedback, thinking, files, shared),
)
ONLY_WIDE = {keys}
"""A phone has no keyboard, and no button for its sheet."""


@contextmanager
def somebody(browser: Browser, url: str, **look: object) -> Iterator[Person]:
    person = Person(browser, url, **look)
    person.context.set_default_timeout(20_000)
    yield person
    person.close()


def russian(person: Person) -> None:
    person.send("Что такое OLMo?")
    person.wait_until_done()


def main(*words: str) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(DATA, ignore_errors=True)
    chromium = find_chromium()
    if chromium is None:
        sys.exit("Screenshots need Chromium: install it, or name one in PARLEY_CHROMIUM.")

    def wanted(name: str) -> bool:
        return not words or any(word in name for word in words)

    with (
        running(ROOT / "models.yaml", DATA) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for prefix, look in LOOKS.items():
            names = {f"{prefix}{s.__name__.replace('_', '-')}": s for s in SCREENS}
            with somebody(browser, server.url, **look) as person:
                if wanted(f"{prefix}welcome"):
                    shoot(person.page, f"{prefix}welcome")
                if any(map(wanted, names)):
                    talk(person)
                for name, screen in names.items():
                    if not wanted(name) or (prefix == "phone-" and screen in ONLY_WIDE):
                        continue
                    screen(person)
                    shoot(person.page, name)
                    person.page.reload()
                    person.ready()
            with somebody(browser, server.url, locale="ru-RU", **look) as person:
                if wanted(f"{prefix}russian"):
                    russian(person)
                    shoot(person.page, f"{prefix}russian")
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
