import type { HeldOutIndex } from "../../similarity/held-out.js";
import { plainText } from "../../similarity/words.js";
import { type Draft, keep, keepInstances, type Outcome, type Reason, reject } from "./draft.js";
import type { Step } from "./pipeline.js";
import { isRefusal } from "./reply-text.js";
import type { RougePool } from "./rouge-pool.js";

/** What an instruction must be like. */
export interface InstructionRules {
  /** Words, from and to. */
  readonly words: { readonly min: number; readonly max: number };
  /** Words that say that something else than text is asked for. */
  readonly keywords: readonly string[];
  /** Whether "Write a program ..." is rejected: what comes is often code that nobody can check. */
  readonly rejectPrograms: boolean;
}

/** The heuristics of Self-Instruct (github.com/yizhongw/self-instruct, `bootstrap_instructions.py`): more than 3 words, at most 150. */
export const SELF_INSTRUCT_RULES: InstructionRules = {
  words: { min: 4, max: 150 },
  keywords: "image images graph graphs picture pictures file files map maps draw plot"
    .split(" ")
    .concat("go to"),
  rejectPrograms: true,
};

/** Those of Alpaca (github.com/tatsu-lab/stanford_alpaca, `generate_instruction.py`), which added four words. */
export const ALPACA_RULES: InstructionRules = {
  ...SELF_INSTRUCT_RULES,
  keywords: [...SELF_INSTRUCT_RULES.keywords, "video", "audio", "music", "flowchart", "diagram"],
};

/** No more than a length: for methods that do not come from a language model's free list. */
export const LENGTH_RULES: InstructionRules = {
  words: { min: 2, max: 300 },
  keywords: [],
  rejectPrograms: false,
};

/** What is wrong with an instruction by heuristics. */
export function instructionProblem(instruction: string, rules: InstructionRules): Reason | undefined {
  const { words, keywords, rejectPrograms } = rules;
  const count = instruction.split(/\s+/).filter((word) => word !== "").length;
  if (count < words.min) return "too-short";
  if (count > words.max) return "too-long";
  if (keywords.some((keyword) => hasWord(instruction, keyword))) return "keyword";
  if (rejectPrograms && /^write a program/i.test(instruction)) return "asks-for-program";
  if (rules.keywords.length > 0 && !/^[a-z0-9]/i.test(instruction)) return "odd-beginning";
  return undefined;
}

function hasWord(text: string, word: string): boolean {
  return new RegExp(`\\b${word}\\b`, "i").test(text);
}

/** A step that looks at the instruction. */
export function instructionFilter(rules: InstructionRules): Step {
  return {
    kind: "filter",
    name: "heuristics",
    check: (draft) => {
      const problem = instructionProblem(draft.instruction, rules);
      return problem === undefined ? keep(draft) : reject(problem);
    },
  };
}

/** ROUGE-L above which Self-Instruct and Alpaca leave an instruction out. */
export const MOST_SIMILAR = 0.7;

/** A step that keeps the pool diverse, and the pool. What passes is in the pool from then on. */
export function similarityStep(
  pool: RougePool,
  limit: number,
  onPass: (draft: Draft) => void = () => undefined,
): Step {
  return {
    kind: "dedupe",
    name: "rouge-l",
    check: (draft) => {
      if (pool.findAbove(draft.instruction, limit) !== undefined) return reject("similar");
      pool.add(draft.instruction);
      onPass(draft);
      return keep(draft);
    },
  };
}

/**
 * A step that rejects what was there before, but for case and white space.
 * @param textOf what is compared; by default instruction and inputs
 */
export function duplicateStep(known: Iterable<string>, textOf: (draft: Draft) => string = requestText): Step {
  const seen = new Set([...known].map(plainText));
  return {
    kind: "dedupe",
    name: "duplicates",
    check: (draft) => {
      const text = plainText(textOf(draft));
      if (seen.has(text)) return reject("duplicate");
      seen.add(text);
      return keep(draft);
    },
  };
}

/** What is asked: the instruction and the inputs. */
export function requestText({ instruction, instances }: Pick<Draft, "instruction" | "instances">): string {
  return [instruction, ...instances.map(({ input }) => input)].filter((text) => text !== "").join("\n");
}

/** A step that leaves out instances in which a held-out row is found. */
export function contaminationFilter(heldOut: HeldOutIndex): Step {
  return {
    kind: "filter",
    name: "held-out",
    check: (draft) => {
      const { instruction } = draft;
      if (draft.instances.length === 0) {
        return heldOut.match({ instruction, input: "", outputs: [] }) === undefined
          ? keep(draft)
          : reject("contaminated");
      }
      return keepInstances(draft, ({ input, output }) =>
        heldOut.match({ instruction, input, outputs: [output] }) === undefined ? undefined : "contaminated",
      );
    },
  };
}

/**
 * A step that looks at inputs and outputs, as Self-Instruct does (`prepare_for_finetuning.py`): no empty output, none that
 * repeats the input or ends in a colon, no instance twice, and no input with two different outputs.
 */
export const instanceFilter: Step = { kind: "filter", name: "instances", check: checkInstances };

function checkInstances(draft: Draft): Outcome {
  const outputs = new Map<string, Set<string>>();
  for (const { input, output } of draft.instances)
    outputs.set(input, (outputs.get(input) ?? new Set()).add(output));
  const seen = new Set<string>();
  return keepInstances(draft, ({ input, output }): Reason | undefined => {
    const key = JSON.stringify([input, output]);
    if (output.trim() === "") return "no-output";
    if (isRefusal(output) && output.split(/\s+/).length < 80) return "refused";
    if (input === output) return "output-is-input";
    if (/:\s*$/.test(output) || /:\s*$/.test(input)) return "unfinished-output";
    if ((outputs.get(input)?.size ?? 0) > 1) return "contradictory-outputs";
    if (draft.options !== undefined && !draft.options.includes(output)) return "unknown-label";
    if (seen.has(key)) return "duplicate";
    seen.add(key);
    return undefined;
  });
}
