import { randomInt } from "node:crypto";
import type { TeacherReply, TeacherRequest } from "./teacher.js";
import { estimatePromptTokens, type Teacher, TeacherFault } from "./teacher.js";
import { type Clock, type RateLimiter, systemClock } from "./rate-limit.js";
import { type ReplyStore, requestKey } from "./reply-store.js";
import type { Spending, Usage } from "./budget.js";

/** Why a run ends before its methods do. */
export type StopReason =
  | { readonly kind: "budget" }
  | { readonly kind: "interrupted" }
  /** The teacher does not answer, after all retries; `problem` has no key in it. */
  | { readonly kind: "teacher"; readonly problem: string };

/** Thrown through a pipeline to end it; the replies so far are kept, and the same run can go on. */
export class RunStopped extends Error {
  override readonly name = "RunStopped";
  readonly reason: StopReason;

  constructor(reason: StopReason) {
    super(reason.kind === "teacher" ? reason.problem : reason.kind);
    this.reason = reason;
  }
}

/** How often and how long a question is asked again. */
export interface RetryPolicy {
  /** After the first time. */
  readonly retries: number;
  /** Milliseconds before the first retry; twice that before the second, and so on. */
  readonly firstWait: number;
  /** The longest of these waits; what the teacher itself asks for may be longer. */
  readonly longestWait: number;
}

export const DEFAULT_RETRIES: RetryPolicy = { retries: 6, firstWait: 500, longestWait: 60_000 };

export interface AskerParts {
  readonly teacher: Teacher;
  readonly store: ReplyStore;
  /** Replies of other runs; they cost nothing. */
  readonly reusable?: readonly ReadonlyMap<string, TeacherReply>[];
  readonly limiter: RateLimiter;
  readonly spending: Spending;
  /** Questions that are answered at the same time. */
  readonly concurrency: number;
  readonly retry?: RetryPolicy;
  /** Aborted: no new question is asked; those that are being answered are waited for and kept. */
  readonly signal: AbortSignal;
  readonly clock?: Clock;
}

/** What asking took. `asked` = `fromStore` + `reused` + `answered`, unless the run was stopped. */
export interface AskCounts {
  /** Questions of the pipeline. */
  readonly asked: number;
  /** Answered by the run's own store: what an earlier part of it, or an equal question, had asked. */
  readonly fromStore: number;
  /** Answered by the replies of other runs. */
  readonly reused: number;
  /** Answered by the teacher. */
  readonly answered: number;
  /** Requests that were sent, the failed ones as well. */
  readonly sent: number;
  readonly retries: number;
}

/**
 * Asks a teacher, so that each different question is paid for once: from the store, from other runs, or by a request that
 * heeds the rate limits, the budget and the concurrency, and is retried with growing waits.
 */
export class Asker {
  readonly #parts: AskerParts;
  readonly #retry: RetryPolicy;
  readonly #clock: Clock;
  readonly #counts = { asked: 0, fromStore: 0, reused: 0, answered: 0, sent: 0, retries: 0 };
  /** Equal questions that are being answered share one request. */
  readonly #open = new Map<string, Promise<TeacherReply>>();
  #active = 0;
  readonly #waiting: (() => void)[] = [];
  #stopped: StopReason | undefined;

  constructor(parts: AskerParts) {
    this.#parts = parts;
    this.#retry = parts.retry ?? DEFAULT_RETRIES;
    this.#clock = parts.clock ?? systemClock;
  }

  get counts(): AskCounts {
    return { ...this.#counts };
  }

  /**
   * All answers, in the order of the questions. When the run must stop, those being answered are waited for first.
   * @throws RunStopped
   */
  async askAll(requests: readonly TeacherRequest[]): Promise<TeacherReply[]> {
    const settled = await Promise.allSettled(requests.map((request) => this.#ask(request)));
    // A defect says more than the stop that it may have caused.
    const defect = settled.find((one) => one.status === "rejected" && !(one.reason instanceof RunStopped));
    if (defect?.status === "rejected") throw defect.reason;
    return settled.map((one) => {
      if (one.status === "fulfilled") return one.value;
      throw one.reason;
    });
  }

  async #ask(request: TeacherRequest): Promise<TeacherReply> {
    this.#counts.asked++;
    const { teacher, store, reusable = [] } = this.#parts;
    const key = requestKey(teacher.name, request);
    const open = this.#open.get(key);
    const known = open === undefined ? store.get(key) : await open;
    if (known !== undefined) {
      this.#counts.fromStore++;
      return known;
    }
    const elsewhere = reusable.find((replies) => replies.has(key))?.get(key);
    if (elsewhere !== undefined) {
      this.#counts.reused++;
      store.add(key, elsewhere, { reused: true });
      return elsewhere;
    }
    const answer = this.#answer(request).then((reply) => {
      store.add(key, reply);
      return reply;
    });
    this.#open.set(key, answer);
    try {
      const reply = await answer;
      this.#counts.answered++;
      return reply;
    } finally {
      this.#open.delete(key);
    }
  }

  async #answer(request: TeacherRequest): Promise<TeacherReply> {
    await this.#takeSlot();
    try {
      this.#checkStopped();
      const reserved = { promptTokens: estimatePromptTokens(request), answerTokens: request.maxTokens };
      if (!this.#parts.spending.reserve(reserved)) this.#stop({ kind: "budget" });
      let paid: Usage = { promptTokens: 0, answerTokens: 0 };
      try {
        const reply = await this.#askWithRetries(request, reserved);
        paid = reply;
        return reply;
      } finally {
        this.#parts.spending.settle(reserved, {
          promptTokens: paid.promptTokens,
          answerTokens: paid.answerTokens,
        });
      }
    } finally {
      this.#freeSlot();
    }
  }

  async #askWithRetries(request: TeacherRequest, reserved: Usage): Promise<TeacherReply> {
    const { teacher, limiter, signal } = this.#parts;
    for (let attempt = 0; ; attempt++) {
      const report = await limiter.enter(reserved.promptTokens + reserved.answerTokens, signal);
      this.#checkStopped();
      this.#counts.sent++;
      try {
        // The signal of the run does not end it: an answer that is on its way will be paid for.
        const reply = await teacher.ask(request, new AbortController().signal);
        report(reply.promptTokens + reply.answerTokens);
        return reply;
      } catch (error) {
        if (!(error instanceof TeacherFault)) throw error;
        if (!error.passing || attempt >= this.#retry.retries)
          this.#stop({ kind: "teacher", problem: error.message });
        this.#counts.retries++;
        await this.#clock.sleep(waitBefore(attempt, error, this.#retry), signal);
        this.#checkStopped();
      }
    }
  }

  /** @throws RunStopped for all questions from now on */
  #stop(reason: StopReason): never {
    this.#stopped ??= reason;
    throw new RunStopped(this.#stopped);
  }

  #checkStopped(): void {
    if (this.#stopped !== undefined) throw new RunStopped(this.#stopped);
    if (this.#parts.signal.aborted) this.#stop({ kind: "interrupted" });
  }

  async #takeSlot(): Promise<void> {
    if (this.#active >= this.#parts.concurrency)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#active++;
  }

  #freeSlot(): void {
    const next = this.#waiting.shift();
    // The slot goes to the next that waits.
    if (next !== undefined) next();
    else this.#active--;
  }
}

/** Doubles with each attempt; at least what the teacher asked for. Half of it is drawn, so that clients do not come in step. */
export function waitBefore(
  attempt: number,
  { waitMilliseconds = 0 }: Pick<TeacherFault, "waitMilliseconds">,
  { firstWait, longestWait }: RetryPolicy,
): number {
  const longest = Math.min(longestWait, firstWait * 2 ** attempt);
  return Math.max(waitMilliseconds, longest / 2 + (randomInt(1_000_001) / 1e6) * (longest / 2));
}
