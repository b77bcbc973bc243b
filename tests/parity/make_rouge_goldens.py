"""Makes golden/rouge.json and golden/porter.json with rouge_score 0.1.2 and nltk.

    python tests/parity/make_rouge_goldens.py TEXT

TEXT is any English text file: words and sentences are taken from it (a novel in the public domain). The golden files
hold everything that the tests need; Python is needed to make them again only.
"""

import json
import random
import re
import sys
from pathlib import Path

from nltk.stem.porter import PorterStemmer
from rouge_score import rouge_scorer

GOLDEN = Path(__file__).parent / "golden"
SUFFIXES = """s es ies sses ss ed eed ied ing ying at ated ating bling bled izing ized y ly ational tional enci anci
izer bli alli entli eli ousli ization ation ator alism iveness fulness ousness aliti iviti biliti fulli logi ology
icate ative alize iciti ical ful ness al ance ence er ic able ible ant ement ment ent ion sion tion ou ism ate iti ous
ive ize e ll lle tt ss zz ww xx yy""".split()
SPECIAL = """sky skies dying lying tying news innings inning outings outing cannings canning howe proceed exceed succeed
die dies died ties tie lies flies fly enjoy happy say says spy spied feed agreed bled sing hopping tanned falling
hissing fizzed failing filing controlling roll rolls y yy yyy yyyy syzygy toy by ivy oats trees troubles private oaten
orrery archaeology geology theology geologi aed eing oed bing sses ies ed ing a is be it 1990s 3rd 2nd x86 abc123 0
relational conditional rational valenci digitizer radically differently vilely vietnamization operator feudalism
decisiveness hopefulness callousness formality sensitivity sensibility triplicate formative formalize electricity
electrical goodness revival allowance inference airliner gyroscopic adjustable defensible irritant replacement
adjustment dependent adoption homologou communism activate angularity homologous effective bowdlerize probate rate
cease control skiing aerial generously internationalization antidisestablishmentarianism""".split()
ODD = [
    "", " ", "\n\t", "...", "?!", "42", "3.14", "1,000", "É", "naïve café", "Ünïcödé", "日本語 テキスト", "emoji 🙂 here",
    "İstanbul", "K 300", "ſong", "don't", "it's", "co-operate", "a_b", "A\u00a0B", "tab\tseparated", "x" * 300,
    "the " * 50, "Yes", "yes.", "NO!", "no", "running runs ran runner", "The quick brown fox.", "<b>bold</b>",
    "a\u0000b", "e\u0301tude", "ﬁne", "ＡＢＣ", "Ⅷ", "ß", "STRASSE", "\ufeffbom", "line\r\nbreak",
]


def main(text_path):
    text = Path(text_path).read_text(encoding="utf-8")
    rng = random.Random(20260101)
    words = sorted(set(re.findall(r"[a-z]+", text.lower())))
    write_stems(words, rng)
    sentences = [re.sub(r"\s+", " ", s).strip() for s in re.split(r"(?<=[.!?])\s+", text)]
    sentences = [s for s in sentences if 5 < len(s) < 240]
    scorers = {stem: rouge_scorer.RougeScorer(["rougeL"], use_stemmer=stem) for stem in (True, False)}
    cases = []
    for prediction, references in pairs(sentences, words, rng):
        scores = [scorers[stem].score_multi(references, prediction)["rougeL"].fmeasure for stem in (True, False)]
        cases.append({"prediction": prediction, "references": references, "stemmed": scores[0], "plain": scores[1]})
    write("rouge.json", cases)
    print(len(cases), "pairs;", sum(0 < c["stemmed"] < 1 for c in cases), "neither 0 nor 1;",
          sum(c["stemmed"] != c["plain"] for c in cases), "changed by stemming")


def write_stems(words, rng):
    chosen = set(SPECIAL) | set(rng.sample(words, min(2500, len(words))))
    for _ in range(1500):
        chosen.add(rng.choice(words)[: rng.randint(1, 6)] + rng.choice(SUFFIXES))
    for _ in range(500):
        letters = "".join(rng.choice("aeiouybcdlst") for _ in range(rng.randint(1, 7)))
        chosen.add(letters + rng.choice(SUFFIXES))
    stemmer = PorterStemmer()
    write("porter.json", {word: stemmer.stem(word) for word in sorted(chosen)})


def pairs(sentences, words, rng):
    """Odd texts against each other, sentences against edited copies of themselves, and several references."""
    for odd in ODD:
        yield odd, [odd]
        yield odd, [rng.choice(ODD)]
        yield rng.choice(ODD), [rng.choice(ODD), odd, rng.choice(sentences)]
    for _ in range(300):
        sentence = rng.choice(sentences)
        yield edit(sentence, words, rng), [sentence]
    for _ in range(60):
        references = rng.sample(sentences, rng.randint(2, 4))
        yield edit(rng.choice(references), words, rng), references
    for _ in range(10):
        long = " ".join(rng.sample(sentences, 12))
        yield edit(long, words, rng), [long]
    for _ in range(20):
        yield " ".join(rng.choice("abc") for _ in range(40)), [" ".join(rng.choice("abc") for _ in range(40))]


def edit(sentence, words, rng):
    parts = sentence.split(" ")
    for _ in range(rng.randint(0, len(parts))):
        at = rng.randrange(len(parts))
        kind = rng.random()
        if kind < 0.3:
            parts[at] = rng.choice(words)
        elif kind < 0.5:
            parts.insert(at, rng.choice(words))
        elif kind < 0.7 and len(parts) > 1:
            del parts[at]
        elif kind < 0.85:
            parts[at] = parts[at] + rng.choice(["s", "ing", "ed", "ly", "ness"])
        else:
            parts[at], parts[0] = parts[0], parts[at]
    return " ".join(parts)


def write(name, value):
    GOLDEN.mkdir(exist_ok=True)
    (GOLDEN / name).write_text(json.dumps(value, ensure_ascii=True, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
