import { z } from "zod";
import { Random } from "../../support/random.js";
import { type Draft, keep, type Outcome, reject } from "../pipeline/draft.js";
import { duplicateStep, instanceFilter, instructionFilter, LENGTH_RULES } from "../pipeline/filters.js";
import type { Method, Proposal, Step } from "../pipeline/pipeline.js";
import { jsonIn, labelledParts, replyProblem } from "../pipeline/reply-text.js";
import type { TeacherReply } from "../teacher/teacher.js";
import { answerStep } from "./answer.js";
import {
  ask,
  draftWith,
  EXACTLY,
  type MethodOptions,
  readWhole,
  seedsWithInstruction,
  teacherSeed,
} from "./common.js";
import { lastSteps } from "./last-steps.js";

/** What is done to a request: five ways to go deeper and one to go broader, each as likely. */
const OPERATIONS = {
  constrain: "Add one more condition that the answer must hold to.",
  deepen: "Where it asks about something, make it ask for more depth and for more sides of it.",
  concretise: "Replace general notions by particular ones: a named thing, a place, a number, a case.",
  reason: "Change it so that it cannot be answered in one step: the answer must follow from several.",
  complicate: "Add material that must be worked with, such as a table, a list, a formula or a piece of code.",
  broaden:
    "Instead of changing it, write a new request of the same field and the same length that is rarer and about something else.",
} as const;

type Operation = keyof typeof OPERATIONS;
const OPERATION_NAMES = Object.keys(OPERATIONS) as readonly Operation[];

/** Settings of the published code (`openai_access.py`); our answers are greedy, which its own are not. */
const REWRITING = { maxTokens: 2048, temperature: 1, topP: 0.95 } as const;
const ANSWER_TOKENS = 1024;

export interface EvolOptions extends MethodOptions {
  /** How often each request is rewritten (4, as published). */
  readonly evolutions?: number;
}

/** A request of the pool: a seed, or what it has become. */
interface Request {
  readonly id: string;
  readonly instruction: string;
  readonly input: string;
}

/**
 * Evol-Instruct (Xu et al. 2023, arXiv 2304.12244), with our wording of its prompts: each request is rewritten into one that is
 * harder (five ways) or rarer (one), judged, and answered. A rewriting is eliminated when the judge finds nothing new in it, when
 * it has words of the prompt, or when its answer is a short apology or nothing but stop words; the request before then stays in
 * the pool and is tried again in the next generation.
 * @throws KitError when no seed has an instruction
 */
export function evolInstruct(options: EvolOptions): Method {
  const { evolutions = 4, questionsPerRound, seed } = options;
  const seeds = seedsWithInstruction(options.seeds, 1, "Evol-Instruct");
  const pool: Request[] = seeds.map(({ id, instruction, input }) => ({ id, instruction, input }));
  const roundsPerGeneration = Math.ceil(pool.length / questionsPerRound);
  return {
    name: "evol-instruct",
    source: "Xu et al. 2023, arXiv 2304.12244",
    settings: { ...REWRITING, evolutions, operations: OPERATION_NAMES, answerTokens: ANSWER_TOKENS },
    propose: (round) => {
      const generation = Math.floor(round / roundsPerGeneration);
      if (generation >= evolutions) return undefined;
      const first = (round % roundsPerGeneration) * questionsPerRound;
      return pool
        .slice(first, first + questionsPerRound)
        .map((request, index) => proposal(request, first + index, generation, seed));
    },
    steps: [
      instructionFilter(LENGTH_RULES),
      promptWordsFilter,
      duplicateStep(pool.map(textOf)),
      noveltyStep(pool),
      answerStep({ maxTokens: ANSWER_TOKENS }),
      emptyWordsFilter,
      instanceFilter,
      ...lastSteps(options),
    ],
    onKept: ({ id, instruction, instances, slot }) => {
      if (slot !== undefined) pool[slot] = { id, instruction, input: instances[0]?.input ?? "" };
    },
  };
}

function textOf({ instruction, input }: Request): string {
  return input === "" ? instruction : `${instruction}\n${input}`;
}

function proposal(request: Request, slot: number, generation: number, seed: number): Proposal {
  const label = `evol/${generation}/${slot}`;
  const operation = Random.derive(seed, label).choice(OPERATION_NAMES);
  const content = `Rewrite a request to an assistant. ${OPERATIONS[operation]} Add at most 20 words, and keep it a request that a person could make and that can be answered in text. Reply with the new request alone.

The request:
${textOf(request)}`;
  return {
    request: ask(content, { ...REWRITING, seed: teacherSeed(seed, label) }),
    read: (reply) =>
      readWhole(reply, (text) => {
        const parts = labelledParts(text, ["New request", "Rewritten request", "Request"]);
        const instruction = (
          parts["New request"] ??
          parts["Rewritten request"] ??
          parts.Request ??
          text
        ).trim();
        if (instruction === "") return undefined;
        return draftWith({ instruction, parents: [request.id], operation, slot });
      }),
  };
}

/** Words that come from the question instead of the new request. */
const PROMPT_WORDS =
  /\b(?:the|this|your) (?:given|new|rewritten|original) (?:request|prompt)\b|\brewritten request\b/i;

const promptWordsFilter: Step = {
  kind: "filter",
  name: "prompt-words",
  check: (draft) => (PROMPT_WORDS.test(draft.instruction) ? reject("words-of-the-prompt") : keep(draft)),
};

const verdictSchema = z.looseObject({ same: z.boolean() });

/** The judge of novelty: do both requests come down to the same? */
function noveltyStep(pool: readonly Request[]): Step {
  return {
    kind: "judge",
    name: "novelty",
    request: ({ instruction, slot = -1 }) => {
      const before = pool[slot];
      if (before === undefined) return undefined;
      const content = `Compare two requests. They are the same if they have the same conditions, the same depth and the same breadth.

First:
${textOf(before)}

Second:
${instruction}

Reply with JSON and nothing else: {"same": true} or {"same": false}`;
      return ask(content, { ...EXACTLY, maxTokens: 40 });
    },
    read: readNovelty,
  };
}

function readNovelty(reply: TeacherReply, draft: Draft): Outcome {
  if (replyProblem(reply) !== undefined) return reject("no-verdict");
  const verdict = verdictSchema.safeParse(jsonIn(reply.text)).data?.same;
  if (verdict === undefined) return reject("no-verdict");
  return verdict ? reject("not-evolved") : keep(draft);
}

/** The most frequent words of English that carry no meaning of their own. */
const STOP_WORDS = new Set(
  "a an the this that these those i you he she it we they me him her us them my your his its our their is are was were be been am do does did have has had and or but if so as of at by for with about to from in on off up out no not nor can will just than then there here what which who whom".split(
    " ",
  ),
);

const emptyWordsFilter: Step = {
  kind: "filter",
  name: "empty-words",
  check: (draft) => {
    const words = draft.instances[0]?.output.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
    return words.every((word) => STOP_WORDS.has(word)) ? reject("empty-words") : keep(draft);
  },
};
