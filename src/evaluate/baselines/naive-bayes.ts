import { KitError } from "../../support/errors.js";
import { groupBy } from "../../support/group.js";
import { bagOf, indexOfMaximum } from "./features.js";

interface Label {
  readonly name: string;
  readonly logPrior: number;
  /** Log of the number of words with smoothing: what each word of a text costs. */
  readonly logTotal: number;
}

/** How much a word adds to a label's score above what a word that the label never has adds. */
interface Gain {
  readonly label: number;
  readonly gain: number;
}

/**
 * Multinomial naive Bayes over bags of words with add-one smoothing (Manning, Raghavan and Schütze 2008, chapter 13):
 * what can be told from which words a text has, whatever their order.
 */
export class NaiveBayes {
  readonly #labels: readonly Label[];
  readonly #gains: ReadonlyMap<string, readonly Gain[]>;

  /** @throws KitError when there is nothing to learn from */
  constructor(rows: readonly { readonly text: string; readonly label: string }[]) {
    if (rows.length === 0) throw new KitError("there are no rows to learn from", "give at least one row");
    const bags = [...groupBy(rows, ({ label }) => label)].map(([name, own]) => ({
      name,
      rows: own.length,
      words: own.flatMap(({ text }) => bagOf(text)),
    }));
    const vocabulary = new Set(bags.flatMap(({ words }) => words));
    this.#labels = bags.map(({ name, rows: own, words }) => ({
      name,
      logPrior: Math.log(own / rows.length),
      logTotal: Math.log(words.length + vocabulary.size),
    }));
    const gains = new Map<string, Gain[]>([...vocabulary].map((word) => [word, []]));
    for (const [label, { words }] of bags.entries()) {
      for (const [word, places] of groupBy(words, (own) => own)) {
        gains.get(word)?.push({ label, gain: Math.log(places.length + 1) });
      }
    }
    this.#gains = gains;
  }

  /** The label of the highest posterior; words that were never seen say nothing. Ties: the label that came first. */
  predict(text: string): string {
    const known = bagOf(text).filter((word) => this.#gains.has(word));
    const scores = Float64Array.from(
      this.#labels,
      ({ logPrior, logTotal }) => logPrior - known.length * logTotal,
    );
    for (const word of known) {
      for (const { label, gain } of this.#gains.get(word) ?? []) scores[label] = (scores[label] ?? 0) + gain;
    }
    return this.#labels[indexOfMaximum(scores)]?.name ?? "";
  }
}
