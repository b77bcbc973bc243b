import { z } from "zod";
import { KitError } from "../../support/errors.js";
import { validate } from "../../support/validate.js";
import { runBudgetSchema } from "../suite-schema.js";

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]*$/i, "give a name of letters, digits, dots, dashes and underscores");
const settingsSchema = z.record(z.string(), z.json());

const levelSchema = z.union([
  z.strictObject({
    name: z.string().min(1).describe("what tables and figures call the level"),
    set: settingsSchema.describe("what it sets: values by the names of settings"),
  }),
  z.string(),
  z.number(),
  z.boolean(),
]);

const choiceSchema = z
  .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
  .describe("levels by factor; runs that have all of them are meant");

const hypothesisSchema = z.strictObject({
  statement: z.string().min(1).describe("one sentence, such as: IFT beats SFT on rules never trained on"),
  a: choiceSchema,
  b: choiceSchema,
  direction: z
    .enum(["a-is-higher", "a-is-lower", "they-differ", "they-are-equivalent"])
    .describe("what is expected of the difference a - b"),
  margin: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe("by more than this, on the metric's scale of 0 to 1; for equivalence, by less than this"),
  metric: z.string().min(1).describe("one of the suite's metrics"),
  rows: z
    .union([
      z.strictObject({ part: z.enum(["seen", "held-out"]) }),
      z.strictObject({ level: z.string().min(1) }),
    ])
    .default({ part: "held-out" })
    .describe("which test rows: a part, or a level of the suite"),
});

const listedRunSchema = z.strictObject({
  arm: z.string().min(1).describe("name of the arm; runs of an arm differ in the seed alone"),
  set: settingsSchema.describe("what the arm sets: values by the names of settings"),
});

const planSchema = z.strictObject({
  version: z.literal(1).describe("of this form"),
  name: name.describe("names the folder of the report"),
  title: z.string().min(1).optional().describe("of the report; the name by default"),
  suite: z.string().min(1).describe("the world of tasks, such as mini-grid or natural-instructions"),
  factors: z
    .record(z.string(), z.array(levelSchema).min(1))
    .optional()
    .describe("levels by factor: all combinations are run, each with every seed"),
  leaveOut: z.array(choiceSchema).optional().describe("combinations of the factors that make no sense"),
  runs: z.array(listedRunSchema).min(1).optional().describe("arms one by one, instead of factors"),
  seeds: z
    .array(z.int().min(0))
    .min(1)
    .describe("one run of every arm for each; it decides start, order and whatever the suite draws"),
  settings: settingsSchema
    .default({})
    .describe("what is the same in all runs: values by the names of settings"),
  budget: runBudgetSchema.describe("what every run may use: arms are matched on it"),
  split: settingsSchema.default({}).describe("what is held out of training: the suite's `split`"),
  evaluation: settingsSchema.default({}).describe("what is asked after training: the suite's `evaluation`"),
  hypotheses: z
    .array(hypothesisSchema)
    .default([])
    .describe("stated before the runs, in the order of the report"),
});

/**
 * An experiment, stated before it is run: what is varied, what is fixed, how much every run may use, what is asked, and
 * what is expected. A plan is a JSON file, or a TypeScript file that exports one as its default:
 *
 *     import type { ExperimentPlan } from "ift-kit/experiment/plan/plan";
 *
 *     export default {
 *       version: 1,
 *       name: "rewrite-formats",
 *       suite: "string-rewrite",
 *       factors: {
 *         format: ["sft", "ift"],                       // a factor that is a setting: its levels are values
 *         "decoder.width": [32, 64],                    // dots lead into a setting
 *         size: [                                       // any other name: its levels say what they set
 *           { name: "small", set: { "decoder.layers": 2, "decoder.feedForwardWidth": 128 } },
 *           { name: "large", set: { "decoder.layers": 4, "decoder.feedForwardWidth": 256 } },
 *         ],
 *       },
 *       seeds: [1, 2, 3],
 *       settings: { trainingRules: 300 },
 *       budget: { unit: "supervised-tokens", amount: 100_000 },
 *       split: { heldOutRules: 100 },
 *       evaluation: { testRows: 200 },
 *       hypotheses: [
 *         {
 *           statement: "IFT beats SFT on rules never trained on",
 *           a: { format: "ift" }, b: { format: "sft" },
 *           direction: "a-is-higher", metric: "exact-match",
 *         },
 *       ],
 *     } satisfies ExperimentPlan;
 *
 * A setting is what the suite's schema has, over its defaults; a name that it lacks is an error. A hypothesis compares
 * the runs that have the levels of `a` with those that have the levels of `b`, paired by all other factors, the seed and
 * the test row. The plans that ship are the files of `src/experiment/plans`: to add one, put a file there.
 */
export type ExperimentPlan = z.input<typeof planSchema>;

/** A plan that was checked, with what it left out filled in. */
export type CheckedPlan = z.output<typeof planSchema>;
export type Hypothesis = CheckedPlan["hypotheses"][number];
export type LevelChoice = z.infer<typeof choiceSchema>;
export type FactorLevel = z.infer<typeof levelSchema>;

/**
 * A checked plan.
 * @param file where it is, for messages
 * @throws KitError that names the wrong field and what it may hold
 */
export function parsePlan(value: unknown, file?: string): CheckedPlan {
  const at = file === undefined ? {} : { file };
  const plan = validate<CheckedPlan>(planSchema, value, "the plan", at);
  const fail = (problem: string, cure: string, field: string): KitError =>
    new KitError(problem, cure, { ...at, field });
  if ((plan.factors === undefined) === (plan.runs === undefined)) {
    throw fail(
      plan.runs === undefined
        ? "the plan has neither factors nor runs"
        : "the plan has both factors and runs",
      "give one of the two",
      "factors",
    );
  }
  if (new Set(plan.seeds).size < plan.seeds.length)
    throw fail("a seed comes twice", "give each seed once", "seeds");
  const levels = levelsOf(plan);
  for (const [factor, names] of levels) {
    if (new Set(names).size < names.length) {
      throw fail(`two levels of "${factor}" have the same name`, "give each level once", `factors.${factor}`);
    }
  }
  const choices: [string, LevelChoice][] = [
    ...(plan.leaveOut ?? []).map((choice, index): [string, LevelChoice] => [`leaveOut.${index}`, choice]),
    ...plan.hypotheses.flatMap(({ a, b }, index): [string, LevelChoice][] => [
      [`hypotheses.${index}.a`, a],
      [`hypotheses.${index}.b`, b],
    ]),
  ];
  for (const [field, choice] of choices) {
    for (const [factor, level] of Object.entries(choice)) {
      const known = levels.get(factor);
      if (known === undefined) {
        throw fail(`there is no factor "${factor}"`, `use one of ${[...levels.keys()].join(", ")}`, field);
      }
      if (!known.includes(String(level))) {
        throw fail(
          `the factor "${factor}" has no level ${JSON.stringify(level)}`,
          `use one of ${known.join(", ")}`,
          field,
        );
      }
    }
  }
  return plan;
}

/** The names of the levels of every factor, in order; listed runs have the one factor "arm". */
export function levelsOf({ factors, runs }: Pick<CheckedPlan, "factors" | "runs">): Map<string, string[]> {
  if (factors === undefined) return new Map([["arm", (runs ?? []).map(({ arm }) => arm)]]);
  return new Map(Object.entries(factors).map(([factor, levels]) => [factor, levels.map(levelName)]));
}

/** What a level is called. */
export function levelName(level: FactorLevel): string {
  return typeof level === "object" ? level.name : String(level);
}
