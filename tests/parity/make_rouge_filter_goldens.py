"""Makes golden/rouge-filter.json with rouge_score 0.1.2, as Self-Instruct's `bootstrap_instructions.py` uses it.

    python tests/parity/make_rouge_filter_goldens.py SEEDS

SEEDS is Self-Instruct's seed_tasks.jsonl (Apache-2.0). The pool is its first instructions; candidates are others and mutated
copies of those in the pool. For each candidate: the highest F measure with the pool, and whether Self-Instruct rejects it.
Python is needed to make the file again only.
"""

import json
import random
import sys
from pathlib import Path

from rouge_score import rouge_scorer

GOLDEN = Path(__file__).parent / "golden"


def main(seeds):
    rng = random.Random(20260102)
    with open(seeds, encoding="utf-8") as file:
        texts = [json.loads(line)["instruction"] for line in file]
    texts = [text for text in dict.fromkeys(texts) if len(text) < 300]
    # Lengths and numbers of common words that give exactly 0.7: the limit itself is kept.
    ten = "one two three four five six seven eight nine ten"
    exact = ["one two three four five six seven x y z", "one two three four five six seven eight x y"]
    odd = ["", "?!", "日本語の文", "Été naïve", "one", "ONE Two three four FIVE six seven eight nine TEN!"]
    pool = texts[:110] + [ten]
    candidates = texts[110:] + exact + odd
    vocabulary = sorted({word for text in texts for word in text.split()})
    for text in pool[:-1] * 3:
        words = text.split()
        for _ in range(rng.randint(1, max(1, len(words) * 2 // 5))):
            place = rng.randrange(len(words)) if words else 0
            action = rng.random()
            if action < 0.5 and words:
                words[place] = rng.choice(vocabulary)
            elif action < 0.75:
                words.insert(place, rng.choice(vocabulary))
            elif len(words) > 1:
                del words[place]
        candidates.append(" ".join(words))
    scorer = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False)
    cases = []
    for candidate in candidates:
        best = max(scorer.score(candidate, text)["rougeL"].fmeasure for text in pool)
        cases.append({"candidate": candidate, "best": best, "rejected": best > 0.7})
    GOLDEN.joinpath("rouge-filter.json").write_text(
        json.dumps({"pool": pool, "cases": cases}, ensure_ascii=False, indent=0) + "\n", encoding="utf-8"
    )
    print(len(cases), "candidates,", sum(case["rejected"] for case in cases), "rejected,",
          sum(abs(case["best"] - 0.7) < 1e-6 for case in cases), "at the limit")


if __name__ == "__main__":
    main(sys.argv[1])
