import type { Level, Reason } from "./draft.js";

/** What became of the tasks, instances or wordings that were proposed. `proposed` = `kept` + all of `rejected`. */
export interface LedgerLine {
  readonly proposed: number;
  readonly kept: number;
  /** By step and reason, such as "filter: keyword"; only what occurred. */
  readonly rejected: Readonly<Record<string, number>>;
}

/** A reply that holds no draft counts as one task that was proposed, and rejected by what is wrong with the reply. */
export type GenerationLedger = Readonly<Record<Level, LedgerLine>>;

/** Something that was rejected, with the text that says what it was. */
export interface Rejection {
  readonly id: string;
  readonly level: Level;
  readonly step: string;
  readonly reason: Reason;
  readonly text: string;
}

/** All of them. */
export const LEVELS: readonly Level[] = ["tasks", "instances", "paraphrases"];

/** Longest text that is kept of something rejected. */
const TEXT_KEPT = 500;

/** Books what is proposed and what becomes of it. */
export class LedgerBook {
  readonly #proposed: Record<Level, number> = { tasks: 0, instances: 0, paraphrases: 0 };
  readonly #kept: Record<Level, number> = { tasks: 0, instances: 0, paraphrases: 0 };
  readonly #rejections: Rejection[] = [];

  propose(level: Level, count = 1): void {
    this.#proposed[level] += count;
  }

  keep(level: Level, count = 1): void {
    this.#kept[level] += count;
  }

  reject(rejection: Rejection): void {
    this.#rejections.push({ ...rejection, text: rejection.text.slice(0, TEXT_KEPT) });
  }

  /** Adds what another book has. */
  add(other: LedgerBook): void {
    for (const level of LEVELS) {
      this.#proposed[level] += other.#proposed[level];
      this.#kept[level] += other.#kept[level];
    }
    for (const rejection of other.#rejections) this.#rejections.push(rejection);
  }

  /** In the order of rounds and steps. */
  get rejections(): readonly Rejection[] {
    return this.#rejections;
  }

  build(): GenerationLedger {
    return {
      tasks: this.#line("tasks"),
      instances: this.#line("instances"),
      paraphrases: this.#line("paraphrases"),
    };
  }

  #line(level: Level): LedgerLine {
    const counts = new Map<string, number>();
    for (const rejection of this.#rejections) {
      if (rejection.level !== level) continue;
      const name = `${rejection.step}: ${rejection.reason}`;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    const rejected = Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
    return { proposed: this.#proposed[level], kept: this.#kept[level], rejected };
  }
}

/** Whether all that was proposed is either kept or rejected. */
export function addsUp({ proposed, kept, rejected }: LedgerLine): boolean {
  return proposed === kept + Object.values(rejected).reduce((sum, count) => sum + count, 0);
}
