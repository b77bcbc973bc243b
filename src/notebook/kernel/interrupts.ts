/**
 * What the stop button of the notebook (SIGINT) does to the running cell. tslab ends the await of the cell, but an
 * async loop goes on in the background; only a signal that the loop looks at can stop it.
 */
export class CellInterrupts {
  readonly #stopWaiting: () => void;
  #controller: AbortController | undefined;
  #live: AbortController[] = [];
  #interrupted = false;

  /** @param stopWaiting makes tslab give up the cell that it awaits */
  constructor(stopWaiting: () => void) {
    this.#stopWaiting = stopWaiting;
  }

  /** Starts listening, in place of Node's rule to end the process. */
  listen(): void {
    process.on("SIGINT", () => this.interrupt());
  }

  /** A new cell runs: its signal is fresh. */
  begin(): void {
    this.#controller = undefined;
    this.#interrupted = false;
  }

  /** Whether the running cell was interrupted; it counts as failed even when it ended by itself. */
  get interrupted(): boolean {
    return this.#interrupted;
  }

  /** The signal of the running cell. */
  signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      this.#live.push(this.#controller);
      if (this.#interrupted) this.#controller.abort(interruption());
    }
    return this.#controller.signal;
  }

  /**
   * Aborts the signals of this and all earlier cells. A cell that uses its signal may then end by itself (a checkpoint
   * is written, the result is assigned); one that does not, or is interrupted again, is given up at once.
   */
  interrupt(): void {
    const mayEndByItself = this.#controller !== undefined && !this.#interrupted;
    this.#interrupted = true;
    for (const controller of this.#live) controller.abort(interruption());
    this.#live = [];
    if (!mayEndByItself) this.#stopWaiting();
  }
}

function interruption(): Error {
  return new Error("interrupted by the stop button");
}
