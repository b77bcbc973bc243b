import type { RunProgress } from "./result.js";

/** The state of an experiment while it goes on. */
export interface PoolProgress {
  readonly finished: number;
  readonly total: number;
  /** Share of the work of all runs that is done, 0 to 1; runs found in the store count as done. */
  readonly fraction: number;
  /** Of the runs at work, together. */
  readonly tokensPerSecond: number;
  /** The runs at work. */
  readonly active: readonly string[];
}

/** Adds up what the runs tell. */
export class ProgressBook {
  readonly #active = new Map<string, RunProgress>();
  #finished = 0;
  readonly #total: number;
  readonly #tell: ((progress: PoolProgress) => void) | undefined;

  constructor(total: number, tell: ((progress: PoolProgress) => void) | undefined) {
    this.#total = total;
    this.#tell = tell;
  }

  update(id: string, progress: RunProgress): void {
    this.#active.set(id, progress);
    this.publish();
  }

  end(id: string, finished: boolean): void {
    this.#active.delete(id);
    if (finished) this.#finished++;
    this.publish();
  }

  publish(): void {
    const active = [...this.#active.values()];
    const sum = (of: (progress: RunProgress) => number): number =>
      active.reduce((total, progress) => total + of(progress), 0);
    this.#tell?.({
      finished: this.#finished,
      total: this.#total,
      fraction: (this.#finished + sum((progress) => progress.fraction)) / Math.max(1, this.#total),
      tokensPerSecond: sum((progress) => progress.tokensPerSecond),
      active: [...this.#active.keys()],
    });
  }
}
