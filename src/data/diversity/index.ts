import { Random } from "../../support/random.js";
import { nearestNeighbours } from "./nearest.js";
import { distinctNgrams, type PerOrder, selfBleu } from "./ngrams.js";
import { verbObject, type VerbObject } from "./verb-object.js";
import { numberWords } from "./word-numbers.js";

export { verbObject, type VerbObject } from "./verb-object.js";
export type { PerOrder } from "./ngrams.js";

/** A verb with the objects that it is used with, the most frequent first. */
export interface VerbCount {
  readonly verb: string;
  /** Instructions with this root verb. */
  readonly count: number;
  readonly objects: readonly { readonly object: string; readonly count: number }[];
}

/** How different some instructions are from one another. Everything is counted over distinct instructions. */
export interface InstructionDiversity {
  readonly instructions: number;
  /** Those with a root verb, and those of them with a direct object. */
  readonly withVerb: number;
  readonly withObject: number;
  /** Different verbs, and different pairs of verb and object. */
  readonly verbs: number;
  readonly verbObjects: number;
  /** The most frequent verbs. */
  readonly topVerbs: readonly VerbCount[];
  /** How many instructions, drawn by the seed, the following three are taken over. */
  readonly sampled: number;
  /** Distinct-1 to distinct-4 of the sample. */
  readonly distinct: PerOrder;
  /** Self-BLEU of the sample; null for fewer than two instructions. */
  readonly selfBleu: number | null;
  /** Mean ROUGE-L of the sampled instructions with the most similar of *all* others; null for fewer than two. */
  readonly nearestRougeL: number | null;
}

export interface DiversityOptions {
  /** The most instructions that n-grams and neighbours are taken over (1,000): sets of other sizes stay comparable. */
  readonly sampleSize?: number;
  /** Seed of the sample (0). */
  readonly seed?: number;
  /** The most verbs to list (20), and the most objects of each (4): those of Self-Instruct's figure. */
  readonly topVerbs?: number;
  readonly topObjects?: number;
  /** Root verbs found before, by instruction; new ones are added. Finding them takes most of the time. */
  readonly known?: Map<string, VerbObject | undefined>;
}

/** Measures the diversity of instructions; repeated ones count once. */
export function instructionDiversity(
  instructions: Iterable<string>,
  options: DiversityOptions = {},
): InstructionDiversity {
  const { sampleSize = 1000, seed = 0, known = new Map<string, VerbObject | undefined>() } = options;
  const distinct = [...new Set(instructions)];
  const verbs = countVerbs(distinct, known);
  const words = numberWords(distinct);
  const all = distinct.map((_, index) => index);
  const sample =
    all.length <= sampleSize
      ? all
      : Random.derive(seed, "instruction sample").shuffled(all).slice(0, sampleSize);
  const sampled = sample.flatMap((index) => words[index] ?? []);
  const neighbours = distinct.length < 2 ? [] : nearestNeighbours(words, sample);
  return {
    instructions: distinct.length,
    withVerb: sum(verbs.map(({ count }) => count)),
    withObject: sum(verbs.flatMap(({ objects }) => objects.map(({ count }) => count))),
    verbs: verbs.length,
    verbObjects: sum(verbs.map(({ objects }) => objects.length)),
    topVerbs: verbs
      .slice(0, options.topVerbs ?? 20)
      .map((verb) => ({ ...verb, objects: verb.objects.slice(0, options.topObjects ?? 4) })),
    sampled: sample.length,
    distinct: distinctNgrams(sampled),
    selfBleu: selfBleu(sampled) ?? null,
    nearestRougeL:
      neighbours.length === 0 ? null : sum(neighbours.map(({ score }) => score)) / neighbours.length,
  };
}

function countVerbs(
  instructions: readonly string[],
  known: Map<string, VerbObject | undefined>,
): VerbCount[] {
  const counts = new Map<string, { count: number; objects: Map<string, number> }>();
  for (const instruction of instructions) {
    if (!known.has(instruction)) known.set(instruction, verbObject(instruction));
    const found = known.get(instruction);
    if (found === undefined) continue;
    const entry = counts.get(found.verb) ?? { count: 0, objects: new Map<string, number>() };
    counts.set(found.verb, entry);
    entry.count++;
    if (found.object !== undefined)
      entry.objects.set(found.object, (entry.objects.get(found.object) ?? 0) + 1);
  }
  return [...counts]
    .map(([verb, { count, objects }]) => ({
      verb,
      count,
      objects: [...objects]
        .map(([object, uses]) => ({ object, count: uses }))
        .sort((a, b) => b.count - a.count || (a.object < b.object ? -1 : 1)),
    }))
    .sort((a, b) => b.count - a.count || (a.verb < b.verb ? -1 : 1));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
