"""Writes golden/bert.json and golden/bert/: logits, loss, every gradient and ten AdamW steps of tiny BERT models of Hugging Face
transformers with each head, folders that they save, and adapters of PEFT, with and without a head.

Weights are closed formulas (`wave`, written again in tests/parity/wave.ts), so that only results are stored.
Run: python tests/parity/make_bert_goldens.py (needs torch, transformers 5 and peft)
"""

import json
import shutil
from pathlib import Path

import torch
from make_decoder_goldens import OPTIMIZER, numbers, steps, wave
from peft import LoraConfig, get_peft_model
from transformers import BertConfig, BertForMaskedLM, BertForPreTraining, BertForSequenceClassification

GOLDEN = Path(__file__).parent / "golden"
CLASSES = {"pre-training": BertForPreTraining, "masked-language": BertForMaskedLM, "classification": BertForSequenceClassification}
PRE, MASKED = {"kind": "pre-training"}, {"kind": "masked-language"}
THREE = {"kind": "classification", "labels": ["no", "yes", "maybe"]}


def size(vocabulary, width, layers, heads, feed_forward, context, head, activation="gelu"):
    return {
        "vocabularySize": vocabulary,
        "width": width,
        "layers": layers,
        "heads": heads,
        "feedForwardWidth": feed_forward,
        "contextLength": context,
        "tokenTypes": 2,
        "activation": activation,
        "epsilon": 1e-12,
        "dropout": 0,
        "head": head,
    }


# Config, rows, tokens of a row, the side on which the later rows are padded, whether rows are pairs.
CASES = {
    "one head, three layers, 61 tokens": (size(61, 6, 3, 1, 10, 9, PRE), 2, 7, None, True),
    "rows of one token": (size(11, 8, 1, 2, 12, 4, PRE), 3, 1, None, False),
    "left padding": (size(13, 8, 2, 2, 12, 8, PRE), 3, 6, "left", True),
    "right padding": (size(13, 8, 2, 2, 12, 8, PRE), 3, 6, "right", True),
    "masked words alone, tanh form": (size(13, 6, 2, 3, 9, 8, MASKED, "gelu-tanh"), 2, 5, "right", False),
    "three classes of pairs": (size(13, 8, 2, 2, 12, 8, THREE), 4, 6, "right", True),
    "three classes of texts, left padding": (size(11, 6, 1, 1, 9, 8, THREE), 3, 5, "left", False),
}
LAYERS = {
    "attention.output": "attention.output.dense",
    "feedForward.up": "intermediate.dense",
    "feedForward.down": "output.dense",
}
NORMS = {"attention.norm": "attention.output.LayerNorm", "feedForward.norm": "output.LayerNorm"}


def names_of(config):
    """Our name -> their names (parts side by side), and whether they are stored transposed."""
    names = {
        "embedding.token": (["bert.embeddings.word_embeddings.weight"], False),
        "embedding.position": (["bert.embeddings.position_embeddings.weight"], False),
        "embedding.type": (["bert.embeddings.token_type_embeddings.weight"], False),
    }

    def linear(own, *theirs):
        names[f"{own}.weight"] = ([f"{name}.weight" for name in theirs], True)
        names[f"{own}.bias"] = ([f"{name}.bias" for name in theirs], False)

    def norm(own, theirs):
        names[f"{own}.gain"] = ([f"{theirs}.weight"], False)
        names[f"{own}.bias"] = ([f"{theirs}.bias"], False)

    norm("embedding.norm", "bert.embeddings.LayerNorm")
    for layer in range(config["layers"]):
        block = f"bert.encoder.layer.{layer}"
        linear(f"layers.{layer}.attention.queryKeyValue", *[f"{block}.attention.self.{part}" for part in ("query", "key", "value")])
        for own, theirs in LAYERS.items():
            linear(f"layers.{layer}.{own}", f"{block}.{theirs}")
        for own, theirs in NORMS.items():
            norm(f"layers.{layer}.{own}", f"{block}.{theirs}")
    kind = config["head"]["kind"]
    if kind != "masked-language":
        linear("pooler", "bert.pooler.dense")
    if kind == "classification":
        linear("classifier", "classifier")
        return names
    linear("masked.transform", "cls.predictions.transform.dense")
    norm("masked.norm", "cls.predictions.transform.LayerNorm")
    names["masked.bias"] = (["cls.predictions.bias"], False)
    if kind == "pre-training":
        linear("nextSentence", "cls.seq_relationship")
    return names


def build(config):
    head = config["head"]
    more = {}
    if head["kind"] == "classification":
        labels = dict(enumerate(head["labels"]))
        more = {"id2label": labels, "label2id": {label: id for id, label in labels.items()}, "problem_type": "single_label_classification"}
    model = CLASSES[head["kind"]](
        BertConfig(
            vocab_size=config["vocabularySize"],
            hidden_size=config["width"],
            num_hidden_layers=config["layers"],
            num_attention_heads=config["heads"],
            intermediate_size=config["feedForwardWidth"],
            max_position_embeddings=config["contextLength"],
            hidden_act="gelu" if config["activation"] == "gelu" else "gelu_new",
            layer_norm_eps=config["epsilon"],
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            # transformers would keep the gradient of the padding token at 0.
            pad_token_id=None,
            attn_implementation="eager",
            **more,
        )
    )
    names, theirs = names_of(config), dict(model.named_parameters())
    stored = {name for parts, _ in names.values() for name in parts}
    assert stored == set(theirs), stored ^ set(theirs)
    for phase, (own, (parts, turned)) in enumerate(sorted(names.items())):
        shapes = [theirs[part].shape[::-1] if turned else theirs[part].shape for part in parts]
        shape = (*shapes[0][:-1], sum(each[-1] for each in shapes))
        values = wave(shape, phase, 1.0 if own.endswith(".gain") else 0.0)
        for part, value in zip(parts, values.split([each[-1] for each in shapes], dim=-1)):
            theirs[part].data.copy_(value.T if turned else value)
    return model.eval(), names


def gradients_of(model, names):
    theirs = dict(model.named_parameters())
    joined = {}
    for own, (parts, turned) in sorted(names.items()):
        grads = [theirs[part].grad.T if turned else theirs[part].grad for part in parts]
        joined[own] = numbers(torch.cat(grads, dim=-1))
    return joined


def rows_of(config, batch, time, side, pairs):
    ids = torch.tensor([[(5 * row + 3 * column + 1) % config["vocabularySize"] for column in range(time)] for row in range(batch)])
    segments = torch.ones(batch, time, dtype=torch.long)
    for row in range(batch if side else 0):
        segments[row, :row] = 0
    segments = segments.flip(1) if side == "right" else segments
    types = torch.tensor([[int(pairs and column > time // 2) for column in range(time)]] * batch)
    return {"input_ids": ids, "attention_mask": segments, "token_type_ids": types}


def run(config, batch, time, side, pairs):
    model, names = build(config)
    rows = rows_of(config, batch, time, side, pairs)
    kind = config["head"]["kind"]
    real = rows["attention_mask"].bool()
    # Every second token is a target; which does not matter to the model.
    chosen = real & (torch.arange(time) % 2 == 0)
    targets = torch.where(chosen, (rows["input_ids"] * 2 + 1) % config["vocabularySize"], -100)
    labels = torch.arange(batch) % (3 if kind == "classification" else 2)
    if kind == "classification":
        given = {"labels": labels}
    else:
        given = {"labels": targets, **({"next_sentence_label": labels} if kind == "pre-training" else {})}
    loss_of = lambda of: of(**rows, **given).loss
    output = model(**rows, **given)
    output.loss.backward()
    logits = output.prediction_logits if kind == "pre-training" else output.logits
    return {
        "config": config,
        "ids": rows["input_ids"].tolist(),
        "segments": rows["attention_mask"].tolist(),
        "tokenTypes": rows["token_type_ids"].tolist(),
        "targets": targets.tolist(),
        "labels": labels.tolist(),
        "logits": numbers(logits if kind == "classification" else logits[chosen]),
        **({"nextSentence": numbers(output.seq_relationship_logits)} if kind == "pre-training" else {}),
        "loss": output.loss.item(),
        "gradients": gradients_of(model, names),
        "steps": steps(build(config)[0], loss_of),
    }


FOLDERS = {"pre-training": "left padding", "masked-language": "masked words alone, tanh form", "classification": "three classes of pairs"}


def adapter():
    config, *more = CASES["three classes of texts, left padding"][0], 3, 5, "left", False
    config = {**config, "head": MASKED}
    model, _ = build(config)
    names = ["query", "value", "attention.output.dense", "intermediate.dense", "encoder.layer.0.output.dense", "transform.dense"]
    adapted = get_peft_model(model, LoraConfig(r=3, lora_alpha=6, lora_dropout=0.0, target_modules=names))
    for phase, (name, value) in enumerate(sorted(each for each in adapted.named_parameters() if "lora_" in each[0])):
        value.data.copy_(wave(tuple(value.shape), phase))
    adapted.eval().save_pretrained(GOLDEN / "bert" / "adapter")
    rows = rows_of(config, *more)
    return {"config": config, "ids": rows["input_ids"].tolist(), "logits": numbers(adapted(input_ids=rows["input_ids"]).logits)}


# What PEFT saves beside an adapter, by head: of a classification it takes the classifier by itself, without being told.
SAVED_MODULES = {"classification": (THREE, "SEQ_CLS", None), "masked-language": (MASKED, None, ["cls"]), "pre-training": (PRE, None, ["cls", "pooler"])}


def adapter_with_head(kind):
    head, task, modules = SAVED_MODULES[kind]
    config, *more = CASES["three classes of texts, left padding"][0], 3, 5, None, False
    config = {**config, "head": head}
    model, _ = build(config)
    adapted = get_peft_model(model, LoraConfig(r=2, lora_alpha=3, lora_dropout=0.0, target_modules=["query", "value"], task_type=task, modules_to_save=modules))
    # A copy of the token embedding stays as it is.
    trained = [each for each in adapted.named_parameters() if each[1].requires_grad and "decoder.weight" not in each[0]]
    for phase, (_, value) in enumerate(sorted(trained, key=lambda each: each[0])):
        value.data.copy_(wave(tuple(value.shape), phase + 50))
    folder = GOLDEN / "bert" / f"adapter-{kind}"
    adapted.eval().save_pretrained(folder)
    rows = rows_of(config, *more)
    said = adapted(input_ids=rows["input_ids"])
    heads = [said.logits] if "logits" in said else [said.prediction_logits, said.seq_relationship_logits]
    return {"config": config, "ids": rows["input_ids"].tolist(), "logits": [value for each in heads for value in numbers(each)]}


if __name__ == "__main__":
    torch.manual_seed(0)
    shutil.rmtree(GOLDEN / "bert", ignore_errors=True)
    golden = {"optimizer": OPTIMIZER, "cases": {name: run(*case) for name, case in CASES.items()}, "adapter": adapter(), "adaptersWithHead": {kind: adapter_with_head(kind) for kind in SAVED_MODULES}}
    for folder, name in FOLDERS.items():
        build(CASES[name][0])[0].save_pretrained(GOLDEN / "bert" / folder)
    for extra in (*(GOLDEN / "bert").rglob("README.md"), *(GOLDEN / "bert").rglob("generation_config.json")):
        extra.unlink()
    path = GOLDEN / "bert.json"
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    print(path, path.stat().st_size, "bytes")
