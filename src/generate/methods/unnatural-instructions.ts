import type { Example } from "../../data/example.js";
import { plainText } from "../../similarity/words.js";
import { groupBy } from "../../support/group.js";
import { Random } from "../../support/random.js";
import { type Draft, type Outcome, type Reason } from "../pipeline/draft.js";
import { duplicateStep, instanceFilter, instructionFilter, LENGTH_RULES } from "../pipeline/filters.js";
import type { Method, Proposal, Step } from "../pipeline/pipeline.js";
import { labelledParts, wholeReplyProblem } from "../pipeline/reply-text.js";
import type { TeacherReply } from "../teacher/teacher.js";
import { answerStep } from "./answer.js";
import {
  ask,
  draftWith,
  type MethodOptions,
  questionsOf,
  readWhole,
  requireSeeds,
  seedsWithInstruction,
  teacherSeed,
} from "./common.js";
import { lastSteps } from "./last-steps.js";

/** Demonstrations of a prompt; the teacher writes the next. */
const SHOWN = 3;
const PROPOSING = { maxTokens: 512, temperature: 1, topP: 0.99 } as const;
const ANSWER_TOKENS = 512;
const PARAPHRASING = { maxTokens: 256, temperature: 0.7 } as const;
/** Where the input goes in a wording, as in the published data. */
const PLACE = "{INPUT}";

/** A seed as a demonstration. */
interface Demonstration {
  readonly id: string;
  readonly instruction: string;
  readonly input: string;
  readonly constraints: string;
}

/**
 * Unnatural Instructions (Honovich et al. 2022, arXiv 2212.09689), with our wording of its prompts: after three demonstrations of
 * instruction, input and constraints the teacher writes a fourth; it answers that greedily; and it says the instruction in other
 * words, with `{INPUT}` where the input goes.
 * @throws KitError for fewer than three tasks with an instruction and an input
 */
export function unnaturalInstructions(options: MethodOptions): Method {
  const demonstrations = demonstrationsOf(options.seeds);
  return {
    name: "unnatural-instructions",
    source: "Honovich et al. 2022, arXiv 2212.09689",
    settings: { ...PROPOSING, shown: SHOWN, answerTokens: ANSWER_TOKENS, paraphrasing: PARAPHRASING },
    propose: (round) => questionsOf(options, round, (label) => proposal(demonstrations, options.seed, label)),
    steps: [
      instructionFilter(LENGTH_RULES),
      duplicateStep(demonstrations.map(({ instruction, input }) => `${instruction}\n${input}`)),
      answerStep({ maxTokens: ANSWER_TOKENS }),
      instanceFilter,
      ...lastSteps(options),
      paraphraseStep(options.seed),
    ],
  };
}

function demonstrationsOf(seeds: readonly Example[]): Demonstration[] {
  const rows = seedsWithInstruction(seeds, SHOWN, "Unnatural Instructions").filter(
    ({ input }) => input.trim() !== "",
  );
  const ofTasks = [...groupBy(rows, ({ instruction }) => instruction).values()].flatMap(([row]) => row ?? []);
  requireSeeds(ofTasks.length, SHOWN, "Unnatural Instructions", "an instruction of their own and an input");
  return ofTasks.map(({ id, instruction, input, options = [], fields }) => ({
    id,
    instruction,
    input,
    constraints:
      typeof fields?.constraints === "string"
        ? fields.constraints
        : options.length > 1
          ? `The answer is one of: ${options.join(", ")}.`
          : "None.",
  }));
}

function proposal(demonstrations: readonly Demonstration[], seed: number, label: string): Proposal {
  const shown = Random.derive(seed, `unnatural/${label}`).shuffled(demonstrations).slice(0, SHOWN);
  const blocks = shown.map(
    ({ instruction, input, constraints }, index) => `Task ${index + 1}
Instruction: ${instruction}
Input: ${input}
Constraints: ${constraints}`,
  );
  const content = `Each task has an instruction, an input to carry it out on, and constraints that the answer must hold to (or "None."). After ${SHOWN} tasks write another, of another kind.

${blocks.join("\n\n")}

Task ${SHOWN + 1}`;
  const parents = shown.map(({ id }) => id);
  return {
    request: ask(content, { ...PROPOSING, stop: [`\nTask ${SHOWN + 2}`], seed: teacherSeed(seed, label) }),
    read: (reply) => readWhole(reply, (text) => readTask(text, parents)),
  };
}

function readTask(text: string, parents: readonly string[]): Omit<Draft, "id"> | undefined {
  const parts = labelledParts(text, ["Instruction", "Input", "Constraints"]);
  const { Instruction: instruction = "", Input: input = "", Constraints: constraints } = parts;
  if (instruction === "" || input === "" || constraints === undefined) return undefined;
  return draftWith({
    instruction,
    instances: [{ input, output: "" }],
    constraints: /^\W*none\W*$/i.test(constraints) ? "" : constraints,
    parents,
  });
}

/** Two wordings that show what is wanted, written for the kit. */
const WORDINGS = `Instruction: Name the animal in the sentence.
Other wording: Here is a sentence: "{INPUT}" Which animal is in it?

Instruction: You are given two numbers. Say which one is larger.
Other wording: {INPUT} Of these two numbers, give the larger one.`;

/** A step that asks for the instruction in other words. A task without another wording stays. */
function paraphraseStep(seed: number): Step {
  return {
    kind: "answer",
    name: "paraphrase",
    request: (draft) => {
      const content = `Say the last instruction in other words. The other wording has ${PLACE} exactly once, where the input will stand.

${WORDINGS}

Instruction: ${draft.instruction}
Other wording:`;
      return ask(content, {
        ...PARAPHRASING,
        stop: ["\nInstruction:"],
        seed: teacherSeed(seed, `paraphrase/${draft.instruction}`),
      });
    },
    read: readParaphrase,
  };
}

function readParaphrase(reply: TeacherReply, draft: Draft): Outcome {
  const problem = wholeReplyProblem(reply);
  const wording = (labelledParts(reply.text, ["Other wording"])["Other wording"] ?? reply.text).trim();
  const proposed = { paraphrases: 1 };
  const reason = problem ?? paraphraseProblem(wording, draft);
  if (reason === undefined)
    return { kind: "kept", draft: { ...draft, paraphrases: [...draft.paraphrases, wording] }, proposed };
  const part = { level: "paraphrases", reason, text: wording } as const;
  return { kind: "kept", draft, proposed, rejected: [part] };
}

function paraphraseProblem(wording: string, { instruction, instances }: Draft): Reason | undefined {
  if (wording.split(PLACE).length !== 2) return "no-place-for-input";
  const without = plainText(wording.replace(PLACE, ""));
  if (without === "") return "too-short";
  const isSame = without === plainText(instruction);
  // A wording that has the input of the task in it fits no other.
  const input = plainText(instances[0]?.input ?? "");
  return isSame || (input.length > 20 && without.includes(input)) ? "duplicate" : undefined;
}
