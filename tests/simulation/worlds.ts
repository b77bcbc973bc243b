import type { ExampleScore } from "../../src/evaluate/statistics/bootstrap.js";
import type { Random } from "../../src/support/random.js";

/** Two arms with a known difference of 1. */
export interface World {
  readonly seeds: number;
  readonly taskTypes: number;
  readonly examples: number;
  /** Standard deviations of the difference between seeds, between task types, between examples. */
  readonly spread: { readonly seed: number; readonly taskType: number; readonly example: number };
  /** Whether all seeds are scored on the same task types, each with one effect. */
  readonly shared: boolean;
}

export interface Arms {
  readonly a: ExampleScore[];
  readonly b: ExampleScore[];
}

/** Draws the two arms; `b` is noise that both share. */
export function drawArms(random: Random, { seeds, taskTypes, examples, spread, shared }: World): Arms {
  const common = Array.from({ length: taskTypes }, () => spread.taskType * random.normal());
  const a: ExampleScore[] = [];
  const b: ExampleScore[] = [];
  for (let seed = 0; seed < seeds; seed++) {
    const ofSeed = spread.seed * random.normal();
    for (let type = 0; type < taskTypes; type++) {
      const ofType = shared ? (common[type] ?? 0) : spread.taskType * random.normal();
      for (let example = 0; example < examples; example++) {
        const key = {
          seed,
          taskType: shared ? `type ${type}` : `type ${seed}/${type}`,
          id: `row ${example}`,
        };
        const base = random.normal();
        b.push({ ...key, score: base });
        a.push({ ...key, score: base + 1 + ofSeed + ofType + spread.example * random.normal() });
      }
    }
  }
  return { a, b };
}

/** The share of worlds in which something holds. */
export function shareOf(worlds: number, holds: (world: number) => boolean): number {
  let count = 0;
  for (let world = 0; world < worlds; world++) if (holds(world)) count++;
  return count / worlds;
}

export function covers(interval: { readonly low: number; readonly high: number }, truth: number): boolean {
  return interval.low <= truth && truth <= interval.high;
}
