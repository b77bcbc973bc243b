"""Makes tests/parity/golden/wordpiece: a tokenizer.json and a vocab.txt of BERT's kind, and golden/wordpiece.json: what Python's
`tokenizers` and `transformers` do with the golden texts, and which vocabulary `tokenizers` learns from them.

Run from the repository root with `tokenizers` and `transformers` installed: python tests/parity/make_wordpiece_goldens.py
"""

import json
from pathlib import Path

from make_tokenizer_goldens import make_texts, sha256
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer

FOLDER = Path("tests/parity/golden/wordpiece")
COUNT, TRAINED, VOCABULARY, ALPHABET = 800, 500, 500, 60
SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
MORE = [
    "Café déjà vu, ÀÉÎÕÜ çñ", "e\u0301te\u0301 A\u030a", "中文字 and 日本語 mixed中with漢字", "한국어 가", "\u4e00\U00020000\uf900",
    "a\x00b\ufffdc\u200bd\u00ade\x07f", "tab\tnew\nline\r\nend\u00a0nbsp\u2028line\u3000wide", "don't stop! (really?) [MASK] [CLS] ##ing # ##",
    "$100 + 5% = €95 ~ `x` ^ |y| <z>", "¿Qué? «quoted» “curly” — dash… ‘s’", "k" * 100, "k" * 101, "ka" * 50 + " lo", "ka" * 51 + " lo",
    "İstanbul IŞIK ẞ ΣΊΣΥΦΟΣ ὈΔΥΣΣΕΎΣ", "हिन्दी में नमस्ते", "مَرْحَبًا שָׁלוֹם", "😀👩🏽‍🚀 🇫🇷", "ﬁne ①②③ ½ Ⅷ ²", "x\u0301\u0316y", "  \t ", "...!!!???",
    "i do not know. it 's n't 'm here , is it ?",
]


def characters(texts):
    normalizer, cutter = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    words = [word for text in texts for word, _ in cutter.pre_tokenize_str(normalizer.normalize_str(text))]
    counts = {}
    for word in words:
        for character in word:
            counts[character] = counts.get(character, 0) + 1
    # Python's trainer takes any of equally frequent ones at the limit: the limit lies where there is a step.
    ranked = sorted(counts, key=lambda one: (-counts[one], one))
    limit = next(limit for limit in range(ALPHABET, len(ranked)) if counts[ranked[limit - 1]] > counts[ranked[limit]])
    kept = sorted(ranked[:limit])
    inside = sorted({one for word in words for one in word[1:] if one in kept})
    return limit, kept + ["##" + one for one in inside]


def build(model, **normalizer):
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.BertNormalizer(**normalizer)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix="##", cleanup=True)
    return tokenizer


def learn(texts):
    """The ids of characters are fixed by giving them as special tokens: `tokenizers` numbers those inside words at random."""
    limit, alphabet = characters(texts)
    trained = build(models.WordPiece(unk_token="[UNK]"))
    options = dict(min_frequency=2, limit_alphabet=limit, show_progress=False)
    trained.train_from_iterator(texts, trainers.WordPieceTrainer(vocab_size=VOCABULARY, special_tokens=SPECIALS + alphabet, **options))
    vocabulary = trained.get_vocab()
    return limit, sorted(vocabulary, key=vocabulary.get)


def answers(encode, decode, texts):
    rows = [encode(text, None) for text in texts]
    pairs = [encode(first, second) for first, second in zip(texts, reversed(texts))]
    plain = [ids[1:-1] for ids, _ in rows]
    return {
        "tokens": sum(map(len, plain)),
        "unknown": sum(ids.count(1) for ids in plain),
        "ids": [sha256(ids)[:8] for ids in plain],
        "decoded": [sha256(decode(ids))[:8] for ids in plain],
        "pairs": [sha256([list(ids), list(types)])[:8] for ids, types in pairs],
    }


def from_json(name, vocabulary, processor, texts, **normalizer):
    tokenizer = build(models.WordPiece({token: id for id, token in enumerate(vocabulary)}, unk_token="[UNK]"), **normalizer)
    tokenizer.post_processor = processor
    tokenizer.add_special_tokens(SPECIALS)
    (FOLDER / name).mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(FOLDER / name / "tokenizer.json"), pretty=False)
    # What the kit does not do: a special token's text in ordinary text stays text.
    tokenizer.encode_special_tokens = True

    def encode(first, second):
        encoding = tokenizer.encode(first, second)
        return encoding.ids, encoding.type_ids

    return answers(encode, tokenizer.decode, texts)


def from_vocabulary(name, vocabulary, texts, **config):
    (FOLDER / name).mkdir(parents=True, exist_ok=True)
    (FOLDER / name / "vocab.txt").write_text("".join(f"{token}\n" for token in vocabulary))
    (FOLDER / name / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer", **config}) + "\n")
    tokenizer = AutoTokenizer.from_pretrained(str(FOLDER / name))
    tokenizer.backend_tokenizer.encode_special_tokens = True

    def encode(first, second):
        encoding = tokenizer.backend_tokenizer.encode(first, second)
        return encoding.ids, encoding.type_ids

    return answers(encode, tokenizer.backend_tokenizer.decode, texts)


texts = make_texts(COUNT) + MORE
limit, vocabulary = learn(texts[:TRAINED] + MORE)
template = processors.TemplateProcessing(
    single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
)
golden = {
    "more": MORE,
    "learned": {"alphabetLimit": limit, "vocabularySize": VOCABULARY, "tokens": vocabulary},
    "folders": {
        "uncased": from_json("uncased", vocabulary, template, texts),
        "accents": from_json("accents", vocabulary, processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2)), texts, strip_accents=False),
        "cased": from_json("cased", vocabulary, template, texts, lowercase=False, clean_text=False, handle_chinese_chars=False),
        "vocabulary": from_vocabulary("vocabulary", vocabulary, texts),
        "cased-vocabulary": from_vocabulary("cased-vocabulary", vocabulary, texts, do_lower_case=False, tokenize_chinese_chars=False),
    },
}
(FOLDER.parent / "wordpiece.json").write_text(json.dumps(golden, separators=(",", ":"), ensure_ascii=False) + "\n")
print("alphabet", limit, len(vocabulary))
for name, folder in golden["folders"].items():
    print(name, {key: folder[key] for key in ("tokens", "unknown")})
