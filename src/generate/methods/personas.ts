import { z } from "zod";
import { Random } from "../../support/random.js";
import {
  instanceFilter,
  instructionFilter,
  MOST_SIMILAR,
  SELF_INSTRUCT_RULES,
  similarityStep,
} from "../pipeline/filters.js";
import type { Method, Proposal, Proposed } from "../pipeline/pipeline.js";
import { jsonIn, oneLine, rejected, wholeReplyProblem } from "../pipeline/reply-text.js";
import { RougePool } from "../pipeline/rouge-pool.js";
import type { TeacherReply } from "../teacher/teacher.js";
import { answerStep } from "./answer.js";
import { ask, draftWith, type MethodOptions, seedsWithInstruction, teacherSeed, turnOf } from "./common.js";
import { lastSteps } from "./last-steps.js";

/** Who asks, about what, and for what kind of answer. */
export interface PersonaSeeds {
  readonly personas: readonly string[];
  readonly topics: readonly string[];
  readonly kinds: readonly string[];
}

/** Written for the kit: enough for some thousand combinations. */
export const DEFAULT_PERSONAS: PersonaSeeds = {
  personas: [
    "a nurse on the night shift",
    "a boy of twelve who builds kites",
    "a retired railway clerk",
    "a baker who opens her first shop",
    "a student of law before an examination",
    "a farmer with a small orchard",
    "a teacher of chemistry",
    "a translator of old letters",
    "a mother who plans a journey with three children",
    "a bookkeeper of a sports club",
    "a novelist who is stuck in the middle",
    "a programmer who looks after an old system",
    "a gardener of a city park",
    "a new member of a choir",
    "a judge of a village cooking contest",
    "a mechanic who writes instructions for others",
  ],
  topics: [
    "weather",
    "bread",
    "trains",
    "money that is owed",
    "birds",
    "the history of a town",
    "sleep",
    "a quarrel between neighbours",
    "maps of the stars",
    "wooden furniture",
    "a letter that was lost",
    "rivers",
    "numbers and chance",
    "a first day at work",
    "music for a feast",
    "medicine of earlier times",
  ],
  kinds: [
    "a short text",
    "an answer to a question of fact",
    "a decision between two options, with its reason",
    "a text put into other words",
    "a label for a given text",
    "a plan in steps",
    "a small calculation",
    "something taken out of a given text",
  ],
};

const PROPOSING = { maxTokens: 512, temperature: 1 } as const;
const ANSWER_TOKENS = 768;

export interface PersonaOptions extends MethodOptions {
  readonly personaSeeds?: PersonaSeeds;
}

/**
 * Persona and topic seeds (after Ge et al. 2024, arXiv 2406.20094): each question names somebody who asks, a topic and a kind of
 * answer, so that diversity comes from the combinations and not from the teacher's temperature. Combinations are drawn without
 * repetition; when all are used up the method ends. `seeds`, where given, are in the pool against which new instructions are
 * compared.
 * @throws KitError when seeds are given and none has an instruction
 */
export function personaSeeds(options: PersonaOptions): Method {
  const { seed, personaSeeds: given = DEFAULT_PERSONAS } = options;
  const combinations = Random.derive(seed, "combinations").shuffled(combinationsOf(given));
  const known = options.seeds.length === 0 ? [] : seedsWithInstruction(options.seeds, 1, "Personas");
  const pool = new RougePool(known.map(({ instruction }) => instruction));
  return {
    name: "personas",
    source: "after Ge et al. 2024, arXiv 2406.20094",
    settings: { ...PROPOSING, answerTokens: ANSWER_TOKENS, mostSimilar: MOST_SIMILAR, seeds: given },
    propose: (round) =>
      turnOf(combinations, options, round)?.map((combination, index) =>
        proposal(combination, seed, `personas/${round}/${index}`),
      ),
    steps: [
      instructionFilter(SELF_INSTRUCT_RULES),
      similarityStep(pool, MOST_SIMILAR),
      answerStep({ maxTokens: ANSWER_TOKENS }),
      instanceFilter,
      ...lastSteps(options),
    ],
  };
}

interface Combination {
  readonly persona: string;
  readonly topic: string;
  readonly kind: string;
}

function combinationsOf({ personas, topics, kinds }: PersonaSeeds): Combination[] {
  return personas.flatMap((persona) =>
    topics.flatMap((topic) => kinds.map((kind) => ({ persona, topic, kind }))),
  );
}

function proposal({ persona, topic, kind }: Combination, seed: number, label: string): Proposal {
  const content = `Think of ${persona}. Write one request that this person could make of an assistant, about ${topic}; the answer is to be ${kind}. The request does not say who asks. What the request works on, such as a text or numbers, is the input; it is made up and written out, or an empty text where nothing is needed.

Reply with JSON and nothing else: {"instruction": "...", "input": "..."}`;
  return {
    request: ask(content, { ...PROPOSING, seed: teacherSeed(seed, label) }),
    read: (reply) => readTask(reply, [persona, topic, kind].join(" / ")),
  };
}

const taskSchema = z.looseObject({ instruction: z.string(), input: z.string().nullish() });

function readTask(reply: TeacherReply, operation: string): readonly Proposed[] {
  const problem = wholeReplyProblem(reply);
  if (problem !== undefined) return [rejected(problem, reply.text)];
  const found = jsonIn(reply.text);
  if (found === undefined) return [rejected("not-json", reply.text)];
  const task = taskSchema.safeParse(found).data;
  const instruction = oneLine(task?.instruction ?? "");
  if (task === undefined || instruction === "") return [rejected("malformed", reply.text)];
  const input = task.input?.trim() ?? "";
  return [
    { kind: "draft", draft: draftWith({ instruction, instances: [{ input, output: "" }], operation }) },
  ];
}
