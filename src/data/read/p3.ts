import { z } from "zod";
import { oneExample, readChecked, rowFormat } from "./row-format.js";
import { text, writtenText } from "./rows.js";

const rowSchema = z.looseObject({
  inputs_pretokenized: text,
  targets_pretokenized: text,
  answer_choices: z.array(text).nullish(),
  template_name: writtenText.optional(),
});

/**
 * P3 as published: `{inputs_pretokenized, targets_pretokenized, answer_choices}` beside the token ids of another model's
 * tokenizer, which are not used. The file is one task (a template applied to a data set).
 */
export const p3Format = rowFormat({
  name: "p3",
  looksLike: "{inputs_pretokenized, targets_pretokenized}",
  recognize: (first) =>
    "inputs_pretokenized" in first && "targets_pretokenized" in first
      ? "the first row has inputs_pretokenized and targets_pretokenized"
      : undefined,
  rows: (record, context) =>
    readChecked(rowSchema, record, context, (row) => {
      const { name, number } = context;
      const choices = row.answer_choices ?? [];
      const example = {
        id: `${name}-${number}`,
        task: row.template_name ?? name,
        taskType: name,
        input: row.inputs_pretokenized,
        source: name,
        ...(choices.length === 0 ? {} : { options: choices }),
      };
      return oneExample(example, [row.targets_pretokenized], "targets_pretokenized");
    }),
});
