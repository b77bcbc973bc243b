"""The plain loop beside tests/bench/render-tokenize.ts: Alpaca's text, `tokenizers`, ids and mask as lists."""

import json
import sys
import time
from pathlib import Path

from tokenizers import Tokenizer

PROMPT_INPUT = (
    "Below is an instruction that describes a task, paired with an input that provides further context. "
    "Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:"
)
PROMPT_NO_INPUT = (
    "Below is an instruction that describes a task. "
    "Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{instruction}\n\n### Response:"
)


def encode(tokenizer: Tokenizer, rows: list) -> int:
    bos, eos = tokenizer.token_to_id("<|bos|>"), tokenizer.token_to_id("<|endoftext|>")
    rendered, tokens = [], 0
    for row in rows:
        prompt = (PROMPT_INPUT if row["input"] else PROMPT_NO_INPUT).format_map(row)
        left = tokenizer.encode(prompt, add_special_tokens=False).ids
        right = tokenizer.encode(row["output"], add_special_tokens=False).ids
        ids = [bos, *left, *right, eos]
        rendered.append((ids, [0] * (1 + len(left)) + [1] * (len(right) + 1)))
        tokens += len(ids)
    return tokens


def main() -> None:
    rows = [row for row in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")) if row["output"].strip()]
    for _ in sys.stdin:
        tokenizer = Tokenizer.from_file(str(Path(sys.argv[2]) / "tokenizer.json"))
        start = time.perf_counter()
        tokens = encode(tokenizer, rows)
        print(json.dumps({"seconds": time.perf_counter() - start, "tokens": tokens}), flush=True)


main()
