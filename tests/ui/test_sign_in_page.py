"""A Parley with accounts: nobody comes in without one, and one's chats are one's own anywhere."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest

from parley.people import People
from tests.ui.conftest import Person, running
from tests.waiting import eventually


def identity(server) -> bytes | None:
    try:
        with urllib.request.urlopen(server.url + "/identity", timeout=10) as reply:
            return reply.read()
    except urllib.error.HTTPError as error:
        error.close()
        return None


@pytest.fixture(scope="module")
def server(models_file, tmp_path_factory):
    home = tmp_path_factory.mktemp("accounts")
    accounts = People(home / "users")
    accounts.add("Ann", "her word")
    accounts.add("Bob", "his word")
    with running(models_file, home / "data", PARLEY_USERS=str(home / "users")) as started:
        yield started


class Guest(Person):
    """Somebody at the door, with a browser of their own."""

    name, password = "", ""

    def ready(self) -> None:
        self.sign_in()
        super().ready()

    def sign_in(self) -> None:
        if self.page.locator(".parley").count():
            return
        self.page.wait_for_selector("input[type=password], .parley")
        if self.page.locator("input[type=password]").count():
            self.page.locator("input").first.fill(self.name)
            self.page.fill("input[type=password]", self.password)
            self.page.keyboard.press("Enter")


@pytest.fixture
def comes(browser, server):
    made = []

    def come(name: str, password: str) -> Guest:
        kind = type(name, (Guest,), {"name": name, "password": password})
        made.append(kind(browser, server.url))
        return made[-1]

    yield come
    for guest in made:
        guest.close()


def test_nobody_is_asked_anything_before_signing_in(server):
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(server.url + "/config", timeout=10)
    caught.value.close()
    assert caught.value.code == 401
    assert eventually(lambda: identity(server) == b"{}")


def test_a_person_has_their_chats_in_every_browser_and_nobody_else_has_them(comes):
    ann = comes("Ann", "her word")
    ann.ask("What Ann asked")
    again = comes("Ann", "her word")
    assert again.page.locator(".chat:has-text('What Ann asked')").count() == 1
    bob = comes("Bob", "his word")
    assert bob.page.locator(".chat").count() == 0
    assert "Bob" in bob.page.inner_text(".foot .me")


def test_whoever_comes_after_finds_nothing_of_the_one_before(comes):
    ann = comes("Ann", "her word")
    page = ann.page
    page.fill(".composer textarea", "Half a secret")
    page.click("[data-act=sign-out]")
    page.wait_for_selector("input[type=password]")
    page.locator("input").first.fill("Bob")
    page.fill("input[type=password]", "his word")
    page.keyboard.press("Enter")
    page.wait_for_selector(".parley[data-ready]")
    assert page.input_value(".composer textarea") == ""
    assert page.locator(".chat").count() == 0


def test_a_wrong_password_does_not_come_in(browser, server):
    context = browser.new_context()
    page = context.new_page()
    page.goto(server.url)
    page.wait_for_selector("input[type=password]")
    page.locator("input").first.fill("Ann")
    page.fill("input[type=password]", "a guess")
    page.keyboard.press("Enter")
    page.wait_for_timeout(1500)
    assert page.locator(".parley").count() == 0
    context.close()
