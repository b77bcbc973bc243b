import { type PreflightReport, preflightObjective } from "../../../train/preflight/preflight.js";
import { textTable } from "../data/shared.js";
import type { AnyRunConfig } from "./config.js";
import type { ObjectiveRun } from "./objective-run.js";

interface CheckModes {
  readonly compile: boolean;
  readonly json: boolean;
}

/** `ift-kit train --check`: the preflight of a run, printed. @returns whether it passed */
export async function checkObjective(
  run: ObjectiveRun,
  { train }: Pick<AnyRunConfig, "train">,
  { compile, json }: CheckModes,
): Promise<boolean> {
  const rowChecks = run.rowChecks();
  const report = await preflightObjective(run.objective, run.rows, train, { rowChecks, compile });
  console.log(json ? JSON.stringify(report, undefined, 2) : describe(report));
  return report.passed;
}

function describe({ passed, checks }: PreflightReport): string {
  const number = (value: number | undefined): string =>
    value === undefined ? "" : Number.isInteger(value) ? String(value) : value.toExponential(1);
  const rows = checks.map(({ check, status, measured, limit, detail = "" }) => [
    check,
    status,
    number(measured),
    number(limit),
    detail,
  ]);
  const failed = checks.filter(({ status }) => status === "fail");
  return [
    textTable(["check", "result", "measured", "limit", "detail"], rows),
    ...failed.map(({ check, what, cure = "" }) => `${check} failed (${what}). To mend it: ${cure}.`),
    passed ? "All checks that apply pass." : `${failed.length} of ${checks.length} checks failed.`,
  ].join("\n");
}
