import { readdirSync, statSync } from "node:fs";
import { join, sep } from "node:path";
import type * as TypeScript from "typescript";

/**
 * Watches the project's own files by looking at them right before each cell, in place of the compiler's file system
 * events: an edited `src` file counts at the very next run of a cell, however soon, and no watch handles are used up.
 * Packages in node_modules are not watched; restart the kernel after an install.
 */
export class CellTimeFileWatcher {
  readonly #ts: typeof TypeScript;
  readonly #sourceRoot: string;
  readonly #files = new Map<string, { callbacks: Set<TypeScript.FileWatcherCallback>; stamp: string }>();
  readonly #directories = new Map<string, Set<TypeScript.DirectoryWatcherCallback>>();
  #known: ReadonlySet<string>;
  #changes = 0;

  constructor(ts: typeof TypeScript, sourceRoot: string) {
    this.#ts = ts;
    this.#sourceRoot = sourceRoot;
    this.#known = new Set(listFiles(sourceRoot));
  }

  /** Grows whenever `check` finds a change. */
  get changes(): number {
    return this.#changes;
  }

  watchFile(path: string, callback: TypeScript.FileWatcherCallback): TypeScript.FileWatcher {
    if (isPackageFile(path)) return { close: () => undefined };
    const watched = this.#files.get(path) ?? { callbacks: new Set(), stamp: stampOf(path) };
    watched.callbacks.add(callback);
    this.#files.set(path, watched);
    return { close: () => void watched.callbacks.delete(callback) };
  }

  watchDirectory(path: string, callback: TypeScript.DirectoryWatcherCallback): TypeScript.FileWatcher {
    if (isPackageFile(path)) return { close: () => undefined };
    const callbacks = this.#directories.get(path) ?? new Set();
    callbacks.add(callback);
    this.#directories.set(path, callbacks);
    return { close: () => void callbacks.delete(callback) };
  }

  /** Tells the compiler what changed since the last call. */
  check(): void {
    for (const [path, watched] of this.#files) {
      const stamp = stampOf(path);
      if (stamp === watched.stamp) continue;
      const kind = this.#kindOfChange(watched.stamp, stamp);
      watched.stamp = stamp;
      this.#changes += 1;
      for (const callback of [...watched.callbacks]) callback(path, kind);
    }
    const current = new Set(listFiles(this.#sourceRoot));
    const changed = [
      ...[...current].filter((path) => !this.#known.has(path)),
      ...[...this.#known].filter((path) => !current.has(path)),
    ];
    this.#known = current;
    this.#changes += changed.length;
    for (const path of changed) {
      for (const [directory, callbacks] of this.#directories) {
        if (!path.startsWith(directory + sep)) continue;
        for (const callback of [...callbacks]) callback(path);
      }
    }
  }

  #kindOfChange(before: string, after: string): TypeScript.FileWatcherEventKind {
    if (before === MISSING) return this.#ts.FileWatcherEventKind.Created;
    if (after === MISSING) return this.#ts.FileWatcherEventKind.Deleted;
    return this.#ts.FileWatcherEventKind.Changed;
  }
}

const MISSING = "missing";

function stampOf(path: string): string {
  const status = statSync(path, { throwIfNoEntry: false, bigint: true });
  return status === undefined ? MISSING : `${status.mtimeNs}:${status.size}:${status.ino}`;
}

function isPackageFile(path: string): boolean {
  return path.split(sep).includes("node_modules");
}

function listFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === "node_modules" ? [] : listFiles(path);
    return [path];
  });
}
