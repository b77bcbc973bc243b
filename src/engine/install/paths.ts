import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import { KitError } from "../../support/errors.js";

/** The folder of the clone (or of the installed package): the one that holds package.json. */
export function projectRoot(): string {
  return fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/, "");
}

/**
 * The one folder outside the clone that set-up writes to: `IFT_KIT_CACHE`, else `ift-kit` in the user's cache folder.
 * Clones share it.
 * @throws KitError when `IFT_KIT_CACHE` is not an absolute path
 */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const chosen = environment.IFT_KIT_CACHE;
  if (chosen !== undefined && chosen !== "") {
    if (isAbsolute(chosen)) return chosen;
    throw new KitError(
      `IFT_KIT_CACHE is "${chosen}", not an absolute path`,
      "give the full path of a folder",
    );
  }
  const base = environment.XDG_CACHE_HOME;
  return join(base !== undefined && isAbsolute(base) ? base : join(homedir(), ".cache"), "ift-kit");
}

/** Files of the clone that set-up makes; all of them are ignored by git. */
export function clonePaths(root: string): {
  /** The Python virtual environment. */
  readonly venv: string;
  /** Its interpreter. */
  readonly python: string;
  /** Folder of the kernelspec that Jupyter finds through JUPYTER_PATH. */
  readonly kernelspec: string;
  /** What Jupyter would otherwise keep in the home folder: settings, runtime files, trust database. */
  readonly jupyterHome: string;
  /** Held by the process that sets up this clone. */
  readonly lock: string;
} {
  const venv = join(root, ".venv");
  return {
    venv,
    python: join(venv, "bin", "python"),
    kernelspec: join(root, ".jupyter", "kernels", "ift-kit"),
    jupyterHome: join(root, ".ift-kit", "jupyter"),
    lock: join(root, ".ift-kit", "setup.lock"),
  };
}
