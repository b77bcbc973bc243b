import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { KitError } from "../support/errors.js";
import { fileError, readJsonFile } from "../support/files.js";
import { KERNEL_NAME, notebookEnvironment, projectRoot } from "./environment.js";

export interface RunOptions {
  /** Sets IFT_KIT_FAST=1: sizes that take seconds, for tests. */
  readonly fast?: boolean;
  /** Where the executed copy is written; not written when it is not given. */
  readonly output?: string;
  /** Write the copy of a good run only (default: also of a failed one, with the outputs up to the failure). */
  readonly onlyGood?: boolean;
  /** For the whole notebook; 1,800 by default. */
  readonly timeoutSeconds?: number;
  /** More variables for the kernel. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** A notebook that ran to its end. */
export interface RunResult {
  readonly notebook: string;
  readonly codeCells: number;
  readonly seconds: number;
}

/** A notebook in which something failed. */
export class NotebookFailure extends KitError {
  /** As the notebook shows it in brackets, counted from 1; 0 when not even the first cell was reached. */
  readonly cell: number;
  readonly errorName: string;
  readonly traceback: readonly string[];

  constructor(notebook: string, record: FailureRecord, problem: string, cure: string) {
    super(problem, cure, { file: notebook });
    this.cell = record.cell;
    this.errorName = record.name;
    this.traceback = record.traceback;
  }
}

const placeFields = {
  cell: z.number(),
  source: z.string(),
  afterLast: z.boolean(),
  seconds: z.number(),
};
const failureRecord = z.object({
  ...placeFields,
  status: z.enum(["error", "timeout", "dead", "no-kernel"]),
  name: z.string(),
  value: z.string(),
  traceback: z.array(z.string()),
});
const goodRecord = z.object({ ...placeFields, status: z.literal("ok") });
const runRecord = z.discriminatedUnion("status", [goodRecord, failureRecord]);
type FailureRecord = z.infer<typeof failureRecord>;

/** The Python side ends itself at the limit; this much later it is killed. Seconds. */
const KILL_AFTER_LIMIT = 20;
/** Characters of the Python side's error output that are kept for the message. */
const KEPT_LOG = 4000;

/**
 * Executes a notebook with the project's kernel, in the root of the clone, without a browser.
 * @throws NotebookFailure when a cell fails (throws, does not type-check, leaves a failing promise without await), the
 *   kernel dies or the time is up
 * @throws KitError when the file is no notebook, or Jupyter or the kernel is not set up
 */
export async function runNotebook(notebook: string, options: RunOptions = {}): Promise<RunResult> {
  checkNotebook(notebook);
  const root = projectRoot();
  const environment = notebookEnvironment(root);
  const timeout = options.timeoutSeconds ?? 1800;
  const parameters = [
    fileURLToPath(new URL("./run_notebook.py", import.meta.url)),
    resolve(notebook),
    ...["--kernel", KERNEL_NAME, "--folder", root, "--timeout", String(timeout)],
    ...(options.output === undefined ? [] : ["--output", outputPath(options.output)]),
    ...(options.onlyGood === true ? ["--only-good"] : []),
  ];
  const variables = {
    ...environment.variables,
    ...(options.fast === true ? { IFT_KIT_FAST: "1" } : {}),
    ...options.variables,
  };
  const { lines, log } = await runProgram(
    environment.python,
    parameters,
    variables,
    timeout + KILL_AFTER_LIMIT,
  );
  const record = parseRecord(lines, notebook, log);
  if (record.status === "ok") return { notebook, codeCells: record.cell, seconds: record.seconds };
  throw failureOf(relative(process.cwd(), resolve(notebook)), record, timeout, log);
}

function checkNotebook(path: string): void {
  const content = z
    .object({ cells: z.array(z.unknown()), nbformat: z.number() })
    .safeParse(readJsonFile(path));
  if (!content.success) {
    throw new KitError("this is not a Jupyter notebook", "give a file that Jupyter wrote", { file: path });
  }
}

function outputPath(path: string): string {
  const target = resolve(path);
  try {
    mkdirSync(dirname(target), { recursive: true });
  } catch (error) {
    throw fileError(target, "written", error);
  }
  return target;
}

interface ProgramOutput {
  readonly lines: readonly string[];
  /** The end of what it wrote to standard error. */
  readonly log: string;
}

function runProgram(
  program: string,
  parameters: readonly string[],
  variables: NodeJS.ProcessEnv,
  limitSeconds: number,
): Promise<ProgramOutput> {
  return new Promise((done, failed) => {
    const child = spawn(program, parameters, { env: variables, stdio: ["ignore", "pipe", "pipe"] });
    const killer = setTimeout(() => child.kill("SIGKILL"), limitSeconds * 1000);
    let output = "";
    let log = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (log = (log + text).slice(-KEPT_LOG)));
    child.on("error", (error) => {
      clearTimeout(killer);
      failed(fileError(program, "opened", error));
    });
    child.on("close", () => {
      clearTimeout(killer);
      done({ lines: output.trim().split("\n"), log });
    });
  });
}

function parseRecord(lines: readonly string[], notebook: string, log: string): z.infer<typeof runRecord> {
  try {
    return runRecord.parse(JSON.parse(lines.at(-1) ?? ""));
  } catch (error) {
    const last = log.trim().split("\n").at(-1) ?? "";
    if (last.includes("ModuleNotFoundError")) {
      throw new KitError(
        `Jupyter is not complete (${last})`,
        "run `npx ift-kit setup`",
        {},
        { cause: error },
      );
    }
    const reason = last === "" ? "it was ended from outside" : last;
    throw new KitError(
      `the notebook could not be executed (${reason})`,
      "check that the file opens in JupyterLab (`npm run lab`) and that memory and disk suffice",
      { file: notebook },
      { cause: error },
    );
  }
}

function failureOf(notebook: string, record: FailureRecord, timeout: number, log: string): KitError {
  const firstLine = record.source.trim().split("\n")[0] ?? "";
  const place = record.afterLast ? "after the last cell" : `cell [${record.cell}] (${firstLine})`;
  const started = record.cell > 0;
  switch (record.status) {
    case "error":
      return new NotebookFailure(
        notebook,
        record,
        `${place} failed: ${record.name}: ${record.value}`,
        "correct the cell and run the notebook again",
      );
    case "timeout":
      return new NotebookFailure(
        notebook,
        record,
        started
          ? `${place} was still running when ${timeout} s were over`
          : `the first cell was not reached in ${timeout} s`,
        "give it more time with --timeout, or smaller sizes",
      );
    case "dead": {
      const last = log.trim().split("\n").at(-1) ?? record.value;
      const reached = started ? `in ${place}` : "before the first cell";
      return new NotebookFailure(
        notebook,
        record,
        `the kernel ended ${reached} (${last})`,
        "see that no cell calls process.exit and that memory suffices; `npx ift-kit doctor` checks the installation",
      );
    }
    case "no-kernel":
      return new KitError(
        `Jupyter knows no kernel "${record.value}"`,
        "run `npx ift-kit setup`, and start from the root of the clone",
        { file: join("src", "notebook", "jupyter") },
      );
  }
}
