import { existsSync } from "node:fs";
import { setUpEngine } from "./engine.js";
import { makeFolder } from "./library-files.js";
import { setUpNotebooks } from "./notebooks.js";
import { cacheFolder, clonePaths, projectRoot } from "./paths.js";
import { findPython } from "./python.js";

/**
 * Sets up the clone: notebooks (Python environment, kernel) and the native engine. Can be run again at any time; what
 * is there is left alone, what was interrupted is taken up.
 * @param say prints one line
 * @throws KitError for what the user can mend by trying again: no network, wrong content, no space
 */
export async function setUp(say: (line: string) => void): Promise<void> {
  const root = projectRoot();
  const cache = cacheFolder();
  makeFolder(cache);

  const notebooks = await setUpNotebooks(root, findPython, cache, say);
  say(outcome("notebooks", notebooks));

  // The environment's own pip where there is one: a system Python may come without.
  const environmentPython = clonePaths(root).python;
  const findPip = async (): Promise<string | undefined> =>
    existsSync(environmentPython) ? environmentPython : (await findPython())?.program;
  const engine = await setUpEngine({ cache, findPip, say });
  say(outcome("engine", engine));
}

function outcome(
  what: string,
  result: { readonly state: string; readonly line: string; readonly changed?: boolean },
): string {
  if (result.state !== "ready") return `${what}: ${result.line}`;
  return `${what}: ${result.line}${result.changed === true ? "" : ", already there"}`;
}
