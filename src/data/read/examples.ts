import { z } from "zod";
import { marksOf } from "./marks.js";
import { oneExample, readChecked, rowFormat } from "./row-format.js";
import { text, writtenText } from "./rows.js";

const exampleSchema = z.strictObject({
  id: writtenText,
  task: writtenText,
  taskType: writtenText,
  instruction: writtenText.optional(),
  paraphrases: z.array(writtenText).optional(),
  input: text,
  outputs: z.array(text),
  options: z.array(writtenText).optional(),
  source: writtenText,
  rationale: text.optional(),
  evaluationOnly: z.literal(true).optional(),
  licence: text.optional(),
  fields: z.record(z.string(), z.unknown()).optional(),
});

/**
 * Rows as the kit holds them: `Example` with its own field names, so that several references, options, other wordings of
 * the instruction and the fields of a generator survive the file. The mini tasks are written so.
 */
export const examplesFormat = rowFormat({
  name: "examples",
  looksLike: "{id, task, taskType, instruction, input, outputs, source}",
  recognize: (first) =>
    marksOf(first) !== undefined && Array.isArray(first.outputs) && "input" in first
      ? "the first row has id, task, taskType, input, outputs and source"
      : undefined,
  rows: (record, context) =>
    readChecked(exampleSchema, record, context, ({ outputs, ...row }) => oneExample(row, outputs, "outputs")),
});
