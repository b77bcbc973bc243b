"""Attention weights of the shipped base models as transformers computes them, written to golden/attention.json.

    PYTHON tests/parity/make_attention_goldens.py     (needs torch and transformers; run in the project's folder)
"""

import json
from pathlib import Path

import torch
from transformers import AutoModel

ROOT = Path(__file__).resolve().parents[2]
ROWS = {"decoder": [5, 301, 42, 77, 9, 120, 64], "bert": [2, 301, 42, 3, 77, 9, 120, 3]}
TYPES = {"bert": [0, 0, 0, 0, 1, 1, 1, 1]}


def weights(name: str) -> dict:
    folder = ROOT / "datasets" / "checkpoints" / name
    model = AutoModel.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()
    inputs = {"input_ids": torch.tensor([ROWS[name]])}
    if name in TYPES:
        inputs["token_type_ids"] = torch.tensor([TYPES[name]])
    with torch.no_grad():
        attentions = model(**inputs, output_attentions=True).attentions
    return {
        "ids": ROWS[name],
        **({"tokenTypes": TYPES[name]} if name in TYPES else {}),
        "weights": [[[[round(x, 6) for x in q] for q in h] for h in layer[0].tolist()] for layer in attentions],
    }


golden = {name: weights(name) for name in ROWS}
(ROOT / "tests/parity/golden/attention.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
