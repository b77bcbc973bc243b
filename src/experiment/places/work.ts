import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import { KitError, messageOf } from "../../support/errors.js";
import { readJsonFile, writeFileAtomic } from "../../support/files.js";
import { validate } from "../../support/validate.js";
import type { RunProgress } from "../result.js";
import { performRun } from "./perform.js";
import { type RunOutcome, type RunRequest, runRequestSchema } from "./place.js";

/** What a run on another machine prints about itself, one line each; everything else there is its log. */
const PROGRESS_MARK = "ift-kit progress ";

/** The environment variable with the token for a request that comes by HTTP. */
export const TOKEN_VARIABLE = "IFT_KIT_RUN_TOKEN";

const progressSchema = z.strictObject({ fraction: z.number(), tokensPerSecond: z.number() });

/** The schema of an outcome that comes from another machine. */
export const outcomeSchema: z.ZodType<RunOutcome> = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("finished") }),
  z.strictObject({ kind: z.literal("stopped") }),
  z.strictObject({ kind: z.literal("failed"), message: z.string() }),
  z.strictObject({ kind: z.literal("lost"), message: z.string() }),
]);

/** Where a run that is done by way of files says how it ended. */
export const outcomeFile = (requestFile: string): string => `${requestFile}.outcome`;

/** The progress that a line of a run's output tells; undefined for other lines. */
export function progressOf(line: string): RunProgress | undefined {
  if (!line.startsWith(PROGRESS_MARK)) return undefined;
  try {
    return progressSchema.safeParse(JSON.parse(line.slice(PROGRESS_MARK.length))).data;
  } catch {
    return undefined;
  }
}

/**
 * Does one run that was asked for from elsewhere: what a job on another machine is. The request is a file, where both
 * sides see the same folders, or an address, where the request is fetched and the result is sent; there the token of
 * the environment is shown, and nothing of the run stays behind.
 * @param print gets a line of progress about every second
 * @returns how it ended, which the asking side has been told, too
 * @throws KitError when the request cannot be had or the outcome not be told
 */
export async function workOn(
  source: string,
  signal: AbortSignal,
  print: (line: string) => void,
): Promise<RunOutcome> {
  let told = 0;
  const onProgress = (progress: RunProgress): void => {
    if (performance.now() - told < 1000) return;
    told = performance.now();
    print(PROGRESS_MARK + JSON.stringify(progress));
  };
  const watch = { signal, onProgress };
  return /^https?:/.test(source) ? workByHttp(source, watch) : workByFiles(source, watch);
}

type Watch = Parameters<typeof performRun>[1];

async function workByFiles(file: string, watch: Watch): Promise<RunOutcome> {
  const request = validate(runRequestSchema, readJsonFile(file), "the request", { file });
  const outcome = await performRun(request, watch);
  writeFileAtomic(outcomeFile(file), JSON.stringify(outcome));
  return outcome;
}

async function workByHttp(address: string, watch: Watch): Promise<RunOutcome> {
  const asked: unknown = await (await send(address, { method: "GET" })).json();
  const request: RunRequest = validate(runRequestSchema, asked, "the request", { file: address });
  const folder = mkdtempSync(join(tmpdir(), "ift-kit-run-"));
  try {
    const resultFile = join(folder, "result.json");
    const outcome = await performRun({ ...request, workFolder: join(folder, "work"), resultFile }, watch);
    if (outcome.kind === "finished") {
      await send(`${address}/result`, { method: "PUT", body: readFileSync(resultFile) });
    }
    await send(`${address}/outcome`, { method: "PUT", body: JSON.stringify(outcome) });
    return outcome;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** How often an upload is tried, with a pause that doubles from a second. */
const TRIES = 6;

async function send(address: string, init: RequestInit): Promise<Response> {
  const token = process.env[TOKEN_VARIABLE] ?? "";
  let reason = "";
  for (let attempt = 0; attempt < TRIES; attempt++) {
    if (attempt > 0) await pause(1000 * 2 ** (attempt - 1));
    try {
      const response = await fetch(address, { ...init, headers: { authorization: `Bearer ${token}` } });
      if (response.ok) return response;
      reason = `it answered ${response.status}`;
      if (response.status < 500) break;
    } catch (error) {
      reason = messageOf(error);
    }
  }
  throw new KitError(
    `the experiment at ${new URL(address).origin} cannot be reached for ${init.method ?? "GET"}: ${reason}`,
    "start the experiment with an address that the nodes of the cluster reach (--upload HOST)",
  );
}
