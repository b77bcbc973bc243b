import { z } from "zod";
import { type Draft, type Outcome, reject } from "../pipeline/draft.js";
import { requestText } from "../pipeline/filters.js";
import type { Step } from "../pipeline/pipeline.js";
import { jsonIn, replyProblem } from "../pipeline/reply-text.js";
import type { TeacherReply } from "../teacher/teacher.js";
import { ask, EXACTLY } from "./common.js";

/** Longest verdict, in tokens: a sentence and a number. */
const VERDICT_TOKENS = 160;

const verdictSchema = z.looseObject({
  score: z.union([
    z.number(),
    z
      .string()
      .regex(/^\d(\.\d+)?$/)
      .transform(Number),
  ]),
});

const SCALE = `5: answers all of the request, is right, and could hardly be better
4: answers the request well, with small weaknesses
3: helps, but leaves something out, or says what was not asked for
2: deals with the subject without answering the request
1: is wrong, empty, cut off, or about something else`;

/** How a judge is asked about one task; only the first instance is shown. */
export function judgePrompt(draft: Draft): string {
  const answer = draft.instances[0]?.output ?? "";
  return `Judge how well an answer serves a request. The points:
${SCALE}

Request:
${requestText({ ...draft, instances: draft.instances.slice(0, 1) })}

Answer:
${answer}

Reply with JSON and nothing else: {"reason": "one sentence", "score": 1 to 5}`;
}

/** The points of a verdict, 1 to 5; undefined where there are none to read. */
export function readScore(text: string): number | undefined {
  const found = verdictSchema.safeParse(jsonIn(text)).data?.score;
  // Models that forget the JSON still write "Score: 4".
  const score = found ?? Number(/\bscore\b\W{0,4}([1-5])(?![\d.])/i.exec(text)?.[1] ?? Number.NaN);
  return score >= 1 && score <= 5 ? score : undefined;
}

/**
 * A judge that scores each task from 1 to 5 in the manner of the self-curation of instruction back-translation (Li et al. 2023,
 * arXiv 2308.06259) and rejects those with too few points. The scale is in our words.
 */
export function judgeStep(leastScore: number): Step {
  return {
    kind: "judge",
    name: "judge",
    request: (draft) => ask(judgePrompt(draft), { ...EXACTLY, maxTokens: VERDICT_TOKENS }),
    read: (reply, draft) => readVerdict(reply, draft, leastScore),
  };
}

function readVerdict(reply: TeacherReply, draft: Draft, leastScore: number): Outcome {
  // A verdict that was cut off behind its number is still a verdict.
  if (replyProblem(reply) !== undefined) return reject("no-verdict");
  const score = readScore(reply.text);
  if (score === undefined) return reject("no-verdict");
  return score < leastScore ? reject("low-score") : { kind: "kept", draft: { ...draft, score } };
}
