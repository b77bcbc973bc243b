"""Makes tests/parity/golden/hub-tokenizers: tokenizer.json files built like those of SmolLM2, Qwen2 and Llama 3, and what Python's
`tokenizers` does with the golden texts. They are trained on the texts of make_tokenizer_goldens.py.

Run from the repository root with `tokenizers` installed: python tests/parity/make_hub_tokenizer_goldens.py
"""

import json
import unicodedata
from pathlib import Path

from make_tokenizer_goldens import make_texts, sha256
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

FOLDER = Path("tests/parity/golden/hub-tokenizers")
COUNT, VOCABULARY = 800, 450
# The expressions of the published tokenizer.json files of Qwen2 and Llama 3.
QWEN2 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def split(pattern):
    bytes_only = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"), bytes_only])


def smollm2():
    digits = pre_tokenizers.Digits(individual_digits=True)
    words = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    return {"pre_tokenizer": pre_tokenizers.Sequence([digits, words])}, ["<|endoftext|>", "<|im_start|>", "<|im_end|>"], {}


def qwen2():
    return {"pre_tokenizer": split(QWEN2), "normalizer": normalizers.NFC()}, ["<|endoftext|>", "<|im_start|>", "<|im_end|>"], {}


def llama3():
    return {"pre_tokenizer": split(LLAMA3)}, ["<|begin_of_text|>", "<|end_of_text|>"], {"ignore_merges": True}


NAMES = {
    "smollm2": (smollm2, {"bos_token": "<|im_start|>", "eos_token": "<|im_end|>", "pad_token": "<|im_end|>"}),
    "qwen2": (qwen2, {"bos_token": None, "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "chat_template": "{{ messages }}"}),
    "llama3": (llama3, {"bos_token": "<|begin_of_text|>", "eos_token": "<|end_of_text|>"}),
}


def make(name, texts):
    build, config = NAMES[name]
    parts, specials, model = build()
    tokenizer = Tokenizer(models.BPE(**model))
    for field, part in parts.items():
        setattr(tokenizer, field, part)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=[], initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens(specials)
    if name == "llama3":
        bos = specials[0]
        template = processors.TemplateProcessing(single=f"{bos} $A", pair=f"{bos} $A {bos}:1 $B:1", special_tokens=[(bos, tokenizer.token_to_id(bos))])
        tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), template])
    else:
        tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    (FOLDER / name).mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(FOLDER / name / "tokenizer.json"), pretty=False)
    (FOLDER / name / "tokenizer_config.json").write_text(json.dumps(config) + "\n")
    ids = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
    return {"texts": len(texts), "tokens": sum(map(len, ids)), "ids": [sha256(row)[:8] for row in ids]}


texts = make_texts(COUNT)
composed = [text for text in texts if unicodedata.normalize("NFC", text) == text]
golden = {name: make(name, composed if name == "qwen2" else texts) for name in NAMES}
(FOLDER.parent / "hub-tokenizers.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
