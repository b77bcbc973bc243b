"""Writes golden/t5/*: tiny T5 models as Hugging Face transformers saves them and an adapter as PEFT saves it, and golden/t5-folders.json
with their logits.

Run: python tests/parity/make_t5_checkpoint_goldens.py (needs torch, transformers 5 and peft)
"""

import json
import shutil
from pathlib import Path

import torch
from make_decoder_goldens import numbers
from make_t5_goldens import GENERATED, build
from peft import LoraConfig, get_peft_model
from transformers import T5Config, T5ForConditionalGeneration

FOLDER = Path(__file__).parent / "golden" / "t5"
IDS, DECODER_IDS = [[3, 1, 4, 1, 5], [9, 2, 6, 5, 3]], [[0, 7, 3], [0, 2, 8]]
SIZES = {"vocab_size": 13, "d_model": 8, "d_kv": 3, "d_ff": 12, "num_layers": 2, "num_heads": 2, "decoder_start_token_id": 0}


def logits_of(model):
    model = model.float().eval()
    return numbers(model(input_ids=torch.tensor(IDS), decoder_input_ids=torch.tensor(DECODER_IDS), use_cache=False).logits)


def save(name, dtype, untied, how, **config):
    model = T5ForConditionalGeneration(T5Config(**SIZES, **config))
    if untied:
        model.lm_head.weight = torch.nn.Parameter(torch.empty_like(model.lm_head.weight))
    for parameter in model.parameters():
        parameter.data = torch.randn_like(parameter) * 0.3 + (1.0 if parameter.ndim == 1 else 0.0)
    model.to(dtype).save_pretrained(FOLDER / name, **how)
    return logits_of(model)


def adapter(name):
    model, _ = build(GENERATED["1.1"])
    config = LoraConfig(task_type="SEQ_2_SEQ_LM", r=2, lora_alpha=6, target_modules=["q", "v", "wi_0", "EncDecAttention.o"])
    adapted = get_peft_model(model, config)
    for key, parameter in adapted.named_parameters():
        if "lora_" in key:
            parameter.data = torch.randn_like(parameter) * 0.3
    adapted.save_pretrained(FOLDER / name)
    (FOLDER / name / "README.md").unlink(missing_ok=True)
    return logits_of(adapted)


torch.manual_seed(0)
shutil.rmtree(FOLDER, ignore_errors=True)
golden = {
    "ids": IDS,
    "decoderIds": DECODER_IDS,
    "logits": {
        "1.0": save("1.0", torch.float32, False, {}),
        "1.1-bf16-sharded": save("1.1-bf16-sharded", torch.bfloat16, True, {"max_shard_size": 1500}, feed_forward_proj="gated-gelu", tie_word_embeddings=False),
        "1.1-tied": save("1.1-tied", torch.float16, False, {}, feed_forward_proj="gated-gelu", tie_word_embeddings=False),
        "adapter": adapter("adapter"),
    },
}
(FOLDER.parent / "t5-folders.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
