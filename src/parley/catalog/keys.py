"""Every key of models.yaml: what it takes and what it means.

The one source for the loader that checks a file and for the reference that explains it. Knows
nothing of files; each key ends in a field of ``spec.ModelSpec``.
"""

from __future__ import annotations

import re
from typing import get_args

from parley.catalog.kinds import (
    Address,
    Choice,
    Flag,
    Key,
    Kind,
    ListOf,
    Number,
    Pattern,
    Table,
    Text,
)
from parley.catalog.model_kinds import (
    Context,
    Count,
    Day,
    Evidence,
    Folder,
    Language,
    Licence,
    Links,
    Logo,
    OpennessRow,
)
from parley.catalog.spec import (
    SAMPLING_LIMITS,
    Dtype,
    OpennessState,
    PromptFormat,
)

OPENNESS_ITEMS = {
    "training_data": "Can what it was trained on be had?",
    "weights": "Are all weights there, under a licence that lets people use them freely?",
    "evaluation_code": "Can its published scores be recomputed?",
    "fine_tuning_code": "Is there the code to train it further?",
    "training_metrics": "Are the curves or logs of its training published?",
}


def _id_hint(text: str) -> str:
    slug = re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._")
    return f"did you mean {slug}?" if slug else ""


def _repo_hint(text: str) -> str:
    if match := re.match(r"https?://[^/]+/([^/]+/[^/?#]+)", text):
        return f"did you mean {match[1]}?"
    if text.startswith((".", "~", "/")) or text.count("/") > 1:
        return "a folder on this machine is given with path"
    return ""


def _sampling(name: str, meaning: str) -> Key:
    low, high = SAMPLING_LIMITS[name]
    whole = name in ("top_k", "max_new_tokens", "seed")
    return Key(name, Number(low, high, whole), meaning)


SAMPLING = Table(
    (
        _sampling("temperature", "How freely it chooses; 0 always takes the likeliest token."),
        _sampling("top_p", "Keep the likeliest tokens up to this share of probability; 1 is off."),
        _sampling("top_k", "Keep this many of the likeliest tokens; 0 is off."),
        _sampling("min_p", "Drop tokens below this share of the likeliest one; 0 is off."),
        _sampling(
            "typical_p",
            "Keep the tokens about as surprising as expected, up to this share of probability; "
            "1 is off.",
        ),
        _sampling("repetition_penalty", "Above 1 makes tokens that were used less likely."),
        _sampling("frequency_penalty", "Taken off a token's score for each use in the answer."),
        _sampling("presence_penalty", "Taken off a token's score once the answer has used it."),
        _sampling("max_new_tokens", "The longest answer, in tokens."),
        Key("stop", ListOf(Text(200, lines=True, exact=True), 16), "Texts that end the answer."),
        _sampling("seed", "The same seed and prompt give the same answer; none draws a new one."),
    ),
    {"max_tokens": "max_new_tokens", "max_length": "max_new_tokens"},
)

_TOKENS = Number(1, 100_000_000, whole=True)

CONTEXT = Table(
    (
        Key("trained", _TOKENS, "The length it was trained on."),
        Key("max", _TOKENS, "The length its configuration allows."),
    )
)

LINK = Table(
    (
        Key("label", Text(40), "What the link is called.", required=True),
        Key("url", Address(), "Where it leads.", required=True),
    )
)

OPENNESS_ROW = Table(
    (
        Key("state", Choice(get_args(OpennessState)), "How open it is.", required=True),
        Key("evidence", Evidence(), "What shows it. Required unless the state is unknown."),
        Key(
            "as_of",
            Pattern(r"20\d\d-(0[1-9]|1[0-2])", "a month such as 2026-11"),
            "When it was checked. Required unless the state is unknown.",
        ),
        Key("note", Text(300), "A sentence for what the state cannot say."),
    )
)

_row: Kind = OpennessRow(OPENNESS_ROW)

OPENNESS = Table(tuple(Key(name, _row, meaning) for name, meaning in OPENNESS_ITEMS.items()))

MODEL = Table(
    (
        Key(
            "id",
            Pattern(
                r"[a-z0-9][a-z0-9._-]{0,63}",
                "small letters, digits and . _ -, at most 64, starting with a letter or digit",
                _id_hint,
            ),
            "Its name in addresses, in the API and in saved chats. Unique in the file; a later "
            "file that uses it again replaces the whole entry.",
            required=True,
        ),
        Key(
            "repo",
            Pattern(
                r"(?!.*(--|\.\.|[-.]$))([A-Za-z0-9][\w.-]{0,95}/)?[A-Za-z0-9_][\w.-]{0,95}",
                "a Hugging Face repository such as Qwen/Qwen3-0.6B",
                _repo_hint,
            ),
            "Where the Hub keeps it. Either this or `path`.",
        ),
        Key("path", Folder(), "Where this machine keeps it. Either this or `repo`."),
        Key(
            "revision",
            Pattern(r"[\w][\w./-]*", "a branch, tag or commit"),
            "The branch, tag or commit of `repo` to load.",
        ),
        Key("name", Text(60), "What the page calls it."),
        Key("description", Text(400, lines=True), "One or two sentences for its card."),
        Key("logo", Logo(), "Its picture on the page."),
        Key("family", Text(40), "The family it belongs to, such as Llama or OLMo."),
        Key("base_model", Text(120), "The model it was made from."),
        Key("developer", Text(80), "Who made it."),
        Key("released", Day(), "When it came out."),
        Key("license", Licence(), "The licence of its weights."),
        Key("license_url", Address(), "Where the licence can be read."),
        Key("gated", Flag(), "Whether the Hub asks for an account and consent."),
        Key("parameters", Count(), "How many parameters it has."),
        Key(
            "context",
            Context(_TOKENS, CONTEXT),
            "How many tokens it can take in: one number, or what it was trained on and what its "
            "configuration allows. The lower one is respected.",
        ),
        Key("languages", ListOf(Language()), "The languages it was made for."),
        Key("domain", Text(40), "What it was made for, in a word of your own: medicine, code."),
        Key("tasks", ListOf(Text(40), 12), "What it is good at, in words of your own."),
        Key(
            "dtype",
            Choice(
                get_args(Dtype),
                {"fp32": "float32", "fp16": "float16", "half": "float16", "bf16": "bfloat16"},
            ),
            "The number format of its weights in memory; auto picks one that suits the machine.",
        ),
        Key(
            "prompt_format",
            Choice(get_args(PromptFormat)),
            "How a conversation becomes its prompt: by the chat template in its repository, or, "
            "for a model without one, as a plain transcript.",
        ),
        Key("system_prompt", Text(20_000, lines=True), "What it is told before a conversation."),
        Key("examples", ListOf(Text(400, lines=True), 8), "Prompts offered on the welcome screen."),
        Key("sampling", SAMPLING, "Its settings at the start."),
        Key("notice", Text(400, lines=True), "A warning shown above the conversation."),
        Key("links", Links(LINK), "Links on its card."),
        Key("openness", OPENNESS, "How open it is, in five items, each with its evidence."),
        Key("engine", Choice(("local",)), "What runs it."),
        Key(
            "idle_ttl",
            Number(0, 10_000_000),
            "Seconds without use after which it leaves memory; 0 keeps it until its room is "
            "needed. Left out, PARLEY_IDLE_TTL holds.",
        ),
        Key("pinned", Flag(), "Whether it stays in memory, once loaded, until you unload it."),
        Key(
            "concurrency",
            Number(1, 256, whole=True),
            "How many answers it writes at the same time; further ones wait their turn.",
        ),
    ),
    {k.name: f"{k.name} under sampling" for k in SAMPLING.keys}
    | {
        "model": "repo", "hf_repo": "repo", "repo_id": "repo", "prompt_examples": "examples",
        "context_length": "context", "max_context": "context.max", "precision": "dtype",
        "context_trained": "context.trained", "context_max": "context.max", "title": "name",
        "release_date": "released", "author": "developer", "warning": "notice",
    },
)  # fmt: skip
