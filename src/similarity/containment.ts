import { runHashes } from "./shingles.js";
import { wordsOf } from "./words.js";

/** A text that stands, word for word, in another. */
export interface Containment {
  readonly needle: number;
  readonly haystack: number;
}

export interface ContainmentOptions {
  /** Shorter texts are not looked for: they stand in others by chance. At least 1. */
  readonly minWords: number;
  readonly progress?: (share: number) => void;
}

interface Needle {
  readonly number: number;
  /** The words with one blank between them, and one at each end. */
  readonly text: string;
  /** Words before the run by which it is looked up. */
  readonly offset: number;
}

/**
 * Finds texts that stand in others as a run of words; punctuation, case and white space do not matter. Each text that is looked
 * for is filed under one run of `minWords` of its words, the rarest among all; the others are read once, run by run. So time grows
 * with the words on both sides and memory with the texts that are looked for, not with their pairs.
 * @returns each pair once, in the order of `haystacks`
 */
export function findContained(
  needles: readonly string[],
  haystacks: Iterable<string>,
  { minWords, progress }: ContainmentOptions,
): Containment[] {
  const index = new ContainmentIndex(needles, minWords);
  const found: Containment[] = [];
  const total = Array.isArray(haystacks) ? haystacks.length : undefined;
  let haystack = 0;
  for (const text of haystacks) {
    for (const needle of index.find(text)) found.push({ needle, haystack });
    haystack++;
    if (total !== undefined && haystack % 500 === 0) progress?.(haystack / total);
  }
  return found;
}

/** Texts that are looked for in others, one at a time. */
export class ContainmentIndex {
  readonly #minWords: number;
  readonly #needles: Map<number, Needle[]>;

  /** @param minWords shorter texts are not looked for */
  constructor(needles: readonly string[], minWords: number) {
    if (!Number.isInteger(minWords) || minWords < 1)
      throw new RangeError(`minWords must be at least 1, got ${minWords}`);
    this.#minWords = minWords;
    this.#needles = fileNeedles(needles, minWords);
  }

  /** The numbers of the texts that stand in another, each once. */
  find(haystack: string): number[] {
    const words = wordsOf(haystack);
    const seen = new Set<number>();
    let joined: Joined | undefined;
    const runs = words.length < this.#minWords ? [] : runHashes(words, this.#minWords);
    for (const [at, run] of runs.entries()) {
      for (const { number, text: wanted, offset } of this.#needles.get(run) ?? []) {
        if (seen.has(number) || at < offset) continue;
        joined ??= new Joined(words);
        if (joined.hasAt(at - offset, wanted)) seen.add(number);
      }
    }
    return [...seen];
  }
}

/** Words as one text, with the place of each. */
class Joined {
  readonly #text: string;
  readonly #starts: readonly number[];

  constructor(words: readonly string[]) {
    this.#text = ` ${words.join(" ")} `;
    let start = 0;
    this.#starts = words.map(({ length }) => {
      const here = start;
      start += length + 1;
      return here;
    });
  }

  hasAt(word: number, wanted: string): boolean {
    return this.#text.startsWith(wanted, this.#starts[word]);
  }
}

function fileNeedles(needles: readonly string[], minWords: number): Map<number, Needle[]> {
  const frequency = new Map<number, number>();
  const long = needles.flatMap((text, number) => {
    const words = wordsOf(text);
    if (words.length < minWords) return [];
    const runs = runHashes(words, minWords);
    for (const run of runs) frequency.set(run, (frequency.get(run) ?? 0) + 1);
    return [{ number, text: ` ${words.join(" ")} `, runs }];
  });
  const index = new Map<number, Needle[]>();
  for (const { number, text, runs } of long) {
    let offset = 0;
    for (const [at, run] of runs.entries()) {
      if ((frequency.get(run) ?? 0) < (frequency.get(runs[offset] ?? 0) ?? Infinity)) offset = at;
    }
    const run = runs[offset] ?? 0;
    const filed = index.get(run);
    const needle = { number, text, offset };
    if (filed === undefined) index.set(run, [needle]);
    else filed.push(needle);
  }
  return index;
}
