"""Makes golden/metrics.json with torchmetrics 1.9 (SQuAD, ECE), rouge_score 0.1.2, sacrebleu 2.6 and scikit-learn 1.9.

    python tests/parity/make_metric_goldens.py TEXT

TEXT is any English text file (a novel in the public domain); it gives the words. The tests need the golden file only.
"""

import json
import random
import sys
from pathlib import Path

import numpy as np
import sacrebleu
import torch
from make_rouge_goldens import ODD, edit
from rouge_score import rouge_scorer
from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a
from sklearn import metrics
from torchmetrics.functional.classification import binary_calibration_error
from torchmetrics.functional.text.squad import _compute_exact_match_score, _compute_f1_score

MARKS = ["&quot;A&quot; &amp; B &lt;c&gt;", "3.14, 1,000 and .5 or 5.", "co-operate 1990-2000 well-known", "(hi) 'a' [b]",
         "$5.00/kg @home #tag 50%", "U.S.A. e.g. i.e.", "a <skipped> b-\nc", "“curly” ‘quotes’ — dash…", "naïve café; É!",
         "𝒜 🙂🙂 emoji", "The the THE a an", "an apple a day", "éa the", "x_the the_x", "the.", "1-2 a-1 3-b", "!!!", "a"]


def pairs(text, rng):
    words = sorted({w for w in text.lower().split() if w.isalpha()})
    lines = [" ".join(line.split()) for line in text.replace("\r", "").split("\n\n")]
    lines = [line for line in lines if 20 < len(line) < 300]
    for odd in ODD + MARKS:
        yield odd, [odd]
        yield odd, [rng.choice(ODD + MARKS), rng.choice(MARKS)]
    for _ in range(90):
        sentence = rng.choice(lines)
        yield edit(sentence, words, rng), [sentence, *rng.sample(lines, rng.randint(0, 2))]
    for _ in range(30):
        sentence = " ".join(rng.choice(lines).split()[: rng.randint(1, 5)])
        yield edit(sentence, words, rng), [sentence]
    for _ in range(25):
        some = rng.sample(lines, 4)
        yield "\n".join(edit(line, words, rng) for line in some), ["\n".join(some[rng.randint(0, 1):]), "\n".join(rng.sample(some, 2))]


def text_cases(text, rng):
    kinds = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
    scorers = {stem: rouge_scorer.RougeScorer(kinds, use_stemmer=stem) for stem in (True, False)}
    cases = []
    for prediction, references in pairs(text, rng):
        rouge = {}
        for stem, scorer in scorers.items():
            scores = scorer.score_multi(references, prediction)
            rouge["stemmed" if stem else "plain"] = [scores[kind].fmeasure for kind in kinds]
        bleu = sacrebleu.sentence_bleu(prediction, references)
        cases.append({
            "prediction": prediction, "references": references, "rouge": rouge,
            "squad": [max(float(f(prediction, r)) for r in references) for f in (_compute_exact_match_score, _compute_f1_score)],
            "tokens": Tokenizer13a()(prediction.rstrip()).split(),
            "bleu": bleu.score,
            "chrf": [sacrebleu.sentence_chrf(prediction, references, word_order=n).score for n in (0, 2)],
        })
    return cases


def corpora(cases):
    """Runs of the cases with the same number of references, as sacreBLEU wants them."""
    result = []
    for start, stop, size in ((0, 400, 1), (0, 400, 2), (120, 200, 1), (150, 154, 1), (0, 1, 1), (4, 5, 1)):
        chosen = [i for i, c in enumerate(cases) if len(c["references"]) >= size][start:stop]
        predictions = [cases[i]["prediction"] for i in chosen]
        references = [[cases[i]["references"][k] for i in chosen] for k in range(size)]
        bleu = BLEU()
        score = bleu.corpus_score(predictions, references)
        result.append({
            "cases": chosen, "references": size, "bleu": score.score, "precisions": score.precisions, "brevityPenalty": score.bp,
            "signature": str(bleu.get_signature()), "lengths": [score.sys_len, score.ref_len],
            "chrf": [CHRF(word_order=n).corpus_score(predictions, references).score for n in (0, 2)],
        })
    return result


def label_cases(rng):
    cases = []
    for labels, size in (("ab", 30), ("abc", 50), ("abcde", 80), ("a", 5), ("ab", 1)):
        wanted = [rng.choice(labels) for _ in range(size)]
        for spread in (labels, labels + "z", labels[:1]):
            predicted = [w if rng.random() < 0.5 else rng.choice(spread) for w in wanted] if spread != labels[:1] else [spread] * size
            precision, recall, f1, support = metrics.precision_recall_fscore_support(wanted, predicted, zero_division=0)
            cases.append({
                "wanted": wanted, "predicted": predicted, "accuracy": metrics.accuracy_score(wanted, predicted),
                "macroF1": metrics.f1_score(wanted, predicted, average="macro", zero_division=0),
                "matthews": metrics.matthews_corrcoef(wanted, predicted),
                "perLabel": [[float(x) for x in row] for row in zip(precision, recall, f1, support)],
            })
    return cases


def calibration_cases(rng):
    cases = []
    for size in (7, 60, 400):
        probability = [rng.choice([round(rng.random(), 4), rng.randint(1, 9) / 10 + 1e-7]) for _ in range(size)]
        right = [rng.random() < p**1.5 for p in probability]
        raw = np.random.default_rng(size).dirichlet(np.ones(4), size)
        truth = [rng.randrange(4) for _ in range(size)]
        cases.append({
            "probability": probability, "right": right, "rows": [[float(x) for x in row] for row in raw], "truth": truth,
            "ece": {str(n): float(binary_calibration_error(torch.tensor(probability, dtype=torch.float64),
                                                           torch.tensor(right, dtype=torch.int64), n_bins=n)) for n in (5, 10, 15)},
            "largest": float(binary_calibration_error(torch.tensor(probability, dtype=torch.float64),
                                                      torch.tensor(right, dtype=torch.int64), n_bins=10, norm="max")),
            "brier": float(metrics.brier_score_loss(truth, raw, labels=[0, 1, 2, 3])),
        })
    return cases


def main(path):
    rng = random.Random(20260103)
    texts = text_cases(Path(path).read_text(encoding="utf-8"), rng)
    value = {"texts": texts, "corpora": corpora(texts), "labels": label_cases(rng), "calibration": calibration_cases(rng)}
    target = Path(__file__).parent / "golden" / "metrics.json"
    target.write_text(json.dumps(value, ensure_ascii=True) + "\n", encoding="utf-8")
    print(len(texts), "texts", target.stat().st_size, "bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
