import { queueIsFull, shuttingDown } from "../problem.js";
import type { ModelLoad } from "../served-model.js";
import type { Followings, Slots } from "./slots.js";
import type { WrittenAnswer } from "./written-answer.js";

/** What bounds the work on one model. */
export interface LoopLimits {
  /** Answers that are written together. */
  readonly slots: number;
  /** Requests that wait beside them. */
  readonly queue: number;
}

/** Tokens of prompts that are read between two tokens of the answers at work, so that these do not wait long. */
const PROMPT_TOKENS = 2048;

/**
 * Continuous batching: one loop for a model, which reads a token of every answer at work in each turn. Those that have
 * ended leave between turns, and those that wait join, first come, first served.
 */
export class DecodingLoop {
  readonly #name: string;
  readonly #slots: Slots;
  readonly #limits: LoopLimits;
  #waiting: WrittenAnswer[] = [];
  #active: WrittenAnswer[] = [];
  #running: Promise<void> | undefined;
  #closed = false;

  /** @param name of the model, for messages */
  constructor(name: string, slots: Slots, limits: LoopLimits) {
    this.#name = name;
    this.#slots = slots;
    this.#limits = limits;
  }

  get load(): ModelLoad {
    const { slots, queue } = this.#limits;
    const [waiting, active] = [this.#waiting.length, this.#active.length];
    return { waiting, active, room: slots + queue - waiting - active };
  }

  /** Lets an answer wait for its turn. @throws Problem when the queue is full, or the loop is closed */
  add(written: WrittenAnswer): void {
    if (this.#closed) throw shuttingDown();
    const { slots, queue } = this.#limits;
    if (this.load.room < 1) throw queueIsFull(this.#name, slots + queue);
    const { signal } = written;
    signal.throwIfAborted();
    signal.addEventListener("abort", () => this.#giveUp(written), { once: true });
    this.#waiting.push(written);
    this.#running ??= this.#run();
  }

  /** Ends what is at work and waits for the last turn. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const written of [...this.#waiting, ...this.#active]) written.fail(shuttingDown());
    this.#waiting = [];
    await this.#running;
  }

  /** One that waits gives its place free at once; one at work leaves before the next token. */
  #giveUp(written: WrittenAnswer): void {
    this.#waiting = this.#waiting.filter((other) => other !== written);
    written.fail(written.signal.reason);
  }

  async #run(): Promise<void> {
    while (this.#waiting.length + this.#active.length > 0) {
      // Requests that came together are read together, and clients are heard between tokens.
      await new Promise((resolve) => setImmediate(resolve));
      try {
        this.#leave(({ signal }) => this.#closed || signal.aborted);
        this.#read();
        await this.#join();
        this.#leave(({ answer }) => answer.ended);
      } catch (error) {
        for (const written of this.#active) written.fail(error);
        this.#leave(() => true);
      }
    }
    this.#running = undefined;
  }

  #read(): void {
    if (this.#active.length === 0) return;
    const moves = this.#active.flatMap(({ seat, answer }) =>
      seat === undefined ? [] : [{ seat, token: answer.last }],
    );
    this.#take(this.#active, this.#slots.read(moves, followingOf(this.#active)));
    this.#leave(({ answer }) => answer.ended);
  }

  async #join(): Promise<void> {
    const free = this.#limits.slots - this.#active.length;
    let tokens = 0;
    const joining: WrittenAnswer[] = [];
    for (const written of this.#waiting.slice(0, free)) {
      tokens += written.answer.prompt.length;
      if (joining.length > 0 && tokens > PROMPT_TOKENS) break;
      joining.push(written);
    }
    if (joining.length === 0) return;
    this.#waiting = this.#waiting.slice(joining.length);
    this.#active.push(...joining);
    const prompts = joining.map(({ answer }) => answer.prompt);
    const { seats, followings } = await this.#slots.join(prompts, followingOf(joining));
    joining.forEach((written, index) => (written.seat = seats[index]));
    this.#take(joining, followings);
  }

  #take(rows: readonly WrittenAnswer[], followings: Followings): void {
    rows.forEach((written, index) => written.take(followings[index] ?? []));
  }

  #leave(isOver: (written: WrittenAnswer) => boolean): void {
    for (const written of this.#active) {
      if (isOver(written) && written.seat !== undefined) this.#slots.leave(written.seat);
    }
    this.#active = this.#active.filter((written) => !isOver(written));
  }
}

/** Logits are fetched only where someone needs them. */
function followingOf(rows: readonly WrittenAnswer[]): "next" | "logits" {
  return rows.every(({ isGreedy }) => isGreedy) ? "next" : "logits";
}
