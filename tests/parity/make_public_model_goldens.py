"""Writes golden/public-models.json: the configs of published models as Hugging Face transformers writes them, and how many parameters
its models have (on the meta device: no memory, no download). With a folder: also writes there GPT-2, SmolLM2-135M and BERT-base with
random weights and a tokenizer that is trained here, to measure `ift-kit estimate FOLDER --measure 4` on.

Run: python tests/parity/make_public_model_goldens.py [FOLDER] (needs torch, transformers 5 and tokenizers)
"""

import json
import sys
from pathlib import Path

import torch
from tokenizers import ByteLevelBPETokenizer
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
    T5Config,
    T5ForConditionalGeneration,
)

SMOL = dict(vocab_size=49152, max_position_embeddings=8192, rope_theta=100000.0, rms_norm_eps=1e-5, tie_word_embeddings=True, hidden_act="silu")
T5 = dict(vocab_size=32128, d_kv=64, feed_forward_proj="gated-gelu", tie_word_embeddings=False, decoder_start_token_id=0)
MODELS = {
    "GPT-2": (GPT2LMHeadModel, GPT2Config()),
    "SmolLM2-135M": (
        LlamaForCausalLM,
        LlamaConfig(**SMOL, hidden_size=576, num_hidden_layers=30, num_attention_heads=9, num_key_value_heads=3, intermediate_size=1536),
    ),
    "SmolLM2-360M": (
        LlamaForCausalLM,
        LlamaConfig(**SMOL, hidden_size=960, num_hidden_layers=32, num_attention_heads=15, num_key_value_heads=5, intermediate_size=2560),
    ),
    "Qwen2.5-0.5B": (
        Qwen2ForCausalLM,
        Qwen2Config(
            vocab_size=151936,
            hidden_size=896,
            num_hidden_layers=24,
            num_attention_heads=14,
            num_key_value_heads=2,
            intermediate_size=4864,
            max_position_embeddings=32768,
            rope_theta=1000000.0,
            rms_norm_eps=1e-6,
            tie_word_embeddings=True,
        ),
    ),
    "FLAN-T5-small": (T5ForConditionalGeneration, T5Config(**T5, d_model=512, d_ff=1024, num_layers=8, num_heads=6)),
    "FLAN-T5-base": (T5ForConditionalGeneration, T5Config(**T5, d_model=768, d_ff=2048, num_layers=12, num_heads=12)),
    "T0-3B": (T5ForConditionalGeneration, T5Config(**T5, d_model=2048, d_ff=5120, num_layers=24, num_heads=32)),
    "BERT-base": (BertForSequenceClassification, BertConfig()),
}
FOLDERS = ("GPT-2", "SmolLM2-135M", "BERT-base")
TEXTS = Path(__file__).parent.parent.parent / "datasets" / "mini" / "corpus"


def counted(family, config):
    with torch.device("meta"):
        model = family(config)
    model.tie_weights()
    if family is T5ForConditionalGeneration:
        # Version 1.1 has a head of its own; transformers 5 ties it unless the checkpoint has one.
        model.lm_head.weight = torch.nn.Parameter(torch.empty_like(model.lm_head.weight))
    return sum(parameter.numel() for parameter in model.parameters())


def written(config, family):
    own = {**config.to_dict(), "architectures": [family.__name__]}
    if family is T5ForConditionalGeneration:
        own["tie_word_embeddings"] = False
    return {key: value for key, value in own.items() if value is not None and key not in ("transformers_version", "dtype", "_name_or_path")}


def save(folder, name):
    family, config = MODELS[name]
    torch.manual_seed(0)
    family(config).save_pretrained(folder / name)
    tokenizer = ByteLevelBPETokenizer()
    texts = [str(path) for path in sorted(TEXTS.iterdir()) if path.is_file()]
    tokenizer.train(texts, vocab_size=2000, special_tokens=["<|endoftext|>"])
    PreTrainedTokenizerFast(tokenizer_object=tokenizer._tokenizer, eos_token="<|endoftext|>").save_pretrained(folder / name)


golden = {name: {"parameters": counted(family, config), "config": written(config, family)} for name, (family, config) in MODELS.items()}
Path(__file__).parent.joinpath("golden", "public-models.json").write_text(json.dumps(golden, indent=1) + "\n")
for name in FOLDERS if len(sys.argv) > 1 else ():
    save(Path(sys.argv[1]), name)
