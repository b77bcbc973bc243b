import { ShingleSets } from "../../src/similarity/shingles.js";
import type { Random } from "../../src/support/random.js";

/** Two sets of `size` random items each, `shared` of them in common. */
export function pairOfSets(size: number, shared: number, random: Random): ShingleSets {
  const items = Array.from(
    { length: 2 * size - shared },
    () => random.nextWord() + 4294967296 * random.integer(2000),
  );
  return new ShingleSets(
    [items.slice(0, size), items.slice(size - shared)].map((set) => Float64Array.from(set).sort()),
  );
}

/** A text of random words out of a vocabulary. */
export function randomText(words: number, vocabulary: number, random: Random): string {
  return Array.from({ length: words }, () => `w${random.integer(vocabulary)}`).join(" ");
}

/** The text with some of its words replaced by new ones. */
export function withNewWords(text: string, count: number, random: Random): string {
  const words = text.split(" ");
  for (let k = 0; k < count; k++) words[random.integer(words.length)] = `new${random.nextWord()}`;
  return words.join(" ");
}
