"""The corpus: a number gives one dialogue, always, and every label in it is one of the page's."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
import yaml

from parley import labels
from parley.guide.corpus import SHARES, Corpus
from parley.guide.evaluate import normalise, prompts
from parley.guide.intents import DATA, load_groups, load_intents
from parley.guide.noise import reword, roughen
from parley.guide.phrases import expand, label_names, with_labels

VALUES = {value for name, value in vars(labels).items() if name.isupper()}


def test_the_same_number_gives_the_same_dialogue() -> None:
    first, second = Corpus(3), Corpus(3)
    numbers = list(range(200))
    ahead = [first.dialogue(number) for number in numbers]
    back = [second.dialogue(number) for number in reversed(numbers)]
    assert ahead == back[::-1]
    other = Corpus(4)
    assert ahead != [other.dialogue(number) for number in numbers]


def test_every_label_in_the_data_is_on_the_page() -> None:
    folder = DATA.parent
    names = {
        name
        for path in [*folder.glob("intents/*.yaml"), *folder.glob("facts/*.yaml")]
        for name in label_names(path.read_text())
    }
    assert {"RETRY", "STOP", "NEW_CHAT", "SETTINGS"} <= names
    assert {getattr(labels, name) for name in names} <= VALUES


def test_an_unknown_label_is_an_error() -> None:
    with pytest.raises(KeyError, match="NO_SUCH"):
        with_labels("press {NO_SUCH}")


def test_what_answers_print_in_bold_is_a_label_or_a_key() -> None:
    bold = {
        word
        for intent in load_intents()
        for text in intent.warm
        for word in re.findall(r"\*\*(.+?)\*\*", text)
    }
    assert bold - VALUES == {"Enter", "Shift+Enter"}


@pytest.mark.parametrize("voice", ["warm", "terse"])
def test_answers_have_no_open_placeholders(voice: str) -> None:
    corpus = Corpus(1, voice)
    for number in range(1500):
        for message in corpus.dialogue(number).messages():
            assert message["content"].strip()
            assert not re.search(r"[{}§\[\]|%@]|<[a-z_0-9]+>", message["content"]), message


def test_every_category_is_drawn() -> None:
    corpus = Corpus(2)
    seen = {turn.category for number in range(400) for turn in corpus.dialogue(number).turns}
    assert seen == {*SHARES, "memory"}


def test_held_out_phrasings_are_split_off() -> None:
    kept, held = Corpus(1, holdout=12), Corpus(1, holdout=12, dev=True)
    for intent in load_intents():
        parts = set(kept.lines_of(intent)), set(held.lines_of(intent))
        assert not parts[0] & parts[1]
        assert len(parts[0] | parts[1]) == len(intent.lines)
    assert not set(kept.offtopic.groups["city"]) & set(held.offtopic.groups["city"])


def test_app_help_has_many_phrasings() -> None:
    for intent in load_intents():
        if intent.category == "app_help":
            assert len(intent.lines) >= 30, intent.id


def test_a_choice_may_be_empty_and_nested() -> None:
    rng = random.Random(1)
    found = {expand("[a|b [c|d]|]x <model>", {"model": ["bot"]}, rng) for _ in range(80)}
    assert found == {"ax bot", "b cx bot", "b dx bot", "x bot"}


def test_noise_never_empties_a_prompt() -> None:
    rng = random.Random(5)
    assert all(roughen("is it?", rng).strip() for _ in range(500))


def test_groups_are_words() -> None:
    offtopic = yaml.safe_load((Path(DATA).parent / "facts" / "offtopic.yaml").read_text())
    for groups in (load_groups(), offtopic["groups"]):
        assert all(isinstance(word, str) for words in groups.values() for word in words)


def test_rewording_changes_words_and_keeps_the_rest() -> None:
    rng = random.Random(3)
    found = {reword("Stop the answer, please?", rng, chance=1.0) for _ in range(60)}
    assert "Cancel the reply, please?" in found
    assert all(text.endswith(", please?") and text[0].isupper() for text in found)


def test_nothing_the_evaluation_asks_stands_in_the_corpus() -> None:
    held_out = prompts()
    for voice in ("warm", "terse"):
        corpus = Corpus(7, voice)
        for number in range(4000):
            asked = [turn.user for turn in corpus.dialogue(number).turns]
            runs = ["\n".join(asked[: end + 1]) for end in range(len(asked))]
            assert not held_out & {normalise(text) for text in (*asked, *runs)}
