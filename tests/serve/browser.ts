import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"] as const;

/**
 * The Chromium or Chrome of this machine, for the tests of the page: the one that CHROMIUM names, or the first on the PATH.
 * @throws Error with the cure where there is none: these tests fail without a browser, they are not skipped
 */
export function findBrowser(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  const { CHROMIUM: named, PATH: path = "" } = environment;
  if (named !== undefined) {
    if (isProgram(named)) return named;
    throw new Error(`CHROMIUM is "${named}", and there is no program of this name`);
  }
  const folders = path.split(delimiter).filter((folder) => folder !== "");
  const found = NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram);
  if (found !== undefined) return found;
  throw new Error(
    `the page of ift-kit serve is tested in a real browser, and none of ${NAMES.join(", ")} is on the PATH; ` +
      "install one (Debian: apt-get install chromium) or name it in the environment variable CHROMIUM",
  );
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
