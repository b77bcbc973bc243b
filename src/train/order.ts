import { planEpoch, type Step } from "./batch.js";
import type { BatchConfig } from "./config.js";
import type { TrainingRow } from "./rows.js";

/** Where a run is in its data. With the seed it fixes every later step, so it is all that a checkpoint keeps. */
export interface OrderPosition {
  /** Epoch, counted from 0. */
  readonly epoch: number;
  /** Steps of that epoch that are done. */
  readonly step: number;
}

/** The steps of a run without end, epoch after epoch. Nothing in it depends on anything but rows, config and seed. */
export class DataOrder {
  readonly #rows: readonly TrainingRow[];
  readonly #config: BatchConfig;
  readonly #seed: number;
  #epoch: number;
  #next: number;
  #steps: readonly Step[];
  /** The steps of the epoch after this one, once somebody asked. */
  #upcoming: readonly Step[] | undefined;

  constructor(
    rows: readonly TrainingRow[],
    config: BatchConfig,
    seed: number,
    { epoch, step }: OrderPosition = { epoch: 0, step: 0 },
  ) {
    this.#rows = rows;
    this.#config = config;
    this.#seed = seed;
    this.#epoch = epoch;
    this.#next = step;
    this.#steps = planEpoch(rows, config, seed, epoch);
  }

  /** Where the order is now. */
  get position(): OrderPosition {
    return { epoch: this.#epoch, step: this.#next };
  }

  /** The next step. */
  next(): Step {
    if (this.#next >= this.#steps.length) {
      this.#steps = this.#following();
      this.#upcoming = undefined;
      this.#epoch++;
      this.#next = 0;
    }
    return stepAt(this.#steps, this.#next++);
  }

  /** The step that `next` will give; the order stays where it is. */
  peek(): Step {
    return this.#next < this.#steps.length ? stepAt(this.#steps, this.#next) : stepAt(this.#following(), 0);
  }

  #following(): readonly Step[] {
    this.#upcoming ??= planEpoch(this.#rows, this.#config, this.#seed, this.#epoch + 1);
    return this.#upcoming;
  }
}

function stepAt(steps: readonly Step[], index: number): Step {
  const step = steps[index];
  if (step === undefined) throw new RangeError("an epoch without steps: there are no rows");
  return step;
}
