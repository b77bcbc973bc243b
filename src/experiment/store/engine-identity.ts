import { TENSORFLOW_VERSION } from "../../engine/install/catalog.js";
import { bindingFolder, readNativeManifest } from "../../engine/native.js";

/** What of the engine decides the bits of a result, as far as it can be told without starting it. */
export interface EngineIdentity {
  readonly backend: string;
  readonly tensorflowVersion: string | null;
}

/**
 * The engine that a run started now would use. Threads and the processor are not in it: they are in the manifest of
 * every result, and runs of a pool have one thread each unless told otherwise.
 */
export function engineIdentity(): EngineIdentity {
  const folder = bindingFolder();
  const isSetUp = folder !== undefined && readNativeManifest(folder) !== undefined;
  const chosen = process.env.IFT_KIT_BACKEND;
  const backend = chosen === undefined || chosen === "" ? (isSetUp ? "tensorflow" : "wasm") : chosen;
  return { backend, tensorflowVersion: backend === "tensorflow" ? TENSORFLOW_VERSION : null };
}
