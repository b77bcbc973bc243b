import { KitError } from "../../support/errors.js";
import type { Example } from "../example.js";
import { readJsonElements } from "./container/json-file.js";
import type { ExampleDraft, RowCollector, RowFault } from "./rows.js";

/** What an element of an object's list is: a row, with the field that holds its references, or what is wrong with it. */
export type ElementReading =
  { readonly draft: ExampleDraft; readonly field: string } | { readonly fault: RowFault };

/**
 * The rows of a file that is one JSON object with a long member: the elements of that member, one at a time.
 * @param within name of the member
 * @param read what an element is; it is told its number, from 1, and its name where the member is an object
 */
export async function* readObjectRows(
  path: string,
  within: string,
  collector: RowCollector,
  read: (value: unknown, number: number, key: string | undefined) => ElementReading,
): AsyncGenerator<Example> {
  let number = 0;
  try {
    for await (const record of readJsonElements(path, within)) {
      number++;
      const place = { file: path, row: number };
      const reading =
        "problem" in record
          ? { fault: { field: "", problem: record.problem } }
          : read(record.value, number, record.key);
      if ("fault" in reading) {
        const { field, problem } = reading.fault;
        collector.drop("malformed", problem, "correct the row", field === "" ? place : { ...place, field });
        continue;
      }
      const { draft, field } = reading;
      const example = collector.take(draft.example, draft.outputs, { ...place, field });
      if (example !== undefined) yield example;
    }
  } catch (error) {
    if (!(error instanceof KitError)) throw error;
    collector.dropFile(error);
    return;
  }
  if (number > 0) return;
  const place = { file: path, field: within };
  collector.drop("empty-task", `the task has no ${within.toLowerCase()}`, "remove the file", place);
}
