import type { Example } from "../data/example.js";
import { KitError } from "../support/errors.js";
import { ContainmentIndex } from "./containment.js";
import { textOf } from "./example-text.js";
import { DEFAULT_LEAKAGE, type LeakageSettings } from "./leakage/report.js";
import { DEFAULT_SHINGLES, jaccard, shinglesOf } from "./shingles.js";
import { plainText } from "./words.js";

/** How a new row stands to a held-out one; the kinds of the leakage gate that speak of single rows. */
export type HeldOutLeak = "same-input" | "near-duplicate" | "contained-input";

/** A new row that leaks, and the held-out row that it leaks from. */
export interface HeldOutMatch {
  readonly kind: HeldOutLeak;
  readonly heldOutId: string;
}

/** What is compared of a new row. */
export type NewRow = Pick<Example, "instruction" | "input" | "outputs">;

const inputOf = textOf("input");
const promptOf = textOf("prompt");

/**
 * Held-out rows against which new ones are tried one at a time, as the leakage gate of a split does for two whole sides: the
 * same input, an input that is nearly the same (exact Jaccard similarity of three-word shingles), and an input that stands word
 * for word in what the new row shows.
 */
export class HeldOutIndex {
  readonly #settings: LeakageSettings;
  readonly #rows: readonly Example[];
  readonly #byText = new Map<string, number>();
  readonly #sets: readonly Float64Array[];
  readonly #byShingle = new Map<number, number[]>();
  readonly #contained: ContainmentIndex;

  /** @throws KitError when there are no rows */
  constructor(rows: readonly Example[], settings: LeakageSettings = DEFAULT_LEAKAGE) {
    if (rows.length === 0) throw new KitError("there are no held-out rows", "give a file that has rows");
    this.#settings = settings;
    this.#rows = rows;
    const inputs = rows.map((row) => plainText(inputOf(row)));
    rows.forEach((row, index) => {
      for (const text of [inputs[index] ?? "", plainText(promptOf(row))])
        if (text !== "" && !this.#byText.has(text)) this.#byText.set(text, index);
    });
    this.#sets = inputs.map((text) => shinglesOf(text, DEFAULT_SHINGLES));
    this.#sets.forEach((set, index) => {
      for (const shingle of set) {
        const found = this.#byShingle.get(shingle);
        if (found === undefined) this.#byShingle.set(shingle, [index]);
        else found.push(index);
      }
    });
    this.#contained = new ContainmentIndex(inputs, settings.minWords);
  }

  /** How a new row leaks; undefined where it does not. */
  match(row: NewRow): HeldOutMatch | undefined {
    const example: Example = { id: "", task: "", taskType: "", source: "", ...row };
    const input = plainText(inputOf(example));
    const same = [input, plainText(promptOf(example))].flatMap((text) => this.#byText.get(text) ?? [])[0];
    if (same !== undefined) return this.#found("same-input", same);
    const near = this.#nearest(input);
    if (near !== undefined) return this.#found("near-duplicate", near);
    const [contained] = this.#contained.find(plainText([promptOf(example), ...row.outputs].join("\n")));
    return contained === undefined ? undefined : this.#found("contained-input", contained);
  }

  #nearest(input: string): number | undefined {
    const set = shinglesOf(input, DEFAULT_SHINGLES);
    const tried = new Set<number>();
    for (const shingle of set) {
      for (const index of this.#byShingle.get(shingle) ?? []) {
        if (tried.has(index)) continue;
        tried.add(index);
        if (jaccard(set, this.#sets[index] ?? set) >= this.#settings.threshold) return index;
      }
    }
    return undefined;
  }

  #found(kind: HeldOutLeak, index: number): HeldOutMatch {
    return { kind, heldOutId: this.#rows[index]?.id ?? "" };
  }
}
