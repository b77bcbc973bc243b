"""Writes golden/token-loss.json: PyTorch's label smoothing and PaLM's z-loss, with the gradient of the logits.

Run: python tests/parity/make_token_loss_goldens.py (needs torch)
"""

import json
import math
from pathlib import Path

import torch

ROWS, CLASSES = 5, 7
SETTINGS = [(0.0, 0.0), (0.1, 0.0), (0.0, 1e-2), (0.3, 1e-3), (1.0, 0.0)]

# The last row has logits so far apart that probabilities underflow.
logits = torch.tensor(
    [[3 * math.sin(1.1 * (row * CLASSES + column)) * (60 if row == ROWS - 1 else 1) for column in range(CLASSES)] for row in range(ROWS)],
    dtype=torch.float32,
)
targets = torch.tensor([3, 0, 6, 2, 1])
weights = torch.tensor([1.0, 0.5, 2.0, 0.0, 1.0])
cases = []
for smoothing, z in SETTINGS:
    for weighted in [False, True]:
        given = logits.clone().requires_grad_(True)
        rows = torch.nn.functional.cross_entropy(given, targets, label_smoothing=smoothing, reduction="none")
        rows = rows + z * torch.logsumexp(given, dim=-1) ** 2
        loss = (rows * weights if weighted else rows).sum()
        loss.backward()
        cases.append(
            {
                "labelSmoothing": smoothing,
                "zLoss": z,
                "weighted": weighted,
                "loss": loss.item(),
                "gradient": given.grad.flatten().tolist(),
            }
        )
golden = {
    "shape": [ROWS, CLASSES],
    "logits": logits.flatten().tolist(),
    "targets": targets.tolist(),
    "weights": weights.tolist(),
    "cases": cases,
    "made_with": f"torch {torch.__version__}",
}
target = Path(__file__).parent / "golden" / "token-loss.json"
target.write_text(json.dumps(golden) + "\n")
print(target, [case["loss"] for case in cases])
