import { Random } from "../../support/random.js";
import type { Draft } from "../pipeline/draft.js";
import {
  instanceFilter,
  instructionFilter,
  MOST_SIMILAR,
  SELF_INSTRUCT_RULES,
  similarityStep,
} from "../pipeline/filters.js";
import type { Method, Proposal, Proposed } from "../pipeline/pipeline.js";
import { numberedItems, oneLine, rejected, wholeReplyProblem } from "../pipeline/reply-text.js";
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
import { classificationStep, instanceStep } from "./self-instruct-instances.js";

/** How many instructions a prompt shows: 6 of the seeds and 2 that the teacher made (8 seeds while there are none). */
const SHOWN = 8;
const SHOWN_OF_TEACHER = 2;
/** The list ends here: eight are shown and up to eight are asked for. */
const LIST_END = 16;

/** Settings of the published run (`bootstrap_instructions.py`). */
const PROPOSING = { maxTokens: 1024, temperature: 0.7, topP: 0.5, presencePenalty: 2 } as const;

/**
 * Self-Instruct (Wang et al. 2023, arXiv 2212.10560; github.com/yizhongw/self-instruct), with our wording of its prompts: the
 * teacher goes on with a list of instructions, of the seeds and of its own; each new one is told to be a classification or not,
 * and gets its instances, with the label first for classifications. A reply that was cut off is left out as a whole, as there.
 * @throws KitError for fewer than eight seeds with an instruction
 */
export function selfInstruct(options: MethodOptions): Method {
  const seeds = seedsWithInstruction(options.seeds, SHOWN, "Self-Instruct");
  const pool = new RougePool(seeds.map(({ instruction }) => instruction));
  const made: Draft[] = [];
  return {
    name: "self-instruct",
    source: "Wang et al. 2023, arXiv 2212.10560",
    settings: {
      ...PROPOSING,
      shown: SHOWN,
      shownOfTeacher: SHOWN_OF_TEACHER,
      mostSimilar: MOST_SIMILAR,
      rules: SELF_INSTRUCT_RULES,
    },
    propose: (round) => questionsOf(options, round, (label) => proposal(seeds, made, options.seed, label)),
    steps: [
      instructionFilter(SELF_INSTRUCT_RULES),
      similarityStep(pool, MOST_SIMILAR, (draft) => made.push(draft)),
      classificationStep(seeds, options.seed),
      instanceStep(seeds, options.seed),
      instanceFilter,
      ...lastSteps(options),
    ],
  };
}

function proposal(seeds: readonly Seed[], made: readonly Draft[], seed: number, label: string): Proposal {
  const random = Random.derive(seed, `self-instruct/${label}`);
  const ofTeacher = random.shuffled(made).slice(0, SHOWN_OF_TEACHER);
  const ofSeeds = random.shuffled(seeds).slice(0, SHOWN - ofTeacher.length);
  const shown = random.shuffled([...ofTeacher, ...ofSeeds]);
  const list = shown.map(
    ({ instruction }, index) => `${index + 1}. ${oneLine(instruction).replace(/:$/, "")}`,
  );
  const content = `Here is the beginning of a list of tasks for an assistant. Go on with it up to number ${LIST_END}. New tasks should differ from all others in subject, wording and kind of answer.

${list.join("\n")}
${SHOWN + 1}.`;
  const parents = shown.map(({ id }) => id);
  return {
    request: ask(content, { ...PROPOSING, stop: [`\n${LIST_END + 1}.`], seed: teacherSeed(seed, label) }),
    read: (reply) => readList(reply, parents),
  };
}

function readList(reply: TeacherReply, parents: readonly string[]): readonly Proposed[] {
  const problem = wholeReplyProblem(reply);
  if (problem !== undefined) return [rejected(problem, reply.text)];
  // The prompt ends in the first number; a chat model may repeat it.
  const text = /^\s*\d+\s?[.):]/.test(reply.text) ? reply.text : `${SHOWN + 1}. ${reply.text}`;
  const items = numberedItems(text).map(oneLine);
  if (items.length === 0) return [rejected("malformed", reply.text)];
  return items.map((item) => {
    if (item === "") return rejected("malformed", item);
    const instruction = `${item.slice(0, 1).toUpperCase()}${item.slice(1)}`;
    return { kind: "draft", draft: draftWith({ instruction, parents }) };
  });
}
