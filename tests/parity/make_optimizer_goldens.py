"""Writes golden/optimizers.json: ten steps of each optimizer on parameters of odd shapes, and warm-up-stable-decay schedules.

AdamW and SGD are PyTorch's, Adafactor is that of transformers, Lion is written below from the paper's algorithm. Start
values and gradients are the formulas of tests/train/optimizers.test.ts. Vectors do not decay. The moving average is
PyTorch's AveragedModel.
Run: python tests/parity/make_optimizer_goldens.py (needs torch, transformers)
"""

import json
import math
from pathlib import Path

import torch
import transformers
from transformers.optimization import Adafactor, get_wsd_schedule

STEPS = 10
# One row, one column, one value, a prime by a prime, a third axis, and vectors.
SHAPES = {
    "matrix": [7, 13],
    "twin": [7, 13],
    "row": [1, 5],
    "column": [5, 1],
    "dot": [1, 1],
    "cube": [3, 5, 2],
    "bias": [11],
    "single": [1],
}
WEIGHT_DECAY = 0.3
AVERAGE_DECAY = 0.7


class Lion(torch.optim.Optimizer):
    """Algorithm 2 of Chen et al. 2023, "Symbolic discovery of optimization algorithms"."""

    def __init__(self, params, lr, betas, weight_decay):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                momentum = self.state[p].setdefault("momentum", torch.zeros_like(p))
                direction = (beta1 * momentum + (1 - beta1) * p.grad).sign()
                p.sub_(group["lr"] * (direction + group["weight_decay"] * p))
                momentum.mul_(beta2).add_(p.grad, alpha=1 - beta2)


def start(phase, shape):
    size = math.prod(shape)
    values = [math.sin(1.3 * index + phase) * (1 + phase) / 2 for index in range(size)]
    return torch.nn.Parameter(torch.tensor(values, dtype=torch.float32).reshape(shape))


def gradient(phase, shape, step):
    size = math.prod(shape)
    values = [math.cos(0.9 * index + phase + step * (1 + 0.1 * index)) * 0.5**phase for index in range(size)]
    return torch.tensor(values, dtype=torch.float32).reshape(shape)


def learning_rate(base, step):
    return base * (1 - step / 20)


def parameters():
    return {name: start(phase, shape) for phase, (name, shape) in enumerate(SHAPES.items())}


def groups(made, weight_decay):
    return [
        {"params": [value for value in made.values() if value.dim() >= 2], "weight_decay": weight_decay},
        {"params": [value for value in made.values() if value.dim() < 2], "weight_decay": 0.0},
    ]


def run(config, make):
    made = parameters()
    optimizer = make(groups(made, config["weightDecay"]))
    holder = torch.nn.ParameterList(made.values())
    average = torch.optim.swa_utils.AveragedModel(
        holder, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(AVERAGE_DECAY)
    )
    for step in range(STEPS):
        for phase, (name, shape) in enumerate(SHAPES.items()):
            made[name].grad = gradient(phase, shape, step)
        if isinstance(config["learningRate"], float):
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(config["learningRate"], step)
        optimizer.step()
        average.update_parameters(holder)
    flat = lambda values: {name: value.detach().flatten().tolist() for name, value in zip(made, values)}
    return {"config": config, "parameters": flat(made.values()), "average": flat(average.module)}


def adamw(**options):
    config = {"kind": "adamw", "learningRate": 0.05, "beta1": 0.9, "beta2": 0.98, "epsilon": 1e-6, **options}
    make = lambda made: torch.optim.AdamW(
        made, lr=config["learningRate"], betas=(config["beta1"], config["beta2"]), eps=config["epsilon"]
    )
    return config, make


def adafactor(**options):
    config = {
        "kind": "adafactor",
        "learningRate": 0.05,
        "scaleParameter": False,
        "epsilonSquare": 1e-30,
        "epsilonScale": 1e-3,
        "clipThreshold": 1.0,
        "decayRate": 0.8,
        "beta1": "off",
        **options,
    }
    rate = config["learningRate"]
    make = lambda made: Adafactor(
        made,
        lr=rate if isinstance(rate, float) else None,
        eps=(config["epsilonSquare"], config["epsilonScale"]),
        clip_threshold=config["clipThreshold"],
        decay_rate=-config["decayRate"],
        beta1=None if config["beta1"] == "off" else config["beta1"],
        scale_parameter=config["scaleParameter"],
        relative_step=not isinstance(rate, float),
        warmup_init=rate == "relative-warmup",
    )
    return config, make


def sgd(**options):
    config = {"kind": "sgd", "learningRate": 0.05, "momentum": 0.9, "nesterov": False, **options}
    make = lambda made: torch.optim.SGD(
        made, lr=config["learningRate"], momentum=config["momentum"], nesterov=config["nesterov"]
    )
    return config, make


def lion(**options):
    config = {"kind": "lion", "learningRate": 0.01, "beta1": 0.9, "beta2": 0.99, **options}
    make = lambda made: Lion(made, config["learningRate"], (config["beta1"], config["beta2"]), 0.0)
    return config, make


CASES = {
    "AdamW": adamw(),
    "Adafactor with a learning rate": adafactor(),
    "Adafactor with a learning rate for each parameter's scale": adafactor(scaleParameter=True, learningRate=0.2),
    "Adafactor with relative steps": adafactor(learningRate="relative", scaleParameter=True),
    "Adafactor with relative steps and warm-up": adafactor(learningRate="relative-warmup", scaleParameter=True),
    "Adafactor with a first moment, a low threshold and another decay": adafactor(
        beta1=0.9, clipThreshold=0.5, decayRate=0.6, epsilonSquare=1e-3, epsilonScale=0.9, scaleParameter=True
    ),
    "SGD": sgd(momentum=0.0),
    "SGD with momentum": sgd(),
    "SGD with Nesterov's momentum": sgd(nesterov=True, momentum=0.8),
    "Lion": lion(),
    "Lion without decay": lion(weightDecay=0.0, beta1=0.95, beta2=0.98),
}


def schedules():
    """Multipliers at the middle of each step, where the kit places them."""
    made = []
    for decay_shape in ["linear", "cosine", "1-sqrt"]:
        for warmup, decay, final in [(4, 6, 0.0), (0, 7, 0.1), (3, 17, 0.0), (0, 20, 0.25)]:
            optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
            schedule = get_wsd_schedule(
                optimizer, warmup, decay, num_training_steps=20, decay_type=decay_shape, min_lr_ratio=final
            )
            (factor,) = schedule.lr_lambdas
            config = {"warmupSteps": warmup, "decaySteps": decay, "decayShape": decay_shape, "finalFraction": final}
            made.append({"config": config, "factors": [factor(step + 0.5) for step in range(20)]})
    return made


golden = {
    "steps": STEPS,
    "averageDecay": AVERAGE_DECAY,
    "shapes": SHAPES,
    "cases": {
        name: run({"weightDecay": WEIGHT_DECAY, "clipNorm": "off", **config}, make)
        for name, (config, make) in CASES.items()
    },
    "schedules": schedules(),
    "made_with": f"torch {torch.__version__}, transformers {transformers.__version__}",
}
target = Path(__file__).parent / "golden" / "optimizers.json"
target.write_text(json.dumps(golden) + "\n")
print(target, target.stat().st_size)
