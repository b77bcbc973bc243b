import { z } from "zod";
import { hashFiles } from "../../support/hash-files.js";
import { startHash } from "../mini/start.js";
import { defineSuite } from "../suite.js";
import { folderStartSchema, positiveCount, runBudgetSchema } from "../suite-schema.js";
import { DEFAULT_FOLLOWING_SETTINGS, FOLLOWING_METRICS, type FollowingRunSettings } from "./settings.js";

const schema: z.ZodType<FollowingRunSettings> = z.strictObject({
  trainingData: z.string().min(1).describe("file or folder of instruction data of any format"),
  template: z.string().min(1).describe("template of training rows and of prompts"),
  start: folderStartSchema.describe(
    "what training starts from: a model's folder, or random weights of its shape",
  ),
  split: z.strictObject({
    removeLeaks: z.boolean().describe("whether training rows that have a test prompt are left out"),
  }),
  evaluation: z.strictObject({
    data: z.string().min(1).describe("file or folder of prompts with constraints, such as IFEval's"),
    prompts: positiveCount.describe("prompts, at most: evenly over the file"),
    maxNewTokens: positiveCount.describe("longest answer, in tokens"),
  }),
  budget: runBudgetSchema,
  rowsPerStep: positiveCount.describe("rows of an optimizer step, at most"),
  learningRate: z.number().positive().describe("after the warm-up"),
});

/** Instruction data of any kind, and what a model that was tuned on them makes of constraints that a program can check. */
export const followingSuite = defineSuite<FollowingRunSettings>({
  name: "instruction-following",
  schema,
  defaults: DEFAULT_FOLLOWING_SETTINGS,
  metrics: FOLLOWING_METRICS,
  specify: (settings) =>
    Promise.resolve({
      trainingDataHash: hashFiles(settings.trainingData),
      testDataHash: hashFiles(settings.evaluation.data),
      startHash: startHash(settings.start),
      settings,
    }),
  entry: new URL("./run.js", import.meta.url),
  load: async () => {
    const { runFollowing, sizeOfFollowing } = await import("./run.js");
    return { run: runFollowing, size: sizeOfFollowing };
  },
});
