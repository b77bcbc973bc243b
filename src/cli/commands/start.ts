import { join, resolve } from "node:path";
import { Command, Option } from "commander";
import { setUp } from "../../engine/install/setup.js";
import type { PoolOptions, PoolProgress } from "../../experiment/pool.js";
import { runInstructionExperiment } from "../../experiment/natural-instructions/experiment.js";
import {
  DEFAULT_INSTRUCTION_SETTINGS,
  FAST_INSTRUCTION_SETTINGS,
  type HeldOut,
  type InstructionSettings,
  type LeakagePolicy,
  OFFICIAL_LEAKS,
} from "../../experiment/natural-instructions/settings.js";
import { clustersOver, type GridCluster } from "../../data/mini/grid/rows.js";
import { runMiniExperiment } from "../../experiment/mini/experiment.js";
import {
  DEFAULT_MINI_SETTINGS,
  FAST_MINI_SETTINGS,
  FULL_MINI_SETTINGS,
  type MiniSettings,
} from "../../experiment/mini/settings.js";
import { runRewriteExperiment } from "../../experiment/rewrite/experiment.js";
import { DEFAULT_SETTINGS, FAST_SETTINGS, FULL_SETTINGS } from "../../experiment/rewrite/settings.js";
import { hasOfficialSplit } from "../../data/read/index.js";
import { instructionReport } from "../../report/experiments/natural-instructions.js";
import { miniReport } from "../../report/experiments/mini-report.js";
import { rewriteReport } from "../../report/experiments/rewrite.js";
import { type Report, writeReport } from "../../report/report.js";
import { LEAK_KIND_NAMES, type LeakKind } from "../../similarity/leakage/leak.js";
import { KitError } from "../../support/errors.js";
import { duration, progressBar } from "../../support/progress.js";
import { onInterrupt } from "../interrupt.js";
import { positiveInteger } from "../options.js";

interface StartOptions {
  readonly suite?: "mini" | "rewrite";
  readonly leaveOut?: GridCluster["over"];
  readonly full?: true;
  readonly fast?: true;
  readonly data?: string;
  readonly heldOut?: readonly string[];
  readonly removeLeaks?: LeakagePolicy["remove"];
  readonly allowLeak?: readonly LeakKind[];
  readonly out?: string;
  readonly processes?: number;
  readonly setup: boolean;
}

/** `ift-kit start` (npm start): sets up, does the main experiment and writes its report. */
export function command(): Command {
  return new Command("start")
    .addOption(
      new Option("--suite <name>", "the grid of the mini world (default), or string rewriting").choices([
        "mini",
        "rewrite",
      ]),
    )
    .addOption(
      new Option(
        "--leave-out <clusters>",
        "with the mini world: also train without each selector or format in turn, and ask it (part of --full)",
      ).choices(["selectors", "formats"]),
    )
    .addOption(
      new Option(
        "--data <folder>",
        "a folder of Super-NaturalInstructions tasks instead of a suite",
      ).conflicts(["suite", "leaveOut"]),
    )
    .option("--full", "the large experiment: hours instead of minutes")
    .option(
      "--held-out <types...>",
      "with --data: the task types to hold out (default: the folder's official split, else a quarter)",
    )
    .addOption(
      new Option(
        "--remove-leaks <side>",
        "with --data: leave rows out whose input is on both sides of the split, from this side (default: held-out)",
      ).choices(["held-out", "train", "nothing"]),
    )
    .addOption(
      new Option(
        "--allow-leak <kinds...>",
        `with --data: leaks that do not stop the experiment (default: ${OFFICIAL_LEAKS.join(" ")} for the official split, else none)`,
      ).choices(LEAK_KIND_NAMES),
    )
    .option("--out <folder>", "where runs and report go (default: runs/<name of the experiment>)")
    .addOption(
      new Option("--processes <number>", "runs at the same time (default: one for each core)").argParser(
        positiveInteger,
      ),
    )
    .option("--fast", "a much smaller experiment, to see that everything works")
    .option("--no-setup", "do not check the set-up first")
    .action(start);
}

async function start(options: StartOptions): Promise<void> {
  const began = performance.now();
  if (options.setup) await setUp((line) => console.log(line));
  const interrupt = onInterrupt("Stopping: the runs at work write a checkpoint (again to stop at once).");
  const bar = progressBar("training");
  const pool: PoolOptions = {
    signal: interrupt.signal,
    onProgress: (progress) => bar.update(progress.fraction, describe(progress)),
    ...(options.processes === undefined ? {} : { processes: options.processes }),
  };
  const size = options.full === true ? "full" : options.fast === true ? "fast" : "default";
  const { suite = "mini", data, leaveOut } = options;
  if (leaveOut !== undefined && suite !== "mini") {
    throw new KitError(
      "only the mini world has clusters to leave out",
      "give --leave-out without --suite rewrite",
    );
  }
  const name =
    data !== undefined ? "natural-instructions" : leaveOut === undefined ? suite : `${suite}-${leaveOut}`;
  const folder = resolve(options.out ?? join("runs", `${name}-${size}`));
  try {
    const report = await (data !== undefined
      ? naturalInstructions(data, options, size, folder, pool)
      : suite === "rewrite"
        ? stringRewriting(size, folder, pool)
        : miniWorld(size, leaveOut, folder, pool));
    bar.stop();
    const written = await writeReport(join(folder, "report"), report);
    for (const line of report.summary) console.log(line);
    console.log(`Done in ${duration((performance.now() - began) / 1000)}.`);
    console.log(`Report: ${written.html}`);
  } finally {
    bar.stop();
    interrupt.release();
  }
}

type Size = "default" | "full" | "fast";

async function miniWorld(
  size: Size,
  leaveOut: GridCluster["over"] | undefined,
  folder: string,
  pool: PoolOptions,
): Promise<Report> {
  const sized = { default: DEFAULT_MINI_SETTINGS, full: FULL_MINI_SETTINGS, fast: FAST_MINI_SETTINGS }[size];
  const settings: MiniSettings =
    leaveOut === undefined ? sized : { ...sized, clusters: clustersOver(leaveOut) };
  console.log(
    `The mini world, SFT against IFT: ${settings.seeds.length} seeds, ${settings.supervisedTokens.toLocaleString("en")} supervised tokens a run.`,
  );
  return miniReport(await runMiniExperiment(settings, folder, pool));
}

async function stringRewriting(size: Size, folder: string, pool: PoolOptions): Promise<Report> {
  const settings = { default: DEFAULT_SETTINGS, full: FULL_SETTINGS, fast: FAST_SETTINGS }[size];
  console.log(
    `String rewriting, SFT against IFT: ${settings.seeds.length} seeds, ${settings.supervisedTokens.toLocaleString("en")} supervised tokens a run.`,
  );
  return rewriteReport(await runRewriteExperiment(settings, folder, pool));
}

async function naturalInstructions(
  data: string,
  { heldOut: heldOutTypes, removeLeaks: remove = "held-out", allowLeak }: StartOptions,
  size: Size,
  folder: string,
  pool: PoolOptions,
): Promise<Report> {
  const heldOut: HeldOut =
    heldOutTypes !== undefined
      ? { kind: "named", taskTypes: heldOutTypes }
      : hasOfficialSplit(data)
        ? { kind: "official", track: "default" }
        : { kind: "fraction", fraction: 0.25, seed: 1 };
  const settings: InstructionSettings = {
    ...(size === "fast" ? FAST_INSTRUCTION_SETTINGS : DEFAULT_INSTRUCTION_SETTINGS),
    data: resolve(data),
    heldOut,
    leakage: { remove, allow: allowLeak ?? (heldOut.kind === "official" ? OFFICIAL_LEAKS : []) },
  };
  console.log(
    `Super-NaturalInstructions, SFT against IFT: ${settings.seeds.length} seeds, ${settings.supervisedTokens.toLocaleString("en")} supervised tokens a run.`,
  );
  return instructionReport(await runInstructionExperiment(settings, folder, pool));
}

function describe({ finished, total, tokensPerSecond }: PoolProgress): string {
  return `${finished} of ${total} runs | ${Math.round(tokensPerSecond).toLocaleString("en")} tokens/s`;
}
