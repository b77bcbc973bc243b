import { Command, Option } from "commander";
import { splitOfSides } from "../../../data/split/assign.js";
import { makeSplit } from "../../../data/split/choice.js";
import type { TaskSplit } from "../../../data/split.js";
import { type GatePass, passLeakageGate, withoutLeaks } from "../../../similarity/leakage/gate.js";
import { LEAK_KIND_NAMES, type LeakKind } from "../../../similarity/leakage/leak.js";
import {
  DEFAULT_LEAKAGE,
  findLeaks,
  type LeakageReport,
  type LeakageSettings,
} from "../../../similarity/leakage/report.js";
import { KitError } from "../../../support/errors.js";
import { type ProgressBar, progressBar, silentProgress } from "../../../support/progress.js";
import { positiveInteger } from "../../options.js";
import { leaveOneOutLines, leaveOneOutTable } from "./leave-one-out.js";
import { readAll } from "./read-all.js";
import { type ReadFlags, readOptionsOf, similarity, withReadFlags } from "./shared.js";
import {
  checkOneWay,
  type ChoiceFlags,
  choiceOf,
  leaksByChoice,
  splitOptionsOf,
  waysGiven,
  withChoiceFlags,
} from "./split-choice.js";
import { describeSplit, splitAsJson } from "./split-report.js";

interface SplitFlags extends ReadFlags, ChoiceFlags {
  readonly train?: readonly string[];
  readonly test?: readonly string[];
  readonly threshold: number;
  readonly minWords: number;
  readonly removeLeaks?: "train" | "held-out";
  readonly allowLeak?: readonly LeakKind[];
  readonly json?: true;
}

/** `ift-kit data split PATH... --held-out TYPE...`: what is trained on, what is held out, what leaks; a leak is exit code 1. */
export function splitCommand(): Command {
  const command = new Command("split")
    .description(
      "Splits data, or takes two given sides, and reports what leaks from training into what is held out; stops at a leak that is not allowed.",
    )
    .argument("[path...]", "files or folders to split")
    .option("--train <path...>", "two given sides: the data that is trained on (with --test)")
    .option("--test <path...>", "two given sides: the data that is tested");
  return withReadFlags(withChoiceFlags(command))
    .option(
      "--threshold <similarity>",
      "Jaccard similarity from which inputs are near-duplicates",
      similarity,
      DEFAULT_LEAKAGE.threshold,
    )
    .option(
      "--min-words <n>",
      "words of an input that is looked for inside other rows",
      positiveInteger,
      DEFAULT_LEAKAGE.minWords,
    )
    .addOption(
      new Option("--remove-leaks <side>", "leave the rows that leak out of one side").choices([
        "train",
        "held-out",
      ]),
    )
    .addOption(new Option("--allow-leak <kind...>", "kinds of leaks to let pass").choices(LEAK_KIND_NAMES))
    .option("--json", "print the split and its leaks as JSON")
    .action(split);
}

async function split(paths: readonly string[], flags: SplitFlags): Promise<void> {
  checkFlags(paths, flags);
  const settings = { threshold: flags.threshold, minWords: flags.minWords };
  if (flags.leaveOneOut === true) {
    await showLeaveOneOut(paths, flags, settings);
    return;
  }
  const chosen = await chooseSides(paths, flags);
  let result = chosen;
  let report = look(result, settings);
  if (flags.removeLeaks !== undefined && report.rows.size > 0) {
    result = withoutLeaks(result, report, flags.removeLeaks);
    report = look(result, settings);
  }
  const allowed = [...new Set([...leaksByChoice(flags), ...(flags.allowLeak ?? [])])];
  const { pass, stop } = gate(report, allowed);
  if (flags.json === true) {
    const verdict = stop === undefined ? { passes: true, ...pass } : { passes: false, why: stop.message };
    const { train, test } = flags;
    const given = train === undefined ? { paths } : { paths: { train, test } };
    console.log(JSON.stringify({ ...given, ...splitAsJson(result, report), gate: verdict }, undefined, 2));
  } else {
    console.log(describeSplit(result, report));
    if (pass !== undefined) console.log(`\n${describePass(pass)}`);
  }
  if (stop !== undefined) throw stop;
}

/** @throws KitError for flags that do not go together */
function checkFlags(paths: readonly string[], flags: SplitFlags): void {
  const sides = [flags.train, flags.test].filter((side) => side !== undefined).length;
  if (sides === 0) {
    if (paths.length === 0) throw new KitError("no data is given", "give a file or a folder");
    checkOneWay(flags);
    if (flags.leaveOneOut === true && (flags.removeLeaks ?? flags.allowLeak) !== undefined)
      throw new KitError(
        "--leave-one-out reports leaks and stops at none",
        "leave out --remove-leaks and --allow-leak",
      );
    return;
  }
  if (sides === 1) throw new KitError("one side is given", "give both --train and --test");
  const also = [...(paths.length === 0 ? [] : ["paths to split"]), ...waysGiven(flags)];
  if (also.length > 0)
    throw new KitError(
      `two sides are given, and also ${also.join(", ")}`,
      "give the sides, or what to split and how",
    );
}

async function chooseSides(paths: readonly string[], flags: SplitFlags): Promise<TaskSplit> {
  const { train, test } = flags;
  const readOptions = readOptionsOf(flags);
  if (train !== undefined && test !== undefined)
    return splitOfSides(await readAll(train, readOptions), await readAll(test, readOptions));
  // The fields of the rows are needed to tell templates only, and take memory.
  const keepFields = flags.heldOutTemplate !== undefined;
  const choice = choiceOf(flags, paths);
  return makeSplit(await readAll(paths, { ...readOptions, keepFields }), choice, splitOptionsOf(flags));
}

async function showLeaveOneOut(
  paths: readonly string[],
  flags: SplitFlags,
  settings: LeakageSettings,
): Promise<void> {
  const examples = await readAll(paths, readOptionsOf(flags));
  const lines = leaveOneOutLines(examples, flags, settings, barFor(examples.length, "leave one out"));
  if (flags.json === true) console.log(JSON.stringify({ paths, leaveOneOut: lines }, undefined, 2));
  else console.log(leaveOneOutTable(lines));
}

function look({ train, heldOut }: TaskSplit, settings: LeakageSettings): LeakageReport {
  return findLeaks(train, heldOut, {
    ...settings,
    progress: barFor(train.length + heldOut.length, "looking for leaks"),
  });
}

/** Rows from which a bar is shown; fewer are done in a second or two. */
const ROWS_WITH_BAR = 10_000;

function barFor(rows: number, label: string): ProgressBar {
  return rows < ROWS_WITH_BAR ? silentProgress : progressBar(label);
}

/** What the gate says: it passes, or the error that stops the command after the report is printed. */
function gate(
  report: LeakageReport,
  allowed: readonly LeakKind[],
): { readonly pass?: GatePass; readonly stop?: KitError } {
  try {
    return { pass: passLeakageGate(report, allowed) };
  } catch (error) {
    if (error instanceof KitError) return { stop: error };
    throw error;
  }
}

function describePass({ passed }: GatePass): string {
  const kinds = Object.entries(passed).map(([kind, count]) => `${kind} ${count}`);
  return `leakage gate: passes${kinds.length === 0 ? "" : `, with what is allowed: ${kinds.join(", ")}`}`;
}
