import { countNgrams, fMeasure } from "./ngrams.js";
import { bestReference, type RougeOptions, rougeTokens } from "./rouge.js";

/**
 * ROUGE-Lsum as Python's `rouge_score` 0.1.2: for each sentence of the reference, the union of its longest common
 * subsequences with all sentences of the prediction. A sentence is a line; split the text into lines first.
 * @returns the F measure, from 0 to 1, the best over the references
 * @throws KitError when there is no reference
 */
export function rougeLsum(prediction: string, references: readonly string[], options: RougeOptions): number {
  const sentences = (text: string): string[][] =>
    text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => rougeTokens(line, options));
  const predicted = sentences(prediction);
  return bestReference(references, (reference) => unionScore(sentences(reference), predicted));
}

function unionScore(
  wanted: readonly (readonly string[])[],
  predicted: readonly (readonly string[])[],
): number {
  const wantedLeft = countNgrams(wanted.flat(), 1);
  const predictedLeft = countNgrams(predicted.flat(), 1);
  const lengths = { wanted: wanted.flat().length, predicted: predicted.flat().length };
  if (lengths.wanted === 0 || lengths.predicted === 0) return 0;
  let hits = 0;
  for (const sentence of wanted) {
    for (const word of unionOfSubsequences(sentence, predicted)) {
      const [inWanted, inPredicted] = [wantedLeft.get(word) ?? 0, predictedLeft.get(word) ?? 0];
      if (inWanted === 0 || inPredicted === 0) continue;
      hits++;
      wantedLeft.set(word, inWanted - 1);
      predictedLeft.set(word, inPredicted - 1);
    }
  }
  return fMeasure(hits / lengths.predicted, hits / lengths.wanted);
}

/** The words of a sentence that stand in its longest common subsequence with any of the others. */
function unionOfSubsequences(sentence: readonly string[], others: readonly (readonly string[])[]): string[] {
  const places = new Set(others.flatMap((other) => subsequencePlaces(sentence, other)));
  return sentence.filter((_, place) => places.has(place));
}

/** Places in `a` of one longest common subsequence; among equal ones that which `rouge_score`'s way back finds. */
function subsequencePlaces(a: readonly string[], b: readonly string[]): number[] {
  const width = b.length + 1;
  const table = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number): number => table[i * width + j] ?? 0;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      table[i * width + j] =
        a[i - 1] === b[j - 1] ? at(i - 1, j - 1) + 1 : Math.max(at(i - 1, j), at(i, j - 1));
    }
  }
  const places: number[] = [];
  let [i, j] = [a.length, b.length];
  while (i > 0 && j > 0) {
    if (a[i - 1] === b[j - 1]) {
      places.push(i - 1);
      i--;
      j--;
    } else if (at(i, j - 1) > at(i - 1, j)) j--;
    else i--;
  }
  return places;
}
