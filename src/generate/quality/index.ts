import { distributionOf } from "../../data/compare/lengths.js";
import { hashExamples } from "../../data/compare/index.js";
import { labelBalance } from "../../data/compare/labels.js";
import { instructionDiversity, type VerbObject } from "../../data/diversity/index.js";
import type { Example } from "../../data/example.js";
import type { Interval } from "../../evaluate/statistics/bootstrap.js";
import { dedupe, type DedupeLine } from "../../similarity/dedupe.js";
import { KitError } from "../../support/errors.js";
import { hashJson } from "../../support/hash.js";
import { Random } from "../../support/random.js";
import { labelValidity } from "./label-validity.js";
import { nearestSeeds } from "./nearest-seeds.js";
import type {
  InstructionSet,
  MatchedDiversity,
  QualityReport,
  QualitySettings,
  SetQuality,
} from "./types.js";

export type * from "./types.js";
export type { LabelValidity } from "./label-validity.js";
export type { NearestSeeds } from "./nearest-seeds.js";

export interface QualityOptions extends Partial<QualitySettings> {
  /** What the sets are compared with, instruction by instruction; it is described as well. */
  readonly seeds?: InstructionSet;
}

/** What holds where nothing is said. */
export const QUALITY_DEFAULTS: QualitySettings = { sampleSize: 500, draws: 20, seed: 0, threshold: 0.8 };

/** Distinct instructions from which a set is drawn from: half of them is a draw, and fewer say nothing. */
export const LEAST_INSTRUCTIONS = 16;

/** Root verbs by instruction: finding them takes most of the time. */
type KnownVerbs = Map<string, VerbObject | undefined>;

/**
 * Describes sets of instruction data beside one another: what their instructions ask for, how different they are from each other
 * and from the seeds, how long their parts are, whether labels are among the answers to choose from, and what is there twice.
 *
 *     describeInstructionData([generated, alpaca], { seeds })
 *
 * Measures that change with the number of instructions (distinct n-grams, nearest neighbours, different verbs) are taken over
 * draws of the same size from each set: half of the smallest one, at most `sampleSize`. The draws are without repetition, so they
 * spread less than new sets of that size would; of the smallest set by a factor of 1.4, as halves in the jackknife do.
 * @throws KitError when there is no set, one is empty, or two have the same name
 */
export function describeInstructionData(
  sets: readonly InstructionSet[],
  options: QualityOptions = {},
): QualityReport {
  const { seeds, ...given } = options;
  const settings = { ...QUALITY_DEFAULTS, ...given };
  const all = seeds === undefined ? sets : [...sets, seeds];
  checkSets(sets, all);
  const seedTexts = seeds === undefined ? [] : distinctInstructions(seeds.examples);
  const known: KnownVerbs = new Map();
  const texts = all.map(({ examples }) => distinctInstructions(examples));
  const sizes = texts.map(({ length }) => length).filter((length) => length >= LEAST_INSTRUCTIONS);
  const drawn = Math.min(settings.sampleSize, Math.floor(Math.min(...sizes) / 2));
  const described = all.map((set, index): SetQuality => {
    const instructions = texts[index] ?? [];
    const asks = (set === seeds ? undefined : nearestSeeds(instructions, seedTexts)) ?? null;
    return {
      ...describeSet(set, instructions, settings.threshold, known),
      matched:
        instructions.length < LEAST_INSTRUCTIONS
          ? null
          : overDraws(set.name, instructions, drawn, settings, known),
      nearestSeeds: asks,
    };
  });
  const hashed = described.map(({ name, dataHash }) => [name, dataHash]);
  const seedsName = seeds?.name ?? null;
  return {
    version: 1,
    hash: hashJson({ settings, seeds: seedsName, sets: hashed }),
    settings,
    seeds: seedsName,
    sets: described,
  };
}

function checkSets(sets: readonly InstructionSet[], all: readonly InstructionSet[]): void {
  if (sets.length === 0) throw new KitError("there is no set to describe", "give at least one");
  const names = new Set<string>();
  for (const { name, examples } of all) {
    if (names.has(name))
      throw new KitError(`two sets have the name "${name}"`, "give each a name of its own (NAME=PATH)");
    names.add(name);
    if (examples.length === 0) throw new KitError(`the set "${name}" has no rows`, "leave it out");
  }
}

function distinctInstructions(examples: readonly Example[]): string[] {
  const texts = examples.map(({ instruction = "" }) => instruction.trim());
  return [...new Set(texts)].filter((text) => text !== "");
}

function describeSet(
  { name, examples, ledger }: InstructionSet,
  instructions: readonly string[],
  threshold: number,
  known: KnownVerbs,
): Omit<SetQuality, "matched" | "nearestSeeds"> {
  const inputs = examples.map(({ input }) => input).filter((text) => text.trim() !== "");
  const outputs = examples.map(({ outputs: [first = ""] }) => first).filter((text) => text.trim() !== "");
  const lengths = (texts: readonly string[]) => distributionOf(texts.map(countWords)) ?? null;
  const duplicates = (on: "row" | "prompt"): DedupeLine => dedupe(examples, { on, threshold }).ledger.total;
  return {
    name,
    dataHash: hashExamples(examples),
    rows: examples.length,
    withoutInstruction: examples.filter(({ instruction = "" }) => instruction.trim() === "").length,
    withoutInput: examples.length - inputs.length,
    withoutOutput: examples.length - outputs.length,
    diversity: instructions.length === 0 ? null : instructionDiversity(instructions, { known }),
    lengths: { instruction: lengths(instructions), input: lengths(inputs), output: lengths(outputs) },
    labels: labelValidity(examples),
    balance: labelBalance(examples) ?? null,
    duplicates: { row: duplicates("row"), prompt: duplicates("prompt") },
    ledger: ledger ?? null,
  };
}

/** Words as the length rules of the generation count them. */
function countWords(text: string): number {
  return text.split(/\s+/).filter((word) => word !== "").length;
}

function overDraws(
  name: string,
  instructions: readonly string[],
  size: number,
  { draws, seed }: QualitySettings,
  known: KnownVerbs,
): MatchedDiversity {
  const found = Array.from({ length: draws }, (_, draw) => {
    const random = Random.derive(seed, `quality/${name}/${draw}`);
    const sample = random.shuffled(instructions).slice(0, size);
    return instructionDiversity(sample, { sampleSize: size, known });
  });
  return {
    instructions: size,
    draws,
    verbObjects: spread(found.map(({ verbObjects }) => verbObjects / size)),
    distinct2: spread(found.map(({ distinct: [, second] }) => second)),
    selfBleu: spread(found.map(({ selfBleu }) => selfBleu ?? 0)),
    nearestRougeL: spread(found.map(({ nearestRougeL }) => nearestRougeL ?? 0)),
  };
}

/** The mean, with the 5th and the 95th percentile. */
function spread(values: readonly number[]): Interval {
  const { mean, p5, p95 } = distributionOf(values) ?? { mean: NaN, p5: NaN, p95: NaN };
  return { mean, low: p5, high: p95 };
}
