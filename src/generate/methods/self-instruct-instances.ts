import { groupBy } from "../../support/group.js";
import { Random } from "../../support/random.js";
import { type Draft, type Instance, type Outcome, reject, type RejectedPart } from "../pipeline/draft.js";
import type { Step } from "../pipeline/pipeline.js";
import { labelledSections, replyProblem, wholeReplyProblem } from "../pipeline/reply-text.js";
import type { TeacherReply } from "../teacher/teacher.js";
import { ask, EXACTLY, type Seed } from "./common.js";

/** Seeds of each kind that a prompt shows; longer ones are left out where others are there. */
const SHOTS = 4;
const LONGEST_SHOT = 600;
/** Instances of a task that is no classification, at most. */
const MOST_INSTANCES = 5;
/** Settings of the published run (`generate_instances.py`): greedy, and a label-first prompt leaves less room. */
const INSTANCES = { ...EXACTLY, presencePenalty: 1.5 } as const;
const INSTANCE_TOKENS = { labelFirst: 300, inputFirst: 350 } as const;

/** Whether a seed is a classification: its file says so, or it has answers to choose from. */
function isClassification({ taskType, options }: Seed): boolean {
  return taskType === "classification" || (options !== undefined && options.length > 1);
}

/** A step that asks whether the answers of a task are a few fixed labels. */
export function classificationStep(seeds: readonly Seed[], seed: number): Step {
  const shown = [
    ...chosen(seeds.filter(isClassification), "classification", seed, 2 * SHOTS),
    ...chosen(
      seeds.filter((row) => !isClassification(row)),
      "generation",
      seed,
      2 * SHOTS,
    ),
  ];
  const examples = Random.derive(seed, "order of the classification shots")
    .shuffled(shown)
    .map((row) => `Task: ${row.instruction}\nFew fixed answers: ${isClassification(row) ? "yes" : "no"}`);
  const head = "For each task, say whether its answer is always one of a few fixed labels.";
  return {
    kind: "answer",
    name: "classification",
    request: ({ instruction }) =>
      ask([head, ...examples, `Task: ${instruction}\nFew fixed answers:`].join("\n\n"), {
        ...EXACTLY,
        maxTokens: 8,
        stop: ["\n"],
      }),
    read: (reply, draft): Outcome => {
      // Three words are wanted at most: that more was about to come does not matter.
      const problem = replyProblem(reply);
      const verdict = /\b(yes|no)\b/i.exec(reply.text)?.[1]?.toLowerCase();
      if (problem !== undefined) return reject(problem);
      if (verdict === undefined) return reject("malformed");
      return { kind: "kept", draft: { ...draft, isClassification: verdict === "yes" } };
    },
  };
}

/**
 * A step that asks for instances: input first and then its output, or, for classifications, a label first and then an input
 * that it fits, since a teacher that begins with inputs tends to make them all of one label.
 */
export function instanceStep(seeds: readonly Seed[], seed: number): Step {
  const outputFirst = chosen(seeds.filter(isClassification), "output first", seed, SHOTS);
  const inputFirst = chosen(
    seeds.filter((row) => !isClassification(row)),
    "input first",
    seed,
    SHOTS,
  );
  const shotsOf = (rows: readonly Seed[], write: (row: Seed) => string): string[] =>
    rows.map((row) => `Task: ${row.instruction}\n${write(row)}`);
  const labelShots = shotsOf(
    outputFirst,
    ({ input, outputs }) => `Label: ${outputs[0] ?? ""}\nInput: ${input}`,
  );
  const inputShots = shotsOf(
    inputFirst,
    ({ input, outputs }) => `Input: ${input === "" ? "none" : input}\nOutput: ${outputs[0] ?? ""}`,
  );
  return {
    kind: "answer",
    name: "instances",
    request: (draft) => {
      const head =
        draft.isClassification === true
          ? "Write examples for the last task: for each label that fits it, the label and then an input that has this label."
          : `Write up to ${MOST_INSTANCES} examples for the last task: an input (the word "none" where the task needs no input) and then its output.`;
      const shots = draft.isClassification === true ? labelShots : inputShots;
      return ask([head, ...shots, `Task: ${draft.instruction}`].join("\n\n"), {
        ...INSTANCES,
        maxTokens: draft.isClassification === true ? INSTANCE_TOKENS.labelFirst : INSTANCE_TOKENS.inputFirst,
        stop: ["\nTask:"],
      });
    },
    read: readInstances,
  };
}

function readInstances(reply: TeacherReply, draft: Draft): Outcome {
  const problem = replyProblem(reply);
  if (problem !== undefined) return reject(problem);
  const found = draft.isClassification === true ? labelFirst(reply.text) : inputFirst(reply.text);
  // The last of a reply that was cut off is cut off itself.
  const whole = reply.ending === "length" ? found.slice(0, -1) : found;
  const cut = found.slice(whole.length).map((instance): RejectedPart => ({
    level: "instances",
    reason: "truncated",
    text: instance.output,
  }));
  const proposed = { instances: found.length };
  if (whole.length === 0)
    return { kind: "rejected", reason: wholeReplyProblem(reply) ?? "malformed", proposed, rejected: cut };
  return { kind: "kept", draft: { ...draft, instances: whole }, proposed, rejected: cut };
}

function inputFirst(text: string): Instance[] {
  const sections = labelledSections(text, ["Input", "Output"]);
  return sections.flatMap(({ label, content }, index) => {
    if (label !== "Output") return [];
    const before = sections[index - 1];
    return [{ input: before?.label === "Input" ? inputOf(before.content) : "", output: content }];
  });
}

function labelFirst(text: string): Instance[] {
  const sections = labelledSections(text, ["Label", "Input"]);
  return sections.flatMap(({ label, content }, index) => {
    if (label !== "Label") return [];
    const next = sections[index + 1];
    return [{ input: next?.label === "Input" ? inputOf(next.content) : "", output: content }];
  });
}

/** An input; the words by which a model says that there is none are none. */
export function inputOf(text: string): string {
  return /^\W*(?:none|no ?input|n\/a|empty)\W*$/i.test(text) ? "" : text.trim();
}

/** Seeds to show, drawn, one a task; short ones where there are enough. */
function chosen(seeds: readonly Seed[], label: string, seed: number, count: number): Seed[] {
  const ofTasks = [...groupBy(seeds, ({ task, instruction }) => `${task}\n${instruction}`).values()].flatMap(
    ([row]) => row ?? [],
  );
  const size = ({ instruction, input, outputs }: Seed): number =>
    instruction.length + input.length + (outputs[0]?.length ?? 0);
  const mixed = Random.derive(seed, `shots: ${label}`).shuffled(ofTasks);
  return [
    ...mixed.filter((row) => size(row) <= LONGEST_SHOT),
    ...mixed.filter((row) => size(row) > LONGEST_SHOT),
  ].slice(0, count);
}
