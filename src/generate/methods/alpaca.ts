import { Random } from "../../support/random.js";
import {
  ALPACA_RULES,
  instanceFilter,
  instructionFilter,
  MOST_SIMILAR,
  similarityStep,
} from "../pipeline/filters.js";
import type { Method, Proposal, Proposed } from "../pipeline/pipeline.js";
import { labelledParts, oneLine, rejected, replyProblem } from "../pipeline/reply-text.js";
import { RougePool } from "../pipeline/rouge-pool.js";
import type { TeacherReply } from "../teacher/teacher.js";
import {
  ask,
  draftWith,
  type MethodOptions,
  questionsOf,
  type Seed,
  seedsWithInstruction,
  teacherSeed,
} from "./common.js";
import { lastSteps } from "./last-steps.js";
import { inputOf } from "./self-instruct-instances.js";

/** Seeds that begin the list, and where the list ends. */
const SHOWN = 3;
const LIST_END = 20;

/** Settings of the published run (`generate_instruction.py`), which also forbade the end token by a logit bias. */
const PROPOSING = { maxTokens: 3072, temperature: 1, topP: 1 } as const;

/**
 * Alpaca's variant of Self-Instruct (Taori et al. 2023, github.com/tatsu-lab/stanford_alpaca), with our wording of its prompt: one
 * question gives a list of whole tasks up to number 20, instruction, input and output each; nothing tells classifications apart.
 * @throws KitError for fewer than three seeds with an instruction
 */
export function alpacaVariant(options: MethodOptions): Method {
  const seeds = seedsWithInstruction(options.seeds, SHOWN, "Alpaca's variant");
  const pool = new RougePool(seeds.map(({ instruction }) => instruction));
  return {
    name: "alpaca",
    source: "Taori et al. 2023, github.com/tatsu-lab/stanford_alpaca",
    settings: {
      ...PROPOSING,
      shown: SHOWN,
      listEnd: LIST_END,
      mostSimilar: MOST_SIMILAR,
      rules: ALPACA_RULES,
    },
    propose: (round) => questionsOf(options, round, (label) => proposal(seeds, options.seed, label)),
    steps: [
      instructionFilter(ALPACA_RULES),
      instanceFilter,
      similarityStep(pool, MOST_SIMILAR),
      ...lastSteps(options),
    ],
  };
}

const RULES = `- No verb twice where it can be helped; commands and questions both.
- Many kinds of task: open questions, classification, rewriting, short texts, planning, reasoning, extraction.
- Only what can be done in text: nothing to see, hear, play, open, book or remember.
- An instruction is one or two sentences in English.
- Where a task needs something to work on, the input has it, made up and concrete, under 100 words; else the input is the word "none".
- The output does what the instruction asks, under 100 words.`;

function proposal(seeds: readonly Seed[], seed: number, label: string): Proposal {
  const shown = Random.derive(seed, `alpaca/${label}`).shuffled(seeds).slice(0, SHOWN);
  const list = shown.map(
    ({ instruction, input, outputs }, index) => `### ${index + 1}
Instruction: ${oneLine(instruction).replace(/:$/, "")}
Input: ${input.trim() === "" ? "none" : input}
Output: ${outputs[0] ?? ""}`,
  );
  const content = `Write a list of ${LIST_END} different tasks with which an assistant can be tested, each with an answer:
${RULES}

Go on with this list up to number ${LIST_END}, in the same form:

${list.join("\n")}
### ${SHOWN + 1}`;
  const parents = shown.map(({ id }) => id);
  return {
    request: ask(content, { ...PROPOSING, stop: [`\n### ${LIST_END + 1}`], seed: teacherSeed(seed, label) }),
    read: (reply) => readTasks(reply, parents),
  };
}

function readTasks(reply: TeacherReply, parents: readonly string[]): readonly Proposed[] {
  const problem = replyProblem(reply);
  if (problem !== undefined) return [rejected(problem, reply.text)];
  const items = reply.text.split(/^#{2,}.*$/m).filter((item) => item.trim() !== "");
  if (items.length === 0) return [rejected("malformed", reply.text)];
  return items.map((item, index) => {
    // Only the last task of a reply that was cut off is cut off.
    if (reply.ending === "length" && index === items.length - 1) return rejected("truncated", item);
    const parts = labelledParts(item, ["Instruction", "Input", "Output"]);
    const instruction = oneLine(parts.Instruction ?? "");
    if (instruction === "" || parts.Output === undefined) return rejected("malformed", item);
    const instances = [{ input: inputOf(parts.Input ?? ""), output: parts.Output }];
    return { kind: "draft", draft: draftWith({ instruction, instances, parents }) };
  });
}
