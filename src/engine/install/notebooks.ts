import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { KitError } from "../../support/errors.js";
import { writeFileAtomic } from "../../support/files.js";
import { sha256 } from "../../support/hash.js";
import { withLock } from "./lock.js";
import { clonePaths } from "./paths.js";
import { OLDEST_PYTHON, type Python } from "./python.js";
import { complaintOf, runProgram } from "./run-program.js";

/** How the set-up of Jupyter ended. */
export type NotebookSetup =
  | { readonly state: "ready"; readonly line: string; readonly changed: boolean }
  | { readonly state: "missing"; readonly line: string };

interface Stamp {
  readonly requirements: string;
  readonly root: string;
}

const STAMP_FILE = "ift-kit.json";
const AGAIN = "then run `npx ift-kit setup` again";

/** The list of pinned Python packages with their hashes. */
export function requirementsFile(root: string): string {
  return join(root, "src", "notebook", "requirements.txt");
}

/** True when the virtual environment holds what the requirements say, for the clone at this place. */
export function notebooksAreReady(root: string): boolean {
  const { venv, python } = clonePaths(root);
  try {
    const stamp = JSON.parse(readFileSync(join(venv, STAMP_FILE), "utf8")) as Partial<Stamp>;
    return existsSync(python) && stamp.root === root && stamp.requirements === requirementsHash(root);
  } catch {
    return false;
  }
}

/**
 * Makes the virtual environment of the clone with JupyterLab. An interrupted set-up is taken up again; an environment that does not work (its Python is gone, the clone was moved) is made anew.
 * @throws KitError when pip cannot install the packages
 */
export async function setUpNotebooks(
  root: string,
  python: Python | undefined,
  cache: string,
  say: (line: string) => void,
): Promise<NotebookSetup> {
  if (notebooksAreReady(root)) return { state: "ready", changed: false, line: readyLine() };
  if (python === undefined) {
    return missing(`no Python ${OLDEST_PYTHON} or later was found`, "install it with its venv module");
  }
  const paths = clonePaths(root);
  return withLock(
    paths.lock,
    async () => {
      if (notebooksAreReady(root)) return { state: "ready", changed: false, line: readyLine() };
      const complaint = await makeEnvironment(root, python);
      if (complaint !== undefined) {
        return missing(
          `Python cannot make a virtual environment (${complaint})`,
          "install its venv module (on Debian and Ubuntu: apt-get install python3-venv)",
        );
      }
      say("JupyterLab: installing into .venv (about 30 s)");
      await installPackages(root, cache);
      const stamp: Stamp = { requirements: requirementsHash(root), root };
      writeFileAtomic(join(paths.venv, STAMP_FILE), JSON.stringify(stamp));
      return { state: "ready", changed: true, line: readyLine() };
    },
    { onWait: (holder) => say(`JupyterLab: waiting for the set-up of ${holder}`) },
  );
}

async function makeEnvironment(root: string, python: Python): Promise<string | undefined> {
  const paths = clonePaths(root);
  const works = await runProgram(paths.python, ["-m", "pip", "--version"]);
  if (works.code === 0 && works.stdout.includes(paths.venv)) return undefined;
  rmSync(paths.venv, { recursive: true, force: true });
  const made = await runProgram(python.program, ["-m", "venv", paths.venv]);
  if (made.code === 0) return undefined;
  rmSync(paths.venv, { recursive: true, force: true });
  return complaintOf(made);
}

async function installPackages(root: string, cache: string): Promise<void> {
  const argv = ["-m", "pip", "install", "--quiet", "--require-hashes", "--only-binary", ":all:"];
  const env = { PIP_CACHE_DIR: join(cache, "pip"), PIP_DISABLE_PIP_VERSION_CHECK: "1", PIP_NO_INPUT: "1" };
  const result = await runProgram(clonePaths(root).python, [...argv, "-r", requirementsFile(root)], { env });
  if (result.code === 0) return;
  throw new KitError(
    `pip cannot install JupyterLab (${complaintOf(result)})`,
    `check the network, the disk and pip's settings, ${AGAIN}`,
    { file: requirementsFile(root) },
  );
}

function requirementsHash(root: string): string {
  return sha256(readFileSync(requirementsFile(root)));
}

function readyLine(): string {
  return "JupyterLab in .venv";
}

function missing(reason: string, cure: string): NotebookSetup {
  return {
    state: "missing",
    line: `notebooks cannot run, because ${reason}; all else works. To get them: ${cure}, ${AGAIN}.`,
  };
}
