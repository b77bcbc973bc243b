"""Writes golden/decoder.json: logits, loss, every gradient, ten AdamW steps and greedy generation of tiny models of Hugging
Face transformers: GPT-2, Llama, Qwen2, and for PaLM's block Cohere's decoder, which computes the same.

Weights are closed formulas (`wave`, written again in tests/parity/decoder.test.ts), so that only results are stored.
Run: python tests/parity/make_decoder_goldens.py (needs torch and transformers)
"""

import json
import math
from pathlib import Path

import torch
from transformers import (
    CohereConfig,
    CohereForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
)

BASE = 100.0
GPT2 = {"positions": {"kind": "learned"}, "norm": {"kind": "layer", "epsilon": 1e-5}, "activation": "gelu-tanh", "biases": True}
LLAMA = {"positions": {"kind": "rotary", "base": BASE}, "norm": {"kind": "rms", "epsilon": 1e-6}, "activation": "swiglu", "biases": False}
SCALING = {"factor": 4.0, "lowFrequencyFactor": 1.0, "highFrequencyFactor": 2.0, "originalContextLength": 24}
LLAMA3 = {**LLAMA, "positions": {"kind": "rotary", "base": BASE, "scaling": SCALING}}
QWEN2 = {**LLAMA, "biases": ["queryKeyValue"]}
PALM = {**LLAMA, "block": "parallel", "norm": {"kind": "layer", "epsilon": 1e-5}}
OPTIMIZER = {"learningRate": 0.003, "beta1": 0.9, "beta2": 0.95, "epsilon": 1e-8, "weightDecay": 0.1, "clipNorm": 1.0}
STEPS = 10


def size(vocabulary, width, layers, heads, feed_forward, context, **more):
    return {
        "vocabularySize": vocabulary,
        "width": width,
        "layers": layers,
        "heads": heads,
        **more,
        "feedForwardWidth": feed_forward,
        "contextLength": context,
    }


# Config, rows, tokens in a row, and one of: the positions, or the side on which the later rows are padded.
CASES = {
    "GPT-2, one head, three layers, 61 tokens": ({**size(61, 6, 3, 1, 10, 9), **GPT2, "tiedHead": True}, 2, 7, None),
    "GPT-2, rows of one token": ({**size(11, 8, 2, 2, 12, 5), **GPT2, "tiedHead": True}, 3, 1, None),
    "GPT-2, given positions": ({**size(11, 8, 1, 4, 12, 9), **GPT2, "tiedHead": True}, 2, 3, [[3, 4, 8], [0, 0, 1]]),
    "GPT-2, left padding": ({**size(11, 8, 2, 2, 12, 9), **GPT2, "tiedHead": True}, 3, 6, "left"),
    "GPT-2, right padding": ({**size(11, 8, 2, 2, 12, 9), **GPT2, "tiedHead": True}, 3, 6, "right"),
    "Llama, untied head, 61 tokens": ({**size(61, 8, 2, 2, 12, 9), **LLAMA, "tiedHead": False}, 2, 6, None),
    "Llama, tied head, one head, three layers": ({**size(13, 6, 3, 1, 10, 9), **LLAMA, "tiedHead": True}, 2, 9, None),
    "Llama, given positions": ({**size(11, 8, 1, 1, 12, 9), **LLAMA, "tiedHead": True}, 2, 3, [[3, 4, 8], [0, 0, 1]]),
    "Llama, rows of one token": ({**size(11, 8, 1, 2, 12, 9), **LLAMA, "tiedHead": False}, 2, 1, None),
    "Llama, grouped wide heads, positions of Llama 3": (
        {**size(13, 12, 2, 4, 10, 99, keyValueHeads=2, headWidth=6), **LLAMA3, "tiedHead": False}, 2, 9, None,
    ),
    "Llama, biases everywhere but in the norms": (
        {**size(11, 8, 1, 2, 10, 9), **LLAMA, "biases": ["queryKeyValue", "attentionOutput", "feedForward"], "tiedHead": False}, 2, 5, None,
    ),
    "Llama, one key head, left padding": ({**size(13, 8, 2, 2, 12, 9, keyValueHeads=1), **LLAMA, "tiedHead": True}, 3, 6, "left"),
    "Llama, one key head, right padding": ({**size(13, 8, 2, 2, 12, 9, keyValueHeads=1), **LLAMA, "tiedHead": True}, 3, 6, "right"),
    "Qwen2, grouped heads, three layers, 61 tokens": ({**size(61, 8, 3, 4, 10, 9, keyValueHeads=2), **QWEN2, "tiedHead": True}, 2, 7, None),
    "Qwen2, rows of one token": ({**size(11, 8, 1, 2, 12, 9), **QWEN2, "tiedHead": False}, 2, 1, None),
    "PaLM, one key head, three layers": ({**size(13, 8, 3, 2, 10, 9, keyValueHeads=1), **PALM, "tiedHead": True}, 2, 7, None),
    "PaLM, one head, left padding": ({**size(11, 6, 1, 1, 10, 9), **PALM, "tiedHead": True}, 3, 5, "left"),
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
    """Llama, Qwen2 and Cohere share their names."""
    positions, biases = config["positions"], config["biases"] or []
    scaling = positions.get("scaling")
    rope = {"rope_type": "default", "rope_theta": positions["base"]}
    if scaling is not None:
        rope |= {
            "rope_type": "llama3",
            "factor": scaling["factor"],
            "low_freq_factor": scaling["lowFrequencyFactor"],
            "high_freq_factor": scaling["highFrequencyFactor"],
            "original_max_position_embeddings": scaling["originalContextLength"],
        }
    common = dict(
        vocab_size=config["vocabularySize"],
        max_position_embeddings=config["contextLength"],
        hidden_size=config["width"],
        num_hidden_layers=config["layers"],
        num_attention_heads=config["heads"],
        num_key_value_heads=config.get("keyValueHeads", config["heads"]),
        intermediate_size=config["feedForwardWidth"],
        hidden_act="silu",
        tie_word_embeddings=config["tiedHead"],
        rope_parameters=rope,
        pad_token_id=None,
        attn_implementation="eager",
    )
    parallel = config.get("block") == "parallel"
    epsilon = config["norm"]["epsilon"]
    if parallel:
        model = CohereForCausalLM(CohereConfig(**common, layer_norm_eps=epsilon, logit_scale=1.0))
    elif biases == ["queryKeyValue"]:
        model = Qwen2ForCausalLM(Qwen2Config(**common, rms_norm_eps=epsilon))
    else:
        more = {"attention_bias": "attentionOutput" in biases, "mlp_bias": "feedForward" in biases}
        head = {"head_dim": config["headWidth"]} if "headWidth" in config else {}
        model = LlamaForCausalLM(LlamaConfig(**common, **more, **head, rms_norm_eps=epsilon))
    names = {"embedding.token": (["model.embed_tokens.weight"], False), "norm.gain": (["model.norm.weight"], False)}
    for layer in range(config["layers"]):
        own, theirs = f"layers.{layer}", f"model.layers.{layer}"
        joint = [f"{theirs}.self_attn.{part}_proj" for part in "qkv"]
        linear = {"attention.queryKeyValue": joint, "attention.output": [f"{theirs}.self_attn.o_proj"]}
        linear |= {f"feedForward.{part}": [f"{theirs}.mlp.{part}_proj"] for part in ("gate", "up", "down")}
        places = {"attention.queryKeyValue": "queryKeyValue", "attention.output": "attentionOutput"}
        for name, parts in linear.items():
            # nn.Linear holds [out, in].
            names[f"{own}.{name}.weight"] = ([f"{part}.weight" for part in parts], True)
            if places.get(name, "feedForward") in biases:
                names[f"{own}.{name}.bias"] = ([f"{part}.bias" for part in parts], False)
        if parallel:
            names[f"{own}.norm.gain"] = ([f"{theirs}.input_layernorm.weight"], False)
        else:
            names[f"{own}.attention.norm.gain"] = ([f"{theirs}.input_layernorm.weight"], False)
            names[f"{own}.feedForward.norm.gain"] = ([f"{theirs}.post_attention_layernorm.weight"], False)
    if not config["tiedHead"]:
        names["head.weight"] = (["lm_head.weight"], False)
    return model, names


def pairs(config, part):
    """Cohere turns neighbouring features, we turn halves: where each of its rows comes from in ours; None elsewhere."""
    if config.get("block") != "parallel" or not part.endswith(("q_proj.weight", "k_proj.weight")):
        return None
    width = config.get("headWidth", config["width"] // config["heads"])
    heads = config["heads"] if "q_proj" in part else config.get("keyValueHeads", config["heads"])
    within = [index for pair in range(width // 2) for index in (pair, pair + width // 2)]
    return torch.tensor([head * width + index for head in range(heads) for index in within])


def fill(config, model, names):
    theirs = dict(model.named_parameters())
    assert {name for parts, _ in names.values() for name in parts} == set(theirs)
    for phase, (own, (parts, turned)) in enumerate(sorted(names.items())):
        shapes = [tuple(reversed(theirs[part].shape)) if turned else tuple(theirs[part].shape) for part in parts]
        value = wave((*shapes[0][:-1], sum(each[-1] for each in shapes)), phase, 1.0 if own.endswith(".gain") else 0.0)
        for part, piece in zip(parts, value.split([each[-1] for each in shapes], dim=-1)):
            piece = piece.T if turned else piece
            order = pairs(config, part)
            theirs[part].data.copy_(piece if order is None else piece[order])


def gradients_of(config, model, names):
    theirs = dict(model.named_parameters())
    gradients = {}
    for own, (parts, turned) in sorted(names.items()):
        pieces = []
        for part in parts:
            gradient, order = theirs[part].grad, pairs(config, part)
            if order is not None:
                gradient = torch.empty_like(gradient).index_copy_(0, order, gradient)
            pieces.append(gradient.T if turned else gradient)
        gradients[own] = numbers(torch.cat(pieces, dim=-1))
    return gradients


def numbers(tensor):
    return [float(f"{value:.7g}") for value in tensor.detach().flatten().tolist()]


def build(config):
    learned = config["positions"]["kind"] == "learned"
    model, names = gpt2(config) if learned else llama(config)
    model.eval()
    fill(config, model, names)
    return model, names


def steps(model, loss_of):
    """The losses of a model before each of ten steps: clipping by the norm over all, decay on matrices only."""
    parameters = list(model.parameters())
    decay = OPTIMIZER["weightDecay"]
    groups = [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    betas = (OPTIMIZER["beta1"], OPTIMIZER["beta2"])
    optimizer = torch.optim.AdamW(groups, lr=OPTIMIZER["learningRate"], betas=betas, eps=OPTIMIZER["epsilon"])
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = loss_of(model)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, OPTIMIZER["clipNorm"])
        optimizer.step()
        losses.append(loss.item())
    return losses


def greedy(config, model, count):
    """Prompts of one to four tokens, each alone; an answer ends where two tokens are too close for the rounding."""
    answers = []
    for length in (1, 2, 3, 4):
        ids = [(5 * length + 3 * column + 1) % config["vocabularySize"] for column in range(length)]
        answer = []
        for _ in range(count):
            logits = model(input_ids=torch.tensor([ids + answer]), use_cache=False).logits[0, -1]
            first, second = logits.topk(2).values.tolist()
            if first - second < 1e-3:
                break
            answer.append(logits.argmax().item())
        if not answer:
            continue
        options = {"max_new_tokens": len(answer), "do_sample": False, "eos_token_id": None, "pad_token_id": 0}
        theirs = model.generate(torch.tensor([ids]), attention_mask=torch.ones(1, length), **options)
        assert theirs[0, length:].tolist() == answer
        answers.append({"prompt": ids, "answer": answer})
    assert answers, "ties everywhere"
    return answers


def run(config, batch, time, layout):
    model, names = build(config)
    vocabulary = config["vocabularySize"]
    ids = torch.tensor([[(5 * row + 3 * column + 1) % vocabulary for column in range(time)] for row in range(batch)])
    targets = (ids * 2 + 1) % vocabulary
    side = layout if isinstance(layout, str) else None
    # Row n is n tokens shorter.
    real = torch.ones(batch, time, dtype=torch.bool)
    for row in range(batch if side else 0):
        real[row, :row] = False
    if side == "right":
        real = real.flip(1)
    places = torch.tensor(layout) if isinstance(layout, list) else (real.long().cumsum(1) - 1).clamp(min=0)
    # An explicit mask, because transformers takes positions that start anew for packed sequences.
    seen = torch.ones(time, time, dtype=torch.bool).tril() & real[:, None, None, :]
    seen = seen | torch.eye(time, dtype=torch.bool)
    mask = torch.where(seen, 0.0, torch.finfo(torch.float32).min)

    def logits_of(of):
        return of(input_ids=ids, position_ids=places, attention_mask=mask, use_cache=False).logits[real]

    def loss_of(of):
        return torch.nn.functional.cross_entropy(logits_of(of), targets[real])

    logits, loss = logits_of(model), loss_of(model)
    loss.backward()
    return {
        "config": config,
        "ids": ids.tolist(),
        "targets": targets.tolist(),
        **({"padding": side} if side else {"positions": layout} if layout else {}),
        "logits": numbers(logits),
        "loss": loss.item(),
        "gradients": gradients_of(config, model, names),
        "steps": steps(build(config)[0], loss_of),
        **({"greedy": greedy(config, model, min(5, config["contextLength"] - 4))} if layout is None else {}),
    }


if __name__ == "__main__":
    torch.manual_seed(0)
    golden = {"optimizer": OPTIMIZER, "cases": {name: run(*case) for name, case in CASES.items()}}
    path = Path(__file__).parent / "golden" / "decoder.json"
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    print(path, path.stat().st_size, "bytes")
