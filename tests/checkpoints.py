"""Builds tiny checkpoints with random weights from the real config classes.

Every one is a complete folder as it lies on the Hub: config, safetensors, tokenizer, template.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL = [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<think>",
    "</think>",
    "<|channel|>",
    "<|message|>",
]
SAMPLE = [
    "The quick brown fox jumps over the lazy dog. Hello there, how are you today?",
    "Parley is a playground for open models; pick one and talk to it.",
    "すばやい茶色の狐がのろまな犬を飛び越える。こんにちは、世界。お元気ですか。",
    "def main():\n    print('hello')\n",
]
FAMILIES = (
    "llama",
    "mistral",
    "mixtral",
    "falcon-7b",
    "falcon-40b",
    "olmo",
    "olmo2",
    "qwen3",
)
WINDOW = 512


def tokenizer(*, template: str | None = CHATML, bos: str | None = None, add_bos: bool = False):
    """A byte-level BPE tokenizer trained here and now, with ChatML-like special tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    special = SPECIAL + ([bos] if bos and bos not in SPECIAL else [])
    raw.train_from_iterator(
        SAMPLE,
        trainers.BpeTrainer(
            vocab_size=360,
            special_tokens=special,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    if add_bos:
        raw.post_processor = processors.TemplateProcessing(
            single=f"{bos} $A", special_tokens=[(bos, raw.token_to_id(bos))]
        )
    made = PreTrainedTokenizerFast(
        tokenizer_object=raw, eos_token="<|im_end|>", bos_token=bos, pad_token="<|endoftext|>"
    )
    made.chat_template = template
    return made


def config(family: str, **changes):
    """The real config class of ``family``, shrunk."""
    import transformers as t

    common = {
        "vocab_size": 384,
        "hidden_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": WINDOW,
        # Far from zero, so that greedy text wanders instead of repeating one token.
        "initializer_range": 0.35,
        "bos_token_id": None,
        "eos_token_id": 2,
        "pad_token_id": 0,
    }
    gated = {**common, "intermediate_size": 96, "num_key_value_heads": 2}
    made = {
        "llama": lambda: t.LlamaConfig(**{**gated, **changes}),
        "mistral": lambda: t.MistralConfig(**{**gated, "sliding_window": 24, **changes}),
        "mixtral": lambda: t.MixtralConfig(
            **{**gated, "num_local_experts": 4, "num_experts_per_tok": 2, **changes}
        ),
        "falcon-7b": lambda: t.FalconConfig(
            **{
                **common,
                "multi_query": True,
                "parallel_attn": True,
                "new_decoder_architecture": False,
                "alibi": False,
                "bias": False,
                **changes,
            }
        ),
        "falcon-40b": lambda: t.FalconConfig(
            **{
                **common,
                "num_kv_heads": 2,
                "new_decoder_architecture": True,
                "alibi": False,
                "bias": False,
                **changes,
            }
        ),
        "olmo": lambda: t.OlmoConfig(**{**gated, **changes}),
        "olmo2": lambda: t.Olmo2Config(**{**gated, **changes}),
        "mamba": lambda: t.MambaConfig(
            vocab_size=384, hidden_size=48, num_hidden_layers=2, state_size=8, eos_token_id=2
        ),
        "mpt": lambda: t.MptConfig(
            vocab_size=384, d_model=48, n_layers=2, n_heads=4, max_seq_len=512, eos_token_id=2
        ),
        "mistral-whole": lambda: t.MistralConfig(**{**gated, "sliding_window": None, **changes}),
        "gemma2": lambda: t.Gemma2Config(
            **{
                **gated,
                "head_dim": 16,
                "sliding_window": 24,
                "query_pre_attn_scalar": 16,
                **changes,
            }
        ),
        "qwen3": lambda: t.Qwen3Config(**{**gated, "head_dim": 16, **changes}),
    }
    return made[family]()


def build(folder: Path, family: str, *, seed: int = 1, made=None, **changes) -> Path:
    """Write a whole checkpoint of ``family`` into ``folder``."""
    import torch
    from transformers import AutoModelForCausalLM

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = AutoModelForCausalLM.from_config(config(family, **changes))
    model.generation_config.eos_token_id = [0, 2]
    model.generation_config.pad_token_id = 0
    model.save_pretrained(folder)
    (made or tokenizer()).save_pretrained(folder)
    return folder


def endless(folder: Path, family: str = "llama", **changes) -> Path:
    """One that writes until its limit: its end token is none that it could draw."""
    changes = {"eos_token_id": 999_999, "max_position_embeddings": 8192, **changes}
    build(folder, family, **changes)
    settings = folder / "generation_config.json"
    kept = json.loads(settings.read_text())
    settings.write_text(json.dumps({**kept, "eos_token_id": 999_999}))
    return folder


def copy(source: Path, target: Path, *leave_out: str) -> Path:
    """A copy to be damaged."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(*leave_out))
    return target
