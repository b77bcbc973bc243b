import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { messageOf } from "../support/errors.js";
import type { TensorFlow } from "./tensorflow.js";

/** The native backend is not there or does not load: why, and how to get it. */
export class NativeEngineMissing extends Error {
  readonly problem: string;
  readonly cure: string;

  constructor(problem: string, cure: string) {
    super(`${problem}; ${cure}`);
    this.name = "NativeEngineMissing";
    this.problem = problem;
    this.cure = cure;
  }

  /** Problem and cure in one line, for the note of a fallback. */
  get sentence(): string {
    return `${this.problem} (to get native TensorFlow: ${this.cure})`;
  }
}

/** What the loaded native library says about itself. */
export interface NativeBackend {
  readonly version: string;
  readonly usesGpu: boolean;
}

/** File names in the folder of the compiled binding. */
export const BINDING_FILE = "tfjs_binding.node";
export const QUIET_FILE = "ift_kit_quiet.node";
export const MANIFEST_FILE = "ift_kit_native.json";

/** What set-up writes beside the compiled binding. */
export interface NativeManifest {
  /** Hash of all that the binding was compiled from. */
  readonly key: string;
  /** Full paths of the libraries that are loaded before the binding. */
  readonly libraries: readonly string[];
  /** Variables that the library reads; what the user has set wins. */
  readonly environment: Readonly<Record<string, string>>;
}

const require = createRequire(import.meta.url);

/** The folder where `@tensorflow/tfjs-node-gpu` looks for its compiled binding, or undefined before `npm ci`. */
export function bindingFolder(): string | undefined {
  try {
    const manifest = require.resolve("@tensorflow/tfjs-node-gpu/package.json");
    return join(manifest, "..", "lib", "napi-v8");
  } catch {
    return undefined;
  }
}

/** The manifest in the folder of the binding, or undefined when there is none that can be read. */
export function readNativeManifest(folder: string): NativeManifest | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, MANIFEST_FILE), "utf8")) as NativeManifest;
  } catch {
    return undefined;
  }
}

/**
 * Loads the native library and registers the "tensorflow" backend. The thread settings hold for the life of the
 * process: TensorFlow reads them once.
 * @throws NativeEngineMissing when it is not set up or cannot be loaded
 */
export function loadNativeBackend(tf: typeof TensorFlow, threads: number): NativeBackend {
  const folder = bindingFolder();
  if (folder === undefined)
    throw new NativeEngineMissing("the npm packages are not installed", "run `npm ci`");
  if (!existsSync(join(folder, BINDING_FILE))) {
    throw new NativeEngineMissing("the native engine is not set up in this clone", "run `npx ift-kit setup`");
  }
  if (!isRegistered(tf)) {
    const manifest = readNativeManifest(folder);
    setEnvironment(threads, manifest?.environment ?? {});
    restoreRemovedUtilities();
    try {
      loadQuietly(folder, manifest?.libraries ?? []);
      require("@tensorflow/tfjs-node-gpu");
    } catch (error) {
      throw new NativeEngineMissing(
        `the native library does not load (${messageOf(error).split("\n")[0] ?? ""})`,
        "run `npx ift-kit setup` again",
      );
    }
  }
  const backend = tf.findBackend("tensorflow") as unknown as {
    readonly binding: { readonly TF_Version: string };
    readonly isUsingGpuDevice: boolean;
  };
  return { version: backend.binding.TF_Version, usesGpu: backend.isUsingGpuDevice };
}

function isRegistered(tf: typeof TensorFlow): boolean {
  // Null for a name that nobody registered, whatever the declared type says.
  return (tf.findBackendFactory("tensorflow") as (() => unknown) | null) !== null;
}

/** What the user has set stays; the library reads these when it is loaded. */
function setEnvironment(threads: number, more: Readonly<Record<string, string>>): void {
  process.env.TF_CPP_MIN_LOG_LEVEL ??= "2";
  for (const [name, value] of Object.entries(more)) process.env[name] ??= value;
  for (const name of ["TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"]) {
    process.env[name] ??= String(threads);
  }
}

/** TensorFlow.js 4.22 calls two functions of `util` that Node deprecated and then removed (in 23). */
function restoreRemovedUtilities(): void {
  const util = require("node:util") as Record<string, unknown>;
  util.isNullOrUndefined = (value: unknown): boolean => value === null || value === undefined;
  util.isArray = Array.isArray;
}

/** Loads the library without the two lines that it writes to stderr on each start; errors still show. See quiet.cc. */
function loadQuietly(folder: string, libraries: readonly string[]): void {
  const file = join(folder, QUIET_FILE);
  if (!existsSync(file)) return;
  const addon = require(file) as { readonly load: (libraries: readonly string[]) => string };
  const problem = addon.load(libraries);
  if (problem !== "") throw new Error(problem);
}
