import { existsSync, readFileSync, rmSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { KitError } from "../../support/errors.js";
import { writeFileAtomic } from "../../support/files.js";
import { sha256 } from "../../support/hash.js";
import { withLock } from "./lock.js";
import { clonePaths } from "./paths.js";
import { OLDEST_PYTHON, type Python } from "./python.js";
import { complaintOf, runProgram } from "./run-program.js";

/** Name of the kernel, as in `metadata.kernelspec` of a notebook. */
export const KERNEL_NAME = "ift-kit";

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
 * Makes the virtual environment of the clone and registers the kernel there. An interrupted set-up is taken up again;
 * an environment that does not work (its Python is gone, the clone was moved) is made anew.
 * @throws KitError when pip cannot install the packages
 */
export async function setUpNotebooks(
  root: string,
  findPython: () => Promise<Python | undefined>,
  cache: string,
  say: (line: string) => void,
): Promise<NotebookSetup> {
  registerKernel(root);
  if (notebooksAreReady(root)) return { state: "ready", changed: false, line: readyLine() };
  const python = await findPython();
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
      writeSettings(paths.venv);
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

/** Settings that JupyterLab reads from its environment. */
function writeSettings(venv: string): void {
  // JupyterLab's own Node scripts are CommonJS, and the clone's package.json says that `.js` is not.
  writeFileAtomic(join(venv, "package.json"), "{}\n");
  const overrides = { "@jupyterlab/apputils-extension:notification": { fetchNews: "false" } };
  writeFileAtomic(
    join(venv, "share", "jupyter", "lab", "settings", "overrides.json"),
    `${JSON.stringify(overrides)}\n`,
  );
}

/** The kernelspec: `{resource_dir}` is Jupyter's own name for its folder, so that the clone can be moved. */
export function kernelspec(): {
  argv: string[];
  display_name: string;
  language: string;
  interrupt_mode: string;
} {
  const launcher = "{resource_dir}/../../../src/notebook/kernel/start.js";
  return {
    argv: ["node", launcher, "--config-path", "{connection_file}"],
    display_name: "TypeScript (ift-kit)",
    language: "typescript",
    interrupt_mode: "signal",
  };
}

/** Writes the kernelspec into the clone, where `jupyterEnvironment` lets Jupyter look for it, and nowhere else. */
export function registerKernel(root: string): void {
  const path = join(clonePaths(root).kernelspec, "kernel.json");
  const text = `${JSON.stringify(kernelspec(), null, 2)}\n`;
  if (!existsSync(path) || readFileSync(path, "utf8") !== text) writeFileAtomic(path, text);
}

/**
 * Variables with which Jupyter finds the kernel of the clone and keeps all its own files in the clone. To be merged
 * over `process.env` when Jupyter or one of its tools is started.
 */
export function jupyterEnvironment(root: string): Record<string, string> {
  const { venv, jupyterHome } = clonePaths(root);
  // The kernel runs with the Node that runs now.
  const search = [join(venv, "bin"), dirname(process.execPath), process.env.PATH ?? ""];
  return {
    PATH: search.join(delimiter),
    VIRTUAL_ENV: venv,
    JUPYTER_PATH: join(root, ".jupyter"),
    JUPYTER_CONFIG_DIR: join(jupyterHome, "config"),
    JUPYTER_DATA_DIR: join(jupyterHome, "data"),
    JUPYTER_RUNTIME_DIR: join(jupyterHome, "runtime"),
    IPYTHONDIR: join(jupyterHome, "ipython"),
  };
}

function requirementsHash(root: string): string {
  return sha256(readFileSync(requirementsFile(root)));
}

function readyLine(): string {
  return `JupyterLab in .venv, kernel "${KERNEL_NAME}"`;
}

function missing(reason: string, cure: string): NotebookSetup {
  return {
    state: "missing",
    line: `notebooks cannot run, because ${reason}; all else works. To get them: ${cure}, ${AGAIN}.`,
  };
}
