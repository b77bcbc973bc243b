import { existsSync, mkdirSync } from "node:fs";
import { KitError, messageOf } from "../../support/errors.js";
import { writeFileAtomic } from "../../support/files.js";
import type { RunProgress, RunResult } from "../result.js";
import { runKey } from "../store/key.js";
import { readRunResult } from "../store/result-file.js";
import { type DecidingSources, decidingSources } from "../store/sources.js";
import { suiteByName } from "../suites.js";
import type { RunOutcome, RunRequest } from "./place.js";

/** The code of each suite as this process has loaded it: later edits are of no account here. */
const loaded = new Map<string, DecidingSources>();

/**
 * Does one run in this process and writes its result into the request's file. A result that an earlier attempt left
 * there is taken as it is.
 */
export async function performRun(
  request: RunRequest,
  watch: { readonly signal: AbortSignal; readonly onProgress: (progress: RunProgress) => void },
): Promise<RunOutcome> {
  const { key, specification, workFolder, resultFile } = request;
  try {
    const suite = suiteByName(specification.suite);
    const sources = loaded.get(suite.name) ?? decidingSources(suite.entry);
    loaded.set(suite.name, sources);
    if (runKey(specification, sources) !== key) {
      throw new KitError(
        "the code or the engine here is not that of the run",
        "run the experiment again, with the same version of the kit everywhere",
      );
    }
    if (isDone(resultFile, key)) return { kind: "finished" };
    mkdirSync(workFolder, { recursive: true });
    const result: RunResult | undefined = await suite.run(specification, {
      key,
      sourceHash: sources.hash,
      workFolder,
      ...watch,
    });
    if (result === undefined) return { kind: "stopped" };
    writeFileAtomic(resultFile, `${JSON.stringify(result)}\n`);
    return { kind: "finished" };
  } catch (error) {
    const isDefect = error instanceof Error && !(error instanceof KitError);
    return { kind: "failed", message: isDefect ? (error.stack ?? error.message) : messageOf(error) };
  }
}

function isDone(resultFile: string, key: string): boolean {
  if (!existsSync(resultFile)) return false;
  try {
    return readRunResult(resultFile).key === key;
  } catch (error) {
    if (error instanceof KitError) return false; // not whole: the run is done again
    throw error;
  }
}
