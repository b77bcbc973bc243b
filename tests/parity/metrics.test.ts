import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { corpusBleu, sentenceBleu, tokenize13a } from "../../src/evaluate/metrics/bleu.js";
import { brierScore, calibration } from "../../src/evaluate/metrics/calibration.js";
import { corpusChrf, sentenceChrf } from "../../src/evaluate/metrics/chrf.js";
import { classificationScores, scoresPerLabel } from "../../src/evaluate/metrics/classification.js";
import { rougeLsum } from "../../src/evaluate/metrics/rouge-lsum.js";
import { rougeL, rougeN } from "../../src/evaluate/metrics/rouge.js";
import { squadScores } from "../../src/evaluate/metrics/squad.js";

interface TextCase {
  readonly prediction: string;
  readonly references: readonly string[];
  readonly rouge: { readonly stemmed: readonly number[]; readonly plain: readonly number[] };
  readonly squad: readonly [number, number];
  readonly tokens: readonly string[];
  readonly bleu: number;
  readonly chrf: readonly [number, number];
}

interface Goldens {
  readonly texts: readonly TextCase[];
  readonly corpora: readonly {
    readonly cases: readonly number[];
    readonly references: number;
    readonly bleu: number;
    readonly precisions: readonly number[];
    readonly brevityPenalty: number;
    readonly signature: string;
    readonly lengths: readonly [number, number];
    readonly chrf: readonly [number, number];
  }[];
  readonly labels: readonly {
    readonly wanted: readonly string[];
    readonly predicted: readonly string[];
    readonly accuracy: number;
    readonly macroF1: number;
    readonly matthews: number;
    readonly perLabel: readonly (readonly [number, number, number, number])[];
  }[];
  readonly calibration: readonly {
    readonly probability: readonly number[];
    readonly right: readonly boolean[];
    readonly rows: readonly (readonly number[])[];
    readonly truth: readonly number[];
    readonly ece: Readonly<Record<string, number>>;
    readonly largest: number;
    readonly brier: number;
  }[];
}

const GOLDEN = JSON.parse(readFileSync(new URL("golden/metrics.json", import.meta.url), "utf8")) as Goldens;

function near(given: number, wanted: number, tolerance: number, message: string): void {
  assert.ok(Math.abs(given - wanted) <= tolerance, `${given} instead of ${wanted}: ${message}`);
}

test("SQuAD exact match and F1 equal torchmetrics", () => {
  assert.ok(GOLDEN.texts.length > 200);
  for (const { prediction, references, squad } of GOLDEN.texts) {
    const message = JSON.stringify({ prediction, references });
    const scores = squadScores(prediction, references);
    assert.equal(scores.exactMatch, squad[0], message);
    near(scores.f1, squad[1], 1e-6, message); // float32 there
  }
});

test("ROUGE-1, 2, L and Lsum equal rouge_score to 1e-9, with stemming and without", () => {
  for (const { prediction, references, rouge } of GOLDEN.texts) {
    for (const [name, stem] of [
      ["stemmed", true],
      ["plain", false],
    ] as const) {
      const message = `${name} ${JSON.stringify({ prediction, references })}`;
      const [one = NaN, two = NaN, long = NaN, sum = NaN] = rouge[name];
      near(rougeN(prediction, references, 1, { stem }), one, 1e-9, `ROUGE-1 ${message}`);
      near(rougeN(prediction, references, 2, { stem }), two, 1e-9, `ROUGE-2 ${message}`);
      near(rougeL(prediction, references, { stem }), long, 1e-9, `ROUGE-L ${message}`);
      near(rougeLsum(prediction, references, { stem }), sum, 1e-9, `ROUGE-Lsum ${message}`);
    }
  }
  const differ = GOLDEN.texts.filter(({ rouge }) => rouge.plain[2] !== rouge.plain[3]);
  assert.ok(differ.length > 15, "the goldens tell ROUGE-L from ROUGE-Lsum");
});

test("the 13a tokenizer and sentence BLEU and chrF equal sacreBLEU", () => {
  for (const { prediction, references, tokens, bleu, chrf } of GOLDEN.texts) {
    const message = JSON.stringify({ prediction, references });
    assert.deepEqual(tokenize13a(prediction), tokens, message);
    near(sentenceBleu(prediction, references).score, bleu, 1e-9, `BLEU ${message}`);
    near(sentenceChrf(prediction, references, 0), chrf[0], 1e-9, `chrF ${message}`);
    near(sentenceChrf(prediction, references, 2), chrf[1], 1e-9, `chrF++ ${message}`);
  }
});

test("corpus BLEU and chrF equal sacreBLEU, with its signature", () => {
  for (const golden of GOLDEN.corpora) {
    const pairs = golden.cases.map((index) => {
      const one = GOLDEN.texts[index];
      assert.ok(one !== undefined);
      return { prediction: one.prediction, references: one.references.slice(0, golden.references) };
    });
    const bleu = corpusBleu(pairs);
    const message = `${pairs.length} texts, ${golden.references} references`;
    near(bleu.score, golden.bleu, 1e-9, message);
    near(bleu.brevityPenalty, golden.brevityPenalty, 1e-12, message);
    bleu.precisions.forEach((value, n) => near(value, golden.precisions[n] ?? NaN, 1e-9, message));
    assert.deepEqual([bleu.predictionLength, bleu.referenceLength], golden.lengths);
    assert.equal(
      bleu.signature.replace("ift-kit as sacreBLEU ", ""),
      golden.signature,
      "the signature is sacreBLEU's, but for the name of the program",
    );
    near(corpusChrf(pairs, 0), golden.chrf[0], 1e-9, message);
    near(corpusChrf(pairs, 2), golden.chrf[1], 1e-9, message);
  }
});

test("accuracy, macro F1 and Matthews' correlation equal scikit-learn", () => {
  for (const golden of GOLDEN.labels) {
    const scores = classificationScores(golden);
    near(scores.accuracy, golden.accuracy, 1e-12, "accuracy");
    near(scores.macroF1, golden.macroF1, 1e-12, "macro F1");
    near(scores.matthews, golden.matthews, 1e-12, "Matthews");
    scoresPerLabel(golden).forEach(({ precision, recall, f1, rows }, index) => {
      const wanted = golden.perLabel[index] ?? [];
      [precision, recall, f1, rows].forEach((value, at) => near(value, wanted[at] ?? NaN, 1e-12, "label"));
    });
  }
});

test("calibration error equals torchmetrics, Brier's score scikit-learn", () => {
  for (const golden of GOLDEN.calibration) {
    const answers = golden.probability.map((probability, index) => ({
      probability,
      right: golden.right[index] === true,
    }));
    for (const [bins, error] of Object.entries(golden.ece))
      near(calibration(answers, Number(bins)).expectedError, error, 1e-6, `${bins} bins`);
    near(calibration(answers, 10).largestError, golden.largest, 1e-6, "largest");
    const rows = golden.rows.map((probabilities, index) => ({
      probabilities,
      right: golden.truth[index] ?? 0,
    }));
    near(brierScore(rows), golden.brier, 1e-9, "Brier");
  }
});
