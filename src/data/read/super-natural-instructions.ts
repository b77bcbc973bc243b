import { readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { KitError } from "../../support/errors.js";
import type { Example } from "../example.js";
import { demonstrationOf, demonstrations } from "./demonstrations.js";
import { type Format, memberNames, type ReadRequest } from "./format.js";
import { checkRow, writtenText } from "./rows.js";
import { isFolder } from "./sample.js";
import { findTaskTable, type TaskTable } from "./super-natural-instructions-folder.js";
import { readTaskFile } from "./task-file.js";

const taskSchema = z.looseObject({
  Definition: z.union([writtenText, z.array(writtenText).min(1, "it has no entry")]),
  Categories: z.array(writtenText).default([]),
  Source: z.array(writtenText).default([]),
  "Positive Examples": demonstrations,
  "Negative Examples": demonstrations,
  "Instance License": z.array(writtenText).default([]),
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
    const names = memberNames(sample);
    // The first version has Definition and Instances too, beside what the second dropped.
    const fits = names.includes("Definition") && names.includes("Instances") && !names.includes("Examples");
    return fits ? "a JSON object with Definition and Instances" : undefined;
  },
  read: readTasks,
};

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

/** A task file in constant memory: first what the task is, then its instances one by one. */
function readTask(
  file: string,
  table: TaskTable | undefined,
  { collector }: ReadRequest,
): AsyncGenerator<Example> {
  const task = basename(file, ".json");
  return readTaskFile(file, task, collector, (members) => {
    const checked = checkRow(taskSchema, members);
    if ("fault" in checked) return checked;
    const record = checked.row;
    const entry = table?.entryOf(task);
    const taskType = entry?.category ?? record.Categories[0];
    if (taskType === undefined)
      return { fault: { field: "Categories", problem: `task "${task}" has no category` } };
    const licence = record["Instance License"].join(", ");
    return {
      ofTask: {
        task,
        taskType,
        source: entry?.source ?? (record.Source.length > 0 ? record.Source.join(" + ") : task),
        instruction: typeof record.Definition === "string" ? record.Definition : (record.Definition[0] ?? ""),
        positive: record["Positive Examples"].map(demonstrationOf),
        negative: record["Negative Examples"].map(demonstrationOf),
        ...(licence === "" ? {} : { licence }),
      },
    };
  });
}
