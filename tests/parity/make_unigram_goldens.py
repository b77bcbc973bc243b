"""Makes tests/parity/golden/unigram: tokenizer.json files built as transformers' T5Tokenizer builds them, and golden/unigram.json: what
Python's `tokenizers` does with the golden texts. They are trained on the texts of make_tokenizer_goldens.py.

Run from the repository root with `tokenizers` installed: python tests/parity/make_unigram_goldens.py
"""

import json
import struct
import unicodedata
from pathlib import Path

from make_tokenizer_goldens import RARE, make_texts, sha256
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

FOLDER = Path("tests/parity/golden/unigram")
COUNT, VOCABULARY, SENTINELS = 800, 300, 10
MORE = ["Café ﬁne ①②③", "ﬁ ﬂ ㌀ Å K", "e\u0301te\u0301", "▁marked ▁▁ blanks▁", "  tabs\tand\nlines  ", "unseen ☃☃☃ snow☃men", "Ｆｕｌｌ　ｗｉｄｔｈ"]


def charsmap(mapping):
    """SentencePiece's precompiled map: a double-array trie in darts-clone's form, and the texts."""
    texts, trie = b"", {}
    for key, value in mapping.items():
        node = trie
        for byte in key.encode():
            node = node.setdefault(byte, {})
        node[-1] = len(texts)
        texts += value.encode() + b"\0"
    units, taken = {0: 0}, {0}

    def place(node, position):
        labels = [0 if byte == -1 else byte for byte in node]
        base = next(base for base in range(1, 1 << 20) if all(base ^ label not in taken for label in labels))
        taken.update(base ^ label for label in labels)
        units[position] |= (position ^ base) << 10 | (1 << 8 if -1 in node else 0)
        for byte, child in node.items():
            units[base if byte == -1 else base ^ byte] = child | 1 << 31 if byte == -1 else byte
        for byte, child in node.items():
            if byte != -1:
                place(child, base ^ byte)

    place(trie, 0)
    size = (max(units) | 255) + 1
    array = struct.pack(f"<{size}I", *(units.get(index, 0) for index in range(size)))
    return struct.pack("<I", len(array)) + array + texts


def compatibility():
    """As SentencePiece's nmt_nfkc, for the characters of the texts: NFKC, control characters dropped, white space to blanks."""
    characters = {character for text in RARE + MORE for character in text} | {"e\u0301", "\t", "\n", "\r", "\u0001"}
    mapping = {}
    for character in sorted(characters):
        category = unicodedata.category(character[0])
        value = " " if character.isspace() or category.startswith("Z") else unicodedata.normalize("NFKC", character)
        value = "" if category in ("Cc", "Cf") and not character.isspace() else value
        if value != character:
            mapping[character] = value
    return mapping


def make(name, normalizer, texts):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizer
    blank = dict(replacement="▁", prepend_scheme="always")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(**blank)])
    tokenizer.decoder = decoders.Metaspace(**blank)
    specials = ["<pad>", "</s>", "<unk>"]
    trainer = trainers.UnigramTrainer(vocab_size=VOCABULARY, special_tokens=specials, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(texts[:500], trainer)
    tokenizer.add_special_tokens([f"<extra_id_{index}>" for index in reversed(range(SENTINELS))])
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)])
    (FOLDER / name).mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(FOLDER / name / "tokenizer.json"), pretty=False)
    config = {"tokenizer_class": "T5Tokenizer", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>", "extra_ids": SENTINELS}
    (FOLDER / name / "tokenizer_config.json").write_text(json.dumps(config) + "\n")
    plain = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
    assert all(tokenizer.encode(text).ids == ids + [1] for text, ids in zip(texts, plain))
    decoded = [tokenizer.decode(ids) for ids in plain]
    return {
        "tokens": sum(map(len, plain)),
        "unknown": sum(ids.count(2) for ids in plain),
        "ids": [sha256(ids)[:8] for ids in plain],
        "decoded": [sha256(text)[:8] for text in decoded],
        "vocabularySize": tokenizer.get_vocab_size(),
    }


texts = make_texts(COUNT) + MORE
golden = {
    "more": MORE,
    "nfkc": make("nfkc", normalizers.NFKC(), texts),
    "precompiled": make("precompiled", normalizers.Precompiled(charsmap(compatibility())), texts),
}
(FOLDER.parent / "unigram.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
for name in ("nfkc", "precompiled"):
    print(name, {key: golden[name][key] for key in ("tokens", "unknown", "vocabularySize")})
