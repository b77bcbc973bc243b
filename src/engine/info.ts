/** The array libraries that can run below the model, from fast to slow. */
export type BackendName = "tensorflow" | "wasm" | "cpu";

export const BACKEND_NAMES: readonly BackendName[] = ["tensorflow", "wasm", "cpu"];

/** Which engine runs in this process. */
export interface EngineInfo {
  readonly backend: BackendName;
  /** Version of the native TensorFlow library, or undefined when wasm or cpu runs. */
  readonly tensorflowVersion: string | undefined;
  /** What computes: "CPU (name of the processor)", "GPU" or "JavaScript on CPU (...)". */
  readonly device: string;
  /** Threads that one operation may use. */
  readonly threads: number;
  /** One line for people: what runs, and when it is not the best one, what that costs and the cure. */
  readonly note: string;
}

/** What a slower backend costs (matrix products, measured on two cores); for the line that tells of a fallback. */
export const BACKEND_COST: Readonly<Record<BackendName, string>> = {
  tensorflow: "full speed",
  wasm: "about 10 times slower than native TensorFlow",
  cpu: "several hundred times slower than native TensorFlow",
};

/** True for a name of a backend. */
export function isBackendName(name: string): name is BackendName {
  return (BACKEND_NAMES as readonly string[]).includes(name);
}
