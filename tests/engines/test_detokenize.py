"""Whole characters only, whatever the decoder."""

import random
import time

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from parley.engines.detokenize import Detokenizer
from tests import checkpoints

TEXTS = [
    "Plain English, with  double spaces.\n\n\tAnd tabs.",
    "すばやい茶色の狐がのろまな犬を飛び越える。お元気ですか。",
    "동해물과 백두산이 마르고 닳도록 하느님이 보우하사",
    "👩‍👩‍👧‍👦🇯🇵 ½ déjà vu — 終わり 🏴󠁧󠁢󠁳󠁣󠁴󠁿!",
    "x" * 200,
    "漢" * 120,
]


def sentencepiece_like():
    """Llama-style: a leading ▁ is dropped at the very beginning, unknown bytes fall back."""
    words = ["▁Hello", "▁world", "▁", "H", "e", "l", "o", "w", "r", "d", "!", "あ"]
    vocab = {"<unk>": 0, "<s>": 1, "</s>": 2}
    vocab |= {f"<0x{b:02X}>": 3 + b for b in range(256)}
    vocab |= {w: 259 + i for i, w in enumerate(words)}
    merges = [("▁", "H"), ("e", "l")]
    vocab |= {"▁H": len(vocab), "el": len(vocab) + 1}
    raw = Tokenizer(models.BPE(vocab, merges, unk_token="<unk>", byte_fallback=True))
    raw.pre_tokenizer = pre_tokenizers.Metaspace()
    raw.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    made = PreTrainedTokenizerFast(
        tokenizer_object=raw, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )
    return made


class Slow:
    """A tokenizer without a backend."""

    def __init__(self, tokenizer):
        self._tokenizer = tokenizer
        self.added_tokens_decoder = tokenizer.added_tokens_decoder

    def decode(self, tokens, *, skip_special_tokens, clean_up_tokenization_spaces):
        assert not clean_up_tokenization_spaces
        return self._tokenizer.decode(tokens, skip_special_tokens=skip_special_tokens)


BYTE_LEVEL = checkpoints.tokenizer()
TOKENIZERS = {
    "byte level": BYTE_LEVEL,
    "byte fallback": sentencepiece_like(),
    "without backend": Slow(BYTE_LEVEL),
}


def encode(tokenizer, text):
    inner = getattr(tokenizer, "_tokenizer", None)
    if isinstance(tokenizer, Slow):
        return inner.encode(text, add_special_tokens=False)
    return tokenizer.encode(text, add_special_tokens=False)


@pytest.mark.parametrize("name", TOKENIZERS)
@pytest.mark.parametrize("text", TEXTS, ids=lambda t: t[:8])
@pytest.mark.parametrize("before", ["", "Hello world", "終"])
def test_pieces_add_up_and_are_whole(name, text, before):
    tokenizer = TOKENIZERS[name]
    prompt = encode(tokenizer, before)
    tokens = encode(tokenizer, text)
    detokenizer = Detokenizer(tokenizer, prompt)
    pieces = [detokenizer.push(t) for t in tokens]
    assert not any("\ufffd" in piece for piece in pieces)
    shown = "".join(pieces)
    if name == "byte fallback":
        # Its decoder drops one leading space, and only at the very beginning.
        assert shown.removeprefix(" ") == text.removeprefix(" ")
        assert shown.startswith(" ") == bool(before)
    else:
        assert shown == text


def test_a_character_appears_with_its_last_byte():
    detokenizer = Detokenizer(BYTE_LEVEL, [])
    tokens = BYTE_LEVEL.encode("漢字", add_special_tokens=False)
    pieces = [detokenizer.push(t) for t in tokens]
    assert [p for p in pieces if p] == ["漢", "字"]
    assert pieces[-1] == "字"


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("name", ["byte level", "byte fallback"])
def test_random_tokens_give_the_text_of_all_of_them_less_what_is_broken(name, seed):
    """Random weights write bytes that are no text; nothing of what is text may be lost."""
    tokenizer = TOKENIZERS[name]
    dice = random.Random(seed)
    tokens = [dice.randrange(7, 262) for _ in range(300)]
    detokenizer = Detokenizer(tokenizer, tokenizer.encode("Hello"))
    shown = "".join(detokenizer.push(t) for t in tokens)
    assert "\ufffd" not in shown
    if name == "byte level":
        whole = tokenizer.decode(tokens, skip_special_tokens=True)
        assert shown == whole.replace("\ufffd", "")


def test_special_tokens_are_left_out_unless_asked_for():
    tokens = BYTE_LEVEL.encode("<think>a</think>b<|im_end|>", add_special_tokens=False)
    hidden = Detokenizer(BYTE_LEVEL, [])
    assert "".join(hidden.push(t) for t in tokens) == "ab"
    tags = ("<think>", "</think>")
    seen = Detokenizer(BYTE_LEVEL, [], {BYTE_LEVEL.convert_tokens_to_ids(t): t for t in tags})
    assert "".join(seen.push(t) for t in tokens) == "<think>a</think>b"


def test_the_cost_of_a_token_does_not_grow():
    detokenizer = Detokenizer(BYTE_LEVEL, [])
    tokens = BYTE_LEVEL.encode("word " * 3000, add_special_tokens=False)
    began = time.perf_counter()
    for token in tokens:
        detokenizer.push(token)
    assert len(detokenizer._window) <= 49
    assert (time.perf_counter() - began) / len(tokens) < 0.002
