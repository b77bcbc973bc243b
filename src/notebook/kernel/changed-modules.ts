import { relativeRequires } from "./module-output.js";
import type { SideOutput } from "./tslab.js";

/**
 * tslab loads a changed `src` file anew, but a module that imports it keeps the old one. This adds the importers,
 * near and far, so that an edit deep in the project is seen by a cell that imports it through other modules.
 */
export class ChangedModules {
  readonly #outputs = new Map<string, string>();

  /**
   * @param changed what the compiler emitted anew
   * @returns the same and every module that reaches one of them; tslab loads each of these anew when it is required
   */
  withImporters(changed: readonly SideOutput[]): SideOutput[] {
    for (const { path, data } of changed) this.#outputs.set(path, data);
    const importers = new Map<string, string[]>();
    for (const [path, data] of this.#outputs) {
      for (const target of relativeRequires(data, path)) {
        importers.set(target, [...(importers.get(target) ?? []), path]);
      }
    }
    const reached = new Set<string>();
    const waiting = changed.map(({ path }) => path);
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      if (reached.has(path)) continue;
      reached.add(path);
      waiting.push(...(importers.get(path) ?? []));
    }
    return [...reached].map((path) => ({ path, data: this.#outputs.get(path) ?? "" }));
  }
}
