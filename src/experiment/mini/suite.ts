import { z } from "zod";
import { GRID_LEVELS } from "../../data/mini/grid/rows.js";
import { defineSuite } from "../suite.js";
import { positiveCount, runBudgetSchema, shapeSchema } from "../suite-schema.js";
import { specifyMini } from "./plan.js";
import { DEFAULT_MINI_SETTINGS, type MiniRunSettings } from "./settings.js";
import { extraEvaluationFields, MAIN_EXTRA_EVALUATION, MAIN_VARIANT, variantFields } from "./variant.js";

const clusterSchema = z.strictObject({
  over: z.enum(["selectors", "formats"]),
  name: z.string().min(1),
});

const schema: z.ZodType<MiniRunSettings> = z.strictObject({
  format: z
    .enum(["sft", "sft-tag", "ift", "ift-shuffled", "ift-swapped"])
    .describe(
      "how rows are shown: text alone, with an opaque task tag, with the instruction, with another row's, with another task type's",
    ),
  trainingCells: positiveCount.describe("training task types, number"),
  start: z
    .discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("random"), vocabularySize: positiveCount, decoder: shapeSchema }),
      z.strictObject({ kind: z.literal("checkpoint"), folder: z.string().min(1) }),
      z.strictObject({ kind: z.literal("random-like"), folder: z.string().min(1) }),
    ])
    .describe("what training starts from: random weights, a model's folder, or random weights of its shape"),
  trainingRows: positiveCount.describe("training rows that are drawn, about"),
  split: z.strictObject({
    without: clusterSchema
      .optional()
      .describe("all task types of one selector or format, left out of training"),
  }),
  evaluation: z.strictObject({
    testRows: z.record(z.enum(GRID_LEVELS), positiveCount).describe("test rows of each level"),
    clusterRows: positiveCount.describe("test rows of each cluster that is asked"),
    levels: z.array(z.enum(GRID_LEVELS)).describe("how far from training the rows are that are asked"),
    clusters: z.array(clusterSchema).describe("clusters that are asked besides"),
    ...extraEvaluationFields,
  }),
  budget: runBudgetSchema,
  rowsPerStep: positiveCount.describe("rows of an optimizer step, at most"),
  learningRate: z.number().positive().describe("after the warm-up"),
  ...variantFields,
});

const { start, trainingCells, trainingRows, testRows, clusterRows, rowsPerStep, learningRate } =
  DEFAULT_MINI_SETTINGS;

/** The grid of the mini world: which word of a text is asked for, and how it is to be written. */
export const miniSuite = defineSuite<MiniRunSettings>({
  name: "mini-grid",
  schema,
  defaults: {
    start,
    trainingCells: Math.max(...trainingCells),
    trainingRows,
    split: {},
    evaluation: { testRows, clusterRows, levels: GRID_LEVELS, clusters: [], ...MAIN_EXTRA_EVALUATION },
    rowsPerStep,
    learningRate,
    ...MAIN_VARIANT,
  },
  metrics: ["exact-match"],
  specify: (settings) => Promise.resolve(specifyMini(settings)),
  entry: new URL("./run.js", import.meta.url),
  load: async () => {
    const { runMini, sizeOfMini } = await import("./run.js");
    return { run: runMini, size: sizeOfMini };
  },
});
