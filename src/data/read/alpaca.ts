import { basename, extname } from "node:path";
import { z } from "zod";
import { KitError } from "../../support/errors.js";
import type { Example } from "../example.js";
import type { Format, ReadRequest } from "./format.js";
import { readPythonJsonFile } from "./json.js";
import { checkRow, text, writtenText } from "./rows.js";

const rowSchema = z.looseObject({
  instruction: writtenText,
  input: text.optional(),
  output: text,
  category: writtenText.optional(),
});

/**
 * Stanford Alpaca: one JSON array of `{instruction, input, output}`; `input` is "" where there is none. The file is one
 * task of one type, unless the rows carry a `category` (as Dolly rows in this format do), which then is the task type.
 */
export const alpacaFormat: Format = {
  name: "alpaca",
  looksLike: "a JSON array of {instruction, input, output}",
  recognize(sample) {
    if (sample.kind !== "array") return undefined;
    const { first } = sample;
    const fits = "instruction" in first && "output" in first && "input" in first;
    return fits ? "a JSON array whose first row has instruction, input and output" : undefined;
  },
  read: readAlpaca,
};

// eslint-disable-next-line @typescript-eslint/require-await -- readers of streams have the same type
async function* readAlpaca({ path, collector, wantsTask }: ReadRequest): AsyncGenerator<Example> {
  const rows = readPythonJsonFile(path);
  if (!Array.isArray(rows)) {
    throw new KitError("this is not a JSON array", "give a JSON array of {instruction, input, output}", {
      file: path,
    });
  }
  const name = basename(path, extname(path));
  for (const [index, value] of rows.entries()) {
    const place = { file: path, row: index + 1 };
    const checked = checkRow(rowSchema, value);
    if ("fault" in checked) {
      const { field, problem } = checked.fault;
      collector.drop("malformed", problem, "correct the row", field === "" ? place : { ...place, field });
      continue;
    }
    const { instruction, input = "", output, category } = checked.row;
    const task = category === undefined ? name : `${name}/${category}`;
    if (!wantsTask(task)) continue;
    const example = collector.take(
      { id: `${name}-${index + 1}`, task, taskType: category ?? name, instruction, input, source: name },
      [output],
      { ...place, field: "output" },
    );
    if (example !== undefined) yield example;
  }
}
