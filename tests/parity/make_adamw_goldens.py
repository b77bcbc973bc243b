"""Writes golden/adamw.json: ten steps of PyTorch's AdamW with clipping and a warm-up and cosine schedule.

The model and the rows are those of tests/train/stand-in.ts, written again here by the same formulas.
Run: python tests/parity/make_adamw_goldens.py (needs torch)
"""

import json
import math
from pathlib import Path

import torch

VOCABULARY, WIDTH, ROWS, STEPS = 11, 6, 8, 10
OPTIMIZER = {"learningRate": 0.05, "beta1": 0.9, "beta2": 0.98, "epsilon": 1e-6, "weightDecay": 0.2, "clipNorm": 0.25}
WARMUP_STEPS, FINAL_FRACTION = 3, 0.1


def wave(shape, phase):
    size = math.prod(shape)
    values = [0.5 * math.sin(0.7 * index + phase) for index in range(size)]
    return torch.nn.Parameter(torch.tensor(values, dtype=torch.float32).reshape(shape))


def rows():
    for row in range(ROWS):
        length = 3 + (row * 5) % 8
        ids = [(row * 7 + position * position * 3 + position) % VOCABULARY for position in range(length)]
        yield ids, 1 + row % (length - 1)


def schedule(step):
    progress = (step + 0.5) / STEPS
    warmup = WARMUP_STEPS / STEPS
    if progress < warmup:
        return progress / warmup
    fall = (progress - warmup) / (1 - warmup)
    return FINAL_FRACTION + (1 - FINAL_FRACTION) * (1 + math.cos(math.pi * fall)) / 2


torch.manual_seed(0)
embedding, weight, bias, head = (
    wave([VOCABULARY, WIDTH], 0.1),
    wave([WIDTH, WIDTH], 0.2),
    wave([WIDTH], 0.3),
    wave([WIDTH, VOCABULARY], 0.4),
)
optimizer = torch.optim.AdamW(
    [
        {"params": [embedding, weight, head], "weight_decay": OPTIMIZER["weightDecay"]},
        {"params": [bias], "weight_decay": 0.0},
    ],
    lr=OPTIMIZER["learningRate"],
    betas=(OPTIMIZER["beta1"], OPTIMIZER["beta2"]),
    eps=OPTIMIZER["epsilon"],
)
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, schedule)
golden = {"losses": [], "gradientNorms": [], "learningRates": []}
for _ in range(STEPS):
    total, count = torch.zeros(()), 0
    for ids, supervised in rows():
        tokens = torch.tensor(ids)
        logits = torch.tanh(embedding[tokens[:-1]] @ weight + bias) @ head
        total = total + torch.nn.functional.cross_entropy(
            logits[-supervised:], tokens[-supervised:], reduction="sum"
        )
        count += supervised
    loss = total / count
    optimizer.zero_grad()
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_([embedding, weight, bias, head], OPTIMIZER["clipNorm"])
    golden["losses"].append(loss.item())
    golden["gradientNorms"].append(norm.item())
    golden["learningRates"].append(scheduler.get_last_lr()[0])
    optimizer.step()
    scheduler.step()

golden["parameters"] = {
    name: value.detach().flatten().tolist()
    for name, value in {"embedding": embedding, "weight": weight, "bias": bias, "head": head}.items()
}
golden["config"] = {"rows": ROWS, "steps": STEPS, "warmupSteps": WARMUP_STEPS, "finalFraction": FINAL_FRACTION}
golden["config"]["optimizer"] = OPTIMIZER
golden["made_with"] = f"torch {torch.__version__}"
target = Path(__file__).parent / "golden" / "adamw.json"
target.write_text(json.dumps(golden, indent=1) + "\n")
print(target, golden["losses"], golden["gradientNorms"])
