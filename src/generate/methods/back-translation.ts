import type { Example } from "../../data/example.js";
import { duplicateStep, instanceFilter, instructionFilter, LENGTH_RULES } from "../pipeline/filters.js";
import type { Method, Proposal } from "../pipeline/pipeline.js";
import { labelledParts, oneLine } from "../pipeline/reply-text.js";
import {
  ask,
  draftWith,
  type MethodOptions,
  readWhole,
  requireSeeds,
  teacherSeed,
  turnOf,
} from "./common.js";
import { lastSteps } from "./last-steps.js";

/** The paper keeps what gets 5 points in its best set, 4 or more in the larger one. */
const LEAST_SCORE = 4;
/** Texts shorter than this answer nothing, and longer ones would leave no room for the question. */
const LENGTHS = { min: 40, max: 6000 } as const;

const PROPOSING = { maxTokens: 256, temperature: 0.7 } as const;

/**
 * Instruction back-translation (Li et al. 2023, arXiv 2308.06259), with our wording of its prompts: the teacher writes the
 * request that a given text answers, and then judges as a reader how well it does (self-curation). The output is the text as it
 * is; it is human, and only the instruction is made.
 * @throws KitError when no seed has a text of 40 to 6,000 characters
 */
export function backTranslation(options: MethodOptions): Method {
  const texts = options.seeds.filter((row) => {
    const { length } = textOf(row);
    return length >= LENGTHS.min && length <= LENGTHS.max;
  });
  requireSeeds(texts.length, 1, "Back-translation", `a text of ${LENGTHS.min} to ${LENGTHS.max} characters`);
  const leastScore = options.leastScore ?? LEAST_SCORE;
  return {
    name: "back-translation",
    source: "Li et al. 2023, arXiv 2308.06259",
    settings: { ...PROPOSING, lengths: LENGTHS, leastScore },
    propose: (round) => turnOf(texts, options, round)?.map((row) => proposal(row, options.seed)),
    steps: [
      instructionFilter(LENGTH_RULES),
      duplicateStep([]),
      instanceFilter,
      ...lastSteps({ ...options, leastScore }),
    ],
  };
}

/** The text of a seed: its output, or its input where it has no output. */
function textOf({ input, outputs }: Example): string {
  return (outputs[0] ?? input).trim();
}

function proposal(row: Example, seed: number): Proposal {
  const text = textOf(row);
  const content = `Somebody asked an assistant for something, and the text below was the perfect answer. Write what was asked: one request, complete in itself, that does not mention this text. Reply with the request alone.

The text:
${text}`;
  return {
    request: ask(content, { ...PROPOSING, seed: teacherSeed(seed, `back-translation/${row.id}`) }),
    read: (reply) =>
      readWhole(reply, (said) => {
        const instruction = oneLine(labelledParts(said, ["Request"]).Request ?? said);
        if (instruction === "") return undefined;
        return draftWith({ instruction, instances: [{ input: "", output: text }], parents: [row.id] });
      }),
  };
}
