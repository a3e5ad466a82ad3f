"""Whole turns go, oldest first; the system prompt and the last question stay."""

from hypothesis import given
from hypothesis import strategies as st

from parley.engines.base import Message
from parley.prompts.trim import fit, note


def conversation(turns: int, system: bool = True) -> list[Message]:
    said = [Message("system", "s")] if system else []
    for number in range(turns):
        said += [Message("user", f"q{number}"), Message("assistant", f"a{number}")]
    return said[:-1]  # ends with a question


def test_what_fits_is_left_alone():
    messages = conversation(3)
    assert fit(messages, len, 6) == (tuple(messages), 0)


def test_a_question_goes_with_its_answer():
    kept, dropped = fit(conversation(3), len, 5)
    assert [m.content for m in kept] == ["s", "q1", "a1", "q2"]
    assert dropped == 2


def test_the_system_prompt_and_the_last_question_stay_even_if_they_do_not_fit():
    kept, dropped = fit(conversation(3), len, 1)
    assert [m.content for m in kept] == ["s", "q2"]
    assert dropped == 4


@given(st.integers(1, 12), st.booleans(), st.integers(1, 30))
def test_the_most_recent_turns_that_fit_are_kept(turns, system, limit):
    messages = conversation(turns, system)
    kept, dropped = fit(messages, len, limit)
    assert kept[-1] == messages[-1]
    assert len(kept) + dropped == len(messages)
    assert kept[int(system)].role == "user"
    last_turn_only = len(kept) == 1 + system
    assert len(kept) <= limit or last_turn_only
    # One more turn would not have fitted.
    assert dropped == 0 or len(kept) + 2 > limit


def test_the_note_gives_the_number_and_the_window():
    assert note(4, 1024).startswith("The 4 oldest messages were left out")
    assert "1,024 tokens" in note(1, 1024)
