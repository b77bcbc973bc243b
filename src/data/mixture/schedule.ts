import { Random, type RandomState } from "../../support/random.js";

/** Which group is drawn next. */
export interface Schedule {
  /** The number of a group; `drawn` says how often each has been drawn before. */
  next(drawn: readonly number[]): number;
  /** What has to be kept to go on later, besides the counts. */
  readonly state: RandomState | null;
}

/**
 * Keeps every beginning of the sequence as close to the rates as any sequence can: after n draws no group is further than
 * 1 - 1/(2 groups - 2) draws from n times its rate (Tijdeman 1980, "The chairman assignment problem"). Among the groups that
 * would not get ahead too far, the one is drawn that would first fall behind.
 */
export class StratifiedSchedule implements Schedule {
  readonly state = null;
  readonly #rates: readonly number[];
  /** Ties go by a seeded order. */
  readonly #order: readonly number[];
  readonly #slack: number;

  constructor(rates: readonly number[], seed: number) {
    this.#rates = rates;
    this.#order = Random.derive(seed, "mixture/ties").shuffled([...rates.keys()]);
    this.#slack = rates.length < 2 ? 0 : 1 / (2 * rates.length - 2);
  }

  next(drawn: readonly number[]): number {
    const position = drawn.reduce((sum, count) => sum + count, 0) + 1;
    let chosen = -1;
    let earliest = Infinity;
    for (const group of this.#order) {
      const rate = this.#rates[group] ?? 0;
      const due = rate * position - (drawn[group] ?? 0);
      if (due < this.#slack - ROUNDING) continue;
      const deadline = (1 - this.#slack - due) / rate;
      if (deadline < earliest - ROUNDING) {
        earliest = deadline;
        chosen = group;
      }
    }
    if (chosen < 0) throw new RangeError("the rates do not add up to 1");
    return chosen;
  }
}

/** Differences below this are rounding errors of sums of rates, not reasons to prefer a group. */
const ROUNDING = 1e-9;

/** Draws each time anew by the rates, as T5 does: beginnings are close to the rates only on average. */
export class SampledSchedule implements Schedule {
  readonly #cumulative: readonly number[];
  readonly #random: Random;

  constructor(rates: readonly number[], seed: number, state: RandomState | null) {
    let sum = 0;
    this.#cumulative = rates.map((rate) => (sum += rate));
    this.#random = state === null ? Random.derive(seed, "mixture/groups") : new Random(state);
  }

  get state(): RandomState {
    return this.#random.state;
  }

  next(): number {
    const point = this.#random.next();
    const group = this.#cumulative.findIndex((end) => point < end);
    return group >= 0 ? group : this.#cumulative.length - 1;
  }
}
