import { randomUUID } from "node:crypto";
import { kernelBridge, type MimeBundle } from "./kernel-bridge.js";

export type { MimeBundle } from "./kernel-bridge.js";

/**
 * Shows one thing in several forms below the running cell; the front end takes the best it can. Outside a notebook the
 * "text/plain" form (or markdown) is printed.
 */
export function show(bundle: MimeBundle): void {
  const bridge = kernelBridge();
  if (bridge !== undefined) bridge.display(bundle, {});
  else console.log(plainForm(bundle));
}

/** Shows formatted text. */
export function showMarkdown(text: string): void {
  show({ "text/markdown": text, "text/plain": text });
}

/** Shows an HTML fragment. Scripts do not run in an untrusted notebook. `text` is shown where HTML is not. */
export function showHtml(html: string, text: string): void {
  show({ "text/html": html, "text/plain": text });
}

/** Shows a PNG picture; `text` is shown where pictures are not. */
export function showPng(png: Uint8Array, text: string): void {
  show({ "image/png": base64(png), "text/plain": text });
}

/** Something on the page that is replaced in place, so that the notebook file does not grow. */
export interface LiveDisplay {
  /** Replaces what is shown, at most a few times a second; what comes too early is kept for the next time. */
  update(bundle: MimeBundle): void;
  /** Shows the last update now. */
  finish(): void;
}

/**
 * Opens a place below the running cell that can be replaced. It appears with the first update.
 * @param options.everyMilliseconds least time between two updates, 200 by default
 */
export function liveDisplay(options: { readonly everyMilliseconds?: number } = {}): LiveDisplay {
  const { everyMilliseconds = 200 } = options;
  const id = randomUUID();
  let shown = 0;
  let waiting: MimeBundle | undefined;
  const flush = (): void => {
    if (waiting === undefined) return;
    replace(waiting, id, shown > 0);
    shown = Date.now();
    waiting = undefined;
  };
  return {
    update: (bundle) => {
      waiting = bundle;
      if (Date.now() - shown >= everyMilliseconds) flush();
    },
    finish: () => {
      flush();
      if (kernelBridge() === undefined && process.stderr.isTTY) process.stderr.write("\n");
    },
  };
}

function replace(bundle: MimeBundle, id: string, update: boolean): void {
  const bridge = kernelBridge();
  if (bridge !== undefined) bridge.display(bundle, { id, update });
  // A terminal has one line to replace; a log file gets nothing but what the caller prints at the end.
  else if (process.stderr.isTTY) {
    process.stderr.write(`\r\u001b[2K${plainForm(bundle).split("\n").at(-1) ?? ""}`);
  }
}

function plainForm(bundle: MimeBundle): string {
  const text = bundle["text/plain"] ?? bundle["text/markdown"] ?? "";
  return typeof text === "string" ? text : JSON.stringify(text);
}

/** Bytes as Jupyter carries them. */
export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
