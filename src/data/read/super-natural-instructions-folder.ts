import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { KitError } from "../../support/errors.js";
import { readTextFile } from "../../support/files.js";

/** What a table says about a task. */
export interface TaskEntry {
  readonly category: string;
  /** The data set that the task was made from; absent where the table leaves it blank. */
  readonly source?: string;
}

/** Which side of the official split a task is on; "excluded" tasks share a source data set with a test task. */
export type OfficialSide = "train" | "test" | "excluded";

/** Entries by task, found by the whole name, else by the task number where only one task has it. */
export class TaskTable {
  readonly #byName = new Map<string, TaskEntry>();
  readonly #byNumber = new Map<string, TaskEntry | "ambiguous">();

  /** @param entries task names, without ".json", and what is known of them */
  constructor(entries: Iterable<readonly [string, TaskEntry]>) {
    for (const [name, entry] of entries) {
      this.#byName.set(name, entry);
      const number = taskNumber(name);
      this.#byNumber.set(number, this.#byNumber.has(number) ? "ambiguous" : entry);
    }
  }

  entryOf(task: string): TaskEntry | undefined {
    const named = this.#byName.get(task);
    if (named !== undefined) return named;
    const numbered = this.#byNumber.get(taskNumber(task));
    return numbered === "ambiguous" ? undefined : numbered;
  }
}

/** The part of a task's name that does not differ between copies: `task190` of `task190_snli_classification`. */
export function taskNumber(task: string): string {
  return /^task\d+/.exec(task)?.[0] ?? task;
}

/**
 * The table `task_categories.tsv` (columns task, category, source_dataset among others) in the folder of the task files
 * or the one above, or undefined where there is none.
 * @throws KitError when the table lacks a column or a cell
 */
export function findTaskTable(folder: string): TaskTable | undefined {
  const file = [folder, dirname(folder)].map((place) => join(place, "task_categories.tsv")).find(existsSync);
  if (file === undefined) return undefined;
  const [header = "", ...lines] = readTextFile(file).split(/\r?\n/);
  const columns = header.split("\t");
  const [taskColumn, categoryColumn, sourceColumn] = ["task", "category", "source_dataset"].map((name) => {
    const index = columns.indexOf(name);
    if (index >= 0) return index;
    throw new KitError(`the table has no column "${name}"`, "add it to the header line", { file, line: 1 });
  });
  const entries = lines.flatMap((line, index): [string, TaskEntry][] => {
    if (line === "") return [];
    const cells = line.split("\t");
    const [task, category, source] = [taskColumn, categoryColumn, sourceColumn].map(
      (column = 0) => cells[column],
    );
    if (task === undefined || task === "" || category === undefined || category === "") {
      throw new KitError("the line has no task or no category", "fill the cell in", {
        file,
        line: index + 2,
      });
    }
    return [[task, source === undefined || source === "" ? { category } : { category, source }]];
  });
  return new TaskTable(entries);
}

/** Whether the folder (or the one above) has the official split lists. */
export function hasOfficialSplit(folder: string): boolean {
  return [folder, dirname(folder)].some((place) => existsSync(join(place, "splits", "default")));
}

/**
 * The official split lists of a Super-NaturalInstructions folder, `splits/<track>/{train,test,excluded}_tasks.txt`. They
 * name tasks that the folder may not have; ask it about those that it has.
 * @param folder the folder that holds `splits`, or its `tasks` folder
 * @returns a function from a task's name (joined on the number) to its side, undefined for a task on no list
 * @throws KitError when a list is missing or names no task
 */
export function readOfficialSplit(
  folder: string,
  track: "default" | "xlingual" = "default",
): (task: string) => OfficialSide | undefined {
  const home = [folder, dirname(folder)].find((place) => existsSync(join(place, "splits", track))) ?? folder;
  const byName = new Map<string, OfficialSide>();
  const byNumber = new Map<string, OfficialSide>();
  for (const side of ["train", "excluded", "test"] as const) {
    const file = join(home, "splits", track, `${side}_tasks.txt`);
    const names = readTextFile(file)
      .split(/\r?\n/)
      .filter((name) => name !== "");
    if (names.length === 0) throw new KitError("the list names no task", "restore the file", { file });
    for (const name of names) {
      byName.set(name, side);
      byNumber.set(taskNumber(name), side);
    }
  }
  return (task) => byName.get(task) ?? byNumber.get(taskNumber(task));
}
