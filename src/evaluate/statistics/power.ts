import { KitError } from "../../support/errors.js";
import { Random } from "../../support/random.js";
import { analyzeCrossed, analyzeNested, halfWidth, type SpreadEstimate } from "./few-seeds.js";

/** A comparison that is planned. */
export interface Design {
  /** Training seeds of each arm. */
  readonly seeds: number;
  /** Held-out task types that each seed is scored on. */
  readonly taskTypes: number;
  /** Whether all seeds are scored on the same task types. */
  readonly shared: boolean;
}

/** What is asked of a planned comparison. */
export interface PowerOptions {
  /** Chance of a false positive, such as 0.05. */
  readonly alpha: number;
  /** Simulated experiments; the standard error of a power of 0.8 is 0.4 / sqrt(simulations). */
  readonly simulations: number;
  readonly seed: number;
}

/** The smallest difference that a design shows. */
export interface Detectable {
  /** On the score's scale. */
  readonly difference: number;
  /** One sentence, such as "with 2 seeds and 12 task types you can see a difference of 0.052 (power 80%, level 5%)". */
  readonly text: string;
}

/**
 * The chance that the interval of `fewSeedsInterval` leaves out 0 when the true difference is `effect`, by simulation
 * with normal effects of the given variances (take them from a pilot's `spread`).
 * @throws KitError for a design with a single cell, or a value out of range
 */
export function power(effect: number, design: Design, spread: SpreadEstimate, options: PowerOptions): number {
  const outcomes = simulate(design, spread, options);
  return shareFound(outcomes, effect);
}

/**
 * The smallest true difference that a design shows with the wanted power.
 * @param wanted chance to find it, such as 0.8
 * @throws KitError as `power` does
 */
export function detectableDifference(
  wanted: number,
  design: Design,
  spread: SpreadEstimate,
  options: PowerOptions,
): Detectable {
  if (!(wanted > options.alpha && wanted < 1)) {
    throw new KitError(`a power of ${wanted}`, "give a number between alpha and 1, such as 0.8", {
      field: "wanted",
    });
  }
  const outcomes = simulate(design, spread, options);
  let [low, high] = [0, 1e-6];
  while (shareFound(outcomes, high) < wanted) high *= 2;
  for (let step = 0; step < 50; step++) {
    const middle = (low + high) / 2;
    if (shareFound(outcomes, middle) < wanted) low = middle;
    else high = middle;
  }
  const percent = (share: number): string => `${Number((100 * share).toFixed(1))}%`;
  return {
    difference: high,
    text:
      `with ${plural(design.seeds, "seed")} and ${plural(design.taskTypes, "task type")} you can see a difference of ` +
      `${Number(high.toPrecision(2))} (power ${percent(wanted)}, level ${percent(options.alpha)})`,
  };
}

/** A simulated experiment without a true difference: an effect moves its mean, not its interval's half width. */
interface Outcome {
  readonly mean: number;
  readonly half: number;
}

function simulate(
  design: Design,
  spread: SpreadEstimate,
  { alpha, simulations, seed }: PowerOptions,
): Outcome[] {
  const { seeds, taskTypes, shared } = design;
  checkCount(seeds, "seeds");
  checkCount(taskTypes, "taskTypes");
  checkCount(simulations, "simulations");
  for (const [name, variance] of Object.entries(spread)) {
    if (variance >= 0 && Number.isFinite(variance)) continue;
    throw new KitError(`a variance of ${variance}`, "give a number of at least 0", {
      field: `spread.${name}`,
    });
  }
  if (!(alpha > 0 && alpha < 1)) {
    throw new KitError(`a level of ${alpha}`, "give a number between 0 and 1, such as 0.05", {
      field: "alpha",
    });
  }
  const random = Random.derive(seed, "power");
  const normal = (variance: number): number => Math.sqrt(variance) * random.normal();
  return Array.from({ length: simulations }, (): Outcome => {
    const ofTypes = Array.from({ length: taskTypes }, () => normal(spread.taskType));
    const table = Array.from({ length: seeds }, () => {
      const ofSeed = normal(spread.seed);
      return ofTypes.map(
        (common) => ofSeed + (shared ? common : normal(spread.taskType)) + normal(spread.rest),
      );
    });
    const { mean, parts } = shared && seeds > 1 ? analyzeCrossed(table) : analyzeNested(table);
    return { mean, half: halfWidth(parts, alpha) };
  });
}

function shareFound(outcomes: readonly Outcome[], effect: number): number {
  const found = outcomes.filter(({ mean, half }) => Math.abs(mean + effect) > half).length;
  return found / outcomes.length;
}

function checkCount(value: number, field: string): void {
  if (!Number.isInteger(value) || value < 1) {
    throw new KitError(`${value} as a number`, "give a whole number of at least 1", { field });
  }
}

function plural(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
