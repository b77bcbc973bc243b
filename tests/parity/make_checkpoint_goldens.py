"""Writes golden/checkpoints/*: tiny models as Hugging Face transformers saves them, and golden/checkpoints.json with their logits.

Run: python tests/parity/make_checkpoint_goldens.py (needs torch and transformers)
"""

import json
import shutil
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

FOLDER = Path(__file__).parent / "golden" / "checkpoints"
IDS = [[3, 1, 4, 1, 5], [9, 2, 6, 5, 3]]
LLAMA3 = {"rope_type": "llama3", "rope_theta": 100.0, "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 2.0, "original_max_position_embeddings": 16}
SPECIAL = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
SIZES = {"vocab_size": 13, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 12, "max_position_embeddings": 32}


def llama():
    config = LlamaConfig(**SIZES, **SPECIAL, num_key_value_heads=2, head_dim=4, rope_parameters=LLAMA3, attention_bias=True, tie_word_embeddings=False)
    return LlamaForCausalLM(config)


def qwen2():
    return Qwen2ForCausalLM(Qwen2Config(**SIZES, **SPECIAL, num_key_value_heads=1, tie_word_embeddings=True))


def gpt2():
    config = GPT2Config(vocab_size=13, n_embd=8, n_layer=2, n_head=2, n_positions=16, **SPECIAL)
    return GPT2LMHeadModel(config)


# Class, stored type, and how it is saved.
CASES = {
    "gpt2": (gpt2, torch.float32, {}),
    "gpt2-without-head": (gpt2, torch.float32, {"bare": True}),
    "llama-bf16-sharded": (llama, torch.bfloat16, {"max_shard_size": 700}),
    "qwen2-f16": (qwen2, torch.float16, {}),
}


def save(name, make, dtype, bare=False, **how):
    model = make()
    for parameter in model.parameters():
        # Far from the small start values, so that every parameter is seen in the logits.
        parameter.data = torch.randn_like(parameter) * 0.3 + (1.0 if parameter.ndim == 1 else 0.0)
    model = model.to(dtype).eval()
    folder = FOLDER / name
    (model.transformer if bare else model).save_pretrained(folder, **how)
    if bare:
        assert not any(key.startswith("transformer.") for key in model.transformer.state_dict())
    loaded = model.float() if bare else AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    logits = loaded(torch.tensor(IDS), use_cache=False).logits
    return {"ids": IDS, "logits": [float(f"{value:.7g}") for value in logits.flatten().tolist()]}


torch.manual_seed(0)
shutil.rmtree(FOLDER, ignore_errors=True)
golden = {name: save(name, make, dtype, **how) for name, (make, dtype, how) in CASES.items()}
(FOLDER.parent / "checkpoints.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
