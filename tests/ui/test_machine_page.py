"""What the page shows of memory, downloads and the queue, and what a person can do about them: a
real Parley, a real browser, real processes, and a stand-in for the Hub on this machine."""

from __future__ import annotations

import urllib.request

import psutil
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests import checkpoints
from tests.engines.stand_in_hub import StandInHub
from tests.ui.conftest import Person, running


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    made = StandInHub()
    folder = tmp_path_factory.mktemp("repo")
    made.repos["tiny/model"] = made.repos["tiny/gated"] = checkpoints.build(
        folder / "model", "llama", hidden_size=96
    )
    made.gated.add("tiny/gated")
    yield made
    made.close()


@pytest.fixture(scope="module")
def house(hub, checkpoint_folders, tmp_path_factory):
    """Room for one of the two that are here."""
    home = tmp_path_factory.mktemp("house")
    entries = [
        {
            "id": "quick",
            "name": "Quick Llama",
            "path": str(checkpoint_folders["quick"]),
            "sampling": {"max_new_tokens": 20, "seed": 1},
        },
        {
            "id": "slow",
            "name": "Slow Llama",
            "path": str(checkpoint_folders["slow"]),
            "sampling": {"max_new_tokens": 6000, "seed": 1},
        },
        {"id": "far", "name": "Far Llama", "repo": "tiny/model"},
        {"id": "gated", "name": "Gated Llama", "repo": "tiny/gated", "gated": True},
        {"id": "huge", "name": "Huge Llama", "repo": "tiny/huge", "parameters": "70B"},
    ]
    file = home / "models.yaml"
    file.write_text(yaml.safe_dump({"models": entries}))
    environment = hub.environment(home / "hf", PARLEY_MEMORY="420MB")
    with running(file, home / "data", **environment) as started:
        yield started


@pytest.fixture
def person(browser, house):
    made = Person(browser, house.url)
    yield made
    assert made.faults == []
    made.close()


def row(person, model):
    return person.page.locator(f".options .row[data-key={model}]")


def says(person, model, text):
    row(person, model).filter(has_text=text).wait_for()


def panel(person):
    person.page.click("[data-act=machine]")
    return person.page.locator("dialog[open]")


def test_the_picker_says_what_a_model_would_cost(person):
    person.page.click("button.picker")
    says(person, "quick", "On disk")
    says(person, "quick", "Fits")
    says(person, "far", "to download")
    says(person, "gated", "HF_TOKEN")
    says(person, "huge", "Too large: needs")
    says(person, "huge", "this machine has 420 MB")


def test_a_download_is_watched_in_the_picker_and_cancelled(person, house, hub):
    hub.pause, hub.piece = 0.05, 2048
    person.pick("Far Llama")
    person.send("Hello")
    person.page.locator(".msg.assistant .status", has_text="Downloading").wait_for()
    person.page.click("button.picker")
    says(person, "far", "Downloading")
    bar = row(person, "far").locator(".bar[aria-valuenow]")
    bar.wait_for()
    first = float(bar.get_attribute("aria-valuenow"))
    person.page.wait_for_function(
        "([key, before]) => +document.querySelector(`.row[data-key=${key}] .bar`)"
        ".getAttribute('aria-valuenow') > before",
        arg=["far", first],
    )
    engines = house.engines()
    row(person, "far").locator(".go").click()
    says(person, "far", "to download")
    person.page.keyboard.press("Escape")
    person.wait_until_done()
    fault = person.page.locator(".msg.assistant .fault")
    assert "was stopped" in fault.inner_text()
    _, alive = psutil.wait_procs([psutil.Process(p) for p in engines if psutil.pid_exists(p)], 20)
    assert not alive
    asked = len(hub.of("model.safetensors"))
    # What has come stays: the second try begins where the first one ended.
    hub.pause = 0.0
    fault.locator("[data-act=retry]").click()
    person.wait_until_done()
    assert person.answers()[-1]
    assert any(request.range for request in hub.of("model.safetensors")[asked:])
    person.page.click("button.picker")
    says(person, "far", "ready")


def test_a_refusal_has_links_that_can_be_followed(person):
    person.pick("Gated Llama")
    person.send("Let me in")
    person.wait_until_done()
    fault = person.page.locator(".msg.assistant .fault")
    link = fault.locator("a").first
    assert link.get_attribute("href") == "https://huggingface.co/tiny/gated"
    assert "noopener" in link.get_attribute("rel")


def test_who_waits_for_memory_is_told_and_can_give_up(browser, house, person):
    other = Person(browser, house.url)
    person.pick("Slow Llama")
    person.send("Go on and on")
    person.wait_for_text(length=5)
    other.pick("Quick Llama")
    other.send("Hello")
    status = other.page.locator(".msg.assistant .status")
    status.filter(has_text="place 1").wait_for()
    status.locator(".cancel").click()
    other.wait_until_done()
    assert other.page.locator(".msg.user").inner_text() == "Hello"
    assert len(person.answers()[-1]) > 0
    # Nobody's answer was touched; the next try gets its turn as soon as that has ended.
    other.page.locator("[data-act=retry]").last.click()
    status.filter(has_text="place 1").wait_for()
    person.stop()
    other.wait_until_done()
    assert other.answers()[-1]
    assert other.faults == []
    other.close()


def test_the_machine_panel_shows_pins_and_unloads(person, house):
    person.pick("Quick Llama")
    person.ask("Hello")
    sheet = panel(person)
    item = sheet.locator(".loaded .item", has_text="Quick Llama")
    item.wait_for()
    item.locator(".pin").click()
    person.page.wait_for_function(
        "document.querySelector('.loaded .item .pin')?.getAttribute('aria-pressed') === 'true'"
    )
    assert "stays" in item.inner_text()
    engines = house.engines()
    item.locator(".go").click()
    sheet.locator(".others .item", has_text="Quick Llama").wait_for()
    _, alive = psutil.wait_procs([psutil.Process(p) for p in engines if psutil.pid_exists(p)], 20)
    assert not alive
    assert "Quick Llama" in sheet.locator(".counted").inner_text()
    person.page.wait_for_timeout(600)  # a press right after another counts as a slip
    sheet.locator(".others .item", has_text="Quick Llama").locator(".go").click()
    sheet.locator(".loaded .item", has_text="Quick Llama").filter(has_text="Idle").wait_for()


def test_health_and_metrics_tell_the_same(person, house):
    person.pick("Quick Llama")
    person.ask("Hello")
    with urllib.request.urlopen(house.url + "/health", timeout=20) as answer:
        assert answer.status == 200
    with urllib.request.urlopen(house.url + "/metrics", timeout=20) as answer:
        families = {f.name: f for f in text_string_to_metric_families(answer.read().decode())}
    states = {s.labels["model"]: s.labels["state"] for s in families["parley_model_state"].samples}
    assert states["quick"] == "ready"
    assert sum(s.value for s in families["parley_generations"].samples) > 0
