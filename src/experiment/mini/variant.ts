import { z } from "zod";
import type { RenderPolicy } from "../../data/spans.js";
import { KitError } from "../../support/errors.js";
import type { BatchConfig } from "../../train/config.js";
import { positiveCount } from "../suite-schema.js";

/** What is trained: all weights, or low-rank updates of some layers (`LoraConfig`). */
export type MiniTuning =
  | { readonly kind: "full" }
  | {
      readonly kind: "lora";
      readonly rank: number;
      /** The update is multiplied by `alpha / rank`. */
      readonly alpha: number;
      /** Ends of the names of linear layers, such as "attention.*". */
      readonly targets: readonly string[];
    };

/** What a run of the grid may do in another way than the main experiment: the kit's ablations vary one of these. */
export interface MiniVariant {
  /** In how many wordings each task type's instruction is trained; a task type has 27 or more. */
  readonly wordings: number | "all";
  /** Demonstrations in the prompts of training rows. */
  readonly demonstrations: number;
  /** Whether responses say first which word was found. Prompts of the test are the same; its answer is read behind that. */
  readonly response: "answer" | "chain-of-thought";
  readonly lossOn: RenderPolicy["lossOn"];
  /** Rows by themselves; packed and hidden from each other; or packed in sight of each other, which is an error to be measured. */
  readonly batching: "rows" | "packed" | "packed-without-mask";
  readonly tuning: MiniTuning;
}

/** What a run may be asked beside its levels. */
export interface MiniExtraEvaluation {
  /** Demonstrations in the prompts of test rows. */
  readonly demonstrations: number;
  /** Wordings in each of which the rows of held-out cells are asked again; 0 for none. */
  readonly wordings: number;
  /** Held-out documents of the base model's pre-training text, for bits per byte before and after; 0 for none. */
  readonly pretrainingDocuments: number;
}

/** The main experiment's. */
export const MAIN_VARIANT: MiniVariant = {
  wordings: "all",
  demonstrations: 0,
  response: "answer",
  lossOn: "response",
  batching: "rows",
  tuning: { kind: "full" },
};

/** What is asked where nothing is said. */
export const MAIN_EXTRA_EVALUATION: MiniExtraEvaluation = {
  demonstrations: 0,
  wordings: 0,
  pretrainingDocuments: 40,
};

const count = z.int().min(0);

/** The fields of `MiniVariant`, for the suite's schema. */
export const variantFields = {
  wordings: z
    .union([positiveCount, z.literal("all")])
    .describe("wordings of each task type's instruction in training, number"),
  demonstrations: count.describe("demonstrations in the prompts of training rows, number"),
  response: z
    .enum(["answer", "chain-of-thought"])
    .describe("whether responses say first which word was found"),
  lossOn: z.enum(["response", "all"]).describe("which tokens are targets of the loss"),
  batching: z
    .enum(["rows", "packed", "packed-without-mask"])
    .describe("rows by themselves, packed, or packed in sight of each other (an error, to be measured)"),
  tuning: z
    .discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("full") }),
      z.strictObject({
        kind: z.literal("lora"),
        rank: positiveCount,
        alpha: z.number().positive(),
        targets: z.array(z.string().min(1)).min(1),
      }),
    ])
    .describe("what is trained: all weights, or low-rank updates of some layers"),
} as const;

/** The fields of `MiniExtraEvaluation`. */
export const extraEvaluationFields = {
  demonstrations: count.describe("demonstrations in the prompts of test rows, number"),
  wordings: count.describe("wordings in each of which held-out cells are asked again, number"),
  pretrainingDocuments: count.describe(
    "held-out documents of the pre-training text for bits per byte, number",
  ),
} as const;

/** No row of the grid without demonstrations is longer, in tokens. */
export const MAX_TOKENS = 72;
/** A demonstration, and a chain of thought, are no longer, in tokens. */
const DEMONSTRATION_TOKENS = 64;
const REASONING_TOKENS = 12;
/** Longest answer with its end, in tokens: five words of which some may be unknown to the tokenizer. */
const ANSWER_TOKENS = 12;

/** Longest row and longest response of a run, in tokens. */
export function longestOf(
  { demonstrations, response }: Pick<MiniVariant, "demonstrations" | "response">,
  asked: Pick<MiniExtraEvaluation, "demonstrations">,
): { readonly row: number; readonly response: number } {
  const reasoning = response === "chain-of-thought" ? REASONING_TOKENS : 0;
  const shown = Math.max(demonstrations, asked.demonstrations);
  return { row: MAX_TOKENS + shown * DEMONSTRATION_TOKENS + reasoning, response: ANSWER_TOKENS + reasoning };
}

/** Positions of a pack: room for three rows or more. */
const PACK_POSITIONS = 192;

/** How the rows of a run are batched; packs hold as many rows of data in a step as there would be without packing, about. */
export function batchOf({ batching }: Pick<MiniVariant, "batching">, rowsPerStep: number): BatchConfig {
  if (batching === "rows") return { kind: "bucketed", rowsPerStep };
  const packs = Math.max(1, Math.round(rowsPerStep / ROWS_OF_A_PACK));
  return {
    kind: "packed",
    tokensPerRow: PACK_POSITIONS,
    rowsPerStep: packs,
    ...(batching === "packed" ? {} : { blockMask: false }),
  };
}

/** Rows of the grid that a pack holds, about: they have 40 to 45 tokens. */
const ROWS_OF_A_PACK = 4;

/**
 * Refuses settings that would do nothing, or that no template renders.
 * @throws KitError that names the setting
 */
export function checkVariant(
  format: string,
  { demonstrations, response, wordings }: MiniVariant,
  asked: MiniExtraEvaluation,
): void {
  const shows = demonstrations > 0 || asked.demonstrations > 0;
  const fail = (problem: string, cure: string, field: string): KitError =>
    new KitError(problem, cure, { field });
  if (shows && format !== "ift") {
    throw fail(
      `rows of the format "${format}" show no demonstrations`,
      'use the format "ift"',
      "demonstrations",
    );
  }
  if (response !== "answer" && (shows || format !== "ift")) {
    throw fail(
      "a chain of thought has no demonstrations, and instructions of its own row",
      'use the format "ift" without demonstrations',
      "response",
    );
  }
  if (format.startsWith("sft") && (wordings !== "all" || asked.wordings > 0)) {
    throw fail(
      `rows of the format "${format}" show no instruction`,
      'leave wordings "all", and ask in none',
      "wordings",
    );
  }
}
