"""Loads a folder that the kit saved with Hugging Face transformers and prints the logits of some ids (of an encoder-decoder: read and said), for
checkpoints.test.ts and lora.test.ts; with the folder of an adapter, which PEFT adds.

Run: python tests/parity/load_saved.py FOLDER '[[1, 2, 3]]' [ADAPTER] (needs torch and transformers, for an adapter peft)
"""

import json
import sys

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, GenerationConfig

folder, ids = sys.argv[1], json.loads(sys.argv[2])
seq2seq = AutoConfig.from_pretrained(folder).is_encoder_decoder
model, report = (AutoModelForSeq2SeqLM if seq2seq else AutoModelForCausalLM).from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
assert not any(report.values()), f"not everything fits: {report}"
if len(sys.argv) > 3:
    from peft import PeftModel

    model = PeftModel.from_pretrained(model, sys.argv[3])
more = {"decoder_input_ids": torch.tensor(ids)} if seq2seq else {}
logits = model.eval()(torch.tensor(ids), **more, use_cache=False).logits
special = GenerationConfig.from_pretrained(folder)
tokens = [special.bos_token_id, special.eos_token_id, special.pad_token_id]
print(json.dumps({"model": type(model).__name__, "logits": logits.flatten().tolist(), "special": tokens}))
