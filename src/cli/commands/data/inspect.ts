import { relative } from "node:path";
import { Command } from "commander";
import type { Example } from "../../../data/example.js";
import { Normaliser, NORMALISE_STEPS, type NormaliseReport } from "../../../data/normalise.js";
import { type ReadReport, streamExamples } from "../../../data/read/index.js";
import { positiveInteger } from "../../options.js";
import {
  describeNormalisation,
  describeReadLedger,
  readOptionsOf,
  type ReadFlags,
  textTable,
  withReadFlags,
} from "./shared.js";

/** `ift-kit data inspect PATH`: format, counts, ledger, what normalisation would do, first rows. */
export function inspectCommand(): Command {
  return withReadFlags(new Command("inspect"))
    .description("Tells the format of data and why, counts its rows, shows the first of them.")
    .argument("<path>", "file or folder")
    .option("--rows <n>", "how many rows to show", positiveInteger, 3)
    .option("--json", "print the findings as JSON")
    .action(inspect);
}

async function inspect(
  path: string,
  flags: ReadFlags & { readonly rows: number; readonly json?: true },
): Promise<void> {
  const stream = await streamExamples(path, readOptionsOf(flags));
  const findings = new Findings(flags.rows);
  for await (const example of stream) findings.add(example);
  const report = stream.report();
  if (flags.json === true) {
    const { taskTypes, features, whatIf, first } = findings;
    console.log(JSON.stringify({ path, ...report, taskTypes, features, whatIf, first }, undefined, 2));
    return;
  }
  printReport(path, report);
  printFindings(findings);
}

interface TaskTypeCount {
  readonly taskType: string;
  readonly tasks: number;
  readonly rows: number;
  readonly emptyInputs: number;
}

/** What some examples have, by name; only what occurs is shown. */
const FEATURES: Readonly<Record<string, (example: Example) => boolean>> = {
  "an instruction": ({ instruction }) => instruction !== undefined,
  "several references": ({ outputs }) => outputs.length > 1,
  "no reference": ({ outputs }) => outputs.length === 0,
  options: ({ options }) => options !== undefined,
  demonstrations: ({ positive = [], negative = [] }) => positive.length + negative.length > 0,
  "earlier turns": ({ history }) => history !== undefined,
  tools: ({ tools }) => tools !== undefined,
  paraphrases: ({ paraphrases }) => paraphrases !== undefined,
  "a rationale": ({ rationale }) => rationale !== undefined,
  constraints: ({ constraints }) => constraints !== undefined,
  "a licence": ({ licence }) => licence !== undefined,
  "evaluation only": ({ evaluationOnly }) => evaluationOnly === true,
};

/** Counts examples as they go by: memory grows with the tasks, not with the rows. */
class Findings {
  readonly first: Example[] = [];
  readonly features: Record<string, number> = {};
  readonly #rows: number;
  readonly #types = new Map<string, { tasks: Set<string>; rows: number; emptyInputs: number }>();
  readonly #normalisers = NORMALISE_STEPS.map((step) => new Normaliser([step]));

  /** @param rows how many of the first examples to keep */
  constructor(rows: number) {
    this.#rows = rows;
  }

  add(example: Example): void {
    if (this.first.length < this.#rows) this.first.push(example);
    const counts = this.#types.get(example.taskType) ?? { tasks: new Set<string>(), rows: 0, emptyInputs: 0 };
    this.#types.set(example.taskType, counts);
    counts.tasks.add(example.task);
    counts.rows++;
    counts.emptyInputs += example.input === "" ? 1 : 0;
    for (const [name, has] of Object.entries(FEATURES)) {
      if (has(example)) this.features[name] = (this.features[name] ?? 0) + 1;
    }
    for (const normaliser of this.#normalisers) normaliser.apply(example);
  }

  /** The task types, the one with most rows first. */
  get taskTypes(): TaskTypeCount[] {
    return [...this.#types]
      .map(([taskType, { tasks, rows, emptyInputs }]) => ({ taskType, tasks: tasks.size, rows, emptyInputs }))
      .sort((a, b) => b.rows - a.rows || (a.taskType < b.taskType ? -1 : 1));
  }

  /** What each step of normalisation would do if it were the only one. */
  get whatIf(): NormaliseReport[] {
    return this.#normalisers.map((normaliser) => normaliser.report());
  }
}

function printReport(
  path: string,
  { format, why, ledger, normalisation, files, sideFiles }: ReadReport,
): void {
  console.log(`${path}: ${format}, because it is ${why}`);
  console.log(describeReadLedger(ledger));
  for (const { message } of ledger.problems.slice(0, 5)) console.log(`  ${message}`);
  const { repeatedReferences, emptyReferences } = ledger;
  if (repeatedReferences + emptyReferences > 0) {
    console.log(`references left out: ${repeatedReferences} repeated, ${emptyReferences} empty`);
  }
  if (normalisation !== undefined) console.log(describeNormalisation(normalisation));
  const shownFiles = files.slice(0, 20);
  if (files.length > 1) {
    const rows = shownFiles.map((file) => [
      relative(path, file.path) || file.path,
      file.format,
      file.rowsIn,
      file.examples,
    ]);
    console.log(`\n${textTable(["file", "format", "rows", "examples"], rows)}`);
    if (files.length > shownFiles.length) console.log(`and ${files.length - shownFiles.length} other files`);
  }
  const kinds = new Map<string, number>();
  for (const { what } of sideFiles) kinds.set(what, (kinds.get(what) ?? 0) + 1);
  if (kinds.size > 0) {
    const list = [...kinds].map(([what, count]) => `${count} ${what}`);
    console.log(`\nfiles without rows: ${list.join("; ")}`);
  }
}

function printFindings({ taskTypes, features, whatIf, first }: Findings): void {
  console.log("");
  console.log(
    textTable(
      ["task type", "tasks", "examples", "inputs empty"],
      taskTypes.map(({ taskType, tasks, rows, emptyInputs }) => [taskType, tasks, rows, emptyInputs]),
    ),
  );
  const having = Object.entries(features).map(([name, rows]) => `${name} ${rows}`);
  if (having.length > 0) console.log(`\nexamples with: ${having.join(", ")}`);
  const effects = whatIf.map(({ steps: [step = ""], changed, rowsIn, kept }) => {
    const [rows = 0] = Object.values(changed);
    return `${step} ${rows}${rowsIn === kept ? "" : ` (${rowsIn - kept} dropped)`}`;
  });
  console.log(`\n--normalise would change: ${effects.join(", ")}`);
  for (const example of first) console.log(`\n${describeExample(example)}`);
}

function describeExample({ id, task, instruction, input, outputs, history = [] }: Example): string {
  const shorten = (text: string): string => {
    const line = text.replace(/\s+/g, " ").trim();
    return line.length > 160 ? `${line.slice(0, 160)}...` : line;
  };
  const [output] = outputs;
  return [
    `${id} (${task})`,
    ...(history.length === 0 ? [] : [`  history      ${history.length} turns`]),
    `  instruction  ${instruction === undefined ? "(none)" : shorten(instruction)}`,
    `  input        ${input === "" ? "(empty)" : shorten(input)}`,
    `  output       ${output === undefined ? "(none)" : shorten(output)}${outputs.length > 1 ? ` (and ${outputs.length - 1} other references)` : ""}`,
  ].join("\n");
}
