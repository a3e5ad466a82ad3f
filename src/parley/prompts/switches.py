"""The switch that some chat templates have for thinking, under whatever name.

Knows nothing of what a model makes of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Switch:
    """A variable of a template, and what it is set to."""

    name: str
    on: object
    off: object


SWITCHES = (
    # Qwen 3, SmolLM3, GLM 4.5, Hunyuan, Exaone 4, Gemma 4
    Switch("enable_thinking", True, False),
    # Granite 3.2, DeepSeek V3.1, Hermes 4, Kimi K2.5
    Switch("thinking", True, False),
    # Seed-OSS: tokens to think with, -1 for as many as it likes
    Switch("thinking_budget", -1, 0),
)

PROBE = ({"role": "user", "content": "Hello"},)


class Renders(Protocol):
    """As much of a transformers tokenizer as is needed to try a template out."""

    @property
    def chat_template(self) -> object: ...
    def apply_chat_template(
        self,
        conversation: list[dict[str, str]],
        *,
        add_generation_prompt: bool,
        tokenize: bool,
        **variables: Any,
    ) -> object: ...


def variables(template: object, thinking: bool | None) -> dict[str, object]:
    """What ``template`` is to be told; nothing where it does not ask, or nobody chose."""
    if thinking is None:
        return {}
    # A checkpoint may bring several templates, by name.
    source = str(template or "")
    return {
        switch.name: switch.on if thinking else switch.off
        for switch in SWITCHES
        if re.search(rf"\b{switch.name}\b", source)
    }


def has_switch(tokenizer: Renders) -> bool:
    """Whether the template makes a difference between thinking and not. The name alone says
    little: templates also speak of the thoughts in a message, or set the variable themselves."""
    on, off = (variables(tokenizer.chat_template, thinking) for thinking in (True, False))
    if not on:
        return False
    try:
        return _rendered(tokenizer, on) != _rendered(tokenizer, off)
    except Exception:
        # What is wrong with the template is said when somebody asks something.
        return False


def _rendered(tokenizer: Renders, told: dict[str, object]) -> object:
    return tokenizer.apply_chat_template(
        list(PROBE), add_generation_prompt=True, tokenize=False, **told
    )
