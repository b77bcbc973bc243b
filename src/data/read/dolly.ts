import { z } from "zod";
import { oneExample, readChecked, rowFormat } from "./row-format.js";
import { text, writtenText } from "./rows.js";

const rowSchema = z.looseObject({
  instruction: writtenText,
  context: text,
  response: text,
  category: writtenText,
});

/**
 * Databricks Dolly as published: `{instruction, context, response, category}`. The context is the input ("" where there is
 * none), the category one of eight task types.
 */
export const dollyFormat = rowFormat({
  name: "dolly",
  looksLike: "{instruction, context, response, category}",
  recognize: (first) =>
    "instruction" in first && "context" in first && "response" in first
      ? "the first row has instruction, context and response"
      : undefined,
  rows: (record, context) =>
    readChecked(rowSchema, record, context, ({ instruction, context: input, response, category }) => {
      const { name, number } = context;
      const example = {
        id: `${name}-${number}`,
        task: `${name}/${category}`,
        taskType: category,
        instruction,
        input,
        source: name,
      };
      return oneExample(example, [response], "response");
    }),
});
