import { z } from "zod";
import type { CheckedPlan } from "../plan/plan.js";
import type { PlannedRun } from "../plan/expand.js";
import type { RunState, RunStore } from "../store.js";

/** A run of a stored plan. */
export interface PlanRunStatus {
  readonly key: string;
  readonly id: string;
  readonly arm: string;
  readonly levels: Readonly<Record<string, string>>;
  readonly state: RunState;
}

/** A plan of a store, and where its runs stand. */
export interface PlanStatus {
  readonly name: string;
  readonly plan: unknown;
  readonly runs: readonly PlanRunStatus[];
}

/** What a finished run took, for estimates. */
export interface RunHistory {
  readonly flops: number;
  readonly trainingSeconds: number;
  /** From the claim to the result: start, training and answering. */
  readonly seconds: number;
}

/** Writes down which runs a plan asks for; replaces what an earlier form of the plan asked for. */
export function savePlan(store: RunStore, plan: CheckedPlan, runs: readonly PlannedRun[]): void {
  store.register(runs.map(({ specification }) => specification));
  const { database } = store;
  database.transaction(() => {
    database.run(
      "INSERT INTO plans (name, plan, stored_at) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET plan = excluded.plan, stored_at = excluded.stored_at",
      plan.name,
      JSON.stringify(plan),
      Date.now(),
    );
    database.run("DELETE FROM plan_runs WHERE plan = ?", plan.name);
    for (const [position, { specification, levels }] of runs.entries()) {
      database.run(
        "INSERT INTO plan_runs (plan, position, key, id, arm, levels) VALUES (?, ?, ?, ?, ?, ?)",
        plan.name,
        position,
        store.key(specification),
        specification.id,
        specification.arm,
        JSON.stringify(levels),
      );
    }
  });
}

const planRow = z.object({ name: z.string(), plan: z.string() });
const runRow = z.object({ key: z.string(), id: z.string(), arm: z.string(), levels: z.string() });
const levelsSchema = z.record(z.string(), z.string());

/** All plans of a store, the newest first. */
export function planStatuses(store: RunStore): PlanStatus[] {
  return store.database
    .all(planRow, "SELECT name, plan FROM plans ORDER BY stored_at DESC, name")
    .map(({ name, plan }) => ({
      name,
      plan: JSON.parse(plan) as unknown,
      runs: store.database
        .all(runRow, "SELECT key, id, arm, levels FROM plan_runs WHERE plan = ? ORDER BY position", name)
        .map(({ levels, ...run }) => ({
          ...run,
          levels: levelsSchema.parse(JSON.parse(levels)),
          state: store.state(run.key),
        })),
    }));
}

const historyRow = z.object({
  flops: z.number(),
  training_seconds: z.number(),
  started_at: z.number(),
  ended_at: z.number(),
});

/** What the newest runs of a suite took that were done in one go; at most 50. */
export function suiteHistory(store: RunStore, suite: string): RunHistory[] {
  return store.database
    .all(
      historyRow,
      `SELECT flops, training_seconds, started_at, ended_at FROM runs JOIN attempts USING (key)
       WHERE suite = ? AND outcome = 'finished' AND flops > 0 AND training_seconds > 0
         AND (SELECT count(*) FROM attempts AS others WHERE others.key = runs.key) = 1
       ORDER BY ended_at DESC LIMIT 50`,
      suite,
    )
    .map(({ flops, training_seconds: trainingSeconds, started_at, ended_at }) => ({
      flops,
      trainingSeconds,
      seconds: Math.max(trainingSeconds, (ended_at - started_at) / 1000),
    }));
}

/** The keys of the runs that a user means by the beginning of a key, or by the name of a run of a plan. */
export function keysMeantBy(store: RunStore, name: string): string[] {
  const row = z.object({ key: z.string() });
  const found = store.database.all(
    row,
    "SELECT DISTINCT key FROM plan_runs WHERE id = ? UNION SELECT key FROM runs WHERE substr(key, 1, length(?)) = ?",
    name,
    name,
    name,
  );
  return found.map(({ key }) => key);
}
