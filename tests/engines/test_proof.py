"""Every family is decoded in a way that gives the library's tokens, known or tried out."""

from __future__ import annotations

import inspect

import pytest
import torch
import transformers
from transformers import AutoModelForCausalLM

from parley.engines.decoding import PROVEN, decoding
from parley.engines.kv import Sequence
from parley.engines.passes import Piece
from parley.engines.proof import choose
from tests.engines.inprocess import reference

SMALL = {
    "vocab_size": 200,
    "hidden_size": 32,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 48,
    "max_position_embeddings": 256,
    "initializer_range": 0.4,
    "bos_token_id": None,
    "eos_token_id": None,
    "pad_token_id": 0,
}
WINDOW = {"sliding_window": 20}
MOE = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32}
KNOWN = {
    "gemma": ("GemmaConfig", {"head_dim": 8}),
    "gemma2": ("Gemma2Config", {"head_dim": 8, "query_pre_attn_scalar": 8, **WINDOW}),
    "gemma3_text": (
        "Gemma3TextConfig",
        {"head_dim": 8, "query_pre_attn_scalar": 8, "sliding_window_pattern": 2, **WINDOW},
    ),
    "granite": ("GraniteConfig", {}),
    "llama": ("LlamaConfig", {}),
    "mistral": ("MistralConfig", WINDOW),
    "mixtral": ("MixtralConfig", {"num_local_experts": 4, **WINDOW}),
    "olmo": ("OlmoConfig", {}),
    "olmo2": ("Olmo2Config", {}),
    "olmo3": ("Olmo3Config", WINDOW),
    "phi3": ("Phi3Config", WINDOW),
    "qwen2": ("Qwen2Config", {"use_sliding_window": True, "max_window_layers": 2, **WINDOW}),
    "qwen3": ("Qwen3Config", {"head_dim": 8}),
    "qwen3_moe": ("Qwen3MoeConfig", {"head_dim": 8, **MOE}),
    "smollm3": ("SmolLM3Config", {"no_rope_layer_interval": 2}),
    "starcoder2": ("Starcoder2Config", WINDOW),
    "falcon": ("FalconConfig", {"alibi": True, "multi_query": False}),
    "mpt": ("MptConfig", {"d_model": 32, "n_heads": 4, "n_layers": 2, "max_seq_len": 256}),
    "bloom": ("BloomConfig", {"n_head": 4, "n_layer": 2}),
}
TRIED = {
    "cohere": ("CohereConfig", {}),
    "gpt_neox": ("GPTNeoXConfig", {}),
    "gpt2": ("GPT2Config", {"n_embd": 32, "n_head": 4, "n_layer": 2, "n_positions": 256}),
    "gptj": ("GPTJConfig", {"n_embd": 32, "n_head": 4, "n_layer": 2, "rotary_dim": 4}),
    "opt": ("OPTConfig", {"ffn_dim": 48, "word_embed_proj_dim": 32}),
    "stablelm": ("StableLmConfig", {}),
    "phi": ("PhiConfig", {}),
    "glm4": ("Glm4Config", {"head_dim": 8}),
    "nemotron": ("NemotronConfig", {"head_dim": 8}),
    "gpt_oss": (
        "GptOssConfig",
        {"head_dim": 8, "num_local_experts": 4, "num_experts_per_tok": 2, **WINDOW},
    ),
    "deepseek_v2": (
        "DeepseekV2Config",
        {
            **{"kv_lora_rank": 8, "q_lora_rank": 8, "qk_nope_head_dim": 8, "qk_rope_head_dim": 8},
            **{"v_head_dim": 8, "n_routed_experts": 4, "n_shared_experts": 1},
            **{"moe_intermediate_size": 16, "first_k_dense_replace": 1, "num_experts_per_tok": 2},
            **{"num_key_value_heads": 4, "n_group": 1, "topk_group": 1, "head_dim": 8},
        },
    ),
    "mamba": ("MambaConfig", {"state_size": 8}),
    "falcon_mamba": ("FalconMambaConfig", {"state_size": 8}),
    "lfm2": ("Lfm2Config", {"layer_types": ["conv", "full_attention"] * 2}),
}
DEPENDENT = {
    "LlamaConfig": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10_000.0},
    "Phi3Config": {
        **{"rope_type": "longrope", "rope_theta": 10_000.0, "partial_rotary_factor": 1.0},
        **{"short_factor": [1.0] * 4, "long_factor": [2.0] * 4},
        "original_max_position_embeddings": 32,
    },
}


def build(name, options, seed=3):
    kind = getattr(transformers, name)
    known = inspect.signature(kind.__init__).parameters
    takes = {k: v for k, v in SMALL.items() if k in known or "kwargs" in known}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = AutoModelForCausalLM.from_config(kind(**{**takes, **options}))
    model.generation_config.eos_token_id = None
    model.generation_config.pad_token_id = 0
    return model.eval()


def prompts(count, seed=5):
    dice = torch.Generator().manual_seed(seed)
    return [torch.randint(1, 190, (n,), generator=dice).tolist() for n in (30, 3, 55, 11)[:count]]


def together(runner, texts, count):
    """Greedy tokens of all of them, which come one after the other, in slices of seven."""
    rows = [Sequence() for _ in texts]
    todo = [list(text) for text in texts]
    written = [[] for _ in texts]
    step = 0
    while any(len(w) < count for w in written):
        step += 1
        active = [i for i in range(min(step, len(texts))) if len(written[i]) < count]
        groups = [[i] for i in active if len(todo[i]) > 1]
        one = [i for i in active if len(todo[i]) == 1]
        if runner.mixed:
            groups = [active]
        elif one:
            groups += [one] if runner.together else [[i] for i in one]
        for group in groups:
            cuts = [todo[i][:7] for i in group]
            pieces = [
                Piece(rows[i], cut, int(len(cut) == len(todo[i])))
                for i, cut in zip(group, cuts, strict=True)
            ]
            for i, cut, logits in zip(group, cuts, runner.forward(pieces), strict=True):
                rows[i].tokens += cut
                del todo[i][: len(cut)]
                if not todo[i]:
                    written[i].append(int(logits[-1].argmax()))
                    todo[i] = [written[i][-1]]
    return written


@pytest.mark.parametrize("kind", sorted(PROVEN))
def test_what_is_known_is_so(kind):
    name, options = KNOWN[kind]
    model = build(name, options)
    assert model.config.model_type == kind
    expected = [reference(model, text, 30) for text in prompts(4)]
    way, runner = choose(model)
    assert way == PROVEN[kind] == decoding(model.config.to_dict())
    assert together(runner, prompts(4), 30) == expected


@pytest.mark.parametrize("kind", sorted(TRIED))
def test_what_is_not_known_is_tried_out(kind):
    name, options = TRIED[kind]
    model = build(name, options)
    assert kind not in PROVEN
    expected = [reference(model, text, 20) for text in prompts(3)]
    way, runner = choose(model)
    if runner is None:
        assert way == "generate"
        assert [reference(model, text, 20) for text in prompts(3)] == expected
    else:
        assert way in ("ragged", "padded")
        assert together(runner, prompts(3), 20) == expected


def test_most_that_are_not_known_decode_together_all_the_same():
    assert choose(build(*TRIED["gpt_neox"]))[0] == "ragged"
    assert choose(build(*TRIED["phi"]))[0] == "ragged"
    assert choose(build(*TRIED["mamba"]))[0] == "generate"
    assert choose(build(*TRIED["lfm2"]))[0] == "generate"


def test_a_wrong_way_is_noticed(monkeypatch):
    """A model that forgets where it is, as one with a mask of its own might."""
    from parley.engines import ragged

    monkeypatch.setattr(ragged.Ragged, "_mask", lambda self, new, held, window: None)
    way, _ = choose(build(*TRIED["gpt_neox"]))
    assert way == "padded"


@pytest.mark.parametrize("kind", sorted(DEPENDENT))
def test_embeddings_that_depend_on_the_longest_of_a_pass_are_computed_singly(kind):
    model = build(kind, {"rope_parameters": DEPENDENT[kind], "max_position_embeddings": 64})
    way, runner = choose(model)
    assert way == "single"
    assert not runner.together
    expected = [reference(model, text, 10) for text in prompts(1)]
    assert together(runner, prompts(1), 10) == expected
