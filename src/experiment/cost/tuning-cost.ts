import type { AdaptableConfig } from "../../model/lora/config.js";
import { adapterWeights } from "./flops.js";
import { parametersOf, type RowShape, rowWork, specsOf, type Tuning } from "./model-work.js";

/** How much is to be tuned. */
export interface TuningJob {
  /** Rows of all epochs together. */
  readonly rows: number;
  readonly row: RowShape;
  /** Rows of one forward and backward pass. */
  readonly rowsPerPass: number;
  /** Whether each block is computed again in the backward pass. Default: no. */
  readonly activationCheckpointing?: boolean;
}

/** Where it is tuned. */
export interface TuningMachine {
  readonly name: string;
  /** The most floating-point operations a second of its matrix products. */
  readonly peak: number;
  /** Share of the peak that training reaches: an assumption, unless it was measured. */
  readonly share: number;
  /** Copies of the weights in memory. The kit's compiled step has 2: the model's own and the session's. */
  readonly weightCopies: number;
  /** Bytes of the process before there is a model. */
  readonly processBytes: number;
}

/** Bytes of everything that is in memory at the same time; numbers are float32. */
export interface TuningMemory {
  readonly weights: number;
  readonly gradients: number;
  /** Both moments of AdamW. */
  readonly optimizer: number;
  /** What a pass keeps for the backward pass. */
  readonly activations: number;
  readonly process: number;
  readonly total: number;
}

/** What a tuning costs. */
export interface TuningCost {
  /** Of the model, and of what is trained. */
  readonly parameters: number;
  readonly trained: number;
  readonly memory: TuningMemory;
  readonly flops: number;
  readonly minutes: number;
}

const FLOAT_BYTES = 4;

/**
 * What tuning a model costs, reckoned from its shape: nothing is loaded. Compiling the step, reading the data and evaluating are not
 * in it.
 * @throws KitError for an adapter's target that the model lacks
 */
export function tuningCost(
  config: AdaptableConfig,
  tuning: Tuning,
  job: TuningJob,
  machine: TuningMachine,
): TuningCost {
  const parameters = parametersOf(config);
  const trained = tuning.kind === "full" ? parameters : adapterWeights(config, tuning);
  const work = rowWork(config, job.row, tuning, job.activationCheckpointing);
  const flops = job.rows * work.flops;
  const held = {
    weights: FLOAT_BYTES * (machine.weightCopies * parameters + (tuning.kind === "lora" ? trained : 0)),
    gradients: FLOAT_BYTES * (trained + largestGradient(config, tuning)),
    optimizer: 2 * FLOAT_BYTES * trained,
    activations: FLOAT_BYTES * job.rowsPerPass * work.kept,
    process: machine.processBytes,
  };
  return {
    parameters,
    trained,
    memory: { ...held, total: Object.values(held).reduce((sum, bytes) => sum + bytes, 0) },
    flops,
    minutes: flops / (machine.peak * machine.share) / 60,
  };
}

/** A gradient that is new, before it is added to what is kept of it: at most the largest parameter's. */
function largestGradient(config: AdaptableConfig, tuning: Tuning): number {
  if (tuning.kind === "lora") return 0;
  return Math.max(...specsOf(config).map(({ shape }) => shape.reduce((product, size) => product * size, 1)));
}

/** GPUs by name: dense bfloat16 products, as their makers state them. */
export const GPUS = {
  "NVIDIA H100 SXM": { peak: 989e12, gigabytes: 80 },
  "NVIDIA A100 SXM": { peak: 312e12, gigabytes: 80 },
  "NVIDIA L4": { peak: 121e12, gigabytes: 24 },
  "NVIDIA T4": { peak: 65e12, gigabytes: 16 },
} as const satisfies Readonly<Record<string, { readonly peak: number; readonly gigabytes: number }>>;
export type GpuName = keyof typeof GPUS;

/** Share of a GPU's peak that tuning of small models reaches: an assumption; large dense runs report 0.3 to 0.5. */
export const GPU_SHARE = 0.3;

/** A GPU with one copy of the weights, in any framework that keeps them, gradients and moments in float32. */
export function gpuMachine(name: GpuName, share = GPU_SHARE): TuningMachine {
  return { name, peak: GPUS[name].peak, share, weightCopies: 1, processBytes: 0 };
}

/**
 * Share of the measured peak of matrix products that training is assumed to reach on a CPU; three LoRA runs
 * (`datasets/real/costs`) took 14 to 46 % less time than it says.
 */
export const CPU_SHARE = 0.45;
/** The process with the native engine, before there is a model. */
export const PROCESS_BYTES = 3e8;

/** This machine's processor. @param peak from `matmulPeaks` */
export function cpuMachine(peak: number, share = CPU_SHARE): TuningMachine {
  return { name: "this CPU", peak, share, weightCopies: 2, processBytes: PROCESS_BYTES };
}
