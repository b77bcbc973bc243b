import { existsSync } from "node:fs";
import { basename, extname } from "node:path";
import { Command } from "commander";
import type { ReadOptions } from "../../../data/read/index.js";
import { readGeneratedFolder } from "../../../generate/generated-folder.js";
import {
  describeInstructionData,
  type InstructionSet,
  QUALITY_DEFAULTS,
  type QualityReport,
} from "../../../generate/quality/index.js";
import type { Table } from "../../../report/document.js";
import {
  ledgersOf,
  lengthTable,
  matchedTable,
  nearestSeedTable,
  qualityReport,
  qualitySummary,
  rejectionTable,
  setTable,
  soundnessTable,
} from "../../../report/data/quality.js";
import { writeReport } from "../../../report/report.js";
import { positiveInteger, wholeNumber } from "../../options.js";
import { readAll } from "./read-all.js";
import { type ReadFlags, readOptionsOf, similarity, textTable, withReadFlags } from "./shared.js";

interface QualityFlags extends ReadFlags {
  readonly seeds?: string;
  readonly sampleSize: number;
  readonly draws: number;
  readonly threshold: number;
  readonly seed: number;
  readonly json?: true;
  readonly out?: string;
}

/** `ift-kit data quality PATH... --seeds PATH`: how diverse and how sound instruction data is, beside known sets. */
export function qualityCommand(): Command {
  return withReadFlags(new Command("quality"))
    .description(
      "Describes sets of instruction data beside one another: what they ask for, how varied they are, how like the seeds, lengths, labels, duplicates, and what a run of generate-data rejected.",
    )
    .argument(
      "<path...>",
      "a set each: a file or folder of rows, or the folder of a run of generate-data; NAME=PATH gives it a name",
    )
    .option("--seeds <path>", "rows that the instructions of the sets are compared with")
    .option(
      "--sample-size <n>",
      "most instructions of a draw; half of the smallest set where that is less",
      positiveInteger,
      QUALITY_DEFAULTS.sampleSize,
    )
    .option("--draws <n>", "draws from each set", positiveInteger, QUALITY_DEFAULTS.draws)
    .option(
      "--threshold <similarity>",
      "Jaccard similarity of near-duplicates",
      similarity,
      QUALITY_DEFAULTS.threshold,
    )
    .option("--seed <n>", "seed of the draws", wholeNumber, QUALITY_DEFAULTS.seed)
    .option("--json", "print the numbers as JSON")
    .option("--out <folder>", "write a page with figures, its pictures and the JSON there")
    .action(quality);
}

async function quality(paths: readonly string[], flags: QualityFlags): Promise<void> {
  const options = readOptionsOf(flags);
  const sets: InstructionSet[] = [];
  for (const path of paths) sets.push(await readSet(path, options));
  const seeds = flags.seeds === undefined ? undefined : await readSet(flags.seeds, options);
  const { sampleSize, draws, threshold, seed } = flags;
  const settings = { sampleSize, draws, threshold, seed };
  const report = describeInstructionData(sets, { ...settings, ...(seeds === undefined ? {} : { seeds }) });
  const written = flags.out === undefined ? undefined : await writeReport(flags.out, qualityReport(report));
  if (flags.json === true) {
    console.log(JSON.stringify(report, undefined, 2));
    return;
  }
  print(report);
  if (written !== undefined) console.log(`\nreport: ${written.html}`);
}

/** A set, under the name before "=" or that of its file; of a run with its ledger. */
async function readSet(argument: string, options: ReadOptions): Promise<InstructionSet> {
  const equals = existsSync(argument) ? -1 : argument.indexOf("=");
  const path = argument.slice(equals + 1);
  const name = equals > 0 ? argument.slice(0, equals) : basename(path, extname(path));
  const generated = await readGeneratedFolder(path);
  return generated === undefined
    ? { name, examples: await readAll([path], options) }
    : { name, examples: generated.rows, ledger: generated.ledger };
}

function print(report: QualityReport): void {
  for (const line of qualitySummary(report)) console.log(line);
  const runs = ledgersOf(report);
  const tables: readonly Table[] = [
    setTable(report),
    matchedTable(report),
    nearestSeedTable(report),
    lengthTable(report),
    soundnessTable(report),
    rejectionTable(runs),
  ];
  for (const { columns, rows } of tables) {
    const names = columns.map(({ name, unit }) => (unit === undefined ? name : `${name} [${unit}]`));
    if (rows.length > 0) console.log(`\n${textTable(names, rows)}`);
  }
}
