import { z } from "zod";
import { oneExample, readChecked, rowFormat } from "./row-format.js";
import { text, writtenText } from "./rows.js";
import { besideOrAbove, readFlanCollection } from "./tables.js";

const rowSchema = z.looseObject({
  inputs: text,
  targets: text,
  task_source: writtenText.optional(),
  task_name: writtenText.optional(),
  template_type: text.optional(),
});

/** Categories by data set, from the table of the FLAN 2022 collection. */
export type FlanCategories = ReadonlyMap<string, string>;

/**
 * Rows of the FLAN collection: `{inputs, targets, task_source, task_name, template_type}`; the prompts are rendered, so the
 * input holds the instruction. The task type is the category in `flan_collection_info.csv` where it stands beside the file
 * or above, else the task.
 */
export const flanFormat = rowFormat<FlanCategories>({
  name: "flan",
  looksLike: "{inputs, targets, task_source, task_name, template_type}",
  recognize: (first) =>
    "inputs" in first && "targets" in first && ("task_name" in first || "task_source" in first)
      ? "the first row has inputs, targets and a task of the FLAN collection"
      : undefined,
  table: findFlanCategories,
  rows: (record, context, categories) =>
    readChecked(rowSchema, record, context, ({ inputs, targets, task_name: named, task_source: source }) => {
      const { name, number } = context;
      const task = named ?? name;
      const example = {
        id: `${name}-${number}`,
        task,
        taskType: categories?.get(task) ?? task,
        input: inputs,
        source: named ?? source ?? name,
      };
      return oneExample(example, [targets], "targets");
    }),
});

/**
 * The table of the FLAN 2022 collection beside a file or above it: the first category of each data set, which is the task
 * itself (the others are its inversions, such as "Question Generation").
 */
export async function findFlanCategories(path: string): Promise<FlanCategories | undefined> {
  const file = besideOrAbove(path, "flan_collection_info.csv");
  if (file === undefined) return undefined;
  const categories = new Map<string, string>();
  for (const { dataset, specificCategory } of await readFlanCollection(file)) {
    if (!categories.has(dataset) && specificCategory !== "") categories.set(dataset, specificCategory);
  }
  return categories;
}
