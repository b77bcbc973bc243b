/** One entry of the output area: MIME type to content; binary content is base64 text, JSON types are plain objects. */
export type MimeBundle = Readonly<Record<string, string | object>>;

/**
 * What the running notebook kernel offers to the kit's modules. The launcher and the modules that a cell imports are
 * loaded in two different ways, so they share no module instance and meet here, under one global symbol.
 */
export interface KernelBridge {
  /** Shows a bundle below the running cell, or replaces the one shown before under the same identifier. */
  readonly display: (data: MimeBundle, options: { readonly id?: string; readonly update?: boolean }) => void;
  /** The signal that an interrupt of the running cell aborts. */
  readonly interruptSignal: () => AbortSignal;
  /** Waits until work that no cell awaited is done, at most for the given milliseconds. */
  readonly settle: (limitMilliseconds: number) => Promise<void>;
}

const KEY = Symbol.for("ift-kit.notebook-kernel");

/** The bridge of the running kernel, or undefined outside a notebook. */
export function kernelBridge(): KernelBridge | undefined {
  return (globalThis as { [KEY]?: KernelBridge })[KEY];
}

/** Called once by the launcher. */
export function installKernelBridge(bridge: KernelBridge): void {
  (globalThis as { [KEY]?: KernelBridge })[KEY] = bridge;
}
