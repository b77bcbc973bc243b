import { z } from "zod";
import { defineSuite } from "../suite.js";
import { positiveCount, rangeSchema, runBudgetSchema, shapeSchema } from "../suite-schema.js";
import { specifyRewrite } from "./plan.js";
import { DEFAULT_SETTINGS, type RewriteRunSettings, runSettingsOf } from "./settings.js";

const schema: z.ZodType<RewriteRunSettings> = z.strictObject({
  format: z
    .enum(["sft", "sft-tag", "ift", "ift-shuffled"])
    .describe(
      "how rows are shown: input alone, with an opaque task tag, with the rule, with another row's rule",
    ),
  trainingRules: positiveCount.describe("training instructions (rules), number"),
  language: z.strictObject({
    alphabet: z.string().min(2).describe("the letters, each once"),
    leftLength: rangeSchema.describe("left side of a rule, in letters"),
    rightLength: rangeSchema.describe("right side of a rule, in letters"),
    inputLength: rangeSchema.describe("strings to be rewritten, in letters"),
  }),
  split: z.strictObject({
    heldOutRules: positiveCount.describe("rules that are asked and never trained on, number"),
  }),
  evaluation: z.strictObject({
    testRows: positiveCount.describe("test rows of held-out rules, and as many of trained rules"),
  }),
  trainingRows: positiveCount.describe("different training rows; a larger budget repeats them"),
  budget: runBudgetSchema,
  rowsPerStep: positiveCount.describe("rows of an optimizer step, at most"),
  learningRate: z.number().positive().describe("after the warm-up"),
  decoder: shapeSchema,
});

/** String rewriting: a task is a rule, the instruction states it (Zhang, Wang and Charton 2024, arXiv 2402.10891). */
export const rewriteSuite = defineSuite<RewriteRunSettings>({
  name: "string-rewrite",
  schema,
  defaults: defaults(),
  metrics: ["exact-match"],
  specify: (settings) => Promise.resolve(specifyRewrite(settings)),
  entry: new URL("./run.js", import.meta.url),
  load: async () => {
    const { runRewrite, sizeOfRewrite } = await import("./run.js");
    return { run: runRewrite, size: sizeOfRewrite };
  },
});

/** The default job's, without what a plan is about. */
function defaults(): Partial<RewriteRunSettings> {
  const { language, evaluation, trainingRows, rowsPerStep, learningRate, decoder, split } = runSettingsOf(
    DEFAULT_SETTINGS,
    "ift",
    Math.max(...DEFAULT_SETTINGS.trainingRules),
  );
  return { language, evaluation, trainingRows, rowsPerStep, learningRate, decoder, split };
}
