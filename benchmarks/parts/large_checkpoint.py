"""Random-weight Llama-style checkpoints as large as a benchmark needs them.

Of the real config class, with a tokenizer trained on the spot. Such a model answers until its
token limit, one printable character per token: a text's length says how many tokens it stands for.

    python -m benchmarks.parts.large_checkpoint FOLDER MILLIONS DTYPE SEED

is how ``build`` calls it: a benchmark that measures its own process must not have imported torch.
"""

from __future__ import annotations

import json
import math
import string
import struct
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WINDOW = 4096
ENDLESS = 999_999
"""An end token that no model can draw."""
SHAPES = (  # up to how many million parameters, hidden size, heads
    (60, 512, 8),
    (160, 768, 12),
    (10_000, 1024, 16),
)


def build(folder: Path, millions: int, dtype: str = "float32", seed: int = 1) -> Path:
    """A checkpoint of about that many million parameters, kept as ``dtype``, made in a process of
    its own."""
    subprocess.run(
        [sys.executable, "-m", __name__, str(folder), str(millions), dtype, str(seed)],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return folder


def size(folder: Path) -> int:
    """Bytes of weights."""
    return sum(file.stat().st_size for file in folder.glob("*.safetensors"))


def parameters(folder: Path) -> int:
    """How many numbers its weights are."""
    total = 0
    for file in folder.glob("*.safetensors"):
        with file.open("rb") as stream:
            header = json.loads(stream.read(struct.unpack("<Q", stream.read(8))[0]))
        total += sum(math.prod(t["shape"]) for n, t in header.items() if n != "__metadata__")
    return total


def _write(folder: Path, millions: int, dtype: str, seed: int) -> None:
    from tests import checkpoints

    hidden, heads = next((h, n) for limit, h, n in SHAPES if millions <= limit)
    tokenizer = checkpoints.tokenizer()
    per_layer = 2 * hidden * hidden + 2 * hidden * 256 + 3 * hidden * 4 * hidden
    checkpoints.build(
        folder,
        "llama",
        seed=seed,
        made=tokenizer,
        hidden_size=hidden,
        intermediate_size=4 * hidden,
        num_hidden_layers=max(1, round(millions * 1e6 / per_layer)),
        num_attention_heads=heads,
        num_key_value_heads=4,
        head_dim=64,
        max_position_embeddings=WINDOW,
        initializer_range=0.02,
        eos_token_id=ENDLESS,
        dtype=dtype,
    )
    readable = {
        number
        for token, number in tokenizer.get_vocab().items()
        if len(token) == 1 and token in string.ascii_letters + string.digits + string.punctuation
    }
    vocabulary = json.loads((folder / "config.json").read_text())["vocab_size"]
    _change(
        folder / "generation_config.json",
        eos_token_id=ENDLESS,
        suppress_tokens=sorted(set(range(vocabulary)) - readable),
    )


def _change(file: Path, **values: object) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


if __name__ == "__main__":
    _write(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
