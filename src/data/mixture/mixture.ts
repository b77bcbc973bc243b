import { KitError } from "../../support/errors.js";
import { hashJson } from "../../support/hash.js";
import { Random, type RandomState } from "../../support/random.js";
import { type MixtureGroup, mixtureRates, type RatePolicy } from "./rates.js";
import { SampledSchedule, type Schedule, StratifiedSchedule } from "./schedule.js";

/** What fixes a mixture: the same groups and settings give the same sequence. */
export interface MixtureSettings {
  readonly rates: RatePolicy;
  /** "stratified": every beginning is close to the rates; "sampled": each draw is independent. */
  readonly groups: "stratified" | "sampled";
  /**
   * "without replacement": all rows of a group, in a new random order each time through, before one comes again; "with
   * replacement": any row of the group each time.
   */
  readonly rows: "without replacement" | "with replacement";
  readonly seed: number;
}

/** One row of the sequence. */
export interface Draw {
  /** Number of the group. */
  readonly group: number;
  /** Number of the row in the group. */
  readonly row: number;
  /** How often all rows of the group had been drawn before, without replacement: 0 the first time through. */
  readonly epoch: number;
}

/** Where a sequence stands: small, JSON, and enough to go on. */
export interface MixtureState {
  /** Of the groups and settings: a state of another mixture is refused. */
  readonly fingerprint: string;
  /** Draws of each group so far. */
  readonly drawn: readonly number[];
  readonly schedule: RandomState | null;
  /** The generators of rows, where they are drawn with replacement. */
  readonly rows: readonly RandomState[] | null;
}

/** What was drawn of a group. */
export interface MixtureLine {
  readonly name: string;
  readonly rows: number;
  /** Share of the draws that it should have. */
  readonly rate: number;
  readonly drawn: number;
  /** Draws divided by rows: times that a row was seen, on average. */
  readonly epochs: number;
}

/** An endless sequence of rows out of several groups, drawn at fixed rates. */
export class Mixture {
  readonly groups: readonly MixtureGroup[];
  /** Share of each group, in their order; the shares add up to 1. */
  readonly rates: readonly number[];
  readonly #settings: MixtureSettings;
  readonly #fingerprint: string;
  readonly #schedule: Schedule;
  readonly #drawn: number[];
  readonly #random: Random[] | undefined;
  /** The order of the rows of each group in the epoch at hand. */
  readonly #orders = new Map<number, { readonly epoch: number; readonly rows: Uint32Array }>();

  /**
   * @param state of an earlier mixture of the same groups and settings, to go on from
   * @throws KitError when rates cannot be made, or the state is of another mixture
   */
  constructor(groups: readonly MixtureGroup[], settings: MixtureSettings, state?: MixtureState) {
    this.groups = groups.map(({ name, rows }) => ({ name, rows }));
    this.rates = mixtureRates(groups, settings.rates);
    this.#settings = settings;
    this.#fingerprint = hashJson({ groups: this.groups, settings });
    if (state !== undefined && state.fingerprint !== this.#fingerprint) {
      throw new KitError(
        "the saved position is of another mixture",
        "go on with the same groups, rates, order and seed, or start anew without the position",
        { field: "fingerprint" },
      );
    }
    const { seed } = settings;
    this.#schedule =
      settings.groups === "stratified"
        ? new StratifiedSchedule(this.rates, seed)
        : new SampledSchedule(this.rates, seed, state?.schedule ?? null);
    this.#drawn = state === undefined ? groups.map(() => 0) : [...state.drawn];
    if (settings.rows === "with replacement") {
      this.#random =
        state?.rows?.map((words) => new Random(words)) ??
        groups.map(({ name }) => Random.derive(seed, `mixture/rows/${name}`));
    }
  }

  /** Rows drawn so far. */
  get position(): number {
    return this.#drawn.reduce((sum, count) => sum + count, 0);
  }

  /** Where the sequence stands now. */
  get state(): MixtureState {
    return {
      fingerprint: this.#fingerprint,
      drawn: [...this.#drawn],
      schedule: this.#schedule.state,
      rows: this.#random?.map((random) => random.state) ?? null,
    };
  }

  /** The next row. */
  next(): Draw {
    const group = this.#schedule.next(this.#drawn);
    const before = this.#drawn[group] ?? 0;
    const rows = this.groups[group]?.rows ?? 1;
    this.#drawn[group] = before + 1;
    const random = this.#random?.[group];
    if (random !== undefined) return { group, row: random.integer(rows), epoch: 0 };
    const epoch = Math.floor(before / rows);
    return { group, row: this.#orderOf(group, epoch, rows)[before % rows] ?? 0, epoch };
  }

  /** The next so many rows. */
  take(count: number): Draw[] {
    return Array.from({ length: count }, () => this.next());
  }

  /** What was drawn so far, a line for each group. */
  ledger(): MixtureLine[] {
    return this.groups.map(({ name, rows }, group) => {
      const drawn = this.#drawn[group] ?? 0;
      return { name, rows, rate: this.rates[group] ?? 0, drawn, epochs: drawn / rows };
    });
  }

  #orderOf(group: number, epoch: number, rows: number): Uint32Array {
    const known = this.#orders.get(group);
    if (known?.epoch === epoch) return known.rows;
    const { name } = this.groups[group] ?? { name: "" };
    const random = Random.derive(this.#settings.seed, `mixture/rows/${name}/epoch ${epoch}`);
    const order = Uint32Array.from(random.shuffled([...Array(rows).keys()]));
    this.#orders.set(group, { epoch, rows: order });
    return order;
  }
}
