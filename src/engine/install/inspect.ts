import { existsSync, readdirSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { KitError, messageOf } from "../../support/errors.js";
import type { EngineInfo } from "../info.js";
import { startEngine } from "../start.js";
import { findCompiler } from "./binding.js";
import { notebooksAreReady } from "./notebooks.js";
import { cacheFolder, clonePaths, projectRoot } from "./paths.js";
import { findPython, OLDEST_PYTHON, pythonVersion } from "./python.js";
import { runProgram } from "./run-program.js";

/** Something that is not there: what does not work without it, and the cure. */
export interface Lack {
  readonly what: string;
  readonly cost: string;
  readonly cure: string;
}

/** What `ift-kit doctor` finds; the fields of its JSON. */
export interface Diagnosis {
  /** The kit can be used: an engine runs. */
  readonly usable: boolean;
  readonly engine: EngineInfo | null;
  readonly cores: number;
  readonly jupyter: {
    readonly ready: boolean;
    readonly version: string | null;
    readonly python: string | null;
  };
  readonly node: string;
  readonly python: string | null;
  readonly compiler: string | null;
  readonly cache: { readonly folder: string; readonly bytes: number };
  readonly missing: readonly Lack[];
}

const SETUP = "run `npx ift-kit setup`";

/** Looks at the machine and the clone and starts the engine; changes nothing. */
export async function diagnose(): Promise<Diagnosis> {
  const missing: Lack[] = [];
  const engine = await engineOrLack(missing);
  const root = projectRoot();
  const [python, compiler] = await Promise.all([findPython(), findCompiler()]);
  const ready = notebooksAreReady(root);
  const venvPython = clonePaths(root).python;
  if (!ready) missing.push({ what: "JupyterLab", cost: "notebooks cannot be opened or run", cure: SETUP });
  if (python === undefined) {
    const cure = `install Python ${OLDEST_PYTHON} or later with venv and pip`;
    missing.push({ what: "Python", cost: "set-up cannot fetch JupyterLab and TensorFlow", cure });
  }
  if (compiler === undefined) {
    const cure = "install a C++ compiler (on Debian and Ubuntu: apt-get install g++)";
    missing.push({ what: "C++ compiler", cost: "the native engine cannot be set up in a new clone", cure });
  }
  const folder = cacheFolder();
  return {
    usable: engine !== undefined,
    engine: engine ?? null,
    cores: availableParallelism(),
    jupyter: {
      ready,
      version: ready ? await jupyterVersion(venvPython) : null,
      python: existsSync(venvPython) ? ((await pythonVersion(venvPython)) ?? null) : null,
    },
    node: process.versions.node,
    python: python?.version ?? null,
    compiler: compiler?.version ?? null,
    cache: { folder, bytes: folderSize(folder) },
    missing,
  };
}

async function engineOrLack(missing: Lack[]): Promise<EngineInfo | undefined> {
  try {
    const engine = await startEngine({ quiet: true });
    if (engine.backend !== "tensorflow") {
      missing.push({
        what: "native TensorFlow",
        cost: engine.note,
        cure: (process.env.IFT_KIT_BACKEND ?? "") === "" ? SETUP : "unset IFT_KIT_BACKEND",
      });
    }
    return engine;
  } catch (error) {
    const cure = error instanceof KitError ? error.cure : "run `npm ci`, then `npx ift-kit setup`";
    missing.push({ what: "engine", cost: `nothing can be trained (${messageOf(error)})`, cure });
    return undefined;
  }
}

async function jupyterVersion(python: string): Promise<string | null> {
  const script = "import importlib.metadata; print(importlib.metadata.version('jupyterlab'))";
  const result = await runProgram(python, ["-c", script]);
  return result.code === 0 ? result.stdout.trim() : null;
}

function folderSize(folder: string): number {
  if (!existsSync(folder)) return 0;
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + sizeOf(join(entry.parentPath, entry.name)), 0);
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    return 0; // Removed by a set-up that runs at the same time.
  }
}
