import { z } from "zod";
import { oneExample, readChecked, rowFormat } from "./row-format.js";
import { text, writtenText } from "./rows.js";

const rowSchema = z.looseObject({
  question_id: z.union([z.number(), writtenText]),
  category: writtenText,
  turns: z.array(writtenText).min(1, "it has no entry"),
  reference: z.array(text).optional(),
});

/**
 * MT-Bench (Zheng et al. 2023): `{question_id, category, turns}`. The first turn is the input. The second is asked after the
 * model's own answer to the first, so it cannot stand in `history`: all turns are in `fields.turns`. The task type is the
 * category; a reference answer to the first turn is there for some categories only. For evaluation only.
 */
export const mtBenchFormat = rowFormat({
  name: "mt-bench",
  looksLike: "{question_id, category, turns}",
  recognize: (first) =>
    "question_id" in first && "turns" in first ? "the first row has question_id and turns" : undefined,
  rows: (record, context) =>
    readChecked(rowSchema, record, context, ({ question_id: id, category, turns, reference = [] }) => {
      const { name } = context;
      const example = {
        id: `${name}-${id}`,
        task: `${name}/${category}`,
        taskType: category,
        input: turns[0] ?? "",
        source: name,
        evaluationOnly: true,
        fields: { turns },
      } as const;
      return oneExample(
        example,
        reference.slice(0, 1).filter((answer) => answer.trim() !== ""),
        "reference",
      );
    }),
});
