import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hashJson } from "../../src/support/hash.js";

/** What a checkpoint says of its run, besides the tensors. */
export interface SavedState {
  readonly tensors: string;
  readonly position: { readonly epoch: number; readonly step: number };
  readonly history: Readonly<Record<string, readonly number[]>>;
  readonly [field: string]: unknown;
}

/** The folder of the newest checkpoint. */
export function newestCheckpoint(directory: string): string {
  const names = readdirSync(directory).filter((name) => /^step-\d+$/.test(name));
  return join(directory, names.sort().at(-1) ?? "none");
}

export function stateOf(checkpoint: string): SavedState {
  return JSON.parse(readFileSync(join(checkpoint, "state.json"), "utf8")) as SavedState;
}

/** Changes what a checkpoint says, with a hash that fits. */
export function rewriteState(checkpoint: string, change: (state: SavedState) => object): void {
  const state = stateOf(checkpoint);
  const content = { ...state, ...change(state), hash: undefined };
  writeFileSync(join(checkpoint, "state.json"), JSON.stringify({ ...content, hash: hashJson(content) }));
}
