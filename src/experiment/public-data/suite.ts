import { z } from "zod";
import { hashFiles } from "../../support/hash-files.js";
import { defineSuite } from "../suite.js";
import { positiveCount, runBudgetSchema, shapeSchema } from "../suite-schema.js";
import { DEFAULT_PUBLIC_DATA_SETTINGS, PUBLIC_DATA_METRICS, type PublicDataSettings } from "./settings.js";

const answers = z
  .enum(["generated", "ranked"])
  .describe("greedily in words, or by the most probable of the row's options");

const schema: z.ZodType<PublicDataSettings> = z.strictObject({
  template: z.string().min(1).describe("name of the template of training rows and of test rows"),
  fitting: z.array(z.string().min(1)).describe("templates that every row must fit with"),
  training: z.strictObject({
    data: z.string().min(1).describe("file or folder of any format"),
    officialTrack: z
      .literal("default")
      .optional()
      .describe("training tasks of the official split alone, of Super-NaturalInstructions"),
    rowsPerTask: positiveCount.describe("training rows of a task, at most"),
  }),
  split: z.strictObject({
    heldOut: z.array(z.string().min(1)).describe("tasks, data sets or task types that are not trained on"),
    seenRowsPerTask: z.int().min(0).describe("rows of each trained task that are asked instead"),
  }),
  evaluation: z.strictObject({
    answers,
    heldOutRowsPerTask: positiveCount.describe("held-out rows of a task, at most"),
    benchmarks: z
      .array(
        z.strictObject({
          name: z.string().min(1).describe("the level of its rows"),
          data: z.string().min(1).describe("file or folder of any format, asked and never trained on"),
          answers,
          rowsPerTask: positiveCount.describe("rows of a task, at most"),
        }),
      )
      .describe("data sets that are only asked"),
    maxNewTokens: positiveCount.describe("longest generated answer, in tokens"),
  }),
  vocabularySize: positiveCount.describe("of the tokenizer that is trained on the training rows, in tokens"),
  budget: runBudgetSchema,
  rowsPerStep: positiveCount.describe("rows of an optimizer step, at most"),
  learningRate: z.number().positive().describe("after the warm-up"),
  decoder: shapeSchema,
});

/** Public data of any format: trained on some, asked others; answers generated or ranked. */
export const publicDataSuite = defineSuite<PublicDataSettings>({
  name: "public-data",
  schema,
  defaults: DEFAULT_PUBLIC_DATA_SETTINGS,
  metrics: PUBLIC_DATA_METRICS,
  specify: (settings) =>
    Promise.resolve({
      trainingDataHash: hashFiles(settings.training.data),
      benchmarkHashes: settings.evaluation.benchmarks.map(({ data }) => hashFiles(data)),
      settings,
    }),
  entry: new URL("./run.js", import.meta.url),
  load: async () => {
    const { runPublicData, sizeOfPublicData } = await import("./run.js");
    return { run: runPublicData, size: sizeOfPublicData };
  },
});
