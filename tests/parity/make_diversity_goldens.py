"""Golden numbers of instruction diversity: NLTK's sentence BLEU (each text against all others, smoothing method 1) and
rouge_score's ROUGE-L with the most similar other text.

    python tests/parity/make_diversity_goldens.py

Needs nltk and rouge_score. The words are those of rouge_score's tokenizer without stems."""

import json
import pathlib
import re

import nltk
import rouge_score
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
from rouge_score.rouge_scorer import RougeScorer

TEXTS = [
    "Classify the sentiment of the following review.",
    "Classify the sentiment of the following tweet.",
    "Classify the topic of the article into one of the four classes.",
    "Summarize the following article.",
    "Summarize the following article in one sentence, in the words of a child of ten.",
    "Answer the following question.",
    "Who wrote the book?",
    "Write a haiku about the the the sea",
    "Sort!",
    "Translate: sort",
    "Rewrite the sentence in the passive voice, then rewrite the sentence in the active voice.",
    "In this task, you are given a passage. Your task is to answer the question about the passage.",
    "In this task, you are given a passage and a question. Your task is to say whether the passage answers it.",
    "zzz yyy xxx",
]


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def main() -> None:
    split = [words(text) for text in TEXTS]
    smooth = SmoothingFunction().method1
    bleu = [
        sentence_bleu(split[:index] + split[index + 1 :], own, smoothing_function=smooth)
        for index, own in enumerate(split)
    ]
    scorer = RougeScorer(["rougeL"], use_stemmer=False)
    nearest = [
        max(scorer.score(own, other)["rougeL"].fmeasure for at, other in enumerate(TEXTS) if at != index)
        for index, own in enumerate(TEXTS)
    ]
    distinct = []
    for n in range(1, 5):
        grams = [tuple(text[at : at + n]) for text in split for at in range(len(text) - n + 1)]
        distinct.append(len(set(grams)) / len(grams))
    golden = {
        "made_with": {"nltk": nltk.__version__, "rouge_score": "0.1.2"},
        "texts": TEXTS,
        "selfBleu": sum(bleu) / len(bleu),
        "nearestRougeL": nearest,
        "distinct": distinct,
    }
    path = pathlib.Path(__file__).parent / "golden" / "diversity.json"
    path.write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
