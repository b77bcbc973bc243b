import type { Example } from "../../data/example.js";

/** Ways in which what is tested can have been trained on, and what each says of its two tasks. */
export const LEAK_KINDS = {
  "evaluation-only": "rows for evaluation only are trained on",
  "shared-task-type": "a task type is on both sides",
  "shared-task": "a task is on both sides",
  "shared-source": "a source data set is on both sides",
  "sibling-task": "tasks of one source or one instruction are on different sides",
  "same-input": "held-out rows have the input of a training row",
  "near-duplicate": "held-out rows have nearly the input of a training row",
  "contained-input": "an input stands word for word in a row of the other side",
  demonstration: "held-out rows are shown as demonstrations",
} as const satisfies Record<string, string>;

export type LeakKind = keyof typeof LEAK_KINDS;

/** Names of the kinds, for the command line. */
export const LEAK_KIND_NAMES = Object.keys(LEAK_KINDS) as readonly LeakKind[];

/** The two rows of a leak, as evidence. */
export interface LeakEvidence {
  readonly trainId: string;
  readonly heldOutId: string;
  /** What they share, cut to 200 characters. */
  readonly text: string;
  /** Jaccard similarity of near-duplicates. */
  readonly similarity?: number;
}

/** What leaks from one task to another. */
export interface Leak {
  readonly kind: LeakKind;
  readonly trainTask: string;
  readonly heldOutTask: string;
  /** What the tasks share, where they share something with a name: a task type, a source data set. */
  readonly shared?: string;
  /** Different rows on each side; 0 where whole tasks are meant. */
  readonly trainRows: number;
  readonly heldOutRows: number;
  /** The first pairs, at most three. */
  readonly evidence: readonly LeakEvidence[];
}

/** Ids of the rows that leak by one kind. */
export interface LeakingRows {
  readonly train: ReadonlySet<string>;
  readonly heldOut: ReadonlySet<string>;
}

const EVIDENCE_KEPT = 3;
const TEXT_KEPT = 200;

interface OpenLeak {
  readonly kind: LeakKind;
  readonly trainTask: string;
  readonly heldOutTask: string;
  readonly shared?: string;
  readonly train: Set<string>;
  readonly heldOut: Set<string>;
  readonly evidence: LeakEvidence[];
}

/** Gathers leaks by kind and pair of tasks. */
export class LeakBook {
  readonly #leaks = new Map<string, OpenLeak>();
  readonly #rows = new Map<LeakKind, { train: Set<string>; heldOut: Set<string> }>();

  /** Books two rows. */
  addRows(kind: LeakKind, train: Example, heldOut: Example, text: string, similarity?: number): void {
    const leak = this.#leak(kind, train.task, heldOut.task);
    leak.train.add(train.id);
    leak.heldOut.add(heldOut.id);
    const ofKind = this.#rows.get(kind) ?? { train: new Set(), heldOut: new Set() };
    this.#rows.set(kind, ofKind);
    ofKind.train.add(train.id);
    ofKind.heldOut.add(heldOut.id);
    if (leak.evidence.length >= EVIDENCE_KEPT) return;
    const shown = text.length > TEXT_KEPT ? `${text.slice(0, TEXT_KEPT)}...` : text;
    const ids = { trainId: train.id, heldOutId: heldOut.id };
    leak.evidence.push(
      similarity === undefined ? { ...ids, text: shown } : { ...ids, text: shown, similarity },
    );
  }

  /** Books two tasks as a whole. */
  addTasks(kind: LeakKind, trainTask: string, heldOutTask: string, shared?: string): void {
    this.#leak(kind, trainTask, heldOutTask, shared);
  }

  #leak(kind: LeakKind, trainTask: string, heldOutTask: string, shared?: string): OpenLeak {
    const key = `${kind}\n${trainTask}\n${heldOutTask}\n${shared ?? ""}`;
    const known = this.#leaks.get(key);
    if (known !== undefined) return known;
    const leak: OpenLeak = {
      kind,
      trainTask,
      heldOutTask,
      ...(shared === undefined ? {} : { shared }),
      train: new Set(),
      heldOut: new Set(),
      evidence: [],
    };
    this.#leaks.set(key, leak);
    return leak;
  }

  /** All leaks: kinds in the order of `LEAK_KINDS`, those of most held-out rows first. */
  leaks(): Leak[] {
    return [...this.#leaks.values()]
      .map(({ train, heldOut, ...leak }) => ({ ...leak, trainRows: train.size, heldOutRows: heldOut.size }))
      .sort(
        (a, b) =>
          LEAK_KIND_NAMES.indexOf(a.kind) - LEAK_KIND_NAMES.indexOf(b.kind) || b.heldOutRows - a.heldOutRows,
      );
  }

  /** The rows of each kind that speaks of rows. */
  rows(): ReadonlyMap<LeakKind, LeakingRows> {
    return this.#rows;
  }
}
