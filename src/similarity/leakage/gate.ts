import type { TaskSplit } from "../../data/split/task-split.js";
import { groupBy } from "../../support/group.js";
import { KitError } from "../../support/errors.js";
import { type Leak, LEAK_KINDS, type LeakKind } from "./leak.js";
import type { LeakageReport } from "./report.js";

/** What the gate saw and let pass; it goes into the manifest of a run. */
export interface GatePass {
  /** Kinds that the caller allows. */
  readonly allowed: readonly LeakKind[];
  /** Of these, what there was: rows of the side that is concerned (or pairs of tasks, where whole tasks are meant). */
  readonly passed: Readonly<Partial<Record<LeakKind, number>>>;
}

/**
 * Stops a run on a split that leaks.
 * @param allow kinds that are let pass
 * @throws KitError that names each kind which is not allowed, with its number and the first case
 */
export function passLeakageGate(report: LeakageReport, allow: readonly LeakKind[] = []): GatePass {
  const byKind = groupBy(report.leaks, ({ kind }) => kind);
  const stopping = [...byKind].filter(([kind]) => !allow.includes(kind));
  if (stopping.length > 0) {
    const found = stopping.map(([kind, leaks]) => describeKind(kind, leaks, report)).join("; ");
    throw new KitError(
      `the split leaks: ${found}`,
      `hold out something else, leave the rows out (--remove-leaks SIDE, withoutLeaks), or allow it by name (--allow-leak ${stopping.map(([kind]) => kind).join(" ")})`,
    );
  }
  const passed = Object.fromEntries([...byKind].map(([kind, leaks]) => [kind, sizeOf(kind, leaks, report)]));
  return { allowed: [...allow], passed };
}

/** One clause: what, how much, and where it is worst. */
export function describeKind(kind: LeakKind, leaks: readonly Leak[], report: LeakageReport): string {
  const [first] = leaks;
  if (first === undefined) return LEAK_KINDS[kind];
  const { trainTask, heldOutTask, shared } = first;
  const count = report.rows.has(kind)
    ? `${sizeOf(kind, leaks, report)} ${kind === "evaluation-only" ? "training" : "held-out"} rows`
    : `${leaks.length} pairs of tasks`;
  const tasks = trainTask === heldOutTask ? `"${heldOutTask}"` : `"${heldOutTask}" from "${trainTask}"`;
  return `${kind} (${LEAK_KINDS[kind]}): ${count}, such as ${tasks}${shared === undefined ? "" : ` by ${shared}`}`;
}

function sizeOf(kind: LeakKind, leaks: readonly Leak[], report: LeakageReport): number {
  return report.rows.get(kind)?.heldOut.size ?? leaks.length;
}

/**
 * The split without the rows that leak by the kinds that speak of rows (the same, near, contained and shown inputs).
 * @param side where the rows are left out: "held-out" keeps the training set as it is, "train" keeps the test set
 */
export function withoutLeaks(split: TaskSplit, report: LeakageReport, side: "train" | "held-out"): TaskSplit {
  const kindOf = new Map<string, LeakKind>();
  for (const [kind, rows] of report.rows) {
    for (const id of side === "train" ? rows.train : rows.heldOut) if (!kindOf.has(id)) kindOf.set(id, kind);
  }
  const before = side === "train" ? split.train : split.heldOut;
  const after = before.filter(({ id }) => !kindOf.has(id));
  if (after.length === 0) {
    throw new KitError(`all ${side} rows leak`, "hold out something else", { field: side });
  }
  const dropped = groupBy(
    before.filter(({ id }) => kindOf.has(id)),
    ({ id, task }) => `${task}\n${kindOf.get(id) ?? ""}`,
  );
  const excluded = [...dropped].map(([key, rows]) => {
    const [name = "", kind = ""] = key.split("\n");
    return { what: "rows", name, rows: rows.length, why: `they leak: ${kind}` } as const;
  });
  const left = new Set(after.map(({ id }) => id));
  return {
    ...split,
    ...(side === "train" ? { train: after } : { heldOut: after }),
    [side === "train" ? "trainTaskTypes" : "heldOutTaskTypes"]: [
      ...new Set(after.map(({ taskType }) => taskType)),
    ].sort(),
    excluded: [...split.excluded, ...excluded],
    sharedInputs: split.sharedInputs.filter(({ trainId, heldOutId }) =>
      left.has(side === "train" ? trainId : heldOutId),
    ),
  };
}
