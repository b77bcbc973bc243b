import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KitError } from "../support/errors.js";
import { canonicalJson } from "../support/hash.js";
import { localPlace } from "./places/local.js";
import type { RunProgress, RunResult } from "./result.js";
import type { RunStore } from "./store.js";
import { keysMeantBy } from "./store/overview.js";
import { readRunResult } from "./store/result-file.js";

/** What came of repeating a run. */
export interface Verification {
  readonly key: string;
  readonly id: string;
  /** Whether every bit that does not depend on the clock is the same. */
  readonly same: boolean;
  /** Where the results differ: dotted paths with both values, the first few. */
  readonly differences: readonly string[];
  /** What of machine and versions was different: the first thing to look at where bits are. */
  readonly environment: readonly string[];
}

/** Differences that are listed. */
const LISTED = 10;

/**
 * Repeats a stored run with the threads that it had, and compares configuration, weights, loss curve, ledger and every
 * answer, bit by bit.
 * @param name the beginning of its key, or its name in a plan
 * @throws KitError when there is no such finished run, or code or engine are not those that made it
 */
export async function verifyRun(
  store: RunStore,
  name: string,
  watch: { readonly signal: AbortSignal; readonly onProgress: (progress: RunProgress) => void },
): Promise<Verification> {
  const stored = storedRun(store, name);
  const { specification, key, manifest } = stored;
  if (store.key(specification) !== key) {
    const isOtherCode = store.sourcesOf(stored.suite).hash !== manifest.sourceHash;
    throw new KitError(
      `the run was done by ${isOtherCode ? "other code" : "another engine"} than is here (commit ${manifest.commit}, ${manifest.engine.backend} ${manifest.engine.tensorflowVersion ?? ""})`,
      "verify it with the kit and engine that made it, or run its plan again",
    );
  }
  const folder = mkdtempSync(join(tmpdir(), "ift-kit-verify-"));
  const place = localPlace({ processes: 1, threads: manifest.engine.threads });
  try {
    const resultFile = join(folder, "result.json");
    const workFolder = join(folder, "work");
    const outcome = await place.perform(
      { version: 1, key, specification, workFolder, resultFile },
      { ...watch, onProcess: () => undefined },
    );
    if (outcome.kind === "stopped") throw new KitError("the run was stopped", "verify it again");
    if (outcome.kind !== "finished")
      throw new KitError(outcome.message, "mend the cause and verify it again");
    const repeated = readRunResult(resultFile);
    const differences = differencesOf(numbersOf(stored), numbersOf(repeated));
    return {
      key,
      id: specification.id,
      same: differences.length === 0,
      differences: differences.slice(0, LISTED),
      environment: differencesOf(manifest, repeated.manifest),
    };
  } finally {
    await place.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function storedRun(store: RunStore, name: string): RunResult {
  const found = keysMeantBy(store, name).flatMap((key) => store.resultOf(key) ?? []);
  const [first] = found;
  if (first === undefined) {
    throw new KitError(
      `the store has no finished run "${name}"`,
      "give the beginning of a key or the name of a run, as `ift-kit experiment status` prints them",
      { file: store.directory },
    );
  }
  if (found.length > 1) {
    throw new KitError(
      `"${name}" may be ${found.length} finished runs: ${found.map(({ key }) => key.slice(0, 12)).join(", ")}`,
      "give more of the key",
    );
  }
  return first;
}

/** What must be the same whenever a run is done: all of its result but names, machine and time. */
export function numbersOf(result: RunResult): unknown {
  const { training, resolved, ledger, curve, rows, manifest } = result;
  const { trainingDataHash, testDataHash, template, tokenizerHash, parameterCount } = manifest;
  return {
    resolved,
    data: { trainingDataHash, testDataHash, template, tokenizerHash, parameterCount },
    training: { ...training, seconds: undefined },
    ledger,
    curve,
    rows,
  };
}

/** Where two JSON values differ, in the order of the first. */
export function differencesOf(before: unknown, after: unknown, path = ""): string[] {
  if (canonicalJson(before ?? null) === canonicalJson(after ?? null)) return [];
  const fields = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
    typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  const [was, is] = [fields(before), fields(after)];
  if (was === undefined || is === undefined) return [`${path}: ${shown(before)} was, ${shown(after)} is`];
  return [...new Set([...Object.keys(was), ...Object.keys(is)])].flatMap((name) =>
    differencesOf(was[name], is[name], path === "" ? name : `${path}.${name}`),
  );
}

function shown(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}
