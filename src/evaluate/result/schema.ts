import { z } from "zod";

/** Version of the result file; a reader refuses others. */
export const RESULT_VERSION = 1;

const hash = z.string().regex(/^[0-9a-f]{64}$/, "give a SHA-256 of 64 hexadecimal digits");
const name = z.string().min(1);

/** What was run. Everything that changes a number is in it. */
export const resultConfigSchema = z.strictObject({
  /** Path as it was given. */
  model: name,
  tokenizerHash: z.string(),
  data: name,
  /** SHA-256 of the rows that were scored. */
  dataHash: hash,
  protocol: name,
  templates: z.array(z.strictObject({ name, hash: z.string() })).min(1),
  /** By name, such as maxNewTokens; units in the names or the protocol's documentation. */
  settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
});

/** One number with its interval and floors. */
export const resultMetricSchema = z.strictObject({
  metric: name,
  /** What it is over: all rows, one task type, or one task. */
  scope: z.enum(["all", "task type", "task"]),
  /** The task type or task; "all" for all rows. */
  of: name,
  /** Name of the template, or "all templates". */
  template: name,
  rows: z.int().min(1),
  mean: z.number(),
  /** A 95% interval where the metric has one. */
  interval: z.strictObject({ low: z.number(), high: z.number(), basis: z.string() }).optional(),
  /** What the metric gives without a model, by name. */
  floors: z.record(z.string(), z.number()).optional(),
});

/** One answer. The texts are hashed; `output` is there where the file keeps answers. */
export const resultExampleSchema = z.strictObject({
  id: z.string(),
  task: z.string(),
  taskType: z.string(),
  template: name,
  /** SHA-256 of the prompt as text, of the references as a JSON list, of the answer. */
  promptHash: hash,
  targetHash: hash,
  outputHash: hash,
  output: z.string().optional(),
  /** By metric. */
  scores: z.record(z.string(), z.number()),
});

export type ResultConfig = z.infer<typeof resultConfigSchema>;
export type ResultMetric = z.infer<typeof resultMetricSchema>;
export type ResultExample = z.infer<typeof resultExampleSchema>;

/** A whole evaluation. */
export interface EvaluationResult {
  readonly config: ResultConfig;
  readonly metrics: readonly ResultMetric[];
  readonly examples: readonly ResultExample[];
}

/** The first line of a result file. */
export const resultHeaderSchema = z.strictObject({
  format: z.literal("ift-kit evaluation"),
  version: z.literal(RESULT_VERSION),
  config: resultConfigSchema,
  metrics: z.array(resultMetricSchema).min(1),
  /** Number of the lines that follow. */
  examples: z.int().min(0),
});
