"""Stop strings across token borders."""

import random

import pytest

from parley.engines.stops import StopStrings, longest_overlap


def feed(strings, pieces):
    stops = StopStrings(strings)
    shown = "".join(stops.push(p) for p in pieces)
    return shown if stops.hit else shown + stops.flush(), stops.hit


@pytest.mark.parametrize(
    ("strings", "text", "shown"),
    [
        ((), "all of it", "all of it"),
        (("",), "an empty one stops nothing", "an empty one stops nothing"),
        (("\nUser:",), "Sure.\nUser: and", "Sure."),
        (("\nUser:",), "Sure.\nUse it", "Sure.\nUse it"),
        (("END", "E"), "the END", "the "),
        (("bc", "abcd"), "xabcd", "xa"),
        (("aab",), "aaab", "a"),
        (("終わり",), "これで終わりです", "これで"),
    ],
)
def test_the_same_however_the_text_is_cut(strings, text, shown):
    dice = random.Random(7)
    for size in (1, 2, 3, len(text)):
        pieces = [text[i : i + size] for i in range(0, len(text), size)]
        assert feed(strings, pieces)[0] == shown
    for _ in range(20):
        cuts = sorted(dice.sample(range(len(text)), min(3, len(text))))
        pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
        assert feed(strings, pieces)[0] == shown


def test_half_a_stop_string_is_never_shown():
    stops = StopStrings(("<stop>",))
    assert stops.push("yes<st") == "yes"
    assert stops.push("op>") == ""
    assert stops.hit
    assert stops.push("more") == ""


def test_what_turns_out_not_to_be_one_is_shown():
    stops = StopStrings(("<stop>",))
    assert stops.push("a <") == "a "
    assert stops.push("b") == "<b"
    assert stops.push("<sto") == ""
    assert stops.flush() == "<sto"


def test_overlap():
    assert longest_overlap("abc", ("cde",)) == 1
    assert longest_overlap("abc", ("bcd", "c!")) == 2
    assert longest_overlap("abc", ("abc",)) == 0
    assert longest_overlap("", ("x",)) == 0
