import { z } from "zod";
import { oneExample, readChecked, rowFormat } from "./row-format.js";
import { text, writtenText } from "./rows.js";

const rowSchema = z.looseObject({ dataset: writtenText, instruction: writtenText, output: text });

/**
 * AlpacaEval: `{dataset, instruction, output, generator}`; the output is that of the generator, a baseline to be judged
 * against, not a right answer, and in two published rows empty. The task type is the evaluation set that the instruction is from. For evaluation only.
 */
export const alpacaEvalFormat = rowFormat({
  name: "alpaca-eval",
  looksLike: "{dataset, instruction, output, generator}",
  recognize: (first) =>
    "instruction" in first && "output" in first && "generator" in first && "dataset" in first
      ? "the first row has instruction, output, generator and dataset"
      : undefined,
  rows: (record, context) =>
    readChecked(rowSchema, record, context, ({ dataset, instruction, output }) => {
      const { name, number } = context;
      const example = {
        id: `${name}-${number}`,
        task: `${name}/${dataset}`,
        taskType: dataset,
        instruction,
        input: "",
        source: dataset,
        evaluationOnly: true,
      } as const;
      return oneExample(example, output.trim() === "" ? [] : [output], "output");
    }),
});
