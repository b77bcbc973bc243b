import { KitError } from "../../support/errors.js";
import { indexOfMaximum, wordsAndPairs } from "./features.js";

/**
 * The answer of the nearest training row: the cosine of words and word pairs, each weighted by how rare it is
 * (log of rows by rows that have it).
 */
export class NearestRow {
  readonly #answers: readonly string[];
  /** For each word or pair, the rows that have it. */
  readonly #rowsWith = new Map<string, number[]>();
  readonly #norms: readonly number[];

  /** @throws KitError when there is nothing to be near to */
  constructor(rows: readonly { readonly text: string; readonly label: string }[]) {
    if (rows.length === 0) throw new KitError("there are no rows to be near to", "give at least one row");
    this.#answers = rows.map(({ label }) => label);
    const features = rows.map(({ text }) => new Set(wordsAndPairs(text)));
    for (const [index, own] of features.entries()) {
      for (const feature of own) {
        const list = this.#rowsWith.get(feature);
        if (list === undefined) this.#rowsWith.set(feature, [index]);
        else list.push(index);
      }
    }
    this.#norms = features.map((own) =>
      Math.sqrt([...own].reduce((sum, feature) => sum + this.#weight(feature) ** 2, 0)),
    );
  }

  /** The answer of the row that is most like the text; ties: the row that came first. */
  predict(text: string): string {
    const scores = new Float64Array(this.#answers.length);
    for (const feature of new Set(wordsAndPairs(text))) {
      const weight = this.#weight(feature) ** 2;
      for (const row of this.#rowsWith.get(feature) ?? []) scores[row] = (scores[row] ?? 0) + weight;
    }
    const cosines = scores.map((score, row) => score / (this.#norms[row] || 1));
    return this.#answers[indexOfMaximum(cosines)] ?? "";
  }

  #weight(feature: string): number {
    const rows = this.#rowsWith.get(feature)?.length ?? this.#answers.length;
    return Math.log(this.#answers.length / rows);
  }
}
