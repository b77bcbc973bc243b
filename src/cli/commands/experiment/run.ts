import { join } from "node:path";
import { Command } from "commander";
import { estimatePlan, type PlanEstimate } from "../../../experiment/cost/estimate.js";
import type { RunPlace } from "../../../experiment/places/place.js";
import { type PlannedRun, planRuns } from "../../../experiment/plan/expand.js";
import type { CheckedPlan } from "../../../experiment/plan/plan.js";
import { readPlan, shippedPlans } from "../../../experiment/plan/read.js";
import { doRuns, type FailedRun, type PoolProgress } from "../../../experiment/pool.js";
import { RunStore } from "../../../experiment/store.js";
import { savePlan } from "../../../experiment/store/overview.js";
import { reportOfPlan } from "../../../report/experiments/run-plan.js";
import { writeReport } from "../../../report/report.js";
import { KitError } from "../../../support/errors.js";
import { progressBar } from "../../../support/progress.js";
import { onInterrupt } from "../../interrupt.js";
import { type PlaceFlags, placeOf, withPlaceOptions } from "./place.js";
import { printTable } from "./table.js";

interface RunFlags extends PlaceFlags {
  readonly store: string;
  readonly dryRun?: true;
  readonly json?: true;
}

/** Where runs are kept that plans share. */
export const DEFAULT_STORE = join("runs", "experiments");

/** `ift-kit experiment run PLAN`, which is also plain `ift-kit experiment PLAN`. */
export function runCommand(): Command {
  const command = new Command("run")
    .description(
      "do the runs of a plan that the store lacks, and write the report; the same command goes on after a stop",
    )
    .argument("<plan>", `a plan (.ts or .json), or one that ships: ${shippedPlans().join(", ")}`)
    .option("--store <folder>", "where runs and reports are kept; plans may share one", DEFAULT_STORE)
    .option("--dry-run", "print the runs and what they cost on this machine, and do none of them")
    .option("--json", "print the result as JSON");
  return withPlaceOptions(command).action(run);
}

async function run(given: string, flags: RunFlags): Promise<void> {
  const { plan, file } = await readPlan(given);
  const runs = await planRuns(plan, file);
  const store = new RunStore(flags.store);
  const place = await placeOf(flags, (id, line) => console.error(`\n${id}: ${line}`));
  try {
    if (flags.dryRun === true) await forecast(plan, runs, store, place, flags);
    else await perform(given, plan, runs, store, place, flags);
  } finally {
    await place.close();
    store.close();
  }
}

async function forecast(
  plan: CheckedPlan,
  runs: readonly PlannedRun[],
  store: RunStore,
  { capacity }: RunPlace,
  { json }: RunFlags,
): Promise<void> {
  const bar = progressBar("measuring");
  const estimate = await estimatePlan(runs, store, capacity, (share) => bar.update(share));
  bar.stop();
  if (json === true) console.log(JSON.stringify(estimate, undefined, 2));
  else printEstimate(plan, estimate);
}

async function perform(
  given: string,
  plan: CheckedPlan,
  runs: readonly PlannedRun[],
  store: RunStore,
  place: RunPlace,
  flags: RunFlags,
): Promise<void> {
  savePlan(store, plan, runs);
  const interrupt = onInterrupt("Stopping: the runs at work write a checkpoint (again to stop at once).");
  const bar = progressBar(plan.name);
  try {
    const done = await doRuns(
      runs.map(({ specification }) => specification),
      store,
      {
        signal: interrupt.signal,
        place,
        onProgress: (progress) => bar.update(progress.fraction, describe(progress)),
        onTrouble: ({ id, message }, isTriedAgain) =>
          console.error(`\n${id}: ${message}${isTriedAgain ? "; it is started again" : ""}`),
      },
    );
    bar.stop();
    const report =
      done.status === "finished" ? await writePlanReport(plan, runs, store, done.failed) : undefined;
    announce(done.results.length, runs.length, done.failed, report, given, flags);
  } finally {
    bar.stop();
    interrupt.release();
  }
}

async function writePlanReport(
  plan: CheckedPlan,
  runs: readonly PlannedRun[],
  store: RunStore,
  failed: readonly FailedRun[],
): Promise<{ readonly html: string; readonly summary: readonly string[] } | undefined> {
  const report = reportOfPlan(plan, runs, store, failed);
  if (report === undefined) return undefined;
  const { html } = await writeReport(join(store.directory, "reports", plan.name), report);
  return { html, summary: report.summary };
}

function announce(
  finished: number,
  total: number,
  failed: readonly FailedRun[],
  report: { readonly html: string; readonly summary: readonly string[] } | undefined,
  plan: string,
  { store, json }: RunFlags,
): void {
  if (json === true) {
    console.log(JSON.stringify({ finished, total, failed, report: report?.html ?? null }, undefined, 2));
  } else {
    for (const line of report?.summary ?? []) console.log(line);
    if (report !== undefined) console.log(`Report: ${report.html}`);
    else console.log(`${finished} of ${total} runs; to go on: ift-kit experiment ${plan} --store ${store}`);
  }
  const [first] = failed;
  if (first === undefined) return;
  throw new KitError(
    `${failed.length} of ${total} runs failed, the first was "${first.id}": ${first.message}`,
    "mend the cause and run the same command again; finished runs are kept",
  );
}

function describe({ finished, total, tokensPerSecond }: PoolProgress): string {
  return `${finished} of ${total} runs | ${Math.round(tokensPerSecond).toLocaleString("en")} tokens/s`;
}

function printEstimate(plan: CheckedPlan, { runs, minutes, processes, basis }: PlanEstimate): void {
  const whole = (value: number): string => Math.round(value).toLocaleString("en");
  const total = (of: (run: PlanEstimate["runs"][number]) => number): number =>
    runs.reduce((sum, one) => sum + of(one), 0);
  printTable(
    ["run", "supervised tokens", "total tokens", "steps", "FLOPs", "minutes", "state"],
    [
      ...runs.map(({ id, cost, seconds, isFinished }) => [
        id,
        whole(cost.supervisedTokens),
        whole(cost.totalTokens),
        whole(cost.steps),
        (cost.trainingFlops + cost.evaluationFlops).toExponential(2),
        (seconds / 60).toFixed(1),
        isFinished ? "finished" : "to do",
      ]),
      [
        "all",
        whole(total(({ cost }) => cost.supervisedTokens)),
        whole(total(({ cost }) => cost.totalTokens)),
        whole(total(({ cost }) => cost.steps)),
        total(({ cost }) => cost.trainingFlops + cost.evaluationFlops).toExponential(2),
        (total(({ seconds }) => seconds) / 60).toFixed(1),
        `${runs.filter(({ isFinished }) => !isFinished).length} to do`,
      ],
    ],
  );
  console.log(
    `${plan.name}: about ${minutes.toFixed(1)} minutes on this machine with ${processes} processes.`,
  );
  console.log(`Times are from ${basis}; FLOPs are counted, see ift-kit/experiment/cost/flops.`);
}
