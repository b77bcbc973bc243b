import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { KitError } from "../../support/errors.js";
import type { Contestant, Lap } from "./contest.js";

/** From `dist` too: the package ships the scripts in `src`. */
const SCRIPT = fileURLToPath(new URL("../../../src/cli/bench/peers.py", import.meta.url));

const readySchema = z.object({ ready: z.string(), parameters: z.number().optional() });
const lapSchema = z.object({
  seconds: z.number(),
  amount: z.number(),
  peakMegabytes: z.number(),
  value: z.number(),
});

/** The same work in Python, in a process of its own that waits between its turns. */
export class Peer implements Contestant {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly #python: string;
  #name = "";
  #complaint = "";

  private constructor(python: string) {
    this.#python = python;
    this.#child = spawn(python, [SCRIPT], { stdio: ["pipe", "pipe", "pipe"] });
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#complaint = (this.#complaint + text).slice(-10_000);
    });
    this.#child.on("error", (error) => (this.#complaint += error.message));
    // Writing to a process that has ended is told by the end of its output.
    this.#child.stdin.on("error", () => undefined);
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  get name(): string {
    return this.#name;
  }

  /**
   * Starts a task of `peers.py`.
   * @param parameters how many its model must have, where that is to be checked
   * @throws KitError when this Python does not run it, or not the same model
   */
  static async start(
    python: string,
    request: { readonly task: string; readonly threads: number; readonly [field: string]: unknown },
    parameters?: number,
  ): Promise<Peer> {
    const peer = new Peer(python);
    try {
      const ready = readySchema.parse(await peer.#ask(request));
      if (parameters !== undefined && ready.parameters !== parameters) {
        throw new Error(`the peer trains ${ready.parameters ?? "no"} parameters, the kit ${parameters}`);
      }
      peer.#name = ready.ready;
      return peer;
    } catch (error) {
      peer.close();
      throw error;
    }
  }

  async lap(amount: number): Promise<Lap> {
    return lapSchema.parse(await this.#ask({ amount }));
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
      `the peer does not run with this Python (${said === "" ? "no reason given" : said})`,
      "give the Python of a virtual environment that has torch, transformers, trl, lm_eval and tokenizers",
      { file: this.#python, field: "--peer-python" },
    );
  }
}
