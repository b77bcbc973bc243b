"""Writes golden/lora/*: adapters as PEFT saves them, and golden/lora.json: logits with them, merged, gradients and ten AdamW steps.

The decoders have the weights of make_decoder_goldens.py, the adapters closed formulas too.
Run: python tests/parity/make_lora_goldens.py (needs torch, transformers and peft)
"""

import json
import shutil
from pathlib import Path

import torch
from make_decoder_goldens import GPT2, LLAMA, OPTIMIZER, QWEN2, STEPS, build, numbers, size, wave
from peft import LoraConfig, get_peft_model

FOLDER = Path(__file__).parent / "golden" / "lora"

# Config of the decoder, rank, alpha, modules of transformers.
CASES = {
    "gpt2": ({**size(13, 8, 2, 2, 12, 9), **GPT2, "tiedHead": True}, 2, 1, ["c_attn", "c_fc", "mlp.c_proj"]),
    "llama-grouped": ({**size(13, 8, 2, 4, 10, 9, keyValueHeads=2), **LLAMA, "tiedHead": False}, 3, 4, ["q_proj", "v_proj", "down_proj"]),
    "qwen2": ({**size(11, 8, 1, 2, 12, 9, keyValueHeads=1), **QWEN2, "tiedHead": True}, 1, 2, ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj"]),
}


def adapted(config, rank, alpha, modules):
    model, _ = build(config)
    lora = LoraConfig(r=rank, lora_alpha=alpha, lora_dropout=0.0, target_modules=modules, task_type="CAUSAL_LM", fan_in_fan_out=config["norm"]["kind"] == "layer")
    model = get_peft_model(model, lora)
    trained = {name: value for name, value in model.named_parameters() if value.requires_grad}
    for phase, name in enumerate(sorted(trained)):
        trained[name].data.copy_(wave(trained[name].shape, phase))
    return model.eval(), trained


def run(name, config, rank, alpha, modules):
    model, trained = adapted(config, rank, alpha, modules)
    model.save_pretrained(FOLDER / name)
    (FOLDER / name / "README.md").unlink(missing_ok=True)
    vocabulary = config["vocabularySize"]
    ids = torch.tensor([[(5 * row + 3 * column + 1) % vocabulary for column in range(7)] for row in range(2)])
    targets = (ids * 2 + 1) % vocabulary

    def loss_of(of):
        return torch.nn.functional.cross_entropy(of(input_ids=ids, use_cache=False).logits.flatten(0, 1), targets.flatten())

    logits = model(input_ids=ids, use_cache=False).logits
    loss_of(model).backward()
    # Our matrices are the other way round.
    gradients = {part.replace(".default", ""): numbers(value.grad.T) for part, value in trained.items()}
    merged = model.merge_and_unload()(input_ids=ids, use_cache=False).logits
    model, trained = adapted(config, rank, alpha, modules)
    betas = (OPTIMIZER["beta1"], OPTIMIZER["beta2"])
    optimizer = torch.optim.AdamW(trained.values(), lr=OPTIMIZER["learningRate"], betas=betas, eps=OPTIMIZER["epsilon"], weight_decay=OPTIMIZER["weightDecay"])
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = loss_of(model)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained.values(), OPTIMIZER["clipNorm"])
        optimizer.step()
        losses.append(loss.item())
    return {"config": config, "ids": ids.tolist(), "targets": targets.tolist(), "logits": numbers(logits), "merged": numbers(merged), "gradients": gradients, "steps": losses}


shutil.rmtree(FOLDER, ignore_errors=True)
golden = {"optimizer": OPTIMIZER, "cases": {name: run(name, *case) for name, case in CASES.items()}}
(FOLDER.parent / "lora.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
