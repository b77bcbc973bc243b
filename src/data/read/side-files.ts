import { basename, dirname } from "node:path";
import { extensionOf } from "./sample.js";

/** Endings of files that may hold rows. */
const ROW_FILES = new Set([".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".parquet", ".txt"]);

/** Files that stand beside rows and are no rows, by name; the first that fits says what it is. */
const SIDE_FILES: readonly (readonly [name: RegExp, what: string])[] = [
  [/^(readme|source|datasheet|dataset_card)(\.|$)/i, "description"],
  [/^((data_)?licen[cs]e|notice|copying)([._-]|$)/i, "licence"],
  [/^index\.jsonl$/, "table of templates (readPromptIndex)"],
  [/^manifest\.jsonl$/, "table of task files (readTaskManifest)"],
  [/^task_categories\.tsv$/, "table of task types (findTaskTable)"],
  [/^flan_collection_info\.csv$/, "table of the FLAN collection (readFlanCollection)"],
  [/^(t0_)?datasets\.csv$/, "table of T0's data sets (readT0Datasets)"],
  [/^(train|test|excluded|dev)_tasks\.txt$/, "list of a split (readOfficialSplit)"],
  [/^templates\.(ya?ml|jsonl)$/, "PromptSource templates"],
];

/** Folders whose files belong to the rows of another folder. */
const SIDE_FOLDERS: Readonly<Record<string, string>> = {
  annotations: "wordings of an instruction",
  "cot-prompts": "instruction and demonstrations of a task",
};

/** What a file in a folder of data is if it holds no rows, or undefined where it may hold some. */
export function sideFile(path: string): string | undefined {
  const name = basename(path);
  const known =
    SIDE_FILES.find(([pattern]) => pattern.test(name))?.[1] ?? SIDE_FOLDERS[basename(dirname(path))];
  if (known !== undefined) return known;
  return ROW_FILES.has(extensionOf(path)) ? undefined : "no file of rows, from its ending";
}
