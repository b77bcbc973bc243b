import { endToken } from "../../../data/render.js";
import { T5 } from "../../../model/t5/t5.js";
import { KitError } from "../../../support/errors.js";
import { type PreflightReport, preflight } from "../../../train/preflight/preflight.js";
import { textTable } from "../data/shared.js";
import type { PreparedRun } from "./prepare.js";
import type { RunConfig } from "./run-config.js";

/** `ift-kit train --check`: the preflight of a run, printed. @returns whether it passed */
export async function checkRun(
  { decoder, spans, tokenizer }: PreparedRun,
  config: RunConfig,
  { compile, json }: { readonly compile: boolean; readonly json: boolean },
): Promise<boolean> {
  const { bos, eos } = tokenizer.special;
  if (decoder instanceof T5) {
    throw new KitError(
      "the check is for decoders, and the model of this run has an encoder",
      "start the run without --check",
      { field: "decoder" },
    );
  }
  const report = await preflight(decoder, spans, config.train, {
    tokens: { ...(bos === undefined ? {} : { bos }), ends: [eos, endToken(config.template, tokenizer)] },
    compile,
  });
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
