import { Command, Option } from "commander";
import type { Example } from "../../../data/example.js";
import { dedupe, type DedupeLedger, type DuplicateRow } from "../../../similarity/dedupe.js";
import { TEXT_PARTS, textOf, type TextPart } from "../../../similarity/example-text.js";
import { type LabelledMatrix, taskTypeSimilarity } from "../../../similarity/task-types.js";
import { KitError } from "../../../support/errors.js";
import { writeFileAtomic } from "../../../support/files.js";
import { groupBy } from "../../../support/group.js";
import { progressBar, silentProgress } from "../../../support/progress.js";
import { positiveInteger, wholeNumber } from "../../options.js";
import { readAll } from "./read-all.js";
import { type ReadFlags, readOptionsOf, similarity, textTable, withReadFlags } from "./shared.js";

interface DuplicatesFlags extends ReadFlags {
  readonly threshold: number;
  readonly on: TextPart;
  readonly out?: string;
  readonly similarity?: "task" | "task-type" | true;
  readonly rowsPerGroup: number;
  readonly device: "fastest" | "plain" | "gpu";
  readonly seed: number;
  readonly json?: true;
}

/** `ift-kit data duplicates PATH...`: rows that are the same or nearly so; `--similarity`: how alike whole tasks are. */
export function duplicatesCommand(): Command {
  return withReadFlags(new Command("duplicates"))
    .description("Finds rows that are the same or nearly so, and keeps count of them per task.")
    .argument("<path...>", "files or folders")
    .option("--threshold <similarity>", "Jaccard similarity of near-duplicates", similarity, 0.8)
    .addOption(
      new Option("--on <part>", "what is compared; the instruction stands in for an empty input")
        .choices(TEXT_PARTS)
        .default("input"),
    )
    .option("--out <file>", "write each cluster there as a line of JSON: the row to keep and its duplicates")
    .addOption(
      new Option(
        "--similarity [by]",
        "compare whole tasks, or task types, pair by pair as well; task-type where nothing is named",
      ).choices(["task", "task-type"]),
    )
    .option("--rows-per-group <n>", "--similarity: rows of a task or task type at most", positiveInteger, 40)
    .addOption(
      new Option("--device <device>", "--similarity: where the pairs are counted")
        .choices(["fastest", "plain", "gpu"])
        .default("fastest"),
    )
    .option("--seed <n>", "--similarity: seed of the choice of rows", wholeNumber, 0)
    .option("--json", "print the findings as JSON")
    .action(duplicates);
}

async function duplicates(paths: readonly string[], flags: DuplicatesFlags): Promise<void> {
  const { threshold, on, out } = flags;
  const all = await readAll(paths, readOptionsOf(flags));
  const text = textOf(on);
  const examples = all.filter((example) => text(example).trim() !== "");
  if (examples.length === 0)
    throw new KitError(`no row has a text to compare by "${on}"`, `use another of ${TEXT_PARTS.join(", ")}`, {
      field: "on",
    });
  const progress = examples.length < ROWS_WITH_BAR ? silentProgress : progressBar("duplicates");
  const start = performance.now();
  const { ledger } = dedupe(examples, { threshold, on, progress });
  const seconds = (performance.now() - start) / 1000;
  const clusters = clustersOf(examples, ledger);
  const matrix = flags.similarity === undefined ? undefined : await compareGroups(examples, flags);
  if (out !== undefined)
    writeFileAtomic(out, clusters.map((cluster) => `${JSON.stringify(cluster)}\n`).join(""));
  const withoutText = all.length - examples.length;
  if (flags.json === true) {
    const { lines, total } = ledger;
    const found = { threshold, on, withoutText, total, lines, clusters };
    console.log(
      JSON.stringify({ paths, ...found, ...(matrix === undefined ? {} : { matrix }) }, undefined, 2),
    );
    return;
  }
  console.log(describe(ledger, clusters, `${on}, ${threshold} or more alike`, withoutText, seconds));
  for (const { kept, text: shown, duplicates: rows } of clusters.slice(0, CLUSTERS_SHOWN)) {
    console.log(`\n${kept} and ${rows.length} like it: ${oneLine(shown)}`);
    for (const { id, kind, similarity: alike } of rows.slice(0, ROWS_SHOWN))
      console.log(`  ${kind} ${alike.toFixed(2)} ${id}`);
    if (rows.length > ROWS_SHOWN) console.log(`  and ${rows.length - ROWS_SHOWN} others`);
  }
  if (matrix !== undefined) console.log(`\n${describeMatrix(matrix)}`);
  if (out !== undefined) console.log(`\n${out}: ${clusters.length} clusters written`);
}

/** Rows from which a bar is shown. */
const ROWS_WITH_BAR = 10_000;
const CLUSTERS_SHOWN = 5;
const ROWS_SHOWN = 3;
const LINES_SHOWN = 30;

/** Rows that are alike. */
interface Cluster {
  /** Id of the first, which is kept. */
  readonly kept: string;
  readonly task: string;
  readonly text: string;
  readonly duplicates: readonly Omit<DuplicateRow, "keptId">[];
}

/** The clusters, the largest first. */
function clustersOf(examples: readonly Example[], { dropped }: DedupeLedger): Cluster[] {
  const byId = new Map(examples.map((example) => [example.id, example]));
  return [...groupBy(dropped, ({ keptId }) => keptId)]
    .map(([kept, rows]) => {
      const first = byId.get(kept);
      return {
        kept,
        task: first?.task ?? "",
        text: first === undefined ? "" : textOf("row")(first),
        duplicates: rows.map(({ id, task, kind, similarity: alike }) => ({
          id,
          task,
          kind,
          similarity: alike,
        })),
      };
    })
    .sort((a, b) => b.duplicates.length - a.duplicates.length);
}

function describe(
  { lines, total }: DedupeLedger,
  clusters: readonly Cluster[],
  compared: string,
  withoutText: number,
  seconds: number,
): string {
  const { rowsIn, kept, exact, near } = total;
  const concerned = lines.filter((line) => line.exact + line.near > 0);
  const shown = [...concerned]
    .sort((a, b) => b.exact + b.near - (a.exact + a.near))
    .slice(0, LINES_SHOWN)
    .map((line) => [line.task, line.rowsIn, line.kept, line.exact, line.near]);
  return [
    `${rowsIn} rows in, ${kept} kept, ${exact} exact and ${near} near-duplicates in ${clusters.length} clusters (${compared}; ${seconds.toFixed(1)} s)`,
    ...(withoutText === 0 ? [] : [`rows without that text, left out: ${withoutText}`]),
    ...(shown.length === 0 ? [] : [`\n${textTable(["task", "rows", "kept", "exact", "near"], shown)}`]),
    ...(concerned.length > LINES_SHOWN ? [`and ${concerned.length - LINES_SHOWN} other tasks`] : []),
  ].join("\n");
}

function compareGroups(examples: readonly Example[], flags: DuplicatesFlags): Promise<LabelledMatrix> {
  const { on, rowsPerGroup, device, seed } = flags;
  const rows =
    flags.similarity === "task" ? examples.map((row) => ({ ...row, taskType: row.task })) : examples;
  return taskTypeSimilarity(rows, {
    part: on,
    // Single words: runs of three words are hardly ever common to two tasks.
    shingles: { size: 1 },
    rowsPerTaskType: rowsPerGroup,
    seed,
    device,
    progress: examples.length < ROWS_WITH_BAR ? silentProgress : progressBar("similarity"),
  });
}

/** Groups up to which the whole matrix fits on a screen. */
const COLUMNS_SHOWN = 12;
const PAIRS_SHOWN = 20;

/** The matrix where it fits, else its most similar pairs; with the device and why it was taken. */
function describeMatrix({ labels, values, why }: LabelledMatrix): string {
  const head = `similarity of ${labels.length} groups (mean estimated Jaccard of words)\ndevice: ${why}`;
  if (labels.length <= COLUMNS_SHOWN) {
    const rows = values.map((row, at) => [
      `${at + 1} ${labels[at] ?? ""}`,
      ...row.map((value) => (value === null ? "-" : value.toFixed(3))),
    ]);
    return `${head}\n${textTable(["", ...labels.map((_, at) => String(at + 1))], rows)}`;
  }
  const pairs = labels.flatMap((a, i) =>
    labels.slice(i + 1).map((b, j) => ({ a, b, value: values[i]?.[i + 1 + j] ?? 0 })),
  );
  const most = pairs.sort((x, y) => y.value - x.value).slice(0, PAIRS_SHOWN);
  const rows = most.map(({ a, b, value }) => [value.toFixed(3), a, b]);
  return `${head}\n${textTable(["alike", "one", "other"], rows)}\n(the most similar of ${pairs.length} pairs; --json has the matrix)`;
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > 100 ? `${line.slice(0, 100)}...` : line;
}
