import type { Example } from "../../../data/example.js";
import type { ReadOptions } from "../../../data/read/index.js";
import { readExamples } from "../../../data/read/index.js";

/**
 * The rows of several files or folders, one after the other. Where an id is taken already, the path goes before it, so that a
 * report names one row only.
 * @throws KitError as `readExamples`
 */
export async function readAll(paths: readonly string[], options: ReadOptions): Promise<readonly Example[]> {
  const examples: Example[] = [];
  const ids = new Set<string>();
  for (const path of paths) {
    for (const example of (await readExamples(path, options)).examples) {
      const row = ids.has(example.id) ? { ...example, id: `${path}: ${example.id}` } : example;
      ids.add(row.id);
      examples.push(row);
    }
  }
  return examples;
}
