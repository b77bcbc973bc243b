import { z } from "zod";
import type { RowContext, RowReading, RowSchema } from "./format.js";
import { readChecked, rowFormat } from "./row-format.js";
import { checkRow, text, writtenText } from "./rows.js";

const rowSchema = z.looseObject({
  id: writtenText,
  name: text.optional(),
  instruction: writtenText,
  is_classification: z.boolean().optional(),
  motivation_app: writtenText.optional(),
  instances: z.array(z.unknown()),
});

const instanceSchema = z.looseObject({ input: text, output: text });

/**
 * Self-Instruct: one task a record, `{id, instruction, instances: [{input, output}], ...}`. Each instance is a row. The task
 * type is the application of the user-oriented tasks (`motivation_app`), else whether the task is a classification: the one
 * difference that Self-Instruct itself makes between its seed tasks. The user-oriented tasks are its evaluation set, and
 * AlpacaEval holds all of them: they are for evaluation only.
 */
const selfInstructRows: RowSchema = {
  name: "self-instruct",
  looksLike: "{id, instruction, instances: [{input, output}]}",
  recognize: (first) =>
    "instruction" in first && "instances" in first
      ? "the first row has instruction and instances"
      : undefined,
  rows: (record, context) => readChecked(rowSchema, record, context, (row) => readInstances(row, context)),
};

/** Self-Instruct seed tasks and user-oriented tasks. */
export const selfInstructFormat = rowFormat(selfInstructRows);

function readInstances(row: z.output<typeof rowSchema>, context: RowContext): readonly RowReading[] {
  const { id, instruction, instances, is_classification: classification, motivation_app: app } = row;
  const ofTask = {
    task: id,
    taskType: app ?? (classification === true ? "classification" : "generation"),
    instruction,
    source: context.name,
    ...(app === undefined ? {} : ({ evaluationOnly: true } as const)),
  };
  return readEachInstance(instances, instanceSchema, id, ({ input, output }, index) => ({
    example: { id: instances.length === 1 ? id : `${id}-${index + 1}`, ...ofTask, input },
    outputs: [output],
  }));
}

/**
 * A record that is a task with its instances: each of them is a row.
 * @param task its name, for messages
 */
export function readEachInstance<Schema extends z.ZodType>(
  instances: readonly unknown[],
  schema: Schema,
  task: string,
  draft: (
    instance: z.output<Schema>,
    index: number,
  ) => Extract<RowReading, { kind: "row" }>["drafts"][number],
): readonly RowReading[] {
  if (instances.length === 0) {
    const problem = `task "${task}" has no instances`;
    return [{ kind: "drop", reason: "empty-task", problem, cure: "give it an instance", field: "instances" }];
  }
  return instances.map((value, index): RowReading => {
    const checked = checkRow(schema, value);
    if ("row" in checked)
      return { kind: "row", drafts: [draft(checked.row, index)], field: `instances.${index}.output` };
    const { field, problem } = checked.fault;
    const path = `instances.${index}${field === "" ? "" : `.${field}`}`;
    return { kind: "drop", reason: "malformed", problem, cure: "correct the line", field: path };
  });
}
