import { spawn } from "node:child_process";
import { messageOf, systemErrorCode } from "../../support/errors.js";

/** How a program ended and what it wrote. */
export interface ProgramResult {
  /** Exit code; 127 when the program was not found, 128 + n after signal n. */
  readonly code: number;
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end and keeps its output. A program that is not there gives code 127, not an exception. */
export function runProgram(
  program: string,
  argv: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string; readonly timeoutMs?: number } = {},
): Promise<ProgramResult> {
  return new Promise((resolve) => {
    const child = spawn(program, argv, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: options.timeoutMs,
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.on("error", (error) => {
      const code = systemErrorCode(error) === "ENOENT" ? 127 : 126;
      resolve({ code, signal: undefined, stdout, stderr: stderr + messageOf(error) });
    });
    child.on("close", (code, signal) => {
      resolve({ code: code ?? 128, signal: signal ?? undefined, stdout, stderr });
    });
  });
}

/** The line of a program's complaints that says most: the last one that names an error, else the last one. */
export function complaintOf(result: ProgramResult): string {
  const lines = `${result.stdout}\n${result.stderr}`
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const naming = lines.filter((line) => /error|cannot|no such|denied|not found/i.test(line));
  const line = naming.at(-1) ?? lines.at(-1);
  if (line !== undefined) return line.slice(0, 300);
  return result.signal === undefined ? `exit code ${result.code}` : `killed by ${result.signal}`;
}
