import { z } from "zod";
import type { Turn } from "../example.js";
import type { RowSchema } from "./format.js";
import { marksOf } from "./marks.js";
import { oneExample, readChecked, rowFormat } from "./row-format.js";
import { text, writtenText } from "./rows.js";

const rowSchema = z.looseObject({
  instruction: writtenText,
  input: text.optional(),
  output: text,
  category: writtenText.optional(),
  system: text.optional(),
  history: z.array(z.tuple([text, text])).optional(),
});

/**
 * Stanford Alpaca: `{instruction, input, output}`, usually in one JSON array; `input` is "" where there is none. The file
 * is one task of one type, unless the rows carry a `category` (as Dolly rows in this format do), which then is the task
 * type. LLaMA-Factory adds `system` and `history`, pairs of what was asked and answered before.
 */
const alpacaRows: RowSchema = {
  name: "alpaca",
  looksLike: "{instruction, input, output}",
  recognize: (first) =>
    "instruction" in first && "output" in first ? "the first row has instruction and output" : undefined,
  rows: (record, context) =>
    readChecked(
      rowSchema,
      record,
      context,
      ({ instruction, input = "", output, category, system, history }) => {
        const { name, number } = context;
        const task = category === undefined ? name : `${name}/${category}`;
        const turns = earlierTurns(system, history);
        const example = {
          id: `${name}-${number}`,
          task,
          taskType: category ?? name,
          instruction,
          input,
          source: name,
          ...(turns.length === 0 ? {} : { history: turns }),
          ...marksOf(record),
        };
        return oneExample(example, [output], "output");
      },
    ),
};

/** Stanford Alpaca and its dialects. */
export const alpacaFormat = rowFormat(alpacaRows);

function earlierTurns(system = "", history: readonly (readonly [string, string])[] = []): Turn[] {
  return [
    ...(system === "" ? [] : [{ role: "system", text: system } as const]),
    ...history.flatMap(([asked, answered]): Turn[] => [
      { role: "user", text: asked },
      { role: "assistant", text: answered },
    ]),
  ];
}
