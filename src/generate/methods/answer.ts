import { type Draft, type Outcome, reject, type RejectedPart } from "../pipeline/draft.js";
import { requestText } from "../pipeline/filters.js";
import type { Step } from "../pipeline/pipeline.js";
import { wholeReplyProblem } from "../pipeline/reply-text.js";
import type { TeacherReply, TeacherRequest } from "../teacher/teacher.js";
import { ask, EXACTLY } from "./common.js";

export interface AnswerOptions {
  /** Longest answer, in tokens. */
  readonly maxTokens: number;
}

/** The question by which a task is answered as its user would ask it: instruction, input, and what the answer must hold to. */
export function answerRequest(draft: Draft, { maxTokens }: AnswerOptions): TeacherRequest {
  const parts = [requestText({ ...draft, instances: draft.instances.slice(0, 1) }), draft.constraints];
  return ask(parts.filter((part) => part.trim() !== "").join("\n\n"), { ...EXACTLY, maxTokens });
}

/** A step that has the teacher answer each task; the output takes its place behind the input that the task has. */
export function answerStep(options: AnswerOptions): Step {
  return {
    kind: "answer",
    name: "answer",
    request: (draft) => answerRequest(draft, options),
    read: readAnswer,
  };
}

function readAnswer(reply: TeacherReply, draft: Draft): Outcome {
  const problem = wholeReplyProblem(reply);
  const [instance] = draft.instances;
  const output = reply.text.trim();
  if (problem !== undefined) {
    if (instance !== undefined) return reject(problem);
    const part: RejectedPart = { level: "instances", reason: problem, text: output };
    return { kind: "rejected", reason: problem, proposed: { instances: 1 }, rejected: [part] };
  }
  const instances = [{ input: instance?.input ?? "", output }];
  return {
    kind: "kept",
    draft: { ...draft, instances },
    ...(instance === undefined ? { proposed: { instances: 1 } } : {}),
  };
}
