import { z } from "zod";
import { LEAK_KIND_NAMES } from "../../similarity/leakage/leak.js";
import { defineSuite } from "../suite.js";
import { folderStartSchema, positiveCount, runBudgetSchema, shapeSchema } from "../suite-schema.js";
import { INSTRUCTION_METRICS } from "./analysis.js";
import { specifyInstructions } from "./plan.js";
import { DEFAULT_INSTRUCTION_SETTINGS, type InstructionRunSettings, runSettingsOf } from "./settings.js";

const heldOutSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("official"), track: z.literal("default") }),
  z.strictObject({ kind: z.literal("named"), taskTypes: z.array(z.string()).min(1) }),
  z.strictObject({
    kind: z.literal("fraction"),
    fraction: z.number().gt(0).lt(1).describe("share of the task types"),
    seed: z.int().min(0).describe("decides which"),
  }),
]);

const schema: z.ZodType<InstructionRunSettings> = z.strictObject({
  format: z
    .enum(["sft", "ift", "ift-shuffled"])
    .describe("how rows are shown: input alone, with its definition, with another row's definition"),
  data: z.string().min(1).describe("folder of Super-NaturalInstructions task files"),
  split: z.strictObject({
    heldOut: heldOutSchema.describe("which task types are never trained on"),
    leakage: z.strictObject({
      remove: z
        .enum(["held-out", "train", "nothing"])
        .describe("the side on which leaking rows are left out"),
      allow: z.array(z.enum(LEAK_KIND_NAMES)).describe("kinds of leaks that are let pass"),
    }),
    seenRowsPerTask: positiveCount.describe("rows of each training task kept out of training"),
  }),
  evaluation: z.strictObject({
    seenTasks: positiveCount.describe("trained tasks that are asked, at most"),
    heldOutRowsPerTask: positiveCount.describe("held-out rows of a task, at most"),
    maxNewTokens: positiveCount.describe("longest answer, in tokens"),
  }),
  trainRowsPerTask: positiveCount.describe("training rows of a task, at most"),
  trainingData: z
    .string()
    .min(1)
    .optional()
    .describe("file or folder of any format that is trained on instead of the folder's training tasks"),
  trainingTasks: positiveCount
    .optional()
    .describe("training tasks, at most, by turns one of each task type; all by default"),
  tasksPerType: positiveCount.optional().describe("tasks of a training task type, at most; all by default"),
  mixtureCap: positiveCount.optional().describe("training rows of a task type, at most; all by default"),
  vocabularySize: positiveCount.describe("of the tokenizer that is trained on the training rows, in tokens"),
  start: folderStartSchema
    .optional()
    .describe(
      "a model's folder to start from, or random weights of its shape; by default random weights of `decoder`",
    ),
  budget: runBudgetSchema,
  rowsPerStep: positiveCount.describe("rows of an optimizer step, at most"),
  learningRate: z.number().positive().describe("after the warm-up"),
  decoder: shapeSchema,
});

/** A folder of Super-NaturalInstructions tasks, of which whole task types are held out. */
export const instructionSuite = defineSuite<InstructionRunSettings>({
  name: "natural-instructions",
  schema,
  defaults: defaults(),
  metrics: INSTRUCTION_METRICS,
  specify: (settings) => Promise.resolve(specifyInstructions(settings)),
  entry: new URL("./run.js", import.meta.url),
  load: async () => {
    const { runNaturalInstructions, sizeOfInstructions } = await import("./run.js");
    return { run: runNaturalInstructions, size: sizeOfInstructions };
  },
});

/** The default job's, without the data and its split. */
function defaults(): Partial<InstructionRunSettings> {
  const nowhere = {
    data: "",
    heldOut: { kind: "official", track: "default" },
    leakage: { remove: "held-out", allow: [] },
  } as const;
  const { evaluation, trainRowsPerTask, vocabularySize, rowsPerStep, learningRate, decoder } = runSettingsOf(
    { ...DEFAULT_INSTRUCTION_SETTINGS, ...nowhere },
    "ift",
  );
  return { evaluation, trainRowsPerTask, vocabularySize, rowsPerStep, learningRate, decoder };
}
