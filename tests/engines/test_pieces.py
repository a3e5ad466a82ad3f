"""What a token reads, whatever kind of tokenizer it is of."""

from __future__ import annotations

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from parley.engines.pieces import Pieces
from tests import checkpoints
from tests.engines.test_constraint import sentencepiece
from tests.engines.test_detokenize import Slow, sentencepiece_like

KINDS = {"byte level": checkpoints.tokenizer, "llama": sentencepiece, "other": sentencepiece_like}


@pytest.mark.parametrize("kind", KINDS)
def test_every_token_can_be_shown(kind):
    tokenizer = KINDS[kind]()
    pieces = Pieces(tokenizer)
    shown = pieces.all(range(len(tokenizer)))
    assert all(shown)
    assert not any("\ufffd" in piece for piece in shown)
    assert pieces.all(range(len(tokenizer))) == shown
    for token in tokenizer.all_special_ids:
        assert shown[token] == tokenizer.convert_ids_to_tokens(token)


@pytest.mark.parametrize("kind", KINDS)
def test_half_characters_are_bytes_and_whole_ones_are_not(kind):
    tokenizer = KINDS[kind]()
    text = "a é終 🦊"
    ids = tokenizer.encode(text, add_special_tokens=False)
    shown = "".join(Pieces(tokenizer).all(ids)).strip()
    for letter in "é終🦊":
        spelled = "".join(f"<0x{byte:02X}>" for byte in letter.encode())
        assert (letter in shown) != (spelled in shown)
        shown = shown.replace(spelled, letter)
    assert shown == text


def test_a_byte_level_token_may_be_text_and_half_a_character():
    raw = Tokenizer(models.BPE({"a": 0, "Ġ": 1, "æ": 2, "Ġæ": 3}, [("Ġ", "æ")]))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    assert Pieces(PreTrainedTokenizerFast(tokenizer_object=raw))(3) == " <0xE6>"


def test_a_number_without_a_token_has_a_name():
    assert Pieces(checkpoints.tokenizer())(383) == "<383>"


def test_a_tokenizer_without_a_backend():
    made = checkpoints.tokenizer()

    class Wholly(Slow):
        def encode(self, text, add_special_tokens):
            return made.encode(text, add_special_tokens=add_special_tokens)

        def convert_ids_to_tokens(self, token):
            return made.convert_ids_to_tokens(token)

    slow, fast = Pieces(Wholly(made)), Pieces(made)
    assert slow.all(range(384)) == fast.all(range(384))


def test_braces_and_signs_that_look_like_bytes_stay():
    tokenizer = checkpoints.tokenizer()
    ids = tokenizer.encode("<0xE7>", add_special_tokens=False)
    assert "".join(Pieces(tokenizer).all(ids)) == "<0xE7>"
