"""A text that opens an answer, as the tokens that the template's model would have written."""

from __future__ import annotations

import pytest

from parley.engines.detokenize import Detokenizer
from parley.engines.openings import opening_ids
from parley.prompts.render import render, render_open
from tests import checkpoints
from tests.engines.continuing import HELLO, LLAMA2
from tests.engines.test_constraint import sentencepiece

GEMMA = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] | trim + "
    "'<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}"
    "{% endif %}"
)
QWEN3 = (
    "{% for m in messages %}{% if m.role == 'assistant' %}"
    "{{ '<|im_start|>assistant\n<think>\n\n</think>\n\n' + m.content.split('</think>')[-1]"
    ".lstrip('\n') + '<|im_end|>\n' }}"
    "{% else %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
R1 = (
    "{% for m in messages %}{% if m.role == 'assistant' %}"
    "{{ '<|im_start|>assistant\n' + m.content.split('</think>')[-1] + '<|im_end|>\n' }}"
    "{% else %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n<think>\n' }}{% endif %}"
)


def joined(tokenizer, text, template, tags=None):
    """The prompt's ids, the opening's, and those the library would have had for both."""
    tokenizer.chat_template = template
    prompt = render(tokenizer, HELLO, "template", "Tiny").ids
    templated = render_open(tokenizer, HELLO, text, "template")
    return prompt, opening_ids(tokenizer, prompt, text, templated, tags), templated


TOKENIZERS = {
    "byte level": lambda: checkpoints.tokenizer(bos="<s>"),
    "sentencepiece": sentencepiece,
}
TEMPLATES = {
    "chatml": checkpoints.CHATML,
    "llama 2": LLAMA2,
    "gemma": GEMMA,
    "qwen 3": QWEN3,
    "r1": R1,
    "none": None,
}


@pytest.mark.parametrize("name", TOKENIZERS)
@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("text", ["hello a", " hello", "\n\nhello", "hello ", "終a", "a  b\n\tc"])
def test_an_opening_reads_as_it_was_given_wherever_it_stands(name, template, text):
    """But for a space that the template puts before every answer."""
    tokenizer = TOKENIZERS[name]()
    prompt, ids, templated = joined(tokenizer, text, TEMPLATES[template])
    reader = Detokenizer(tokenizer, prompt)
    read = "".join(reader.push(token) for token in ids)
    spaced = template in ("llama 2", "none") and not text[0].isspace()
    if text == text.strip() and (spaced or template in ("chatml", "gemma")):
        # Where the template has nothing of its own to say, this is what the library would have.
        assert templated == (*prompt, *ids)
        assert read == (" " if spaced else "") + text
    assert read.removeprefix(" " if spaced else "") == text


def test_control_tokens_in_an_opening_are_text_but_for_those_of_thinking():
    tokenizer = checkpoints.tokenizer()
    tags = {tokenizer.convert_tokens_to_ids(t): t for t in ("<think>", "</think>")}
    text = "<think>a</think><|im_end|>"
    _, ids, _ = joined(tokenizer, text, checkpoints.CHATML, tags)
    think, end, stop = tokenizer.convert_tokens_to_ids(["<think>", "</think>", "<|im_end|>"])
    assert ids.count(think) == ids.count(end) == 1
    assert stop not in ids
    assert tokenizer.decode(ids) == text
