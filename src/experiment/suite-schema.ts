import { z } from "zod";
import type { DecoderConfig } from "../model/config.js";
import { decoderShapeSchema } from "../model/config.js";
import type { RunBudget } from "./budget.js";

/** A whole number of at least 1. */
export const positiveCount = z.int().positive();

/** Budget of a run: see `RunBudget`. */
/** What training starts from, where it is a model's folder or its shape. */
export const folderStartSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("checkpoint"), folder: z.string().min(1) }),
  z.strictObject({ kind: z.literal("random-like"), folder: z.string().min(1) }),
]);

export const runBudgetSchema: z.ZodType<RunBudget> = z.strictObject({
  unit: z.enum(["supervised-tokens", "total-tokens", "steps", "flops"]).describe("what is counted"),
  amount: z.number().positive().describe("how much of it a run may use"),
});

/** Shape of a decoder; the suite's tokenizer gives the size of the vocabulary. */
export const shapeSchema: z.ZodType<Omit<DecoderConfig, "vocabularySize">> = decoderShapeSchema.describe(
  "shape of the model; sizes in features, heads, layers and tokens",
);

/** An inclusive range of whole numbers. */
export const rangeSchema = z.strictObject({ min: positiveCount, max: positiveCount });
