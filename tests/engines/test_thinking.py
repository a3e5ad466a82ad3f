"""Thinking apart from the answer, however the text is cut up."""

import random

import pytest

from parley.engines.thinking import STYLES, ThinkingSplitter, is_brick, left_open


def split(text, cuts=None, opened=None, bricks=frozenset()):
    splitter = ThinkingSplitter(opened, bricks)
    answer = thinking = ""
    pieces = list(text) if cuts is None else cuts
    for piece in pieces:
        out = splitter.push(piece)
        answer, thinking = answer + out.text, thinking + out.thinking
    out = splitter.flush()
    return answer + out.text, thinking + out.thinking


CASES = [
    ("plain", "Just an answer.", "Just an answer.", ""),
    ("leading blank stays", "  indented\n", "  indented\n", ""),
    ("only blank", " \n ", " \n ", ""),
    ("think", "<think>\nhm\n</think>\n\nYes.", "Yes.", "hm\n"),
    ("blank before the tag", "\n<think>hm</think>Yes.", "Yes.", "hm"),
    ("empty block", "<think>\n\n</think>\n\nYes.", "Yes.", ""),
    ("unclosed", "<think>still at it", "", "still at it"),
    ("half a closing tag", "<think>a </thi", "", "a </thi"),
    ("half an opening tag", "<thin", "<thin", ""),
    ("not a tag", "<thin air>", "<thin air>", ""),
    ("a tag in an answer is text", "Write <think> first.", "Write <think> first.", ""),
    ("a stray closing tag is text", "a</think>b", "a</think>b", ""),
    ("another style's close is text", "<think>a</thinking>b</think>c", "c", "a</thinking>b"),
    ("thinking", "<thinking>hm</thinking> Yes.", "Yes.", "hm"),
    ("mistral", "[THINK]hm[/THINK]Yes.", "Yes.", "hm"),
    ("seed", "<seed:think>hm</seed:think>Yes.", "Yes.", "hm"),
    ("two blocks", "<think>a</think>\n<think>b</think>c", "c", "ab"),
    (
        "harmony",
        "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Yes.",
        "Yes.",
        "hm",
    ),
    ("harmony without analysis", "<|channel|>final<|message|>Yes.", "Yes.", ""),
    (
        "harmony, twice",
        "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>commentary<|message|>b"
        "<|end|><|start|>assistant<|channel|>final<|message|>c",
        "c",
        "ab",
    ),
    (
        "command",
        "<|START_THINKING|>hm<|END_THINKING|><|START_RESPONSE|>Yes.<|END_RESPONSE|>",
        "Yes.",
        "hm",
    ),
]


@pytest.mark.parametrize(
    ("text", "answer", "thinking"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_table(text, answer, thinking):
    assert split(text, [text]) == (answer, thinking)
    assert split(text) == (answer, thinking)


@pytest.mark.parametrize("style", STYLES, ids=lambda s: s.name)
def test_every_style_opens_and_closes(style):
    for opening in style.opens:
        for closing in style.closes:
            assert split(f"{opening}hm{closing}\nYes.") == ("Yes.", "hm")


@pytest.mark.parametrize("seed", range(150))
def test_cutting_changes_nothing(seed):
    dice = random.Random(seed)
    bricks = frozenset({"<|channel|>", "<|message|>", "<|end|>", "<think>"})
    words = [t for s in STYLES for t in (*s.opens, *s.closes, *s.asides)]
    words += ["a", " ", "\n", "<", "<|", "[", "</", "think", "é", "<|end|", *bricks]
    text = "".join(dice.choices(words, k=dice.randint(1, 12)))
    opened = dice.choice([None, None, *STYLES])
    whole = split(text, [text], opened, bricks)
    assert split(text, None, opened, bricks) == whole
    cuts, rest = [], text
    while rest:
        size = dice.randint(1, 9)
        cuts.append(rest[:size])
        rest = rest[size:]
    assert split(text, cuts, opened, bricks) == whole


def test_a_prompt_may_open_the_block():
    assert left_open("<|im_start|>assistant\n<think>\n").name == "think"
    assert left_open("<|im_start|>assistant\n<think>\n\n</think>\n\n") is None
    assert left_open("assistant\n") is None
    opened = left_open("[INST]Hi[/INST][THINK]")
    assert split("hm[/THINK]Yes.", opened=opened) == ("Yes.", "hm")


def test_lone_bricks_are_left_out():
    bricks = frozenset({"<|channel|>", "<|message|>"})
    text = "<|channel|>odd<|message|>Yes."
    assert split(text, bricks=bricks) == ("oddYes.", "")


def test_which_special_tokens_have_to_be_seen():
    special = ["<s>", "</s>", "<think>", "<|channel|>", "<|start|>", "<|im_end|>", "[THINK]"]
    assert [s for s in special if is_brick(s)] == ["<think>", "<|channel|>", "<|start|>", "[THINK]"]


def test_it_knows_when_it_thinks():
    splitter = ThinkingSplitter()
    assert not splitter.thinking
    splitter.push("<think>a")
    assert splitter.thinking
    splitter.push("</think>")
    assert not splitter.thinking
