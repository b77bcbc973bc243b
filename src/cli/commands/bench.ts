import { Command, InvalidArgumentError, Option } from "commander";
import { startEngine } from "../../engine/start.js";
import { type Measurement, measure, type Side, type Spread } from "../bench/compare.js";
import { WORKLOADS } from "../bench/workload.js";
import { positiveInteger } from "../options.js";

interface BenchOptions {
  readonly size: "small" | "large" | "both";
  readonly peerPython?: string;
  readonly minutes: number;
  readonly threads?: number;
  readonly withEager?: true;
  readonly json?: true;
}

/** `ift-kit bench`: tokens/s of a whole training step, and of the same work in PyTorch when it is installed. */
export function command(): Command {
  return new Command("bench")
    .description(
      "Trains small decoders for a moment (forward, backward, clipping, AdamW; float32) and says how many tokens a second " +
        "that makes; where a Python with PyTorch is named, PyTorch does the same work in turns with the kit.",
    )
    .addOption(
      new Option("--size <size>", "which decoder").choices(["small", "large", "both"]).default("both"),
    )
    .addOption(
      new Option(
        "--peer-python <path>",
        "Python in whose environment PyTorch is installed; default none",
      ).env("IFT_KIT_PEER_PYTHON"),
    )
    .option("--minutes <number>", "time for the measured steps of each size", positiveNumber, 0.5)
    .option("--threads <number>", "threads of both sides; default all cores", positiveInteger)
    .option("--with-eager", "measure the kit's step without compiling too")
    .option("--json", "print the measurements as JSON")
    .action(async ({ size, peerPython, minutes, threads: wanted, withEager, json }: BenchOptions) => {
      const { backend, tensorflowVersion, threads } = await startEngine(
        wanted === undefined ? {} : { threads: wanted },
      );
      const kitName = `ift-kit, ${tensorflowVersion === undefined ? backend : `TensorFlow ${tensorflowVersion}`}`;
      const measurements: Measurement[] = [];
      for (const workload of WORKLOADS.filter(({ name }) => size === "both" || name === size)) {
        if (json !== true) console.log(`${workload.what} ...`);
        const seconds = 60 * minutes;
        measurements.push(
          await measure(workload, {
            // An empty variable is no choice.
            peerPython: peerPython === "" ? undefined : peerPython,
            threads,
            seconds,
            kitName,
            compile: backend === "tensorflow",
            withEager: withEager === true,
          }),
        );
        if (json !== true) console.log(describe(measurements.slice(-1)));
      }
      if (json === true)
        console.log(JSON.stringify({ backend, tensorflowVersion, threads, measurements }, null, 2));
      else if (peerPython === undefined || peerPython === "") {
        console.log("PyTorch beside it: give --peer-python with the Python of an environment that has torch");
      }
    });
}

function positiveNumber(value: string): number {
  const number = Number(value);
  if (!Number.isFinite(number) || number <= 0) throw new InvalidArgumentError("give a number above 0");
  return number;
}

function describe(measurements: readonly Measurement[]): string {
  return measurements
    .flatMap(({ kit, eager, peer, ratio, laps, stepsPerLap, preparation }) => [
      ...[kit, eager, peer].filter((side) => side !== null).map(sideLine),
      ...(ratio === null ? [] : [`  kit / peer: ${spreadText(ratio, (value) => value.toFixed(2))}`]),
      `  the kit's first step was prepared for ${preparation.toFixed(1)} s`,
      `  median (lowest to highest) of ${laps} laps of ${stepsPerLap} steps`,
    ])
    .join("\n");
}

function sideLine({ name, tokensPerSecond, peakMegabytes }: Side): string {
  const speed = spreadText(tokensPerSecond, (value) => Math.round(value).toLocaleString("en-US"));
  return `  ${name.padEnd(34)} ${speed} tokens/s, at most ${peakMegabytes} MB`;
}

function spreadText({ median, low, high }: Spread, format: (value: number) => string): string {
  return `${format(median)} (${format(low)} to ${format(high)})`;
}
