import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { KitError } from "../../support/errors.js";
import { type ContainerName, readContainer } from "./container/index.js";
import { checkRow, writtenText } from "./rows.js";

/** A template of P3 and the T0 cluster of tasks that it belongs to. */
export interface PromptTemplateEntry {
  readonly template: string;
  readonly cluster: string;
  readonly rows: number;
  /** Rows that the template has where it was published. */
  readonly rowsUpstream: number;
}

/** The table of rendered P3 files, `index.jsonl`. @throws KitError for a line that is not such an entry */
export async function readPromptIndex(file: string): Promise<readonly PromptTemplateEntry[]> {
  const schema = z.looseObject({
    template: writtenText,
    cluster: writtenText,
    rows: z.int().min(0),
    rows_upstream: z.int().min(0),
  });
  const rows = await readTable(file, "json-lines", schema);
  return rows.map(({ template, cluster, rows, rows_upstream: rowsUpstream }) => ({
    template,
    cluster,
    rows,
    rowsUpstream,
  }));
}

/** What is known of a Super-NaturalInstructions task file, beside the file. */
export interface TaskManifestEntry {
  readonly task: string;
  readonly split: "train" | "test" | "excluded";
  readonly category: string;
  /** Absent for a task that was made from no data set. */
  readonly sourceDataset?: string;
  readonly instances: number;
  /** How the file was made: "upstream" as published, "rebuilt" out of rendered prompts, or after another copy. */
  readonly record: string;
}

/** The table of task files, `manifest.jsonl`. @throws KitError for a line that is not such an entry */
export async function readTaskManifest(file: string): Promise<readonly TaskManifestEntry[]> {
  const schema = z.looseObject({
    task: writtenText,
    split: z.enum(["train", "test", "excluded"]),
    category: writtenText,
    source_dataset: writtenText.nullable(),
    instances: z.int().min(0),
    record: writtenText,
  });
  const rows = await readTable(file, "json-lines", schema);
  return rows.map(({ task, split, category, source_dataset: sourceDataset, instances, record }) => ({
    task,
    split,
    category,
    ...(sourceDataset === null ? {} : { sourceDataset }),
    instances,
    record,
  }));
}

/** A data set of the FLAN 2022 collection, once for each kind of task made from it. */
export interface FlanEntry {
  /** The collection inside the collection: "FLAN", "T0", "CoT", "NIv2", ... */
  readonly source: string;
  readonly dataset: string;
  readonly specificCategory: string;
  readonly genericCategory: string;
  readonly languages: readonly string[];
}

/** The table of the FLAN 2022 collection, `flan_collection_info.csv`. @throws KitError for a row that is not such an entry */
export async function readFlanCollection(file: string): Promise<readonly FlanEntry[]> {
  const schema = z.looseObject({
    Source: writtenText,
    Dataset: writtenText,
    "Specific Task Category": z.string(),
    "Generic Task Category": z.string(),
    Languages: z.string(),
  });
  const rows = await readTable(file, "csv", schema);
  return rows.map((row) => ({
    source: row.Source,
    dataset: row.Dataset,
    specificCategory: row["Specific Task Category"],
    genericCategory: row["Generic Task Category"],
    languages: pythonList(row.Languages),
  }));
}

/** A list as Python prints it, `['English', 'French']`; a text without brackets is a list of one. */
function pythonList(text: string): string[] {
  if (!text.startsWith("[")) return text.trim() === "" ? [] : [text.trim()];
  return [...text.matchAll(/'([^']*)'|"([^"]*)"/g)].map(([, single, double]) => single ?? double ?? "");
}

/** A data set of T0's list. */
export interface T0Dataset {
  readonly dataset: string;
  readonly subset?: string;
  /** The cluster of tasks that T0 puts it in. */
  readonly cluster: string;
  /** The first of T0's mixtures that trains on it: "BASE", a larger one such as "SGLUE", or "" for none. */
  readonly train: string;
  /** The mixtures that it evaluates; "" for none. */
  readonly evaluate: string;
}

/** T0's list of data sets, `datasets.csv`. @throws KitError for a row that is not such an entry */
export async function readT0Datasets(file: string): Promise<readonly T0Dataset[]> {
  const schema = z.looseObject({
    HF_name: writtenText,
    subset: z.string(),
    task_by_convention: writtenText,
    do_train: z.string(),
    do_eval: z.string(),
  });
  const rows = await readTable(file, "csv", schema);
  return rows.map((row) => ({
    dataset: row.HF_name,
    ...(row.subset === "" ? {} : { subset: row.subset }),
    cluster: row.task_by_convention,
    train: row.do_train,
    evaluate: row.do_eval,
  }));
}

/** A file of one of these names in the folder of a path or the one above, or undefined. */
export function besideOrAbove(path: string, ...names: readonly string[]): string | undefined {
  const folder = dirname(path);
  return [folder, dirname(folder)]
    .flatMap((place) => names.map((name) => join(place, name)))
    .find(existsSync);
}

/** The same reader of a table, which keeps the last one until another is read or the file changes. */
export function rememberLast<Table>(
  read: (file: string) => Promise<Table>,
): (file: string) => Promise<Table> {
  let last: { readonly key: string; readonly table: Promise<Table> } | undefined;
  return (file) => {
    const { mtimeMs, size } = statSync(file);
    const key = `${file}:${mtimeMs}:${size}`;
    if (last?.key !== key) last = { key, table: read(file) };
    return last.table;
  };
}

async function readTable<Schema extends z.ZodType>(
  file: string,
  container: ContainerName,
  schema: Schema,
): Promise<z.output<Schema>[]> {
  const rows: z.output<Schema>[] = [];
  for await (const record of readContainer(file, container)) {
    const place = { file, ...record.place };
    if ("problem" in record) throw new KitError(record.problem, "correct the table", place);
    const checked = checkRow(schema, record.value);
    if ("fault" in checked)
      throw new KitError(checked.fault.problem, "correct the table", {
        ...place,
        field: checked.fault.field,
      });
    rows.push(checked.row);
  }
  return rows;
}
