import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { KitError } from "../../support/errors.js";
import type { Lap } from "./own-training.js";
import { OPTIMIZER, type Workload, workloadRows } from "./workload.js";

/** From `dist` too: the package ships the script in `src`. */
const SCRIPT = fileURLToPath(new URL("../../../src/cli/bench/torch_training.py", import.meta.url));

const readySchema = z.object({ ready: z.string(), parameters: z.number(), threads: z.number() });
const lapSchema = z.object({ seconds: z.number(), loss: z.number(), peakMegabytes: z.number() });

/** The same training step in PyTorch, in a process of its own that waits between its turns. */
export class PeerTraining {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly #python: string;
  #complaint = "";

  private constructor(python: string) {
    this.#python = python;
    this.#child = spawn(python, [SCRIPT], { stdio: ["pipe", "pipe", "pipe"] });
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => (this.#complaint += text));
    this.#child.on("error", (error) => (this.#complaint += error.message));
    // Writing to a process that has ended is told by the end of its output.
    this.#child.stdin.on("error", () => undefined);
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /**
   * Starts PyTorch on a workload.
   * @throws KitError when this Python does not run it, or not the same model
   */
  static async start(
    python: string,
    workload: Workload,
    threads: number,
    parameterCount: number,
  ): Promise<{ readonly peer: PeerTraining; readonly version: string }> {
    const peer = new PeerTraining(python);
    try {
      const { config } = workload;
      const request = { config, threads, optimizer: OPTIMIZER, rows: workloadRows(workload) };
      const { ready, parameters } = readySchema.parse(await peer.#ask(request));
      if (parameters !== parameterCount) {
        throw new Error(`the peer trains ${parameters} parameters, the kit ${parameterCount}`);
      }
      return { peer, version: ready };
    } catch (error) {
      peer.close();
      throw error;
    }
  }

  /** Takes some steps. */
  async run(steps: number): Promise<Lap> {
    return lapSchema.parse(await this.#ask({ steps }));
  }

  /** Ends the process. */
  close(): void {
    this.#child.stdin.end();
    this.#child.kill();
  }

  async #ask(request: unknown): Promise<unknown> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    const line = await this.#lines.next();
    if (line.done !== true) return JSON.parse(line.value);
    const said = this.#complaint.trim().split("\n").at(-1) ?? "";
    throw new KitError(
      `PyTorch does not run with this Python (${said === "" ? "no reason given" : said})`,
      "give the Python of a virtual environment in which `import torch` works",
      { file: this.#python, field: "--peer-python" },
    );
  }
}
