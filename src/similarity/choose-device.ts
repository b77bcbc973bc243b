import { gpuDevice, type GpuMode } from "./gpu-device.js";
import { plainLoop, type PairwiseDevice } from "./pairwise.js";

/** Where to do pairwise work: what is faster here, the plain loop, or gpu.js (in its best mode, or a named one). */
export type DeviceRequest = "fastest" | "plain" | "gpu" | { readonly gpuMode: GpuMode };

/** The device that was taken, and why, in a line that can be shown. */
export interface ChosenDevice {
  readonly device: PairwiseDevice;
  readonly why: string;
}

/** Work that grows with the square of its rows. */
export interface PairwiseWork {
  readonly rows: number;
  /** Does the same kind of work for fewer rows. */
  doSome(device: PairwiseDevice, rows: number): Promise<unknown>;
}

/** Rows on which both sides are timed. */
const CALIBRATION_ROWS = 192;

/** Where the plain loop needs less than this, in milliseconds, nothing is gained by another device. */
const WORTH_CALIBRATING = 200;

/**
 * Chooses by a short calibration: both sides do the work for a few rows, the second time it is timed, and the times are carried
 * over to all rows. The counts are the same on every device, so the choice changes no result.
 */
export async function chooseDevice(
  work: PairwiseWork,
  request: DeviceRequest = "fastest",
): Promise<ChosenDevice> {
  if (request === "plain") return { device: plainLoop, why: "plain loop: asked for" };
  if (request === "gpu" || typeof request === "object") {
    const device = await gpuDevice(typeof request === "object" ? request.gpuMode : undefined);
    return { device, why: `${device.name}: asked for` };
  }
  const plain = await expectedTime(work, plainLoop);
  if (plain < WORTH_CALIBRATING) {
    return {
      device: plainLoop,
      why: `plain loop: it needs ${shown(plain)}, too little for another device to help`,
    };
  }
  const device = await gpuDevice();
  const gpu = await expectedTime(work, device);
  const judged = `judged by ${Math.min(work.rows, CALIBRATION_ROWS)} of ${work.rows} rows`;
  if (gpu < plain) {
    return {
      device,
      why: `${device.name}: ${shown(gpu)} against ${shown(plain)} by the plain loop, ${judged}`,
    };
  }
  await device.dispose();
  return {
    device: plainLoop,
    why: `plain loop: ${shown(plain)} against ${shown(gpu)} by ${device.name}, ${judged}`,
  };
}

/** Milliseconds for the whole work, from the second run (the first compiles) on a part of it. */
async function expectedTime(work: PairwiseWork, device: PairwiseDevice): Promise<number> {
  const rows = Math.min(work.rows, CALIBRATION_ROWS);
  await work.doSome(device, rows);
  const start = performance.now();
  await work.doSome(device, rows);
  return (performance.now() - start) * (work.rows / rows) ** 2;
}

function shown(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.ceil(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}
