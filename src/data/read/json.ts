import { KitError } from "../../support/errors.js";
import { readJsonFile, readTextFile } from "../../support/files.js";

/**
 * A JSON file as Python writes it: `NaN` and `Infinity`, which JSON does not have, are read as null. A published
 * Super-NaturalInstructions task has `"URL": [ NaN ]`.
 * @throws KitError when the file is missing, not UTF-8 or not JSON even so
 */
export function readPythonJsonFile(path: string): unknown {
  try {
    return readJsonFile(path);
  } catch (error) {
    if (!(error instanceof KitError) || error.cause !== undefined) throw error;
    const value = parseWithoutNumbers(readTextFile(path));
    if (value === undefined) throw error;
    return value.value;
  }
}

function parseWithoutNumbers(text: string): { readonly value: unknown } | undefined {
  try {
    const mended = text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|-?\b(?:NaN|Infinity)\b/gs, (found) =>
      found.startsWith('"') ? found : "null",
    );
    return mended === text ? undefined : { value: JSON.parse(mended) };
  } catch {
    return undefined;
  }
}
