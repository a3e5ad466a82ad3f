"""Code that writes an answer again without Parley: with transformers, or against any server that
speaks OpenAI's protocol.

Pure: from what is kept of an answer to a text. With the same weights, number format and kind of
processor the first gives the same answer: Parley draws a token by adding noise from a generator
with the answer's seed, and so does the code. Knows nothing of pages or stores.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from parley.catalog.spec import ModelSpec, Sampling
from parley.chats.records import ChatMessage
from parley.engines.base import Message
from parley.prompts.formats import TRANSCRIPT_STOPS, transcript
from parley.prompts.render import NO_TEMPLATE

WARPERS = (
    ("temperature", "TemperatureLogitsWarper({})", 1),
    ("top_k", "TopKLogitsWarper({})", 0),
    ("top_p", "TopPLogitsWarper({})", 1),
    ("min_p", "MinPLogitsWarper({})", 0),
    ("typical_p", "TypicalLogitsWarper({})", 1),
)
"""Settings of sampling, transformers' class for each, and the value that switches it off."""

NEUTRAL = Sampling()

DRAW = '''

class Draw(LogitsProcessor):
    """Parley's way to draw: the largest score after noise has been added."""

    def __init__(self, seed):
        self.generator = torch.Generator().manual_seed(seed)

    def __call__(self, input_ids, scores):
        uniform = torch.rand(scores.shape[-1], generator=self.generator)
        return scores - torch.log(-torch.log(uniform.clamp(1e-20, 1 - 1e-7)))
'''


def with_transformers(
    spec: ModelSpec, answer: ChatMessage, messages: Sequence[Message], *, local: bool
) -> str:
    """A script for transformers. ``local`` is whether its reader may know this machine's paths."""
    meta = answer.meta
    sampling: Mapping[str, Any] = meta.get("sampling") or {}
    draws = (sampling.get("temperature") or 0) > 0
    source, revision = _source(spec, meta, local)
    classes = ["AutoModelForCausalLM", "AutoTokenizer"]
    warpers = []
    if draws:
        chosen = [w for w in WARPERS if sampling.get(w[0], w[2]) != w[2]]
        warpers = [made.format(sampling[name]) for name, made, _ in chosen]
        classes += ["LogitsProcessor", "LogitsProcessorList", *(w.split("(")[0] for w in warpers)]
        warpers.append(f"Draw({int(meta.get('seed') or 0)})")
    lines = ["import torch", "from transformers import ("]
    lines += [f"    {name}," for name in sorted(classes)]
    lines += [")"]
    code = "\n".join(lines) + "\n" + (DRAW if draws else "") + ("\n\n" if draws else "\n")
    more = f", revision={revision!r}" if revision else ""
    code += f"source = {source!r}\n"
    code += f"tokenizer = AutoTokenizer.from_pretrained(source{more})\n"
    code += (
        "model = AutoModelForCausalLM.from_pretrained(\n"
        f"    source{more}, dtype=torch.{meta.get('dtype') or 'float32'}\n)\n\n"
    )
    code += _prompt(spec, meta, messages)
    options = [f"max_new_tokens={int(sampling.get('max_new_tokens', NEUTRAL.max_new_tokens))}"]
    options += ["do_sample=False"]
    if (penalty := sampling.get("repetition_penalty", 1)) != 1:
        options.append(f"repetition_penalty={penalty}")
    if bias := sampling.get("logit_bias"):
        pairs = ", ".join(f"({int(token)},): {float(value)}" for token, value in bias)
        options.append(f"sequence_bias={{{pairs}}}")
    if stops := _stops(spec, meta, sampling):
        options += [f"stop_strings={stops!r}", "tokenizer=tokenizer"]
    if draws:
        options.append(f"logits_processor=LogitsProcessorList([{', '.join(warpers)}])")
    code += "output = model.generate(\n    **inputs,\n"
    code += "".join(f"    {option},\n" for option in options) + ")\n"
    code += "written = output[0, inputs['input_ids'].shape[1] :]\n"
    code += "print(tokenizer.decode(written, skip_special_tokens=True))\n"
    return _remarks(answer, sampling) + code


def with_openai(spec: ModelSpec, answer: ChatMessage, messages: Sequence[Message]) -> str:
    """A script for the openai package and any server that has the model."""
    sampling: Mapping[str, Any] = answer.meta.get("sampling") or {}
    options = [f"temperature={sampling.get('temperature', NEUTRAL.temperature)}"]
    for name, neutral in (("top_p", 1), ("frequency_penalty", 0), ("presence_penalty", 0)):
        if sampling.get(name, neutral) != neutral:
            options.append(f"{name}={sampling[name]}")
    limit = int(sampling.get("max_new_tokens", NEUTRAL.max_new_tokens))
    options += [f"max_tokens={limit}"]
    if stops := list(sampling.get("stop") or ()):
        options.append(f"stop={stops!r}")
    if (seed := answer.meta.get("seed")) is not None:
        options.append(f"seed={int(seed)}")
    said = _as_json([{"role": m.role, "content": m.content} for m in messages])
    return (
        "from openai import OpenAI\n\n"
        "# Any server that speaks this protocol and has the model: vLLM, transformers serve, ...\n"
        'client = OpenAI(base_url="http://localhost:8000/v1", api_key="none")\n'
        "answer = client.chat.completions.create(\n"
        f"    model={(spec.repo or spec.id)!r},\n"
        f"    messages={said},\n" + "".join(f"    {option},\n" for option in options) + ")\n"
        "print(answer.choices[0].message.content)\n"
    )


def _source(spec: ModelSpec, meta: Mapping[str, Any], local: bool) -> tuple[str, str | None]:
    if spec.repo:
        return spec.repo, meta.get("revision") or spec.revision
    path = spec.path
    return (str(path) if local and path else f"path/to/{path.name if path else spec.id}"), None


def _prompt(spec: ModelSpec, meta: Mapping[str, Any], messages: Sequence[Message]) -> str:
    if _plain(spec, meta):
        return (
            f"prompt = {transcript(messages)!r}\n"
            'inputs = tokenizer(prompt, return_tensors="pt", return_token_type_ids=False)\n'
        )
    said = _as_json([{"role": m.role, "content": m.content} for m in messages])
    switch = meta.get("thinking")
    more = f"    enable_thinking={switch},\n" if switch is not None else ""
    return (
        f"messages = {said}\n"
        "inputs = tokenizer.apply_chat_template(\n"
        "    messages,\n    add_generation_prompt=True,\n"
        f'    return_tensors="pt",\n    return_dict=True,\n{more})\n'
    )


def _plain(spec: ModelSpec, meta: Mapping[str, Any]) -> bool:
    """Whether the prompt was the transcript, asked for or for want of a chat template."""
    return spec.prompt_format == "transcript" or NO_TEMPLATE in (meta.get("notes") or ())


def _stops(spec: ModelSpec, meta: Mapping[str, Any], sampling: Mapping[str, Any]) -> list[str]:
    own = TRANSCRIPT_STOPS if _plain(spec, meta) else ()
    return [*(sampling.get("stop") or ()), *own]


def _remarks(answer: ChatMessage, sampling: Mapping[str, Any]) -> str:
    """What its reader should know, said on top of the code."""
    remarks = []
    if answer.meta.get("edited"):
        remarks.append("This answer was edited by hand; the code writes the model's own.")
    if sampling.get("frequency_penalty") or sampling.get("presence_penalty"):
        remarks.append("transformers has no frequency or presence penalty: they are left out.")
    if sampling.get("json_schema") or sampling.get("regex"):
        remarks.append("The answer was held to a form, which transformers cannot do by itself.")
    remarks += [str(note) for note in answer.meta.get("notes") or ()]
    return "".join(f"# {remark}\n" for remark in remarks) + ("\n" if remarks else "")


def _as_json(value: object) -> str:
    """A literal that is both JSON and Python: these are lists of mappings of texts."""
    return json.dumps(value, ensure_ascii=False, indent=4)
