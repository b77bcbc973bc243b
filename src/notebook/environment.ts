import { existsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { clonePaths, projectRoot } from "../engine/install/paths.js";
import { KitError } from "../support/errors.js";

export { projectRoot };

/** Name of the kernel, as in `metadata.kernelspec` of a notebook. */
export const KERNEL_NAME = "ift-kit";
/** How the kernel is called in menus. */
export const KERNEL_TITLE = "TypeScript (ift-kit)";

/** How to start Jupyter programs that find the project's kernel. */
export interface NotebookEnvironment {
  /** The Python that has nbclient and JupyterLab. */
  readonly python: string;
  readonly variables: NodeJS.ProcessEnv;
}

/**
 * The Python of the clone's virtual environment (`IFT_KIT_JUPYTER_PYTHON` names another) and the variables with which Jupyter
 * finds the kernel: it is described inside `src/notebook/jupyter` and registered nowhere else.
 * @throws KitError when there is no such Python
 */
export function notebookEnvironment(root: string = projectRoot()): NotebookEnvironment {
  const named = process.env.IFT_KIT_JUPYTER_PYTHON;
  const python = named ?? clonePaths(root).python;
  if (!existsSync(python)) {
    throw named === undefined
      ? new KitError("Jupyter is not set up in this clone", "run `npx ift-kit setup`", { file: python })
      : new KitError("IFT_KIT_JUPYTER_PYTHON names no program", "correct it or unset it", { file: python });
  }
  const ownKernels = join(root, "src", "notebook", "jupyter");
  return {
    python,
    variables: {
      ...process.env,
      JUPYTER_PATH: joinPaths(ownKernels, process.env.JUPYTER_PATH),
      // The kernel runs with the Node that runs now.
      PATH: joinPaths(dirname(process.execPath), process.env.PATH),
      // Nothing is written into the home folder.
      IPYTHONDIR: join(root, ".jupyter", "ipython"),
      JUPYTER_CONFIG_DIR: join(root, ".jupyter", "config"),
      JUPYTER_DATA_DIR: join(root, ".jupyter", "data"),
      JUPYTER_RUNTIME_DIR: join(root, ".jupyter", "runtime"),
    },
  };
}

function joinPaths(first: string, others: string | undefined): string {
  return others === undefined || others === "" ? first : first + delimiter + others;
}
