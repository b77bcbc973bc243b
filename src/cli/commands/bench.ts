import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { startEngine } from "../../engine/start.js";
import type { BenchContext } from "../bench/context.js";
import { type Contest, type ContestResult, runContest, type Spread } from "../bench/contest.js";
import { matmulPeaks } from "../../experiment/cost/matmul-peak.js";
import { generationContests, loadingContests, scoringContests } from "../bench/parts/asking.js";
import { trainingContests } from "../bench/parts/training.js";
import { renderingContests, tuningContests } from "../bench/parts/tuning.js";
import { type Workload, WORKLOADS } from "../bench/workload.js";
import { positiveInteger } from "../options.js";
import { textTable } from "./data/shared.js";

const PARTS = ["training", "scoring", "generation", "loading", "rendering", "tuning"] as const;
type Part = (typeof PARTS)[number];

interface BenchOptions {
  readonly only: readonly Part[];
  readonly size: readonly Workload["name"][];
  readonly data?: string;
  readonly peerPython?: string;
  readonly torchCompile: boolean;
  readonly minutes: number;
  readonly threads?: number;
  readonly withEager?: true;
  readonly json?: true;
}

/** `ift-kit bench`: how fast the kit does its work, and its peers the same work in the same run. */
export function command(): Command {
  const sizes = WORKLOADS.map(({ name }) => name);
  return new Command("bench")
    .description(
      "Measures training steps (float32, bfloat16), rank classification, generation, loading, rendering and tuning on " +
        "Alpaca rows. Where a Python with the peers is named (torch, transformers, trl, lm_eval, tokenizers), they do the " +
        "same work in turns with the kit; what is not installed is named.",
    )
    .addOption(new Option("--only <parts...>", "these parts only").choices(PARTS).default([...PARTS]))
    .addOption(new Option("--size <sizes...>", "decoders that are trained").choices(sizes).default(sizes))
    .option("--data <file>", "Alpaca rows to render and train on; default made-up rows")
    .addOption(
      new Option("--peer-python <path>", "Python in whose environment the peers are; default none").env(
        "IFT_KIT_PEER_PYTHON",
      ),
    )
    .option("--no-torch-compile", "leave out torch.compile, which takes about a minute to start")
    .option("--minutes <number>", "time for the laps of each contest", positiveNumber, 0.4)
    .option("--threads <number>", "threads of all sides; default all cores", positiveInteger)
    .option("--with-eager", "measure the kit without compiling too")
    .option("--json", "print the measurements as JSON")
    .action(bench);
}

async function bench(options: BenchOptions): Promise<void> {
  const { threads, minutes, json, peerPython, data } = options;
  const engine = await startEngine(threads === undefined ? {} : { threads });
  const folder = mkdtempSync(join(tmpdir(), "ift-kit-bench-"));
  const context: BenchContext = {
    engine,
    // An empty variable is no choice.
    peerPython: peerPython === "" ? undefined : peerPython,
    torchCompile: options.torchCompile,
    withEager: options.withEager === true,
    data,
    folder,
  };
  try {
    const peaks = options.only.includes("training") ? matmulPeaks() : {};
    const results: ContestResult[] = [];
    for (const part of PARTS.filter((name) => options.only.includes(name))) {
      for (const contest of await contestsOf(part, context, options.size)) {
        const peak = (name: string): number | undefined =>
          /bf16|bfloat16/.test(name) ? peaks.bfloat16 : peaks.float32;
        const result = await runContest(contest, { seconds: 60 * minutes, peak });
        results.push(result);
        if (json !== true) console.log(describe(result));
      }
    }
    const matmul = Object.fromEntries(
      Object.entries(peaks).map(([precision, flops]) => [precision, Math.round(flops / 1e9)]),
    );
    if (json === true) console.log(JSON.stringify({ engine, matmulGflops: matmul, results }, null, 2));
    else if (context.peerPython === undefined) {
      console.log("Peers beside it: give --peer-python with the Python of an environment that has them");
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function contestsOf(
  part: Part,
  context: BenchContext,
  sizes: readonly Workload["name"][],
): Promise<readonly Contest[]> {
  switch (part) {
    case "training":
      return trainingContests(context, sizes);
    case "scoring":
      return scoringContests(context);
    case "generation":
      return generationContests(context);
    case "loading":
      return loadingContests(context);
    case "rendering":
      return renderingContests(context);
    case "tuning":
      return tuningContests(context);
  }
}

function positiveNumber(value: string): number {
  const number = Number(value);
  if (!Number.isFinite(number) || number <= 0) throw new InvalidArgumentError("give a number above 0");
  return number;
}

function describe({ part, what, unit, laps, sides, absent }: ContestResult): string {
  const whole = (value: number): string => Math.round(value).toLocaleString("en-US");
  const table = textTable(
    ["", unit, "kit / it", "share of matmul peak", "MB", "value"],
    sides.map(({ name, rate, ratio, peakShare, peakMegabytes, value }) => [
      name,
      spreadText(rate, whole),
      ratio === null ? "" : spreadText(ratio, (number) => number.toFixed(2)),
      peakShare === null ? "" : `${(100 * peakShare).toFixed(0)} %`,
      whole(peakMegabytes),
      Number(value.toPrecision(8)).toString(),
    ]),
  );
  return [
    `${part}: ${what}; median (lowest to highest) of ${laps} laps`,
    table,
    ...absent.map((problem) => `absent: ${problem}`),
    "",
  ].join("\n");
}

function spreadText({ median, low, high }: Spread, format: (value: number) => string): string {
  return `${format(median)} (${format(low)} to ${format(high)})`;
}
