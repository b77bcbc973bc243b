import { createRequire } from "node:module";
import { availableParallelism, cpus } from "node:os";
import { dirname, sep } from "node:path";
import type * as WasmBackend from "@tensorflow/tfjs-backend-wasm";
import { KitError, messageOf } from "../support/errors.js";
import { BACKEND_COST, BACKEND_NAMES, isBackendName, type BackendName, type EngineInfo } from "./info.js";
import { NativeEngineMissing, loadNativeBackend } from "./native.js";
import { tf } from "./tensorflow.js";

export type { BackendName, EngineInfo } from "./info.js";

/** What `startEngine` may be told; all of it has a default. */
export interface EngineOptions {
  /** Exactly this one, or an error. Default: `IFT_KIT_BACKEND`, else the fastest that works. */
  readonly backend?: BackendName;
  /** Default: `IFT_KIT_THREADS`, else every core the process may use. Fixed once the native library is loaded. */
  readonly threads?: number;
  /** No line on stderr when a slower backend runs; the caller shows the note. */
  readonly quiet?: boolean;
}

const require = createRequire(import.meta.url);
let started: Promise<EngineInfo> | undefined;

/**
 * Starts the array library; every later call gives the same answer at once. A call that names another backend than
 * the running one switches to it: tensors made before stay where they are and are moved on use.
 * @throws KitError when the backend that was asked for by name cannot run here
 */
export async function startEngine(options: EngineOptions = {}): Promise<EngineInfo> {
  const running = await started?.catch(() => undefined);
  if (running !== undefined && (options.backend === undefined || options.backend === running.backend)) {
    return running;
  }
  const promise = chooseBackend(
    options.backend ?? backendOfEnvironment(),
    threadsOf(options.threads),
    options.quiet ?? false,
  );
  started = promise;
  return promise;
}

async function chooseBackend(
  wanted: BackendName | undefined,
  threads: number,
  quiet: boolean,
): Promise<EngineInfo> {
  const reasons: string[] = [];
  for (const backend of wanted === undefined ? BACKEND_NAMES : [wanted]) {
    try {
      const info = await startBackend(backend, threads, wanted === undefined ? reasons : []);
      if (reasons.length > 0 && !quiet) console.error(info.note);
      return info;
    } catch (error) {
      if (wanted !== undefined) throw asKitError(backend, error);
      reasons.push(error instanceof NativeEngineMissing ? error.sentence : `${backend}: ${messageOf(error)}`);
    }
  }
  throw new KitError(
    `no backend of TensorFlow.js starts (${reasons.join("; ")})`,
    "run `npm ci` and `npx ift-kit setup` again",
  );
}

async function startBackend(
  backend: BackendName,
  threads: number,
  reasons: readonly string[],
): Promise<EngineInfo> {
  const processor = cpus()[0]?.model.trim() ?? "unknown processor";
  if (backend === "tensorflow") {
    const native = loadNativeBackend(tf, threads);
    await useBackend("tensorflow");
    const device = native.usesGpu ? "GPU" : `CPU (${processor})`;
    return {
      backend,
      tensorflowVersion: native.version,
      device,
      threads,
      note: `engine: TensorFlow ${native.version} on ${device}, ${threads} threads`,
    };
  }
  const used = backend === "wasm" ? await startWasm(threads) : await startPlainJavaScript();
  const why = reasons.length === 0 ? "" : `, because ${reasons.join("; ")}`;
  return {
    backend,
    tensorflowVersion: undefined,
    device: `CPU (${processor})`,
    threads: used,
    note: `engine: ${backend} backend, ${BACKEND_COST[backend]}${why}`,
  };
}

async function startWasm(threads: number): Promise<number> {
  const entry = require.resolve("@tensorflow/tfjs-backend-wasm");
  const wasm = require(entry) as typeof WasmBackend;
  wasm.setWasmPaths(dirname(entry) + sep);
  wasm.setThreadsCount(threads);
  await useBackend("wasm");
  return (await tf.env().getAsync("WASM_HAS_MULTITHREAD_SUPPORT")) === true ? threads : 1;
}

async function startPlainJavaScript(): Promise<number> {
  // The backend greets its first tensor with six lines on stderr; our own line says the same with the cure.
  const backend = tf.findBackend("cpu") as { firstUse?: boolean } | null;
  if (backend !== null) backend.firstUse = false;
  await useBackend("cpu");
  return 1;
}

async function useBackend(name: BackendName): Promise<void> {
  const chosen = await tf.setBackend(name);
  if (!chosen) throw new Error("it does not start");
  await tf.ready();
}

function backendOfEnvironment(): BackendName | undefined {
  const name = process.env.IFT_KIT_BACKEND;
  if (name === undefined || name === "") return undefined;
  if (isBackendName(name)) return name;
  throw new KitError(
    `IFT_KIT_BACKEND is "${name}"`,
    `set it to one of ${BACKEND_NAMES.join(", ")}, or unset it`,
  );
}

function threadsOf(wanted: number | undefined): number {
  const text = process.env.IFT_KIT_THREADS;
  const threads = wanted ?? (text === undefined || text === "" ? availableParallelism() : Number(text));
  if (Number.isInteger(threads) && threads >= 1) return threads;
  throw new KitError(
    `${String(wanted ?? text)} is not a number of threads`,
    "give an integer of at least 1",
    {
      field: wanted === undefined ? "IFT_KIT_THREADS" : "threads",
    },
  );
}

function asKitError(backend: BackendName, error: unknown): KitError {
  if (error instanceof KitError) return error;
  const [problem, cure] =
    error instanceof NativeEngineMissing
      ? [error.problem, error.cure]
      : [messageOf(error), "run `npm ci` and `npx ift-kit setup` again"];
  return new KitError(`the ${backend} backend cannot run: ${problem}`, cure, {}, { cause: error });
}
