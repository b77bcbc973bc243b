import { readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { KitError } from "../../support/errors.js";
import type { Demonstration, Example } from "../example.js";
import type { Format, ReadRequest } from "./format.js";
import { readPythonJsonFile } from "./json.js";
import { checkRow, text, writtenText } from "./rows.js";
import { isFolder } from "./sample.js";
import { findTaskTable, type TaskTable } from "./super-natural-instructions-folder.js";

const demonstrations = z
  .array(z.looseObject({ input: text, output: text, explanation: text.optional() }))
  .default([]);

const taskSchema = z.looseObject({
  Definition: z.union([writtenText, z.array(writtenText).min(1, "it has no entry")]),
  Categories: z.array(writtenText).default([]),
  Source: z.array(writtenText).default([]),
  "Positive Examples": demonstrations,
  "Negative Examples": demonstrations,
  Instances: z.array(z.unknown()),
});

const instanceSchema = z.looseObject({
  id: writtenText.optional(),
  input: text,
  output: z.union([text, z.array(text)]),
});

/** A task file's name: `task190_snli_classification.json`. */
const TASK_FILE = /^task\d+.*\.json$/;

/**
 * Super-NaturalInstructions v2 (Wang et al. 2022): one JSON object a task, in a folder of `task<number>_<name>.json` or
 * in its `tasks` folder. Task type and source come from the folder's `task_categories.tsv` where it has one (the names in
 * the files differ between copies), joined on the task's name and else on its number, else from the file itself.
 */
export const superNaturalInstructionsFormat: Format = {
  name: "super-natural-instructions",
  looksLike: "a folder of task<number>_<name>.json, or one such file with Definition and Instances",
  recognize(sample) {
    if (sample.kind === "folder") {
      const files = sample.names.filter((name) => TASK_FILE.test(name)).length;
      if (files > 0) return `a folder with ${files} files named task<number>...json`;
      return sample.names.includes("tasks") ? "a folder with a folder of tasks" : undefined;
    }
    if (sample.kind === "array") return undefined;
    const fits = "Definition" in sample.first && "Instances" in sample.first;
    return fits ? "a JSON object with Definition and Instances" : undefined;
  },
  read: readTasks,
};

// eslint-disable-next-line @typescript-eslint/require-await -- readers of streams have the same type
async function* readTasks(request: ReadRequest): AsyncGenerator<Example> {
  const files = taskFiles(request.path);
  const table = findTaskTable(dirname(files[0] ?? request.path));
  for (const file of files) {
    if (request.wantsTask(basename(file, ".json"))) yield* readTask(file, table, request);
  }
}

function taskFiles(path: string): string[] {
  if (!isFolder(path)) return [path];
  const names = readdirSync(path);
  const folder =
    names.some((name) => TASK_FILE.test(name)) || !names.includes("tasks") ? path : join(path, "tasks");
  if (!isFolder(folder))
    throw new KitError("this is not a folder", "give a folder of task files", { file: folder });
  const files = readdirSync(folder).filter((name) => TASK_FILE.test(name));
  if (files.length === 0) {
    throw new KitError("the folder has no file named task<number>...json", "check the path", {
      file: folder,
    });
  }
  return files.sort(byTaskNumber).map((name) => join(folder, name));
}

function byTaskNumber(a: string, b: string): number {
  return Number(/\d+/.exec(a)?.[0]) - Number(/\d+/.exec(b)?.[0]) || (a < b ? -1 : 1);
}

function* readTask(
  file: string,
  table: TaskTable | undefined,
  { collector }: ReadRequest,
): Generator<Example> {
  let content: unknown;
  try {
    content = readPythonJsonFile(file);
  } catch (error) {
    if (!(error instanceof KitError)) throw error;
    collector.dropFile(error);
    return;
  }
  const checked = checkRow(taskSchema, content);
  if ("fault" in checked) {
    const { field, problem } = checked.fault;
    const location = field === "" ? { file } : { file, field };
    collector.drop("malformed", problem, "correct the task file", location, countInstances(content));
    return;
  }
  const record = checked.row;
  const task = basename(file, ".json");
  const entry = table?.entryOf(task);
  const taskType = entry?.category ?? record.Categories[0];
  if (taskType === undefined) {
    const problem = `task "${task}" has no category`;
    collector.drop(
      "malformed",
      problem,
      "name one",
      { file, field: "Categories" },
      record.Instances.length || 1,
    );
    return;
  }
  if (record.Instances.length === 0) {
    collector.drop("empty-task", "the task has no instances", "remove the file", {
      file,
      field: "Instances",
    });
    return;
  }
  const ofTask = {
    task,
    taskType,
    source: entry?.source ?? (record.Source.length > 0 ? record.Source.join(" + ") : task),
    instruction: typeof record.Definition === "string" ? record.Definition : (record.Definition[0] ?? ""),
    positive: record["Positive Examples"].map(demonstration),
    negative: record["Negative Examples"].map(demonstration),
  };
  for (const [index, value] of record.Instances.entries()) {
    const place = { file, row: index + 1 };
    const instance = checkRow(instanceSchema, value);
    if ("fault" in instance) {
      const { field, problem } = instance.fault;
      collector.drop(
        "malformed",
        problem,
        "correct the instance",
        field === "" ? place : { ...place, field },
      );
      continue;
    }
    const { id = `${task}-${index + 1}`, input, output } = instance.row;
    const outputs = typeof output === "string" ? [output] : output;
    const example = collector.take({ id, input, ...ofTask }, outputs, { ...place, field: "output" });
    if (example !== undefined) yield example;
  }
}

function demonstration({
  input,
  output,
  explanation,
}: z.output<typeof demonstrations>[number]): Demonstration {
  return explanation === undefined || explanation === "" ? { input, output } : { input, output, explanation };
}

/** Rows that are lost with a task file that cannot be used. */
function countInstances(content: unknown): number {
  const instances =
    typeof content === "object" && content !== null && "Instances" in content ? content.Instances : undefined;
  return Array.isArray(instances) ? Math.max(1, instances.length) : 1;
}
