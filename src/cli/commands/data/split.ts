import { Command, InvalidArgumentError } from "commander";
import type { Example } from "../../../data/example.js";
import { readOfficialSplit } from "../../../data/read/index.js";
import { splitByTaskList, splitByTaskType, type SplitOptions, type TaskSplit } from "../../../data/split.js";
import { KitError } from "../../../support/errors.js";
import { wholeNumber } from "../../options.js";
import { type ReadFlags, readWithFlags, textTable, withReadFlags } from "./shared.js";

interface SplitFlags extends ReadFlags {
  readonly heldOut?: readonly string[];
  readonly heldOutFraction?: number;
  readonly seed: number;
  readonly official?: true;
  readonly allowSharedSources?: true;
  readonly json?: true;
}

/** `ift-kit data split PATH --held-out TYPE...`: what is trained on, what is held out, what leaks. */
export function splitCommand(): Command {
  return withReadFlags(new Command("split"))
    .description("Splits data by task type and reports what stands on both sides.")
    .argument("<path>", "file or folder")
    .option("--held-out <type...>", "task types to hold out")
    .option("--held-out-fraction <share>", "share of the task types to hold out at random", share)
    .option("--seed <n>", "seed of the random choice", wholeNumber, 0)
    .option("--official", "the official split lists of a Super-NaturalInstructions folder")
    .option("--allow-shared-sources", "let one source data set stand on both sides")
    .option("--json", "print the lists as JSON")
    .action(split);
}

async function split(path: string, flags: SplitFlags): Promise<void> {
  const given = [flags.heldOut, flags.heldOutFraction, flags.official].filter((flag) => flag !== undefined);
  if (given.length !== 1) {
    throw new KitError(
      `${given.length === 0 ? "nothing says" : "several options say"} what is held out`,
      "give one of --held-out, --held-out-fraction and --official",
    );
  }
  const { examples } = await readWithFlags(path, flags);
  const result = choose(path, examples, flags);
  if (flags.json === true) {
    const { trainTaskTypes, heldOutTaskTypes, sharedInputs } = result;
    const [train, heldOut] = [result.train, result.heldOut].map(sideReport);
    console.log(
      JSON.stringify({ path, trainTaskTypes, heldOutTaskTypes, train, heldOut, sharedInputs }, undefined, 2),
    );
    return;
  }
  const { sharedInputs } = result;
  console.log(sideTable("train", result.train));
  console.log(`\n${sideTable("held out", result.heldOut)}`);
  const left = examples.length - result.train.length - result.heldOut.length;
  console.log(`\nrows on neither side: ${left}`);
  console.log(`held-out inputs that are also trained on: ${sharedInputs.length}`);
  for (const { heldOutId, trainId } of sharedInputs.slice(0, 10)) console.log(`  ${heldOutId} = ${trainId}`);
}

function choose(path: string, examples: readonly Example[], flags: SplitFlags): TaskSplit {
  const options: SplitOptions = { sharedSources: flags.allowSharedSources === true ? "allow" : "refuse" };
  if (flags.official === true) return splitByTaskList(examples, readOfficialSplit(path), options);
  const { heldOut, heldOutFraction = 0, seed } = flags;
  return splitByTaskType(
    examples,
    heldOut === undefined ? { heldOutFraction, seed } : { heldOutTaskTypes: heldOut },
    options,
  );
}

interface TaskTypeSide {
  readonly taskType: string;
  readonly rows: number;
  readonly tasks: readonly string[];
}

function sideReport(examples: readonly Example[]): TaskTypeSide[] {
  const types = [...new Set(examples.map(({ taskType }) => taskType))].sort();
  return types.map((taskType) => {
    const rows = examples.filter((example) => example.taskType === taskType);
    return { taskType, rows: rows.length, tasks: [...new Set(rows.map(({ task }) => task))] };
  });
}

function sideTable(name: string, examples: readonly Example[]): string {
  const side = sideReport(examples);
  const total = side.reduce((sum, { tasks }) => sum + tasks.length, 0);
  return textTable(
    [name, "tasks", "rows"],
    [
      ...side.map(({ taskType, tasks, rows }) => [taskType, tasks.length, rows]),
      ["(all)", total, examples.length],
    ],
  );
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value > 0 && value < 1)) {
    throw new InvalidArgumentError("Give a number above 0 and below 1.");
  }
  return value;
}
