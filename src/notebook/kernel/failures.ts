import { format, inspect } from "node:util";

/** A failed cell as Jupyter's `error` message describes it. */
export interface CellFailure {
  readonly ename: string;
  readonly evalue: string;
  readonly traceback: readonly string[];
}

/** Frames of the machinery, which tell a reader nothing about the cell. */
const MACHINERY = /node_modules\/tslab|node:vm|node:internal|notebook\/kernel\/|sigintHandlersWrap/;
/** How tslab prints a diagnostic of the compiler. */
const DIAGNOSTIC = /^(\S+ )?\d+:\d+ - /;

/**
 * Collects why a cell failed: what tslab would only print to stderr (the thrown value, or one line per type error), and
 * rejected promises and exceptions that no cell awaited, which tslab does not count as a failure at all.
 */
export class CellFailures {
  #reported: unknown[] = [];
  #floating: CellFailure[] = [];
  #cell = 0;

  /** Starts listening for failures outside of any await. Installed once, in place of Node's rule to end the process. */
  listen(): void {
    process.on("unhandledRejection", (reason) => this.#addFloating("a promise that was not awaited", reason));
    process.on("uncaughtException", (error) => this.#addFloating("a callback outside of any await", error));
  }

  begin(executionCount: number): void {
    this.#reported = [];
    this.#cell = executionCount;
  }

  /** The `console.error` of tslab's executor. */
  report(...values: unknown[]): void {
    this.#reported.push(typeof values[0] === "string" ? format(...values) : values[0]);
  }

  /**
   * @param ok what tslab says about the cell
   * @returns why the cell failed, or undefined when it did not; forgets the failures
   */
  take(ok: boolean): CellFailure | undefined {
    const floating = this.#floating.shift();
    this.#floating = [];
    if (!ok) return describeReported(this.#reported);
    return floating;
  }

  #addFloating(where: string, value: unknown): void {
    const failure = describeThrown(value);
    const note = `Failed in ${where}, after or in cell [${this.#cell}]. To mend it: await the promise, or catch its error.`;
    this.#floating.push({ ...failure, traceback: [...failure.traceback, note] });
  }
}

function describeReported(values: readonly unknown[]): CellFailure {
  const texts = values.map((value) => (typeof value === "string" ? value : undefined));
  if (values.length > 0 && texts.every((text) => text !== undefined && DIAGNOSTIC.test(text))) {
    const lines = texts.map((text) => String(text));
    return { ename: "TypeScriptError", evalue: lines.join("\n"), traceback: lines };
  }
  return describeThrown(values.at(-1));
}

/** A thrown value with its causes, without the frames of the kernel. */
export function describeThrown(value: unknown): CellFailure {
  if (isInterrupt(value)) {
    return { ename: "Interrupted", evalue: "the cell was interrupted", traceback: ["Interrupted"] };
  }
  const traceback = inspect(value, { depth: 4 })
    .split("\n")
    .filter((line) => !(/^\s+at /.test(line) && MACHINERY.test(line)));
  if (value instanceof Error) return { ename: value.name, evalue: value.message, traceback };
  return { ename: "Thrown", evalue: typeof value === "string" ? value : inspect(value), traceback };
}

/** Whether this is how Node or tslab says that the stop button ended the cell. */
export function isInterrupt(value: unknown): boolean {
  if (!(value instanceof Error)) return false;
  const code = "code" in value ? value.code : undefined;
  return code === "ERR_SCRIPT_EXECUTION_INTERRUPTED" || value.message === "Interrupted asynchronously";
}
