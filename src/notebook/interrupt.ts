import { kernelBridge } from "./kernel-bridge.js";

/**
 * The signal of the running cell, for `train(..., { signal: interruptSignal() })` and other long loops: the stop button
 * of the notebook aborts it. It is fresh for each cell. A cell that asked for it ends by itself after the first
 * interrupt (so that a checkpoint is written and the result is assigned) and at once after a second one.
 *
 * Outside a notebook, Ctrl-C aborts the signal once; a second Ctrl-C ends the process as usual.
 */
export function interruptSignal(): AbortSignal {
  const bridge = kernelBridge();
  if (bridge !== undefined) return bridge.interruptSignal();
  const controller = new AbortController();
  process.once("SIGINT", () => controller.abort(new Error("interrupted by Ctrl-C")));
  return controller.signal;
}
