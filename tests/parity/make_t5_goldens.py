"""Writes golden/t5.json: logits, loss, every gradient, ten AdamW steps, greedy and beam generation of tiny T5 models of Hugging
Face transformers (T5ForConditionalGeneration), versions 1.0 and 1.1.

Weights are closed formulas (`wave`, written again in tests/parity/wave.ts), so that only results are stored.
Run: python tests/parity/make_t5_goldens.py (needs torch and transformers 5)
"""

import json
from pathlib import Path

import torch
from make_decoder_goldens import OPTIMIZER, numbers, steps, wave
from transformers import T5Config, T5ForConditionalGeneration
from transformers.models.t5.modeling_t5 import T5Attention

V10 = {"activation": "relu", "tiedHead": True, "scaledHead": True}
V11 = {"activation": "geglu", "tiedHead": False, "scaledHead": False}
# What transformers 5 makes of a new version 1.1: it ties the head, and does not scale it.
V11_TIED = {**V11, "tiedHead": True}


def size(vocabulary, width, layers, heads, head_width, feed_forward, **more):
    encoder, decoder = layers if isinstance(layers, tuple) else (layers, layers)
    return {
        "vocabularySize": vocabulary,
        "width": width,
        "encoderLayers": encoder,
        "decoderLayers": decoder,
        "heads": heads,
        "headWidth": head_width,
        "feedForwardWidth": feed_forward,
        "positionBuckets": more.get("buckets", 32),
        "farthestPosition": more.get("farthest", 128),
        "epsilon": 1e-6,
        "contextLength": 64,
        "dropout": 0,
        "decoderStart": 0,
    }


# Config, rows, tokens of an input, tokens of an output, and the side on which the later rows are padded.
CASES = {
    "1.0, one head, three layers, 61 tokens": ({**size(61, 6, 3, 1, 5, 10), **V10}, 2, 7, 5, None),
    "1.1, untied head, 61 tokens": ({**size(61, 8, 2, 2, 3, 12), **V11}, 2, 6, 7, None),
    "1.1, tied head, three heads wider than the width": ({**size(13, 6, 2, 3, 4, 10), **V11_TIED}, 2, 5, 4, None),
    "1.0, inputs and outputs of one token": ({**size(11, 8, 2, 2, 3, 12), **V10}, 3, 1, 1, None),
    "1.1, inputs and outputs of one token": ({**size(11, 8, 1, 2, 4, 12), **V11}, 2, 1, 1, None),
    "1.0, left padding": ({**size(11, 8, 2, 2, 3, 12), **V10}, 3, 6, 5, "left"),
    "1.0, right padding": ({**size(11, 8, 2, 2, 3, 12), **V10}, 3, 6, 5, "right"),
    "1.1, left padding": ({**size(13, 6, (1, 2), 1, 4, 9), **V11}, 3, 5, 6, "left"),
    "1.1, right padding": ({**size(13, 6, (2, 1), 1, 4, 9), **V11}, 3, 5, 6, "right"),
    "1.0, rows beyond the farthest bucket": ({**size(13, 6, 1, 2, 3, 8, buckets=8, farthest=12), **V10}, 2, 23, 21, None),
}
NAMES = {"feedForward.up": "wi", "feedForward.down": "wo"}


def build(config):
    model = T5ForConditionalGeneration(
        T5Config(
            vocab_size=config["vocabularySize"],
            d_model=config["width"],
            d_kv=config["headWidth"],
            d_ff=config["feedForwardWidth"],
            num_layers=config["encoderLayers"],
            num_decoder_layers=config["decoderLayers"],
            num_heads=config["heads"],
            relative_attention_num_buckets=config["positionBuckets"],
            relative_attention_max_distance=config["farthestPosition"],
            layer_norm_epsilon=config["epsilon"],
            feed_forward_proj="relu" if config["activation"] == "relu" else "gated-gelu",
            tie_word_embeddings=config["scaledHead"],
            decoder_start_token_id=config["decoderStart"],
            dropout_rate=0.0,
            attn_implementation="eager",
        )
    )
    assert model.config.scale_decoder_outputs == config["scaledHead"]
    if not config["tiedHead"]:
        model.lm_head.weight = torch.nn.Parameter(torch.empty_like(model.lm_head.weight))
    names = names_of(config)
    theirs = dict(model.named_parameters())
    assert set(names.values()) == set(theirs), set(names.values()) ^ set(theirs)
    for phase, (own, name) in enumerate(sorted(names.items())):
        shape = tuple(theirs[name].shape)
        value = values_of(own, shape[::-1] if is_linear(name) else shape, phase)
        theirs[name].data.copy_(value.T if is_linear(name) else value)
    return model.eval(), names


def values_of(own, shape, phase):
    """Large embeddings and small matrices, as T5 starts them: a norm of little and sharp attention enlarge the rounding."""
    if own.endswith(".gain"):
        return wave(shape, phase, 1.0)
    return wave(shape, phase) * (2.5 if own == "embedding.token" else 0.75)


def is_linear(name):
    """nn.Linear holds [out, in]; the head is used as an embedding, as ours is."""
    return ".layer." in name and "layer_norm" not in name and "relative" not in name


def names_of(config):
    names = {"embedding.token": "shared.weight"}
    for stack in ("encoder", "decoder"):
        first = f"{stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight"
        names[f"{stack}.positions"] = first
        names[f"{stack}.norm.gain"] = f"{stack}.final_layer_norm.weight"
        for layer in range(config[f"{stack}Layers"]):
            own, theirs = f"{stack}.layers.{layer}", f"{stack}.block.{layer}.layer"
            attentions = [("attention", "SelfAttention")] + ([("crossAttention", "EncDecAttention")] if stack == "decoder" else [])
            for place, (name, their_name) in enumerate(attentions):
                names[f"{own}.{name}.norm.gain"] = f"{theirs}.{place}.layer_norm.weight"
                for part, letter in (("query", "q"), ("key", "k"), ("value", "v"), ("output", "o")):
                    names[f"{own}.{name}.{part}.weight"] = f"{theirs}.{place}.{their_name}.{letter}.weight"
            dense = f"{theirs}.{len(attentions)}"
            names[f"{own}.feedForward.norm.gain"] = f"{dense}.layer_norm.weight"
            names[f"{own}.feedForward.down.weight"] = f"{dense}.DenseReluDense.wo.weight"
            if config["activation"] == "relu":
                names[f"{own}.feedForward.up.weight"] = f"{dense}.DenseReluDense.wi.weight"
            else:
                names[f"{own}.feedForward.gate.weight"] = f"{dense}.DenseReluDense.wi_0.weight"
                names[f"{own}.feedForward.up.weight"] = f"{dense}.DenseReluDense.wi_1.weight"
    if not config["tiedHead"]:
        names["head.weight"] = "lm_head.weight"
    return names


def gradients_of(model, names):
    theirs = dict(model.named_parameters())
    return {
        own: numbers(theirs[name].grad.T if is_linear(name) else theirs[name].grad) for own, name in sorted(names.items())
    }


def mask_of(batch, time, side):
    """Row n is n tokens shorter."""
    real = torch.ones(batch, time, dtype=torch.long)
    for row in range(batch if side else 0):
        real[row, :row] = 0
    return real.flip(1) if side == "right" else real


def run(config, batch, input_time, time, side):
    model, names = build(config)
    vocabulary = config["vocabularySize"]
    ids = torch.tensor([[(5 * row + 3 * column + 1) % vocabulary for column in range(input_time)] for row in range(batch)])
    decoder_ids = torch.tensor([[(7 * row + 4 * column) % vocabulary for column in range(time)] for row in range(batch)])
    targets = (decoder_ids * 2 + 1) % vocabulary
    input_mask, mask = mask_of(batch, input_time, side), mask_of(batch, time, side)
    real = mask.bool()

    def logits_of(of):
        rows = dict(input_ids=ids, attention_mask=input_mask, decoder_input_ids=decoder_ids, decoder_attention_mask=mask)
        return of(**rows, use_cache=False).logits[real]

    def loss_of(of):
        return torch.nn.functional.cross_entropy(logits_of(of), targets[real])

    logits, loss = logits_of(model), loss_of(model)
    loss.backward()
    return {
        "config": config,
        "ids": ids.tolist(),
        "decoderIds": decoder_ids.tolist(),
        "targets": targets.tolist(),
        **({"padding": side} if side else {}),
        "logits": numbers(logits),
        "loss": loss.item(),
        "gradients": gradients_of(model, names),
        "steps": steps(build(config)[0], loss_of),
    }


# Beams, length penalty, when to stop.
SEARCHES = [(2, 1.0, False), (3, 1.0, True), (4, 0.0, "never"), (3, 2.0, "never"), (4, -0.5, False), (5, 0.6, True), (1, 1.0, False)]
GENERATED = {
    "1.0": {**size(23, 8, 2, 2, 3, 12), **V10},
    "1.1": {**size(29, 6, 3, 1, 5, 10), **V11},
}
NEW_TOKENS = 9


def search(model, rows, eos, beams, penalty, early):
    time = max(map(len, rows))
    ids = torch.tensor([row + [0] * (time - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (time - len(row)) for row in rows])
    options = {"num_beams": beams, "max_new_tokens": NEW_TOKENS, "do_sample": False, "eos_token_id": eos, "pad_token_id": 0}
    if beams > 1:
        options |= {"length_penalty": penalty, "early_stopping": early, "num_return_sequences": beams}
        options |= {"return_dict_in_generate": True, "output_scores": True}
        given = model.generate(ids, attention_mask=mask, **options)
        scores = given.sequences_scores.view(len(rows), beams).tolist()
        return [[cut(one, eos) for one in row] for row in given.sequences.view(len(rows), beams, -1).tolist()], scores
    return [[cut(row, eos)] for row in model.generate(ids, attention_mask=mask, **options).tolist()], None


def cut(row, eos):
    """The tokens after the start, without what follows the end."""
    answer = row[1:]
    return answer[: answer.index(eos)] if eos in answer else answer


def generate(config):
    """For an end token at which answers of several lengths end; in double precision the same, so no tie decides."""
    model, _ = build(config)
    double = build(config)[0].double()
    vocabulary = config["vocabularySize"]
    rows = [[(5 * length + 3 * column + 1) % vocabulary for column in range(length)] for length in (1, 2, 4, 7)]
    best = None
    for eos in range(1, vocabulary):
        found = [search(model, rows, eos, *each) for each in SEARCHES]
        again = [search(double, rows, eos, *each)[0] for each in SEARCHES]
        if [answers for answers, _ in found] != again:
            continue
        lengths = {len(one) for answers, _ in found for row in answers for one in row}
        if best is None or len(lengths) > best[0]:
            best = (len(lengths), eos, found)
    count, eos, found = best
    print(config["activation"], "eos", eos, "lengths", count)
    searches = [
        {"beams": beams, "lengthPenalty": penalty, "earlyStopping": early, "answers": answers, "scores": scores}
        for (beams, penalty, early), (answers, scores) in zip(SEARCHES, found)
    ]
    return {"config": config, "eos": eos, "newTokens": NEW_TOKENS, "rows": rows, "searches": searches}


def buckets(both_ways, count, farthest):
    offsets = torch.arange(-200, 201)
    found = T5Attention._relative_position_bucket(offsets, both_ways, count, farthest).tolist()
    return {"bothWays": both_ways, "buckets": count, "farthest": farthest, "values": found}


if __name__ == "__main__":
    torch.manual_seed(0)
    golden = {
        "optimizer": OPTIMIZER,
        "cases": {name: run(*case) for name, case in CASES.items()},
        "generation": {name: generate(config) for name, config in GENERATED.items()},
        "buckets": [buckets(way, *rules) for way in (True, False) for rules in ((32, 128), (8, 12), (20, 100), (64, 256))],
    }
    path = Path(__file__).parent / "golden" / "t5.json"
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    print(path, path.stat().st_size, "bytes")
