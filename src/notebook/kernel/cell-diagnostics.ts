import type * as TypeScript from "typescript";
import type { CellTimeFileWatcher } from "./file-watching.js";

/**
 * The diagnostics that stop a cell. tslab checks every source a cell imports, near and far, at every cell that has an
 * import; here a source without errors is checked again only after some source has changed.
 */
export class CellDiagnostics {
  readonly #ts: typeof TypeScript;
  readonly #watcher: CellTimeFileWatcher;
  readonly #clean = new Set<string>();
  #checkedAt = -1;

  constructor(ts: typeof TypeScript, watcher: CellTimeFileWatcher) {
    this.#ts = ts;
    this.#watcher = watcher;
  }

  /** @param files the cell first, then the sources it imports */
  of(program: TypeScript.Program, files: readonly TypeScript.SourceFile[]): readonly TypeScript.Diagnostic[] {
    if (this.#checkedAt !== this.#watcher.changes) this.#clean.clear();
    this.#checkedAt = this.#watcher.changes;
    const diagnostics = files.flatMap((file, index) => {
      if (this.#clean.has(file.fileName)) return [];
      const own = [
        ...program.getSyntacticDiagnostics(file),
        ...program.getSemanticDiagnostics(file),
        ...program.getDeclarationDiagnostics(file),
      ];
      if (own.length === 0 && index > 0) this.#clean.add(file.fileName);
      return own;
    });
    return this.#ts.sortAndDeduplicateDiagnostics(diagnostics);
  }
}
