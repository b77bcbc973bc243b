import { Command, Option } from "commander";
import { streamExamples } from "../../../data/read/index.js";
import { WRITE_FORMATS, type WriteFormat, writeExamples } from "../../../data/write/index.js";
import {
  describeNormalisation,
  describeReadLedger,
  readOptionsOf,
  type ReadFlags,
  withReadFlags,
} from "./shared.js";

interface ConvertFlags extends ReadFlags {
  readonly to: WriteFormat;
  readonly out: string;
  readonly allowLoss?: true;
  readonly json?: true;
}

/** `ift-kit data convert PATH --to FORMAT --out F`: rows of any format as rows of another. */
export function convertCommand(): Command {
  return withReadFlags(new Command("convert"))
    .description("Writes rows in another format; the ending of the file says how: .json, .jsonl, .csv, .tsv.")
    .argument("<path>", "file or folder")
    .addOption(
      new Option("--to <format>", "the format to write").choices(WRITE_FORMATS).makeOptionMandatory(),
    )
    .requiredOption("--out <file>", "file to write")
    .option("--allow-loss", "leave out and count what the format cannot hold, instead of stopping at it")
    .option("--json", "print the counts as JSON")
    .action(convert);
}

async function convert(path: string, flags: ConvertFlags): Promise<void> {
  const { to: format, out } = flags;
  const stream = await streamExamples(path, readOptionsOf(flags));
  const onLoss = flags.allowLoss === true ? "count" : "error";
  const written = await writeExamples(stream, out, { format, onLoss });
  const { format: from, ledger, normalisation } = stream.report();
  if (flags.json === true) {
    console.log(
      JSON.stringify({ path, from, out, to: format, ledger, normalisation, written }, undefined, 2),
    );
    return;
  }
  console.log(`${path} (${from}): ${describeReadLedger(ledger)}`);
  if (normalisation !== undefined) console.log(describeNormalisation(normalisation));
  console.log(`${out} (${format}): ${written.written} rows written`);
  for (const [field, rows] of Object.entries(written.leftOut))
    console.log(`  ${rows} left out for lack of ${field}`);
  for (const [field, rows] of Object.entries(written.lost)) console.log(`  ${rows} lost ${field}`);
}
