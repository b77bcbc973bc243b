"""Writes golden/decoder.json: logits, loss and every gradient of tiny GPT-2 and Llama models of Hugging Face transformers.

Weights are closed formulas (`wave`, written again in tests/parity/decoder.test.ts), so that only results are stored.
Run: python tests/parity/make_decoder_goldens.py (needs torch and transformers)
"""

import json
import math
from pathlib import Path

import torch
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

BASE = 100.0
GPT2 = {"positions": {"kind": "learned"}, "norm": {"kind": "layer", "epsilon": 1e-5}, "activation": "gelu-tanh", "biases": True}
LLAMA = {"positions": {"kind": "rotary", "base": BASE}, "norm": {"kind": "rms", "epsilon": 1e-6}, "activation": "swiglu", "biases": False}


def size(vocabulary, width, layers, heads, feed_forward, context):
    return {
        "vocabularySize": vocabulary,
        "width": width,
        "layers": layers,
        "heads": heads,
        "feedForwardWidth": feed_forward,
        "contextLength": context,
    }


CASES = {
    "GPT-2, one head, three layers, 61 tokens": ({**size(61, 6, 3, 1, 10, 9), **GPT2, "tiedHead": True}, 2, 7, None),
    "GPT-2, rows of one token": ({**size(11, 8, 2, 2, 12, 5), **GPT2, "tiedHead": True}, 3, 1, None),
    "GPT-2, given positions": ({**size(11, 8, 1, 4, 12, 9), **GPT2, "tiedHead": True}, 2, 3, [[3, 4, 8], [0, 0, 1]]),
    "Llama, untied head, 61 tokens": ({**size(61, 8, 2, 2, 12, 9), **LLAMA, "tiedHead": False}, 2, 6, None),
    "Llama, tied head, one head, three layers": ({**size(13, 6, 3, 1, 10, 9), **LLAMA, "tiedHead": True}, 2, 9, None),
    "Llama, given positions": ({**size(11, 8, 1, 1, 12, 9), **LLAMA, "tiedHead": True}, 2, 3, [[3, 4, 8], [0, 0, 1]]),
    "Llama, rows of one token": ({**size(11, 8, 1, 2, 12, 9), **LLAMA, "tiedHead": False}, 2, 1, None),
}


def wave(shape, phase, offset=0.0):
    """Values in [-0.4, 0.4] around an offset; the golden angle keeps them from repeating."""
    values = [offset + 0.4 * math.sin(2.399963 * index + phase) for index in range(math.prod(shape))]
    return torch.tensor(values, dtype=torch.float64).to(torch.float32).reshape(shape)


def gpt2(config):
    model = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=config["vocabularySize"],
            n_positions=config["contextLength"],
            n_embd=config["width"],
            n_layer=config["layers"],
            n_head=config["heads"],
            n_inner=config["feedForwardWidth"],
            activation_function="gelu_new",
            layer_norm_epsilon=config["norm"]["epsilon"],
            resid_pdrop=0.0,
            embd_pdrop=0.0,
            attn_pdrop=0.0,
            attn_implementation="eager",
        )
    )
    names = {"embedding.token": "transformer.wte.weight", "embedding.position": "transformer.wpe.weight"}
    for layer in range(config["layers"]):
        own, theirs = f"layers.{layer}", f"transformer.h.{layer}"
        for end, their_end in (("weight", "weight"), ("bias", "bias")):
            names[f"{own}.attention.queryKeyValue.{end}"] = f"{theirs}.attn.c_attn.{their_end}"
            names[f"{own}.attention.output.{end}"] = f"{theirs}.attn.c_proj.{their_end}"
            names[f"{own}.feedForward.up.{end}"] = f"{theirs}.mlp.c_fc.{their_end}"
            names[f"{own}.feedForward.down.{end}"] = f"{theirs}.mlp.c_proj.{their_end}"
        for end, their_end in (("gain", "weight"), ("bias", "bias")):
            names[f"{own}.attention.norm.{end}"] = f"{theirs}.ln_1.{their_end}"
            names[f"{own}.feedForward.norm.{end}"] = f"{theirs}.ln_2.{their_end}"
    names["norm.gain"], names["norm.bias"] = "transformer.ln_f.weight", "transformer.ln_f.bias"
    # Conv1D holds [in, out], as we do.
    return model, {own: ([theirs], False) for own, theirs in names.items()}


def llama(config):
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=config["vocabularySize"],
            max_position_embeddings=config["contextLength"],
            hidden_size=config["width"],
            num_hidden_layers=config["layers"],
            num_attention_heads=config["heads"],
            num_key_value_heads=config["heads"],
            intermediate_size=config["feedForwardWidth"],
            hidden_act="silu",
            rms_norm_eps=config["norm"]["epsilon"],
            tie_word_embeddings=config["tiedHead"],
            rope_parameters={"rope_type": "default", "rope_theta": BASE},
            attn_implementation="eager",
        )
    )
    names = {"embedding.token": (["model.embed_tokens.weight"], False), "norm.gain": (["model.norm.weight"], False)}
    for layer in range(config["layers"]):
        own, theirs = f"layers.{layer}", f"model.layers.{layer}"
        joint = [f"{theirs}.self_attn.{part}_proj.weight" for part in "qkv"]
        # nn.Linear holds [out, in].
        names[f"{own}.attention.queryKeyValue.weight"] = (joint, True)
        names[f"{own}.attention.output.weight"] = ([f"{theirs}.self_attn.o_proj.weight"], True)
        for part in ("gate", "up", "down"):
            names[f"{own}.feedForward.{part}.weight"] = ([f"{theirs}.mlp.{part}_proj.weight"], True)
        names[f"{own}.attention.norm.gain"] = ([f"{theirs}.input_layernorm.weight"], False)
        names[f"{own}.feedForward.norm.gain"] = ([f"{theirs}.post_attention_layernorm.weight"], False)
    if not config["tiedHead"]:
        names["head.weight"] = (["lm_head.weight"], False)
    return model, names


def numbers(tensor):
    return [float(f"{value:.7g}") for value in tensor.detach().flatten().tolist()]


def run(config, batch, time, positions):
    model, names = gpt2(config) if config["norm"]["kind"] == "layer" else llama(config)
    model.eval()
    theirs = dict(model.named_parameters())
    assert {name for parts, _ in names.values() for name in parts} == set(theirs)
    for phase, (own, (parts, turned)) in enumerate(sorted(names.items())):
        shapes = [tuple(reversed(theirs[part].shape)) if turned else tuple(theirs[part].shape) for part in parts]
        shape = (*shapes[0][:-1], sum(each[-1] for each in shapes))
        value = wave(shape, phase, 1.0 if own.endswith(".gain") else 0.0)
        for part, piece in zip(parts, value.chunk(len(parts), dim=-1)):
            theirs[part].data.copy_(piece.T if turned else piece)
    vocabulary = config["vocabularySize"]
    ids = torch.tensor([[(5 * row + 3 * column + 1) % vocabulary for column in range(time)] for row in range(batch)])
    targets = (ids * 2 + 1) % vocabulary
    places = None if positions is None else torch.tensor(positions)
    # An explicit mask, because transformers takes positions that start anew for packed sequences.
    causal = torch.full((time, time), torch.finfo(torch.float32).min).triu(1).expand(batch, 1, time, time)
    logits = model(input_ids=ids, position_ids=places, attention_mask=causal, use_cache=False).logits
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
    loss.backward()
    gradients = {}
    for own, (parts, turned) in sorted(names.items()):
        pieces = [theirs[part].grad.T if turned else theirs[part].grad for part in parts]
        gradients[own] = numbers(torch.cat(pieces, dim=-1))
    return {
        "config": config,
        "ids": ids.tolist(),
        "targets": targets.tolist(),
        **({} if positions is None else {"positions": positions}),
        "logits": numbers(logits),
        "loss": loss.item(),
        "gradients": gradients,
    }


torch.manual_seed(0)
golden = {name: run(*case) for name, case in CASES.items()}
path = Path(__file__).parent / "golden" / "decoder.json"
path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(path, path.stat().st_size, "bytes")
