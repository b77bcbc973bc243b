import { join } from "node:path";
import { Command } from "commander";
import { ENOUGH_EXPOSURES, type MiniManifest, writeMini } from "../../../data/mini/files.js";
import { MINI_BASELINE_SIZE, type MiniBaselines, miniBaselines } from "../../../evaluate/baselines/mini.js";
import { type BaselineLine, BASELINES } from "../../../evaluate/baselines/table.js";
import { KitError } from "../../../support/errors.js";
import { writeFileAtomic } from "../../../support/files.js";
import { progressBar } from "../../../support/progress.js";
import { onInterrupt } from "../../interrupt.js";
import { positiveInteger, wholeNumber } from "../../options.js";
import { textTable } from "./shared.js";

interface MiniFlags {
  readonly out?: string;
  readonly seed: number;
  readonly rowsPerTask: number;
  readonly corpusTokens: number;
  readonly baselines?: true;
  readonly json?: true;
}

/** `ift-kit data mini --out DIR`: the mini world as files; `--baselines`: what needs no language model gets on its tasks. */
export function miniCommand(): Command {
  return new Command("mini")
    .description(
      "Draws the mini world: a pre-training corpus, the grid of held-out cells, and tasks of 17 types.",
    )
    .option("--out <folder>", "folder to write")
    .option("--seed <n>", "seed of the world and of all rows", wholeNumber, 1)
    .option("--rows-per-task <n>", "training rows of each task and grid cell", positiveInteger, 200)
    .option("--corpus-tokens <n>", "words and punctuation marks of the corpus", positiveInteger, 1_000_000)
    .option("--baselines", "score the baselines instead; with --out they are written there as baselines.json")
    .option("--json", "print the manifest, or the baselines, as JSON")
    .action(mini);
}

async function mini(flags: MiniFlags): Promise<void> {
  if (flags.baselines === true) {
    showBaselines(flags);
    return;
  }
  if (flags.out === undefined) {
    throw new KitError("no folder is given", "give --out FOLDER, or --baselines to see the scores");
  }
  const interrupt = onInterrupt("Stopping; files that are complete stay.");
  try {
    const { seed, rowsPerTask, corpusTokens } = flags;
    const size = { seed, rowsPerTask, corpusTokens };
    const manifest = await writeMini(flags.out, size, progressBar("corpus"), interrupt.signal);
    if (flags.json === true) console.log(JSON.stringify(manifest, undefined, 2));
    else console.log(describe(flags.out, manifest));
  } catch (error) {
    // After a Ctrl-C the exit code says what happened.
    if (!interrupt.signal.aborted) throw error;
  } finally {
    interrupt.release();
  }
}

function describe(folder: string, { files, tokens, factExposures, seed }: MiniManifest): string {
  const table = textTable(
    ["file", "rows or documents", "bytes"],
    files.map(({ path, rows, bytes }) => [path, rows, bytes]),
  );
  const exposures =
    factExposures < ENOUGH_EXPOSURES
      ? `; a small model needs ${ENOUGH_EXPOSURES} or more to learn them: ask for more tokens`
      : "";
  return [
    table,
    `${folder}: seed ${seed}, a corpus of ${tokens.toLocaleString("en")} words and punctuation marks`,
    `every fact is said ${factExposures} times or more${exposures}`,
  ].join("\n");
}

function showBaselines(flags: MiniFlags): void {
  const result = miniBaselines(MINI_BASELINE_SIZE, flags.seed);
  if (flags.out !== undefined) {
    writeFileAtomic(join(flags.out, "baselines.json"), `${JSON.stringify(rounded(result), undefined, 1)}\n`);
  }
  if (flags.json === true) {
    console.log(JSON.stringify(rounded(result), undefined, 1));
    return;
  }
  const { taskTypes, gridLevels, trainRows, testRows } = result;
  console.log(`exact match in percent; ${trainRows} training and up to ${testRows} test rows a task`);
  console.log(textTable(["task type", "rows", ...BASELINES], taskTypes.map(cells)));
  console.log("");
  console.log(
    textTable(
      ["grid level", "rows", ...BASELINES, "random word"],
      gridLevels.map((line) => [...cells(line), percent(line.randomWord)]),
    ),
  );
}

function cells({ group, rows, scores }: BaselineLine): (string | number)[] {
  return [group, rows, ...BASELINES.map((name) => percent(scores[name].exactMatch))];
}

function percent(share: number): number {
  return Math.round(share * 1000) / 10;
}

/** Scores to four places, so that the stored table is the same whatever the last bit of a logarithm is. */
function rounded(result: MiniBaselines): unknown {
  return JSON.parse(
    JSON.stringify(result, (_, value: unknown) =>
      typeof value === "number" ? Math.round(value * 10_000) / 10_000 : value,
    ),
  );
}
