import { createInterface, type Interface } from "node:readline";
import { KitError } from "../../../support/errors.js";
import { EXIT_INTERRUPTED } from "../../interrupt.js";
import type { ChatScreen } from "./screen.js";
import type { ChatSession } from "./session.js";

/** A line that ends with this goes on in the next. */
const GOES_ON = "\\";

/**
 * Reads lines from standard input, a keyboard or a pipe, until it ends, `/quit`, or Ctrl-C without an answer to stop. What
 * cannot be done is said in one line, and the chat goes on; from a pipe, the exit code then tells of it.
 */
export async function runInTerminal(session: ChatSession, screen: ChatScreen): Promise<void> {
  const terminal = process.stdin.isTTY && process.stdout.isTTY;
  const lines = createInterface({
    input: process.stdin,
    ...(terminal ? { output: process.stdout } : {}),
    terminal,
    prompt: "> ",
  });
  const stopper = new Stopper(lines);
  try {
    let begun = "";
    if (terminal) lines.prompt();
    for await (const line of lines) {
      if (stopper.ended) break;
      const text = begun + line;
      if (text.endsWith(GOES_ON)) {
        begun = `${text.slice(0, -GOES_ON.length)}\n`;
        continue;
      }
      begun = "";
      if (!(await takeLine(session, text, screen, stopper, !terminal))) break;
      if (terminal) lines.prompt();
    }
    if (begun !== "" && !stopper.ended) await takeLine(session, begun.trimEnd(), screen, stopper, !terminal);
  } finally {
    stopper.release();
    lines.close();
  }
}

async function takeLine(
  session: ChatSession,
  text: string,
  screen: ChatScreen,
  stopper: Stopper,
  fromPipe: boolean,
): Promise<boolean> {
  try {
    return await session.take(text, stopper.begin());
  } catch (error) {
    if (!(error instanceof KitError)) throw error;
    screen.note(`ift-kit: ${error.message}`);
    if (fromPipe) process.exitCode = 1;
    return true;
  } finally {
    stopper.finish();
  }
}

/** Ctrl-C: stops the answer that is being written; without one, or a second time, ends the chat. */
class Stopper {
  readonly #lines: Interface;
  #answer: AbortController | undefined;
  #ended = false;
  readonly #stop = (): void => {
    if (this.#answer?.signal.aborted === false) {
      this.#answer.abort();
      return;
    }
    this.#ended = true;
    process.exitCode = EXIT_INTERRUPTED;
    if (this.#answer !== undefined) process.exit();
    this.#lines.close();
  };

  constructor(lines: Interface) {
    this.#lines = lines;
    // A terminal that reads keys one by one tells its line reader of Ctrl-C, not the process.
    lines.on("SIGINT", this.#stop);
    process.on("SIGINT", this.#stop);
    process.on("SIGTERM", this.#stop);
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** An answer begins. */
  begin(): AbortSignal {
    this.#answer = new AbortController();
    return this.#answer.signal;
  }

  /** It is over. */
  finish(): void {
    this.#answer = undefined;
  }

  release(): void {
    process.off("SIGINT", this.#stop);
    process.off("SIGTERM", this.#stop);
  }
}
