import type { Spans } from "../../data/spans.js";
import { type BatchArrays, layOut } from "../batch.js";
import { parseTrainConfig, type TrainConfig } from "../config.js";
import type { Objective } from "../objective.js";
import { nextToken, type TrainableModel } from "../objectives/next-token.js";
import { lossOptions } from "../loss-options.js";
import { DataOrder } from "../order.js";
import { packBestFit } from "../pack.js";
import { prepareRows, type TrainingRow } from "../rows.js";
import { createStep, stepKind } from "../step/create-step.js";
import { trainObjective } from "../train.js";
import { type CheckName, type CheckResult, judged, notApplicable, type PreflightReport } from "./check.js";
import { alone, inPasses, packed, paddedAfter, paddedBefore } from "./layouts.js";
import { differenceOf, type LossGradient, lossGradient, normOf } from "./measure.js";
import { checkResume } from "./resume.js";
import { checkRedraw } from "./redraw.js";
import { checkRows, type RowTokens } from "./rows.js";

export type { CheckResult, PreflightReport, RowTokens };

/** What a preflight of any objective may be told. */
export interface ObjectivePreflightOptions {
  /** Checks of the rows by themselves, which head the report: `checkRows`, `checkEncoderRows`, `checkSequenceRows`. */
  readonly rowChecks?: readonly CheckResult[];
  /** As for `train`. */
  readonly compile?: boolean;
  /** Whether the model's family takes padding before a row; decoders do. Default: true. */
  readonly leftPadding?: boolean;
  /** Parts of the trainer that tests replace by broken ones. */
  readonly parts?: Partial<PreflightParts>;
}

/** What the preflight of a decoder may be told. */
export interface PreflightOptions extends Omit<ObjectivePreflightOptions, "rowChecks"> {
  /** For the checks of BOS and EOS. */
  readonly tokens?: RowTokens;
}

/** The parts of the trainer that are checked besides the model and the rows. */
export interface PreflightParts {
  readonly pack: typeof packBestFit;
  readonly lossGradient: typeof lossGradient;
  readonly createStep: typeof createStep;
  readonly train: typeof trainObjective;
}

/** Rows of the first step of the run that are measured. */
const ROWS = 8;
/** Relative differences by rounding, in float32 and where matrix products are in bfloat16 (8 bits of precision). */
const LIMIT = { float32: 1e-4, bfloat16: 5e-2 } as const;

const DEFECT = "report it as a defect of the kit, with the configuration";

/** The preflight of a decoder that learns the next token; see `preflightObjective`. */
export async function preflight(
  model: TrainableModel,
  rows: readonly Spans[],
  config: TrainConfig,
  options: PreflightOptions = {},
): Promise<PreflightReport> {
  const rowChecks = checkRows(rows, options.tokens);
  const usable = rows.filter(({ supervised }) => supervised[0] !== true && supervised.includes(true));
  return preflightObjective(nextToken(model), prepareRows(usable, model.config), config, {
    ...options,
    rowChecks,
  });
}

/**
 * Checks on the user's own model, rows and config, before a run, that what must not change loss and gradient does not
 * (micro-batch size, padding on either side, packing, accumulation, resume; for rows that are drawn anew in each epoch,
 * the batch that they are in), and that rows are as they should be. It measures rows of the run's first step, without
 * dropout, and leaves the model as it was. A check that has no meaning for the objective says so, and why.
 * @throws KitError for a wrong config, or rows that the model cannot take
 */
export async function preflightObjective(
  objective: Objective,
  rows: readonly TrainingRow[],
  config: TrainConfig,
  options: ObjectivePreflightOptions = {},
): Promise<PreflightReport> {
  const checked = parseTrainConfig(config);
  const compile = options.compile ?? true;
  const parts: PreflightParts = {
    ...{ pack: packBestFit, lossGradient, createStep, train: trainObjective },
    ...options.parts,
  };
  const sample = sampleOf(rows, checked);
  const checks = [
    ...(options.rowChecks ?? []),
    ...checkInvariance(objective, sample, checked, parts, options.leftPadding ?? true),
    ...(objective.redraw === undefined ? [] : [checkRedraw(objective, sample, checked.seed)]),
    checkAccumulation(objective, sample, checked, parts, compile),
    await checkResume(objective, rows, checked, parts.train, compile),
  ];
  return { passed: checks.every(({ status }) => status !== "fail"), checks };
}

/** Some rows of the first step, as rows of their own. */
function sampleOf(rows: readonly TrainingRow[], { batch, seed }: TrainConfig): TrainingRow[] {
  const first = new DataOrder(rows, batch, seed).next().flat().slice(0, ROWS);
  return first.flatMap((index) => rows[index] ?? []);
}

function checkInvariance(
  objective: Objective,
  rows: readonly TrainingRow[],
  config: TrainConfig,
  parts: PreflightParts,
  leftPadding: boolean,
): CheckResult[] {
  const { model, needs } = objective;
  const { contextLength } = model.config;
  const reference = parts.lossGradient(objective, alone(rows, needs));
  const compare = (name: CheckName, batches: readonly BatchArrays[], cure: string): CheckResult =>
    compared(name, parts.lossGradient(objective, batches), reference, cure);
  const single = "there is a single row in the first step";
  const microBatch = { check: "micro-batch size", what: "rows one by one, in twos, all in one pass" };
  const right = { check: "padding after", what: "rows with and without padding behind them" };
  const left = { check: "padding before", what: "rows with and without padding before them" };
  const packing = { check: "packing", what: "rows by themselves and several in one row of the tensor" };
  const capacity = config.batch.kind === "packed" ? config.batch.tokensPerRow : contextLength;
  const packs = needs.decoder === true ? undefined : packed(rows, capacity, parts.pack, needs);
  return [
    rows.length < 2
      ? notApplicable(microBatch, single)
      : worse(
          ...[2, rows.length].map((size) =>
            compare(
              microBatch,
              inPasses(rows, size, needs),
              "see that no op of the model mixes rows of a batch",
            ),
          ),
        ),
    compare(
      right,
      paddedAfter(rows, contextLength, needs),
      needs.padding === true
        ? "see that the model heeds segments"
        : "see that no position of the model sees a later one",
    ),
    leftPadding
      ? compare(
          left,
          paddedBefore(rows, contextLength, needs),
          "see that the model heeds segments and positions",
        )
      : notApplicable(left, "the model's family takes no padding before a row"),
    packs === undefined
      ? notApplicable(
          packing,
          needs.decoder === true
            ? "the rows of an encoder-decoder are not packed"
            : "no two rows of the first step fit into one pack",
        )
      : compare(
          packing,
          packs,
          "see that the model heeds segments and positions, or train with batch.kind bucketed",
        ),
  ];
}

/** The run's own step, in one pass and in two of different sizes, beside the gradient of the rows one by one. */
function checkAccumulation(
  objective: Objective,
  rows: readonly TrainingRow[],
  config: TrainConfig,
  parts: PreflightParts,
  compile: boolean,
): CheckResult {
  const { model, needs } = objective;
  const kind = stepKind(model, compile);
  const { precision = "float32", batch } = config;
  const name = {
    check: "accumulation",
    what: `the run's own ${kind} step: all rows in one pass, and the first alone and then the others`,
  };
  if (model.hasDropout === true) return notApplicable(name, "the run's own step draws dropout for each pass");
  const options = lossOptions(config, objective);
  const reference = parts.lossGradient(objective, alone(rows, needs), options);
  const norm = normOf(reference.gradient);
  const step = parts.createStep(kind, objective, config, { rows }, undefined);
  const layout = (indexes: readonly number[]): BatchArrays =>
    layOut(
      rows,
      indexes.map((index) => [index]),
      batch.kind,
      needs,
    );
  try {
    const all = rows.map((_, index) => index);
    const cuts = rows.length < 2 ? [[all]] : [[all], [all.slice(0, 1), all.slice(1)]];
    const differences = cuts.map((cut) => {
      const { loss, gradientNorm } = step.measure(cut.map(layout));
      step.discard();
      return {
        loss: Math.abs(loss - reference.loss) / Math.max(1, reference.loss),
        norm: Math.abs(gradientNorm - norm) / Math.max(1e-12, norm),
      };
    });
    const [loss, gradient] = [
      Math.max(...differences.map((difference) => difference.loss)),
      Math.max(...differences.map((difference) => difference.norm)),
    ];
    return judged(name, Math.max(loss, gradient), LIMIT[precision], {
      detail: `loss ${loss.toExponential(1)}, gradient norm ${gradient.toExponential(1)}`,
      cure: kind === "compiled" ? `train with --eager (compile: false), and ${DEFECT}` : DEFECT,
    });
  } finally {
    step.synchronise();
    step.dispose();
  }
}

function compared(
  name: CheckName,
  measured: LossGradient,
  reference: LossGradient,
  cure: string,
): CheckResult {
  const { loss, gradient } = differenceOf(measured, reference);
  const worst = Number.isNaN(loss + gradient) ? NaN : Math.max(loss, gradient);
  const ofGradient = reference.gradient.length === 0 ? "not compared (dropout)" : gradient.toExponential(1);
  return judged(name, worst, LIMIT.float32, {
    detail: `loss ${loss.toExponential(1)}, gradient ${ofGradient}`,
    cure,
  });
}

/** The one that failed, or has the larger difference. */
function worse(...results: readonly CheckResult[]): CheckResult {
  return results.reduce((worst, result) => {
    if (worst.status === "fail") return worst;
    return result.status === "fail" || (result.measured ?? 0) > (worst.measured ?? 0) ? result : worst;
  });
}
