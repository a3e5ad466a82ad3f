"""The laws of the page: what may never happen to a person's words, whatever else goes wrong.

Each is tried in a real browser on real models. A test here is not changed to let a feature pass.
"""

from __future__ import annotations

import itertools
import os
import re
import signal
import time

from tests.waiting import eventually

IDLE = 0.03
"""Processor seconds an idle engine may use in 0.3 s of watching; a busy one uses ten times that."""
BOX = ".composer textarea"


def falls_idle(server) -> bool:
    return eventually(lambda: server.busy() <= IDLE, patience=10)


def words(text: str) -> str:
    """What is said, without what Markdown may show or swallow while it is half received."""
    return re.sub(r"[\W_]", "", text)


def test_text_never_shrinks_while_streaming(person):
    person.pick("Slow Llama")
    person.page.evaluate(
        """() => {
          window.lengths = [];
          const look = () => {
            const all = document.querySelectorAll('.msg.assistant .body');
            if (all.length) window.lengths.push(all[all.length - 1].textContent.length);
            requestAnimationFrame(look);
          };
          look();
        }"""
    )
    person.send("Babble")
    person.wait_for_text(length=400)
    person.stop()
    lengths = person.page.evaluate("window.lengths")
    # Markdown may swallow its own marks when they close; words never go.
    assert all(later >= earlier - 4 for earlier, later in itertools.pairwise(lengths))


def test_stop_keeps_the_text_and_it_does_not_grow_back(person, server):
    person.pick("Slow Llama")
    person.send("Go on for ever")
    person.wait_for_text(length=40)
    person.stop()
    kept = person.answers()[-1]
    assert len(kept) >= 40
    assert falls_idle(server)
    time.sleep(0.5)
    assert person.answers()[-1] == kept
    assert "stopped" in person.page.inner_text(".msg.assistant .stats")
    person.page.reload()
    person.ready()
    assert person.answers()[-1].split() == kept.split()


def test_a_failed_load_leaves_the_previous_model_usable(person):
    person.ask("Hello")
    person.pick("Torn Llama")
    person.send("Are you there?")
    person.wait_until_done()
    fault = person.page.inner_text(".msg.assistant:last-child .fault")
    assert "Torn Llama" in fault
    assert "Retry" in fault
    person.pick("Quick Llama")
    person.ask("And you?")
    assert person.stamps()[-1] == "Quick Llama"
    assert not person.page.is_visible(".msg.assistant:last-child .fault")
    assert person.answers()[-1].strip()


def test_an_error_keeps_the_draft(person, server):
    page = person.page
    # What is refused comes back into the box.
    page.click(".top [data-act=settings]")
    page.select_option(".field[data-key=form] select", label="Regex")
    page.fill(".field[data-key=form] textarea", "(")
    person.send("Many carefully chosen words")
    page.wait_for_selector("text=This regex cannot be followed")
    assert page.input_value(BOX) == "Many carefully chosen words"
    page.reload()
    person.ready()
    assert page.input_value(BOX) == "Many carefully chosen words"
    page.click(".top [data-act=settings]")
    page.click("[data-act=reset]")
    # What is being written while an answer fails stays in the box, and the box stays usable.
    person.pick("Slow Llama")
    person.send("Go on for ever")
    person.wait_for_text(length=20)
    page.fill(BOX, "My next question")
    os.kill(max(server.engines(), key=_use), signal.SIGKILL)
    person.wait_until_done()
    assert page.is_visible(".msg.assistant:last-child .fault")
    assert page.input_value(BOX) == "My next question"
    assert page.is_enabled(BOX)


def _use(pid: int) -> float:
    """How much an engine computes now; one that is already gone computes nothing."""
    from tests.ui.conftest import cpu_seconds

    before = cpu_seconds(pid)
    time.sleep(0.1)
    return cpu_seconds(pid) - before


def test_one_persons_stop_never_touches_anothers(people, server):
    one, other = people(), people()
    for person in (one, other):
        person.pick("Slow Llama")
        person.send("Go on for ever")
    for person in (one, other):
        person.wait_for_text(length=20)
    one.stop()
    length = len(other.answers()[-1])
    other.wait_for_text(length=length + 40)
    other.stop()
    assert falls_idle(server)


def test_switching_chats_mid_answer_mixes_nothing(person, server):
    page = person.page
    person.ask("The first chat")
    first = person.answers()
    page.click(".side .new")
    person.pick("Slow Llama")
    person.send("The second chat")
    person.wait_for_text(length=30)
    left = person.answers()[-1]
    page.click(".chat .open:has-text('The first chat')")
    page.wait_for_selector(".msg.user:has-text('The first chat')")
    # The other one goes on meanwhile, and not a word of it comes here.
    time.sleep(1)
    assert server.busy() > IDLE
    assert person.answers() == first
    assert page.locator(".msg").count() == 2
    page.click(".chat .open:has-text('The second chat')")
    page.wait_for_selector(".msg.user:has-text('The second chat')")
    person.wait_for_text(length=len(left) + 30)
    assert words(person.answers()[-1]).startswith(words(left)[:20])
    assert page.locator(".msg").count() == 2
    person.stop()
    # And after a reload each has what it had.
    page.reload()
    person.ready()
    assert words(person.answers()[-1]).startswith(words(left)[:20])
    page.click(".chat .open:has-text('The first chat')")
    page.wait_for_selector(".msg.user:has-text('The first chat')")
    assert person.answers() == first
