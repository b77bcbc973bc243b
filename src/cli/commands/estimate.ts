import { basename } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import type { EngineInfo } from "../../engine/info.js";
import { startEngine } from "../../engine/start.js";
import { configIn } from "../../experiment/cost/folder-config.js";
import { matmulPeaks } from "../../experiment/cost/matmul-peak.js";
import { measureTuning, type MeasuredTuning } from "../../experiment/cost/measure-tuning.js";
import type { Tuning } from "../../experiment/cost/model-work.js";
import { PUBLIC_MODELS, usualTargets } from "../../experiment/cost/public-models.js";
import {
  CPU_SHARE,
  cpuMachine,
  GPU_SHARE,
  gpuMachine,
  type GpuName,
  GPUS,
  type TuningCost,
  tuningCost,
  type TuningJob,
  type TuningMachine,
} from "../../experiment/cost/tuning-cost.js";
import type { AdaptableConfig } from "../../model/lora/config.js";
import { KitError } from "../../support/errors.js";
import { positiveInteger } from "../options.js";
import { printTable } from "./experiment/table.js";

interface EstimateFlags {
  readonly rows: number;
  readonly promptTokens: number;
  readonly responseTokens: number;
  readonly rowsPerPass: number;
  readonly loraRank: number;
  readonly method: "full" | "lora" | "both";
  readonly cpuShare: number;
  readonly gpu: GpuName;
  readonly gpuShare: number;
  readonly threads?: number;
  readonly activationCheckpointing?: true;
  readonly measure?: number;
  readonly json?: true;
}

/** A model that is tuned in one way. */
interface Candidate {
  readonly model: string;
  readonly folder?: string;
  readonly config: AdaptableConfig;
  readonly tuning: Tuning;
}

/** What is reckoned and, where it was asked for, measured. */
export interface EstimateLine {
  readonly model: string;
  readonly tuning: Tuning;
  readonly cpu: TuningCost;
  readonly gpu: TuningCost;
  readonly measured?: Omit<MeasuredTuning, "config"> & {
    /** Of the whole job at the measured pace, without the first step. */
    readonly minutes: number;
    /** Operations a second, and their share of the peak of matrix products. */
    readonly flopsPerSecond: number;
    readonly share: number;
  };
}

/** `ift-kit estimate [FOLDER…]`: what tuning costs, before it is done. */
export function command(): Command {
  return new Command("estimate")
    .description(
      "Memory and minutes of tuning a model, all weights and LoRA, on this machine's processor and on a GPU: of published " +
        "models, or of those in folders of the kit or of Python's transformers. Minutes are the counted operations over the " +
        "measured peak of matrix products (a GPU's: as its maker states it), times an assumed share of it. With --measure some real steps " +
        "are done beside it.",
    )
    .argument("[folders...]", "models; default: the published ones that the kit knows")
    .option("--rows <number>", "rows of all epochs together", positiveInteger, 10_000)
    .option("--prompt-tokens <number>", "of a row", positiveInteger, 96)
    .option("--response-tokens <number>", "of a row", positiveInteger, 32)
    .option("--rows-per-pass <number>", "rows of one forward and backward pass", positiveInteger, 8)
    .option("--lora-rank <number>", "rank of the updates of queries and values", positiveInteger, 8)
    .addOption(
      new Option("--method <name>", "what is trained").choices(["full", "lora", "both"]).default("both"),
    )
    .option("--cpu-share <share>", "share of the peak that training reaches here", share, CPU_SHARE)
    .addOption(
      new Option("--gpu <name>", "the GPU beside it").choices(Object.keys(GPUS)).default("NVIDIA A100 SXM"),
    )
    .option("--gpu-share <share>", "share of the peak that training reaches there", share, GPU_SHARE)
    .option(
      "--activation-checkpointing",
      "reckon (and measure) with each block computed again in the backward pass",
    )
    .option("--threads <number>", "threads of the processor; default all cores", positiveInteger)
    .option(
      "--measure <steps>",
      "tune the models of the folders for so many steps of one pass",
      positiveInteger,
    )
    .option("--json", "print the result as JSON")
    .action(estimate);
}

async function estimate(folders: readonly string[], flags: EstimateFlags): Promise<void> {
  const { threads, gpu, json } = flags;
  if (flags.measure !== undefined && folders.length === 0) {
    throw new KitError("there is nothing to measure", "give folders of models", { field: "--measure" });
  }
  const engine = await startEngine(threads === undefined ? {} : { threads });
  const { float32: peak } = matmulPeaks();
  if (peak === undefined) {
    throw new KitError(
      `the ${engine.backend} backend runs, whose peak is not measured`,
      "run `npx ift-kit setup` for the native engine",
    );
  }
  const job: TuningJob = {
    rows: flags.rows,
    row: { prompt: flags.promptTokens, response: flags.responseTokens },
    rowsPerPass: flags.rowsPerPass,
    activationCheckpointing: flags.activationCheckpointing === true,
  };
  const machines = { cpu: cpuMachine(peak, flags.cpuShare), gpu: gpuMachine(gpu, flags.gpuShare) };
  const lines: EstimateLine[] = [];
  for (const candidate of candidates(folders, flags)) {
    lines.push(await lineOf(candidate, job, machines, flags.measure));
  }
  if (json === true) console.log(JSON.stringify({ engine, job, machines, lines }, undefined, 2));
  else print(lines, job, machines, engine);
}

function candidates(folders: readonly string[], { loraRank, method }: EstimateFlags): Candidate[] {
  const models =
    folders.length === 0
      ? PUBLIC_MODELS.map(({ name, config, loraTargets }) => ({ model: name, config, targets: loraTargets }))
      : folders.map((folder) => {
          const config = configIn(folder);
          return { model: basename(folder), folder, config, targets: usualTargets(config) };
        });
  return models.flatMap(({ targets, ...model }): Candidate[] => [
    ...(method === "lora" ? [] : [{ ...model, tuning: { kind: "full" } as const }]),
    ...(method === "full" ? [] : [{ ...model, tuning: { kind: "lora", rank: loraRank, targets } as const }]),
  ]);
}

async function lineOf(
  { model, folder, config, tuning }: Candidate,
  job: TuningJob,
  machines: { readonly cpu: TuningMachine; readonly gpu: TuningMachine },
  steps: number | undefined,
): Promise<EstimateLine> {
  const cpu = tuningCost(config, tuning, job, machines.cpu);
  const line = { model, tuning, cpu, gpu: tuningCost(config, tuning, job, machines.gpu) };
  if (steps === undefined || folder === undefined) return line;
  const { row, rows, rowsPerPass, activationCheckpointing = false } = job;
  const options = { row, rowsPerStep: rowsPerPass, steps, seed: 1, activationCheckpointing };
  const measured = await measureTuning(folder, tuning, options);
  const flopsPerSecond = ((cpu.flops / rows) * rowsPerPass) / measured.secondsPerStep;
  return {
    ...line,
    measured: {
      steps: measured.steps,
      firstStepSeconds: measured.firstStepSeconds,
      secondsPerStep: measured.secondsPerStep,
      peakBytes: measured.peakBytes,
      isPeakOfTraining: measured.isPeakOfTraining,
      loss: measured.loss,
      minutes: ((rows / rowsPerPass) * measured.secondsPerStep) / 60,
      flopsPerSecond,
      share: flopsPerSecond / machines.cpu.peak,
    },
  };
}

function print(
  lines: readonly EstimateLine[],
  { rows, row, rowsPerPass, activationCheckpointing }: TuningJob,
  { cpu, gpu }: { readonly cpu: TuningMachine; readonly gpu: TuningMachine },
  { threads }: EngineInfo,
): void {
  const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(2);
  const millions = (count: number): string => (count / 1e6).toFixed(count < 1e7 ? 2 : 0);
  const minutes = (value: number): string => value.toFixed(value < 10 ? 1 : 0);
  const isMeasured = lines.some(({ measured }) => measured !== undefined);
  printTable(
    [
      ...[
        "model",
        "trained",
        "M parameters",
        "M trained",
        "weights",
        "gradients",
        "AdamW",
        "activations",
        "GB here",
      ],
      ...["minutes here", "GB on the GPU", "minutes there"],
      ...(isMeasured ? ["measured GB", "measured minutes", "share of peak"] : []),
    ],
    lines.map(({ model, tuning, cpu: here, gpu: there, measured }) => [
      ...[model, tuning.kind, millions(here.parameters), millions(here.trained)],
      ...(["weights", "gradients", "optimizer", "activations", "total"] as const).map((part) =>
        gigabytes(here.memory[part]),
      ),
      ...[minutes(here.minutes), gigabytes(there.memory.total), minutes(there.minutes)],
      ...(measured === undefined
        ? []
        : [
            gigabytes(measured.peakBytes),
            minutes(measured.minutes),
            `${(100 * measured.share).toFixed(0)} %`,
          ]),
    ]),
  );
  console.log(
    `${rows.toLocaleString("en")} rows of ${row.prompt} + ${row.response} tokens, ${rowsPerPass} in a pass; float32` +
      `${activationCheckpointing === true ? ", blocks computed again in the backward pass" : ""}. ` +
      `Here: ${(cpu.peak / 1e9).toFixed(0)} GFLOP/s measured with ${threads} threads, ${(100 * cpu.share).toFixed(0)} % of it assumed. ` +
      `${gpu.name}: ${(gpu.peak / 1e12).toFixed(0)} TFLOP/s by its maker (half precision), ${(100 * gpu.share).toFixed(0)} % assumed, nothing measured.`,
  );
}

function share(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 1)) throw new InvalidArgumentError("give a share above 0, at most 1");
  return value;
}
