"""Loads a folder that the kit saved with Hugging Face transformers and prints the logits of some ids, for
checkpoints.test.ts and lora.test.ts; with the folder of an adapter, which PEFT adds.

Run: python tests/parity/load_saved.py FOLDER '[[1, 2, 3]]' [ADAPTER] (needs torch and transformers, for an adapter peft)
"""

import json
import sys

import torch
from transformers import AutoModelForCausalLM, GenerationConfig

folder, ids = sys.argv[1], json.loads(sys.argv[2])
model, report = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
assert not any(report.values()), f"not everything fits: {report}"
if len(sys.argv) > 3:
    from peft import PeftModel

    model = PeftModel.from_pretrained(model, sys.argv[3])
logits = model.eval()(torch.tensor(ids), use_cache=False).logits
special = GenerationConfig.from_pretrained(folder)
tokens = [special.bos_token_id, special.eos_token_id, special.pad_token_id]
print(json.dumps({"model": type(model).__name__, "logits": logits.flatten().tolist(), "special": tokens}))
