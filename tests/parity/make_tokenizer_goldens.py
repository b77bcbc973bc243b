"""Makes tests/parity/golden/tokenizer.json: what Python's `tokenizers` does with the same texts.

Run from the repository root with `tokenizers` installed:

    python tests/parity/make_tokenizer_goldens.py [FOLDER_OF_SHARED_TEXTS]

1. Trains ByteLevelBPETokenizer on the golden texts, and on a public-domain book where the folder is given.
2. Lets tests/parity/save_tokenizers.ts train and save the kit's tokenizers on the same texts, loads their
   tokenizer.json, and encodes and decodes the 2,000 golden texts with them.
"""

import hashlib
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import tokenizers
from tokenizers import ByteLevelBPETokenizer, Tokenizer

GOLDEN = Path("tests/parity/golden/tokenizer.json")
SPECIALS = ["<|pad|>", "<|bos|>", "<|endoftext|>"]
VOCABULARY = 600
BOOK, BOOK_VOCABULARY = "alice_in_wonderland.txt", 2048

SYLLABLES = "ka lo mi ne ta ri so the ing er an st re con ed qu zu ai".split()
RARE = [
    "é", "ß", "naïve", "мир", "λόγος", "中文", "日本", "한국", "مرحبا", "שלום", "हिन्दी", "😀", "👩🏽‍🚀", "🇫🇷", "e\u0301",
    "\u200d", "\ufeff", "\u0085", "\u00a0", "\u2028", "\u3000", "\u180e", "\x00", "\x1c", "½", "²", "Ⅷ", "٣", "𝒳", "\U0010ffff",
]
MARKS = [". ", ", ", "! ", "?\n", ": ", "'s ", "'re ", "'LL ", "--", "  ", "\n\n", "\t", "(", ")", " 12", "3.14", "_x_", "\r\n"]


def make_texts(count: int) -> list[str]:
    draw = random.Random(5)
    words = ["".join(draw.choices(SYLLABLES, k=draw.randint(1, 3))) for _ in range(300)]
    weights = [1 / (rank + 1) for rank in range(len(words))]
    texts = ["", " ", "  ", "\n", "'", "''s", "\ufeff"]
    while len(texts) < count:
        parts = []
        for _ in range(draw.randint(1, 6)):
            parts.append(draw.choices(words, weights)[0])
            parts.append(draw.choice(RARE) if draw.random() < 0.15 else draw.choice(MARKS) if draw.random() < 0.4 else " ")
        texts.append("".join(parts))
    return texts


def sha256(value) -> str:
    return hashlib.sha256(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()


def trained_merges(texts: list[str], vocabulary: int) -> list[list[str]]:
    tokenizer = ByteLevelBPETokenizer()
    tokenizer.train_from_iterator(
        texts, vocab_size=vocabulary, min_frequency=2, special_tokens=SPECIALS, show_progress=False
    )
    return json.loads(tokenizer.to_str())["model"]["merges"]


def encoded(folder: Path, texts: list[str]) -> dict:
    file = folder / "tokenizer.json"
    tokenizer = Tokenizer.from_file(str(file))
    ids = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
    decoded = [tokenizer.decode(row, skip_special_tokens=True) for row in ids]
    assert decoded == texts, "Python does not give the texts back"
    return {
        "file": hashlib.sha256(file.read_bytes()).hexdigest(),
        "tokens": sum(len(row) for row in ids),
        # One short hash for each text: the first 8 digits of the SHA-256 of its ids as JSON.
        "ids": [sha256(row)[:8] for row in ids],
    }


def main() -> None:
    texts = make_texts(2000)
    golden = {"tokenizers": tokenizers.__version__, "texts": texts}
    golden["bpe"] = {"vocabularySize": VOCABULARY, "merges": trained_merges(texts, VOCABULARY)}
    if len(sys.argv) > 1:
        book = (Path(sys.argv[1]) / BOOK).read_text(encoding="utf-8")
        merges = trained_merges([book], BOOK_VOCABULARY)
        golden["book"] = {"name": BOOK, "vocabularySize": BOOK_VOCABULARY, "merges": sha256(merges)}
    GOLDEN.write_text(json.dumps(golden, ensure_ascii=False), encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        command = ["node", "--import", "./src/cli/register.js", "tests/parity/save_tokenizers.ts", folder]
        subprocess.run(command, check=True)
        golden["bpe"]["encoded"] = encoded(Path(folder) / "bpe", texts)
        golden["character"] = {"encoded": encoded(Path(folder) / "character", texts)}
    GOLDEN.write_text(json.dumps(golden, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{GOLDEN}: {GOLDEN.stat().st_size} bytes")


if __name__ == "__main__":
    main()
