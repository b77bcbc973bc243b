import { KitError } from "../../support/errors.js";
import type { Example } from "../example.js";
import { readJsonElements, readJsonMembers } from "./container/json-file.js";
import { instanceSchema } from "./demonstrations.js";
import { readObjectRows } from "./object-rows.js";
import { checkRow, type RowCollector, type RowFault } from "./rows.js";

/** What the rows of a task have in common, or what is wrong with the task. */
export type TaskReading =
  { readonly ofTask: Omit<Example, "id" | "input" | "outputs"> } | { readonly fault: RowFault };

/**
 * The examples of a task file of Natural Instructions: one JSON object with an `Instances` list, which is read one instance
 * at a time; the rest of the object says what the task is.
 * @param readTask reads the members of the object other than `Instances`
 */
export async function* readTaskFile(
  file: string,
  name: string,
  collector: RowCollector,
  readTask: (members: Readonly<Record<string, unknown>>) => TaskReading,
): AsyncGenerator<Example> {
  let read: Awaited<ReturnType<typeof readJsonMembers>>;
  try {
    read = await readJsonMembers(file, "Instances");
  } catch (error) {
    if (!(error instanceof KitError)) throw error;
    collector.dropFile(error);
    return;
  }
  const reading: TaskReading =
    read.within === "list" ? readTask(read.members) : { fault: notAList(read.members, read.within) };
  if ("fault" in reading) {
    const { field, problem } = reading.fault;
    const rows = read.within === "list" ? Math.max(1, await countInstances(file)) : 1;
    collector.drop(
      "malformed",
      problem,
      "correct the task file",
      field === "" ? { file } : { file, field },
      rows,
    );
    return;
  }
  yield* readObjectRows(file, "Instances", collector, (value, number) => {
    const checked = checkRow(instanceSchema, value);
    if ("fault" in checked) return checked;
    const { id = `${name}-${number}`, input, output } = checked.row;
    const outputs = typeof output === "string" ? [output] : output;
    return { draft: { example: { id, input, ...reading.ofTask }, outputs }, field: "output" };
  });
}

function notAList(
  members: Readonly<Record<string, unknown>>,
  within: "list" | "object" | undefined,
): RowFault {
  const isThere = within !== undefined || "Instances" in members;
  return { field: "Instances", problem: `"Instances" is ${isThere ? "not a list" : "missing"}` };
}

async function countInstances(file: string): Promise<number> {
  let count = 0;
  for await (const record of readJsonElements(file, "Instances"))
    count += record.place.row === undefined ? 0 : 1;
  return count;
}
