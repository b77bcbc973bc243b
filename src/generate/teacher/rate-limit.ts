/** Tells the time and lets time pass; tests put another in its place. */
export interface Clock {
  /** Milliseconds that only grow. */
  now(): number;
  /** Waits so long, or until the signal aborts. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

/** The time of this machine. */
export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: (milliseconds, signal) =>
    new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
        resolve();
      };
      const timer = setTimeout(end, milliseconds);
      signal.addEventListener("abort", end);
      if (signal.aborted) end();
    }),
};

export interface RateLimits {
  readonly requestsPerMinute?: number;
  /** Prompt and answer together. */
  readonly tokensPerMinute?: number;
}

/** Something that was let through. */
interface Passage {
  readonly at: number;
  tokens: number;
}

const WINDOW = 60_000;

/**
 * Holds questions back so that no minute, wherever it begins, has more of them or of their tokens than is allowed. They pass
 * in the order in which they came.
 */
export class RateLimiter {
  readonly #limits: RateLimits;
  readonly #clock: Clock;
  #passed: Passage[] = [];
  #last: Promise<void> = Promise.resolve();

  constructor(limits: RateLimits, clock: Clock = systemClock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /**
   * Waits for its turn.
   * @param tokens as far as they can be known before the answer
   * @returns tells how many there were in truth
   */
  async enter(tokens: number, signal: AbortSignal): Promise<(tokens: number) => void> {
    const before = this.#last;
    let leave: () => void = () => undefined;
    this.#last = new Promise((resolve) => (leave = resolve));
    await before;
    try {
      for (let wait = this.#waitFor(tokens); wait > 0 && !signal.aborted; wait = this.#waitFor(tokens))
        await this.#clock.sleep(wait, signal);
      const passage = { at: this.#clock.now(), tokens };
      this.#passed.push(passage);
      return (truly) => (passage.tokens = truly);
    } finally {
      leave();
    }
  }

  /** Milliseconds until there may be room; 0 where there is. More tokens than a minute may have pass alone. */
  #waitFor(tokens: number): number {
    const now = this.#clock.now();
    this.#passed = this.#passed.filter(({ at }) => at > now - WINDOW);
    const { requestsPerMinute = Infinity, tokensPerMinute = Infinity } = this.#limits;
    const used = this.#passed.reduce((sum, passage) => sum + passage.tokens, 0);
    const [oldest] = this.#passed;
    const hasRoom = this.#passed.length < requestsPerMinute && used + tokens <= tokensPerMinute;
    return oldest === undefined || hasRoom ? 0 : Math.max(1, oldest.at + WINDOW - now);
  }
}
