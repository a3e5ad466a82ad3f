"""Answers that are held to a form: whatever the scores, what comes out fits."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

from parley.catalog.spec import Sampling
from parley.engines.constraint import Constraints
from parley.engines.detokenize import Detokenizer
from parley.engines.sampling import Sampler
from parley.errors import GenerationError, PromptError
from tests import checkpoints

CPU = torch.device("cpu")
WEIGHTS = Path(__file__).parents[2] / "src" / "parley" / "guide" / "weights"


def sentencepiece():
    """As Llama 2's: spaces are ▁, and what has no token is written in bytes."""
    pieces = [
        *("<unk>", "<s>", "</s>"),
        *(f"<0x{byte:02X}>" for byte in range(256)),
        *"▁abcdefghijklmnopqrstuvwxyz0123456789{}[]:,\"'.-_éß",
        *("▁a", "he", "▁{", '":', "▁▁", "el"),
    ]
    pairs = (("▁", "a"), ("h", "e"), ("▁", "{"), ('"', ":"), ("▁", "▁"), ("e", "l"))
    raw = Tokenizer(
        models.BPE(
            vocab={piece: i for i, piece in enumerate(pieces)},
            merges=list(pairs),
            unk_token="<unk>",
            fuse_unk=True,
            byte_fallback=True,
        )
    )
    raw.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    raw.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=raw, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )


# What makes one, how many scores its model has (more than it has tokens), what ends an answer.
KINDS = {
    "byte-level": (checkpoints.tokenizer, 384, {0, 2}),
    "sentencepiece": (sentencepiece, 352, {2}),
    "guide": (lambda: AutoTokenizer.from_pretrained(WEIGHTS / "guide"), 4096, {2}),
}


class Case:
    def __init__(self, kind):
        make, self.vocabulary, eos = KINDS[kind]
        self.tokenizer = make()
        self.eos = frozenset(eos)
        self.constraints = Constraints(self.tokenizer, self.vocabulary, self.eos, "Olm")

    def write(self, seed, *, most=400, liked=(), **form):
        """An answer by random scores; ``liked`` tokens score far above the others."""
        sampling = Sampling(temperature=1.0, **form)
        sampler = Sampler(sampling, seed, (), CPU, self.constraints(sampling))
        generator = torch.Generator().manual_seed(seed)
        answer = []
        while len(answer) < most and not self.eos & {*answer[-1:]}:
            logits = torch.randn(self.vocabulary, generator=generator) * 2
            logits[list(liked)] += 12
            answer.append(sampler.choose(logits, answer))
        return answer

    def text(self, answer):
        """What a person sees of it."""
        assert answer[-1] in self.eos, "the answer did not end by itself"
        prompt = self.tokenizer.encode("a", add_special_tokens=False)
        shown = Detokenizer(self.tokenizer, prompt)
        return "".join(shown.push(token) for token in answer[:-1])

    def tokens(self, *texts):
        """Those that are written so."""
        decoded = (self.tokenizer.decode([t]) for t in range(len(self.tokenizer)))
        return [t for t, text in enumerate(decoded) if text and text in texts]


@pytest.fixture(scope="module", params=KINDS)
def case(request):
    return Case(request.param)


@pytest.fixture(scope="module")
def byte_level():
    return Case("byte-level")


PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 2, "maxLength": 12},
        "age": {"type": "integer", "minimum": 0, "maximum": 130},
        "tags": {"type": "array", "items": {"enum": ["a", "ß", None, 1]}, "maxItems": 3},
    },
    "required": ["name", "age"],
    "additionalProperties": False,
}
TREE = {
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "value": {"type": "boolean"},
                "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
            },
            "required": ["value", "next"],
            "additionalProperties": False,
        }
    },
    "$ref": "#/$defs/node",
}
SCHEMAS = {
    "person": PERSON,
    "tree": TREE,
    "date": {"type": "string", "format": "date"},
    "pattern": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{1,4}$"},
    "choice": {"enum": ["yes", "no", 'a "quoted" one', "日本"]},
    "const": {"const": {"x": [1, {"y": None}]}},
    "numbers": {"type": "array", "items": {"type": "number"}, "minItems": 1, "maxItems": 4},
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_hundred_random_answers_fit_the_schema(case, name):
    schema = SCHEMAS[name]
    for seed in range(100):
        text = case.text(case.write(seed, json_schema=json.dumps(schema)))
        jsonschema.validate(json.loads(text), schema)


@pytest.mark.parametrize(
    "schema", [{"type": ["object", "array"]}, {"type": "object"}, {}, {"type": "string"}], ids=str
)
def test_a_schema_without_limits_ends_when_the_model_wants_to_end(case, schema):
    closing = case.tokens('"', "}", "]")
    for seed in range(100):
        answer = case.write(seed, liked=[*closing, *case.eos], json_schema=json.dumps(schema))
        jsonschema.validate(json.loads(case.text(answer)), schema)


def test_a_model_that_likes_spaces_best_comes_to_an_end(case):
    schema = {"type": "array", "items": {"type": "boolean"}, "minItems": 2, "maxItems": 2}
    blank = case.tokens(" ", "  ", "\n", "\t", "\r")
    text = case.text(case.write(1, liked=blank, json_schema=json.dumps(schema)))
    assert len(json.loads(text)) == 2
    assert len(text) < 120


REGEXES = [
    r"[a-z]{3}-[0-9]{2}",
    r"^(yes|no)$",
    r"(a|é|ß){1,3}!?",
    r"\{\"n\": [0-9]{1,3}\}",
    r"[^x]{2}",
    r"a/b\n",
    r"",
]


@pytest.mark.parametrize("regex", REGEXES)
def test_a_hundred_random_answers_match_the_regex_as_a_whole(case, regex):
    for seed in range(100):
        assert re.fullmatch(regex, case.text(case.write(seed, regex=regex)))


def test_every_token_that_ends_an_answer_may_do_so(byte_level):
    ends = {byte_level.write(seed, regex="a?")[-1] for seed in range(40)}
    assert ends == byte_level.eos


def test_no_answer_ends_before_the_grammar_does(case):
    answer = case.write(1, liked=case.eos, regex="[ab]{7}")
    assert len(case.text(answer)) == 7


def test_scores_beyond_the_tokenizer_and_special_tokens_are_never_allowed(case):
    special = [t for t in case.tokenizer.all_special_ids if t not in case.eos]
    beyond = range(len(case.tokenizer), case.vocabulary)
    constraint = case.constraints(Sampling(regex=".*"))
    allowed = constraint.mask(torch.zeros(case.vocabulary)) == 0
    assert allowed.any()
    assert not allowed[[*special, *beyond]].any()


def test_scores_may_be_fewer_or_more_than_was_said(byte_level):
    for count in (300, 400):
        constraint = byte_level.constraints(Sampling(regex=".*"))
        masked = constraint.mask(torch.zeros(count))
        assert masked.shape == (count,)
        assert (masked == 0).sum() > 200


def test_free_text_needs_no_constraint(byte_level):
    assert byte_level.constraints(Sampling()) is None


def test_two_answers_at_a_time_do_not_meet(byte_level):
    first, second = (byte_level.constraints(Sampling(regex=r)) for r in ("ab", "ba"))
    a, b = byte_level.tokenizer.convert_tokens_to_ids(["a", "b"])
    first.accept(a)
    second.accept(b)
    for constraint, wanted in ((first, b), (second, a)):
        allowed = constraint.mask(torch.zeros(384)) == 0
        assert allowed.nonzero().tolist() == [[wanted]]


def test_a_real_model_whose_prompt_has_closed_its_thinking(tmp_path):
    template = checkpoints.CHATML.replace(
        "<|im_start|>assistant\n{%", "<|im_start|>assistant\n<think>\n\n</think>\n\n{%"
    )
    made = checkpoints.tokenizer(template=template)
    folder = checkpoints.build(tmp_path, "qwen3", made=made)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    talk = [{"role": "user", "content": "Who are you?"}]
    prompt = tokenizer.apply_chat_template(talk, add_generation_prompt=True)["input_ids"]
    assert tokenizer.decode(prompt).endswith("</think>\n\n")
    eos = frozenset(model.generation_config.eos_token_id)
    constraints = Constraints(tokenizer, model.config.vocab_size, eos, "Olm")
    for seed in range(3):
        sampling = Sampling(temperature=0.8, top_p=0.9, json_schema=json.dumps(PERSON))
        sampler = Sampler(sampling, seed, prompt, CPU, constraints(sampling))
        answer = []
        while not eos & {*answer[-1:]}:
            assert len(answer) < 300
            with torch.inference_mode():
                logits = model(torch.tensor([[*prompt, *answer]])).logits[0, -1]
            answer.append(sampler.choose(logits, answer))
        jsonschema.validate(json.loads(tokenizer.decode(answer[:-1])), PERSON)


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"json_schema": '{"type": "strin"}'}, "Invalid type: strin"),
        ({"json_schema": '{"not": {}}'}, '"not" cannot be enforced'),
        ({"json_schema": '{"$ref": "#/a"}'}, "Pointer '/a' does not exist"),
        ({"json_schema": "{"}, "is not JSON: line 1, column 2"),
        (
            {"json_schema": '{"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}'},
            "no text",
        ),
        ({"regex": "("}, "unclosed group"),
        ({"regex": "(?=a)b"}, "look-around"),
        ({"regex": r"(a)\1"}, "backreferences"),
        ({"regex": "[a&&b]"}, "no text fits it"),
    ],
    ids=str,
)
def test_what_cannot_be_followed_is_refused_with_the_reason(byte_level, form, says):
    with pytest.raises(PromptError, match=re.escape(says)) as caught:
        byte_level.constraints(Sampling(**form))
    assert caught.value.code == "constraint_unsupported"
    assert caught.value.fix


def word_pieces():
    raw = Tokenizer(models.WordPiece({"[UNK]": 0, "a": 1, "##b": 2, "[SEP]": 3}, unk_token="[UNK]"))
    raw.pre_tokenizer = pre_tokenizers.Whitespace()
    raw.decoder = decoders.WordPiece()
    return PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="[SEP]")


def slow():
    from transformers.models.canine.tokenization_canine import CanineTokenizer

    return CanineTokenizer()


@pytest.mark.parametrize(
    ("tokenizer", "eos", "says"),
    [
        (word_pieces, {3}, "its tokenizer is of a kind unknown here"),
        (slow, {3}, "its tokenizer is of a kind unknown here (Only fast tokenizers"),
        (checkpoints.tokenizer, set(), "it has no token that ends an answer"),
        (checkpoints.tokenizer, {999_999}, "it has no token that ends an answer"),
    ],
)
def test_a_model_that_cannot_be_held_to_a_form_says_so(tokenizer, eos, says):
    constraints = Constraints(tokenizer(), 384, frozenset(eos), "Olm")
    assert constraints(Sampling()) is None
    for form in ({"regex": "a"}, {"json_schema": "{}"}):
        with pytest.raises(PromptError, match=re.escape(says)) as caught:
            constraints(Sampling(**form))
        assert caught.value.code == "constraint_unsupported"
        assert str(caught.value).startswith("Olm cannot be held to a JSON schema or regex: ")


def test_a_token_that_was_not_allowed_is_an_error_in_words(byte_level):
    constraint = byte_level.constraints(Sampling(regex="a"))
    with pytest.raises(GenerationError, match="Olm could not be held to") as caught:
        constraint.accept(byte_level.tokenizer.convert_tokens_to_ids("b"))
    assert caught.value.code == "constraint_unsupported"
