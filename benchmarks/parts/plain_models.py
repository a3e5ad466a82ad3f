"""Llama-style checkpoints that answer exactly as long as they are asked to.

Random weights of the real config classes, in one shard or several. The vocabulary is 32,000 wide,
and every id that an answer can hold is one Chinese character: a text is as many tokens as it has
characters, comes out of any streamer token by token, and becomes the same tokens again when it is
read back in a later turn. The end token is never drawn: its row of the output matrix is zero.

    python -m benchmarks.parts.plain_models FOLDER NAME DTYPE

is how ``built`` calls it: a process that is measured must not have imported torch.
"""

from __future__ import annotations

import json
import math
import random
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
VOCABULARY = 32_000
WINDOW = 16_384
SPECIAL = ("<|pad|>", "<|end|>", "<|user|>", "<|assistant|>", "<|system|>")
TEMPLATE = (
    "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
SHARD = 4e9
"""Bytes after which another file is begun."""
WIDTH = {"float32": 4, "bfloat16": 2, "float16": 2}


@dataclass(frozen=True, slots=True)
class Shape:
    """A config in short. Heads are 64 or 128 wide, as hidden size by heads comes out."""

    family: str
    hidden: int
    layers: int
    inner: int
    heads: int
    kv_heads: int


SHAPES = {
    "tiny": Shape("llama", 64, 2, 128, 4, 2),
    "0.1B": Shape("llama", 768, 12, 2048, 12, 4),
    "0.5B": Shape("llama", 1280, 20, 4096, 20, 4),
    "llama-8B": Shape("llama", 4096, 32, 14_336, 32, 8),
    "mistral-7B": Shape("mistral", 4096, 32, 14_336, 32, 8),
    "mistral-tiny": Shape("mistral", 64, 2, 128, 4, 2),
}


def built(folder: Path, name: str, dtype: str) -> Path:
    """The checkpoint of that name and dtype below ``folder``, made unless an earlier run has."""
    made = folder / f"{name}-{dtype}".lower()
    if not (made / "config.json").exists():  # the last thing written
        print(f"Building {made}", file=sys.stderr, flush=True)
        subprocess.run(
            [sys.executable, "-m", __name__, str(made), name, dtype],
            cwd=ROOT,
            check=True,
        )
    return made


def bytes_read(folder: Path) -> int:
    """Bytes of weights that a step of one stream reads: all but the table of the input."""
    total = 0
    for file in folder.glob("*.safetensors"):
        with file.open("rb") as stream:
            header = json.loads(stream.read(struct.unpack("<Q", stream.read(8))[0]))
        for name, tensor in header.items():
            if name != "__metadata__" and "embed_tokens" not in name:
                start, end = tensor["data_offsets"]
                total += end - start
    return total


def words(tokens: int, seed: object) -> str:
    """A text of that many tokens which no other seed begins with."""
    draw = random.Random(str(seed))
    return "".join(draw.choices(_ALPHABET, k=tokens))


def _alphabet() -> list[str]:
    """Characters of the blocks of Chinese characters, as many as the vocabulary has room for."""
    ranges = ((0x4E00, 0x9FA6), (0x3400, 0x4DB6), (0x20000, 0x2A6D7))
    every = (chr(code) for start, end in ranges for code in range(start, end))
    return [c for c, _ in zip(every, range(VOCABULARY - len(SPECIAL)), strict=False)]


_ALPHABET = _alphabet()


def _tokenizer() -> Any:
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    numbers = {piece: number for number, piece in enumerate([*SPECIAL, *_ALPHABET])}
    raw = Tokenizer(models.WordLevel(numbers, unk_token="<|pad|>"))
    raw.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    raw.decoder = decoders.Fuse()
    made = PreTrainedTokenizerFast(
        tokenizer_object=raw,
        eos_token="<|end|>",
        pad_token="<|pad|>",
        additional_special_tokens=list(SPECIAL[2:]),
    )
    made.chat_template = TEMPLATE
    return made


def _config(shape: Shape) -> Any:
    import transformers

    kinds = {"llama": transformers.LlamaConfig, "mistral": transformers.MistralConfig}
    changes = {"sliding_window": None} if shape.family == "mistral" else {}
    return kinds[shape.family](
        vocab_size=VOCABULARY,
        hidden_size=shape.hidden,
        intermediate_size=shape.inner,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        max_position_embeddings=WINDOW,
        tie_word_embeddings=False,
        bos_token_id=None,
        eos_token_id=1,
        pad_token_id=0,
        **changes,
    )


def _tensors(config: Any, dtype: str) -> Iterator[tuple[str, Any]]:
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        wanted = AutoModelForCausalLM.from_config(config).state_dict()
    place = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(1)
    for name, like in wanted.items():
        tensor = torch.ones(like.shape, device=place)
        if "norm" not in name:
            tensor.normal_(0, 0.02)
        if name.startswith("lm_head"):
            tensor[: len(SPECIAL)] = 0
        yield name, tensor.to("cpu", getattr(torch, dtype))


def _write(folder: Path, name: str, dtype: str) -> None:
    from safetensors.torch import save_file
    from transformers import GenerationConfig

    folder.mkdir(parents=True, exist_ok=True)
    config = _config(SHAPES[name])
    shard: dict[str, Any] = {}
    homes: dict[str, str] = {}
    whole, held = 0, 0

    def keep() -> None:
        file = f"model-{len(set(homes.values())) + 1:05}.safetensors"
        homes.update(dict.fromkeys(shard, file))
        save_file(shard, folder / file, metadata={"format": "pt"})
        shard.clear()

    for key, tensor in _tensors(config, dtype):
        size = math.prod(tensor.shape) * WIDTH[dtype]
        if held and held + size > SHARD:
            keep()
            held = 0
        shard[key] = tensor
        held, whole = held + size, whole + size
    keep()
    index = {"metadata": {"total_size": whole}, "weight_map": homes}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    _tokenizer().save_pretrained(folder)
    GenerationConfig(eos_token_id=1, pad_token_id=0).save_pretrained(folder)
    kept = {**config.to_dict(), "architectures": [_architecture(config)], "dtype": dtype}
    (folder / "config.json").write_text(json.dumps(kept))


def _architecture(config: Any) -> str:
    from transformers import AutoModelForCausalLM

    return str(AutoModelForCausalLM._model_mapping[type(config)].__name__)


if __name__ == "__main__":
    _write(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
