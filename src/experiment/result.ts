import { z } from "zod";

const count = z.number().int().min(0);

/** One scored row of a run: what was asked for, what came, and what each metric says of it. */
const scoredRowSchema = z.strictObject({
  id: z.string(),
  task: z.string(),
  taskType: z.string(),
  /** "seen" rows are of trained task types (inputs not trained on), "held-out" rows of types never trained on. */
  part: z.enum(["seen", "held-out"]),
  /** How far from training, where the suite has several such levels. */
  level: z.string().optional(),
  /** Which wording of its instruction it was asked in, where rows are asked in several. */
  wording: z.string().optional(),
  prompt: z.string(),
  target: z.string(),
  output: z.string(),
  /** By metric, each from 0 to 1. */
  scores: z.record(z.string(), z.number().min(0).max(1)),
});

const manifestSchema = z.strictObject({
  kitVersion: z.string(),
  /** Commit of the checkout, or "unknown" outside one; "+changes" where files differ from it. */
  commit: z.string(),
  /** SHA-256 over the modules that decide a result, and the versions of the packages that they import. */
  sourceHash: z.string(),
  node: z.string(),
  dependencies: z.record(z.string(), z.string()),
  engine: z.strictObject({
    backend: z.string(),
    tensorflowVersion: z.string().nullable(),
    device: z.string(),
    threads: count,
  }),
  processor: z.string(),
  trainingDataHash: z.string(),
  testDataHash: z.string(),
  template: z.strictObject({ name: z.string(), hash: z.string() }),
  tokenizerHash: z.string(),
  parameterCount: count,
  rules: z.record(z.string(), z.string()),
});

const trainingSchema = z.strictObject({
  steps: count,
  supervisedTokens: count,
  totalTokens: count,
  epochs: z.number(),
  seconds: z.number(),
  rows: count,
  droppedRows: count,
  truncatedRows: count,
  /** Floating-point operations of the training, as `cost/flops.ts` counts them. */
  flops: z.number().min(0),
  /** SHA-256 of all trained weights at the end: two runs with the same one have the same bits. */
  weightsHash: z.string(),
});

/** What became of the training rows of one task type; see `LedgerLine`. */
const ledgerLineSchema = z.strictObject({
  taskType: z.string(),
  rowsIn: count,
  rendered: count,
  dropped: z.record(z.string(), count),
  truncated: count,
  cutTokens: count,
  demonstrationsDropped: count,
  supervisedTokens: count,
  totalTokens: count,
});

/** What can be scored on the test rows of a task type without a model. */
const floorSchema = z.strictObject({
  part: z.enum(["seen", "held-out"]),
  /** See `ScoredRow.level`. */
  level: z.string().optional(),
  taskType: z.string(),
  metric: z.string(),
  /** What scores it: "copies the input". */
  name: z.string(),
  /** Mean over the task type's rows. */
  value: z.number().min(0).max(1),
});

/** The version of a result; a reader refuses others. */
export const RUN_RESULT_VERSION = 2;

/** What a finished run leaves: enough to draw every figure and to score it again by other metrics. */
export const runResultSchema = z.strictObject({
  version: z.literal(RUN_RESULT_VERSION),
  /** The content address: hash of the specification, the code and the engine. The same run is never computed twice. */
  key: z.string(),
  suite: z.string(),
  arm: z.string(),
  seed: count,
  /** What was asked for, whole. */
  specification: z.looseObject({ suite: z.string(), id: z.string(), arm: z.string(), seed: count }),
  /** What the suite made of it: render policy, decoder, training configuration, template, metrics. */
  resolved: z.unknown(),
  manifest: manifestSchema,
  training: trainingSchema,
  ledger: z.array(ledgerLineSchema),
  /** Loss in nats per supervised token over the run, thinned. */
  curve: z.array(z.strictObject({ step: count, supervisedTokens: count, loss: z.number() })),
  rows: z.array(scoredRowSchema),
  floors: z.array(floorSchema).optional(),
  /** Bits for each byte of held-out pre-training text, where the run began with a pre-trained model. */
  forgetting: z
    .strictObject({
      text: z.string(),
      bytes: count,
      before: z.number().min(0),
      after: z.number().min(0),
    })
    .optional(),
});

export type ScoredRow = z.infer<typeof scoredRowSchema>;
export type RunFloor = z.infer<typeof floorSchema>;
export type RunManifest = z.infer<typeof manifestSchema>;
export type RunTraining = z.infer<typeof trainingSchema>;
export type RunResult = z.infer<typeof runResultSchema>;

/**
 * What a run is asked to do; suites add their own fields, all of them JSON values. Names (`id`, `arm`) are not part of
 * what is computed: two plans may call the same run differently.
 */
export interface RunSpecification {
  readonly suite: string;
  /** Names the run within its experiment. */
  readonly id: string;
  /** What is compared: runs of the same arm differ in the seed alone. */
  readonly arm: string;
  readonly seed: number;
}

/** What a run tells while it goes on. */
export interface RunProgress {
  /** Share of the work that is done, 0 to 1. */
  readonly fraction: number;
  readonly tokensPerSecond: number;
}
