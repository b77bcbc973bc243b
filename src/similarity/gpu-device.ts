import type { GPU, GPUInternalMode, GPUMode, IKernelFunctionThis, IKernelRunShortcut } from "gpu.js";
import type { Signatures } from "./minhash.js";
import type { PairwiseDevice, RowRange } from "./pairwise.js";
import { slotCodes } from "./slot-codes.js";

/** Where gpu.js can run a kernel. */
export type GpuMode = GPUMode | GPUInternalMode;

/** Output numbers of one kernel call at most (16 MB): a large matrix goes in pieces of whole rows. */
const OUTPUT_AT_ONCE = 4_194_304;

/**
 * gpu.js in the best mode that this machine has: a real GPU through WebGPU (where the program has put Dawn's
 * `navigator.gpu` in its place) or OpenGL, else WebAssembly with a pool of threads, else JavaScript. The package is loaded
 * when this is called, and nowhere else.
 * @param mode of gpu.js, instead of the best
 * @throws Error when the mode does not run here
 */
export async function gpuDevice(mode?: GpuMode): Promise<PairwiseDevice> {
  const { GPU } = await import("gpu.js");
  const gpu = new GPU({ mode: mode ?? (await bestMode(GPU)) });
  const kernels = new KernelCache(gpu);
  return {
    name: `gpu.js ${gpu.mode}`,
    equalSlots: (signatures, rows, progress) => equalSlots(kernels, signatures, rows, progress),
    equalSlotsByGroup: (signatures, starts, progress) =>
      equalSlotsByGroup(kernels, signatures, starts, progress),
    dispose: () => gpu.destroy(),
  };
}

async function bestMode(available: typeof GPU): Promise<GpuMode> {
  if (available.isWebGPUSupported && (await available.isWebGPUAvailable())) return "webgpu";
  if (available.isHeadlessGLSupported) return "headlessgl";
  return available.isWebAssemblySupported ? "webasm" : "cpu";
}

/** Kernels see no variables from outside; numbers that they need are here, and their loops end at them. */
interface Sizes {
  readonly [name: string]: number;
  readonly permutations: number;
  readonly largestGroup: number;
}

type KernelThis = IKernelFunctionThis<Sizes>;

/** Equal slots of row `first + y` and row `x`. */
function countRow(this: KernelThis, codes: Float32Array, first: number): number {
  const a = (first + this.thread.y) * this.constants.permutations;
  const b = this.thread.x * this.constants.permutations;
  let equal = 0;
  for (let p = 0; p < this.constants.permutations; p++) {
    if (codes[a + p] === codes[b + p]) equal += 1;
  }
  return equal;
}

/** Equal slots of row `first + y` and all rows of group `x`. */
function countGroup(this: KernelThis, codes: Float32Array, starts: Float32Array, first: number): number {
  const a = (first + this.thread.y) * this.constants.permutations;
  /* eslint-disable @typescript-eslint/non-nullable-type-assertion-style -- a kernel knows neither undefined nor "??" */
  const from = starts[this.thread.x] as number;
  const to = starts[this.thread.x + 1] as number;
  /* eslint-enable @typescript-eslint/non-nullable-type-assertion-style */
  let equal = 0;
  for (let step = 0; step < this.constants.largestGroup; step++) {
    if (from + step < to) {
      const b = (from + step) * this.constants.permutations;
      for (let p = 0; p < this.constants.permutations; p++) {
        if (codes[a + p] === codes[b + p]) equal += 1;
      }
    }
  }
  return equal;
}

type KernelSource = typeof countRow | typeof countGroup;

/** Compiled kernels by what was compiled into them. */
class KernelCache {
  readonly #gpu: GPU;
  readonly #kernels = new Map<string, IKernelRunShortcut>();

  constructor(gpu: GPU) {
    this.#gpu = gpu;
  }

  get(source: KernelSource, constants: Sizes): IKernelRunShortcut {
    const key = `${source.name} ${JSON.stringify(constants)}`;
    const known = this.#kernels.get(key);
    if (known !== undefined) return known;
    const kernel: IKernelRunShortcut = this.#gpu.createKernel(source as (this: KernelThis) => number, {
      constants,
      constantTypes: { permutations: "Integer", largestGroup: "Integer" },
      dynamicOutput: true,
      dynamicArguments: true,
      asyncMode: true,
      precision: "single",
    });
    this.#kernels.set(key, kernel);
    return kernel;
  }
}

function equalSlots(
  kernels: KernelCache,
  signatures: Signatures,
  rows: RowRange,
  progress?: (share: number) => void,
): Promise<Float32Array> {
  const { count, permutations } = signatures;
  const codes = slotCodes(signatures);
  const kernel = kernels.get(countRow, { permutations, largestGroup: 1 });
  return inPieces(rows, count, progress, (first, size) => {
    kernel.setOutput([count, size]);
    return kernel(codes, first);
  });
}

function equalSlotsByGroup(
  kernels: KernelCache,
  signatures: Signatures,
  starts: readonly number[],
  progress?: (share: number) => void,
): Promise<Float32Array> {
  const { count, permutations } = signatures;
  const codes = slotCodes(signatures);
  const groups = starts.length - 1;
  const sizes = starts.slice(1).map((end, group) => end - (starts[group] ?? 0));
  const kernel = kernels.get(countGroup, { permutations, largestGroup: Math.max(...sizes) });
  const startsOnDevice = Float32Array.from(starts);
  return inPieces({ start: 0, end: count }, groups, progress, (first, size) => {
    kernel.setOutput([groups, size]);
    return kernel(codes, startsOnDevice, first);
  });
}

/** Runs a kernel over pieces of the rows and puts its outputs, `size` arrays of `width` numbers, one after the other. */
async function inPieces(
  { start, end }: RowRange,
  width: number,
  progress: ((share: number) => void) | undefined,
  run: (first: number, size: number) => unknown,
): Promise<Float32Array> {
  const result = new Float32Array((end - start) * width);
  const atOnce = Math.max(1, Math.floor(OUTPUT_AT_ONCE / width));
  for (let first = start; first < end; first += atOnce) {
    const size = Math.min(atOnce, end - first);
    const rows = (await run(first, size)) as readonly Float32Array[];
    for (const [y, row] of rows.entries()) result.set(row, (first - start + y) * width);
    progress?.((first + size - start) / (end - start));
  }
  return result;
}
