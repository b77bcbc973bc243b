import { z } from "zod";
import type { Example } from "../../data/example.js";
import { groupBy } from "../../support/group.js";
import { KitError } from "../../support/errors.js";
import { Random } from "../../support/random.js";
import { type Draft, keep, reject } from "../pipeline/draft.js";
import { duplicateStep, instructionFilter, LENGTH_RULES, requestText } from "../pipeline/filters.js";
import type { Method, Proposal, Proposed, Step } from "../pipeline/pipeline.js";
import { jsonIn, oneLine, rejected, replyProblem } from "../pipeline/reply-text.js";
import type { TeacherReply } from "../teacher/teacher.js";
import { ask, draftWith, type MethodOptions, requireSeeds, teacherSeed, turnOf } from "./common.js";
import { lastSteps } from "./last-steps.js";

/** Wordings that one question asks for, and rows that it shows. */
const WORDINGS = 8;
const SHOWN_ROWS = 4;
const LONGEST_ROW = 400;
const PROPOSING = { maxTokens: 1024, temperature: 0.9 } as const;

/** A task has labels when it has at most so many different outputs, each of them at most so long, and they repeat. */
const MOST_LABELS = 12;
const LONGEST_LABEL = 40;

export interface TemplateSynthesisOptions extends MethodOptions {
  /** Questions about each task (1). */
  readonly questionsPerTask?: number;
}

/** A task of the table. */
interface Task {
  readonly name: string;
  readonly rows: readonly Example[];
  readonly labels: readonly string[] | undefined;
}

/**
 * Instructions for an SFT table: for each task of labelled rows the teacher writes wordings of what is to be done, and each row
 * then gets one of them, drawn by its id. That is the cheapest way from input -> output to instruction, input -> output: a
 * question a task, whatever the number of rows. It is what the templates of FLAN (Wei et al. 2021, arXiv 2109.01652: ten a data
 * set, by hand) and PromptSource do, with a teacher in the place of the hands. A wording of a task with labels must name all of
 * them.
 * @throws KitError when no row has an input and an output; for `leastScore`, since the answers are not the teacher's
 */
export function templateSynthesis(options: TemplateSynthesisOptions): Method {
  const { seed, questionsPerTask = 1, leastScore } = options;
  if (leastScore !== undefined) {
    throw new KitError(
      "template synthesis writes wordings to labelled rows, and there is no answer of the teacher to judge",
      "leave --judge out",
      { field: "judge" },
    );
  }
  const rows = options.seeds.filter(({ input, outputs }) => input.trim() !== "" && outputs.length > 0);
  requireSeeds(rows.length, 1, "Template synthesis", "an input and an output");
  const tasks = [...groupBy(rows, ({ task }) => task)].map(([name, own]): Task => ({
    name,
    rows: own,
    labels: labelsOf(own),
  }));
  const questions = tasks.flatMap((task, slot) =>
    Array.from({ length: questionsPerTask }, (_, time) => ({ task, slot, time })),
  );
  return {
    name: "template-synthesis",
    source: "after Wei et al. 2021, arXiv 2109.01652, and PromptSource (Bach et al. 2022, arXiv 2202.01279)",
    settings: { ...PROPOSING, wordings: WORDINGS, shownRows: SHOWN_ROWS, questionsPerTask },
    propose: (round) =>
      turnOf(questions, options, round)?.map(({ task, slot, time }) =>
        proposal(task, slot, seed, `${task.name}/${time}`),
      ),
    steps: [
      instructionFilter(LENGTH_RULES),
      labelFilter,
      // Two tasks may well have the same wording.
      duplicateStep([], (draft) => `${draft.slot ?? ""}\n${requestText(draft)}`),
      ...lastSteps(options),
    ],
    rows: (kept) => rowsWithWordings(tasks, kept, seed, options),
  };
}

/** The answers to choose from: those that the rows say, or the different outputs where they are few and repeat. */
function labelsOf(rows: readonly Example[]): readonly string[] | undefined {
  const [first] = rows;
  if (
    first?.options !== undefined &&
    rows.every(({ options }) => options?.join("\n") === first.options?.join("\n"))
  )
    return first.options;
  const outputs = [...new Set(rows.map(({ outputs }) => outputs[0]?.trim() ?? ""))];
  const areLabels =
    outputs.length > 1 &&
    outputs.length <= MOST_LABELS &&
    rows.length >= 2 * outputs.length &&
    outputs.every((output) => output.length <= LONGEST_LABEL);
  return areLabels ? outputs.sort() : undefined;
}

function proposal(task: Task, slot: number, seed: number, label: string): Proposal {
  const { rows, labels } = task;
  const shown = Random.derive(seed, `templates/${label}`).shuffled(rows).slice(0, SHOWN_ROWS);
  const known = shown.find(({ instruction }) => instruction !== undefined)?.instruction;
  const cut = (text: string): string =>
    text.length > LONGEST_ROW ? `${text.slice(0, LONGEST_ROW)}...` : text;
  const examples = shown.map(
    ({ input, outputs }) => `Input: ${cut(input)}\nOutput: ${cut(outputs[0] ?? "")}`,
  );
  const content = [
    `Below are rows of one task. Write ${WORDINGS} different instructions, each of which makes clear what is to be done with an input to get its output, without speaking of these rows.`,
    ...(labels === undefined
      ? []
      : [`Each instruction names all answers to choose from: ${labels.join(", ")}.`]),
    ...(known === undefined ? [] : [`One instruction that exists: ${known}`]),
    ...examples,
    'Reply with a JSON list of texts and nothing else: ["...", "..."]',
  ].join("\n\n");
  const common = {
    parents: shown.map(({ id }) => id),
    slot,
    ...(labels === undefined ? {} : { options: labels }),
  };
  return {
    request: ask(content, { ...PROPOSING, seed: teacherSeed(seed, label) }),
    read: (reply) => readWordings(reply, common),
  };
}

const listSchema = z.array(z.unknown()).min(1);

function readWordings(reply: TeacherReply, common: Partial<Draft>): readonly Proposed[] {
  const problem = replyProblem(reply);
  if (problem !== undefined) return [rejected(problem, reply.text)];
  const found = jsonIn(reply.text);
  if (found === undefined)
    return [rejected(reply.ending === "length" ? "truncated" : "not-json", reply.text)];
  const list = listSchema.safeParse(found);
  if (!list.success) return [rejected("malformed", reply.text)];
  return list.data.map((item) => {
    if (typeof item !== "string" || item.trim() === "") return rejected("malformed", JSON.stringify(item));
    return { kind: "draft", draft: draftWith({ ...common, instruction: oneLine(item) }) };
  });
}

const labelFilter: Step = {
  kind: "filter",
  name: "labels",
  check: (draft) => {
    const text = draft.instruction.toLowerCase();
    const missing = draft.options?.some((label) => !text.includes(label.toLowerCase())) ?? false;
    return missing ? reject("labels-missing") : keep(draft);
  },
};

/** Every row of a task that has wordings, with one of them; the others are its paraphrases. */
function rowsWithWordings(
  tasks: readonly Task[],
  kept: readonly Draft[],
  seed: number,
  { heldOut }: MethodOptions,
): Example[] {
  const wordings = groupBy(kept, ({ slot }) => slot ?? -1);
  return tasks.flatMap(({ rows, labels }, slot) => {
    const own = (wordings.get(slot) ?? []).map(({ instruction }) => instruction);
    if (own.length === 0) return [];
    return rows.flatMap((row): Example[] => {
      const instruction = Random.derive(seed, `wording of ${row.id}`).choice(own);
      const made: Example = {
        ...row,
        instruction,
        ...(own.length > 1 ? { paraphrases: own.filter((wording) => wording !== instruction) } : {}),
        ...(labels === undefined ? {} : { options: labels }),
      };
      return heldOut?.match(made) === undefined ? [made] : [];
    });
  });
}
