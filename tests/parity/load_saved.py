"""Loads a folder that the kit saved with Hugging Face transformers and prints the logits of some ids (of an encoder-decoder: read and said; of a
BERT: all that its heads say), for saved_in_python.ts; with the folder of an adapter, which PEFT adds.

Run: python tests/parity/load_saved.py FOLDER '[[1, 2, 3]]' [ADAPTER] (needs torch and transformers, for an adapter peft)
"""

import json
import sys

import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, GenerationConfig

folder, ids = sys.argv[1], json.loads(sys.argv[2])
config = AutoConfig.from_pretrained(folder)
seq2seq, bert = config.is_encoder_decoder, config.model_type == "bert"
kind = getattr(transformers, config.architectures[0]) if bert else AutoModelForSeq2SeqLM if seq2seq else AutoModelForCausalLM
model, report = kind.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
assert not any(report.values()), f"not everything fits: {report}"
if len(sys.argv) > 3:
    from peft import PeftModel

    model = PeftModel.from_pretrained(model, sys.argv[3])
if bert:
    said = model.eval()(torch.tensor(ids))
    heads = [said.logits] if "logits" in said else [said.prediction_logits, said.seq_relationship_logits]
    print(json.dumps({"logits": [value for head in heads for value in head.flatten().tolist()], "special": []}))
    sys.exit()
more = {"decoder_input_ids": torch.tensor(ids)} if seq2seq else {}
logits = model.eval()(torch.tensor(ids), **more, use_cache=False).logits
special = GenerationConfig.from_pretrained(folder)
tokens = [special.bos_token_id, special.eos_token_id, special.pad_token_id]
print(json.dumps({"model": type(model).__name__, "logits": logits.flatten().tolist(), "special": tokens}))
