import { spawn } from "node:child_process";
import { mkdirSync, watch } from "node:fs";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("../../src/cli/ift-kit.js", import.meta.url));

/** How a process of the command came to its end. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A signal in the middle of a training. */
export interface Stop {
  readonly signal: "SIGINT" | "SIGKILL";
  /** The folder of the run. */
  readonly out: string;
  /** Steps that this process takes before it. */
  readonly steps: number;
  /** Milliseconds after that step. */
  readonly delay?: number;
}

/** `ift-kit` in a process of its own with one thread, with or without a signal. */
export function launch(args: readonly string[], stop?: Stop): Promise<Ended> {
  return new Promise((resolve) => {
    if (stop !== undefined) mkdirSync(stop.out, { recursive: true });
    let steps = 0;
    const watcher =
      stop &&
      watch(stop.out, (kind, name) => {
        // Each step adds a line.
        if (kind !== "change" || name !== "metrics.jsonl" || ++steps !== stop.steps) return;
        setTimeout(() => child.kill(stop.signal), stop.delay ?? 0);
      });
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      env: { ...process.env, IFT_KIT_THREADS: "1" },
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.on("close", (code, signal) => {
      watcher?.close();
      resolve({ code, signal, stdout, stderr });
    });
  });
}
