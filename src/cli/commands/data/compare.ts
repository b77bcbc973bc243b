import { Command, Option } from "commander";
import { compareFormats, type FormatComparison, type Formats } from "../../../data/compare/index.js";
import type { Example } from "../../../data/example.js";
import type { RenderPolicy } from "../../../data/spans.js";
import { templateByName, TEMPLATES } from "../../../data/templates/index.js";
import type { Tokenizer } from "../../../data/tokenizer.js";
import {
  comparisonReport,
  comparisonSummary,
  comparisonTable,
  diversityTable,
  labelTable,
} from "../../../report/data/comparison.js";
import type { Table } from "../../../report/document.js";
import { writeReport } from "../../../report/report.js";
import { taskTypeSimilarity } from "../../../similarity/task-types.js";
import { KitError } from "../../../support/errors.js";
import { trainByteLevelBpe } from "../../../tokenizer/byte-level-bpe.js";
import { loadTokenizer } from "../../../tokenizer/load.js";
import { positiveInteger } from "../../options.js";
import { readAll } from "./read-all.js";
import { type ReadFlags, readOptionsOf, textTable, withReadFlags } from "./shared.js";

interface CompareFlags extends ReadFlags {
  readonly sft: readonly string[];
  readonly ift: readonly string[];
  readonly tokenizer?: string;
  readonly maxTokens: number;
  readonly overlong: RenderPolicy["overlong"];
  readonly json?: true;
  readonly out?: string;
}

/** `ift-kit data compare PATH... --sft T --ift T`: what a format does to the same rows. */
export function compareCommand(): Command {
  const named = (kind: "sft" | "ift"): string =>
    TEMPLATES.filter(({ format }) => format === kind)
      .map(({ name }) => name)
      .join(", ");
  return withReadFlags(new Command("compare"))
    .description("Renders the same rows in several formats and tells what differs, per task type.")
    .argument("<path...>", "files or folders")
    .option("--sft <template...>", `templates that do not show the instruction: ${named("sft")}`, [
      "sft-plain",
    ])
    .option("--ift <template...>", `templates that do: ${named("ift")}`, ["ift-definition"])
    .option("--tokenizer <folder>", "tokenizer; without it a small one is trained on the rows")
    .option("--max-tokens <n>", "longest row in tokens", positiveInteger, 2048)
    .addOption(
      new Option("--overlong <what>", "what becomes of longer rows")
        .choices(["drop", "cut-input-start", "cut-input-end"])
        .default("drop"),
    )
    .option("--json", "print the comparison as JSON")
    .option("--out <folder>", "write a page with figures, its pictures and the JSON there")
    .action(compare);
}

async function compare(paths: readonly string[], flags: CompareFlags): Promise<void> {
  const formats = formatsOf(flags);
  const examples = await readAll(paths, readOptionsOf(flags));
  const { tokenizer, note } = tokenizerFor(examples, flags.tokenizer);
  const policy: RenderPolicy = {
    maxTokens: flags.maxTokens,
    overlong: flags.overlong,
    lossOn: "response",
  };
  const comparison = compareFormats(examples, formats, tokenizer, policy);
  const written = flags.out === undefined ? undefined : await writeTo(flags.out, comparison, examples);
  if (flags.json === true) console.log(JSON.stringify({ paths, note, ...comparison }, undefined, 2));
  else print(comparison, note, policy);
  if (written !== undefined && flags.json !== true) console.log(`\nreport: ${written}`);
}

function formatsOf({ sft, ift }: CompareFlags): Formats {
  const named = [...sft.map((name) => ["sft", name] as const), ...ift.map((name) => ["ift", name] as const)];
  const entries = named.map(([kind, name]) => {
    const template = templateByName(name);
    if (template.format === kind) return [name, template] as const;
    throw new KitError(
      `the template "${name}" ${template.format === "ift" ? "shows" : "does not show"} the instruction`,
      `give it with --${template.format}`,
    );
  });
  return Object.fromEntries(entries);
}

/** Ids of the tokenizer that is trained where none is given, and characters that it sees at most. */
const OWN_VOCABULARY = 2048;
const OWN_CHARACTERS = 5_000_000;

function tokenizerFor(
  examples: readonly Example[],
  folder: string | undefined,
): { readonly tokenizer: Tokenizer; readonly note: string } {
  if (folder !== undefined) return { tokenizer: loadTokenizer(folder), note: `tokenizer: ${folder}` };
  const texts = [...textsOf(examples)];
  const characters = texts.reduce((sum, text) => sum + text.length, 0);
  // Texts evenly over all rows, so that no task type is left out.
  const every = Math.max(1, Math.ceil(characters / OWN_CHARACTERS));
  const tokenizer = trainByteLevelBpe(
    texts.filter((_, index) => index % every === 0),
    { vocabularySize: OWN_VOCABULARY },
  );
  const note = `tokenizer: a byte-level BPE of ${tokenizer.vocabularySize} tokens, trained on ${every === 1 ? "the rows" : `every ${every}th text of the rows`} (give --tokenizer for the numbers of a model)`;
  return { tokenizer, note };
}

/** Each instruction once, every input and output. */
function* textsOf(examples: readonly Example[]): Generator<string> {
  yield* new Set(examples.flatMap(({ instruction }) => instruction ?? []));
  for (const { input, outputs } of examples) yield* [input, ...outputs];
}

/** Rows of a task type that its similarity is taken over. */
const ROWS_PER_TASK_TYPE = 40;

async function writeTo(
  folder: string,
  comparison: FormatComparison,
  examples: readonly Example[],
): Promise<string> {
  const similarity = await taskTypeSimilarity(examples, {
    part: "prompt",
    shingles: { size: 1 },
    rowsPerTaskType: ROWS_PER_TASK_TYPE,
    seed: 0,
  });
  const { html } = await writeReport(folder, comparisonReport(comparison, similarity));
  return html;
}

function print(comparison: FormatComparison, note: string, { maxTokens, overlong }: RenderPolicy): void {
  const { taskTypes, total } = comparison;
  console.log(`${note}; rows up to ${maxTokens} tokens, longer ones: ${overlong}\n`);
  for (const line of comparisonSummary(comparison)) console.log(line);
  const lines = taskTypes.length === 1 ? [total] : [...taskTypes, total];
  for (const table of [comparisonTable(lines), diversityTable([total]), labelTable([total])]) {
    if (table.rows.length > 0) console.log(`\n${asText(table)}`);
  }
}

function asText({ columns, rows }: Table): string {
  const names = columns.map(({ name, unit }) => (unit === undefined ? name : `${name} [${unit}]`));
  return textTable(names, rows);
}
