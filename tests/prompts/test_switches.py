"""Which templates can be told to think, and that they are told nothing else."""

from __future__ import annotations

import pytest

from parley.engines.base import Message
from parley.prompts.render import render
from parley.prompts.switches import has_switch, variables
from tests import checkpoints

TURNS = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
OPEN = "{% if add_generation_prompt %}<|im_start|>assistant\n"
EMPTY = "<think>\n\n</think>\n\n"

WITH = {
    "on unless told": (
        TURNS + OPEN + "{% if enable_thinking is defined and enable_thinking is false %}"
        "{{ '" + EMPTY.replace("\n", "\\n") + "' }}{% endif %}{% endif %}"
    ),
    "in the system prompt": (
        "{% if enable_thinking is not defined %}{% set enable_thinking = true %}{% endif %}"
        "<|im_start|>system\nReasoning Mode: {{ '/think' if enable_thinking else '/no_think' }}"
        "<|im_end|>\n" + TURNS + OPEN + "{% endif %}"
    ),
    "off unless told": (
        "{% if not thinking is defined %}{% set thinking = false %}{% endif %}"
        + TURNS
        + OPEN
        + "{% if thinking %}<think>{% else %}</think>{% endif %}{% endif %}"
    ),
    "an instruction": (
        "{%- if thinking %}Write your thoughts first.{% endif %}" + TURNS + OPEN + "{% endif %}"
    ),
    "a budget": (
        "{% if not thinking_budget is defined %}{% set thinking_budget = -1 %}{% endif %}"
        + TURNS
        + OPEN
        + "{% if thinking_budget | int == 0 %}<think></think>{% endif %}{% endif %}"
    ),
    "two names": (
        "{% if enable_thinking is defined %}{% set thinking = enable_thinking %}{% endif %}"
        + TURNS
        + OPEN
        + "{% if thinking %}<think>{% endif %}{% endif %}"
    ),
}
WITHOUT = {
    "none": None,
    "nothing of the kind": checkpoints.CHATML,
    "always": TURNS + OPEN + "<think>\n{% endif %}",
    "its own": "{% set enable_thinking = true %}" + TURNS + OPEN + "{% endif %}",
    "thoughts of messages": (
        "{% for m in messages %}{% if m.thinking %}{{ m.thinking }}{% endif %}{{ m.content }}"
        "{% endfor %}"
    ),
    "broken": "{% if enable_thinking %}{{ nobody.knows }}{% endif %}{{ 1 / 0 }}",
    "no template at all": "{% if enable_thinking %}",
}
HELLO = (Message("user", "Hello"),)


def made(template):
    return checkpoints.tokenizer(template=template)


def said(tokenizer, thinking, form="template"):
    prompt = render(tokenizer, HELLO, form, "Tiny", thinking)
    return tokenizer.decode(list(prompt.ids))


@pytest.mark.parametrize("name", WITH)
def test_a_switch_is_found_and_works(name):
    tokenizer = made(WITH[name])
    assert has_switch(tokenizer)
    on, off, untold = (said(tokenizer, thinking) for thinking in (True, False, None))
    assert on != off
    assert untold in (on, off)


@pytest.mark.parametrize("name", WITHOUT)
def test_no_switch_where_there_is_none(name):
    assert not has_switch(made(WITHOUT[name]))


@pytest.mark.parametrize("name", ["none", "nothing of the kind", "always", "its own"])
def test_without_a_switch_nothing_changes(name):
    tokenizer = made(WITHOUT[name])
    assert said(tokenizer, True) == said(tokenizer, False) == said(tokenizer, None)


def test_thinking_that_was_turned_off_has_been_closed_by_the_prompt():
    tokenizer = made(WITH["on unless told"])
    assert said(tokenizer, False).endswith("assistant\n" + EMPTY)
    assert said(tokenizer, True).endswith("assistant\n")


def test_a_template_is_told_only_what_it_asks_for():
    assert variables(WITH["off unless told"], True) == {"thinking": True}
    assert variables(WITH["a budget"], False) == {"thinking_budget": 0}
    assert variables(WITH["on unless told"], None) == {}
    assert variables(checkpoints.CHATML, True) == {}
    assert variables(None, True) == {}
    assert variables("{{ unthinking }} {{ thinking_of }}", True) == {}


def test_a_transcript_has_no_switch():
    tokenizer = made(WITH["off unless told"])
    assert said(tokenizer, True, "transcript") == said(tokenizer, False, "transcript")
