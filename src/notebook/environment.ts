import { existsSync } from "node:fs";
import { jupyterEnvironment, KERNEL_NAME, kernelspec, registerKernel } from "../engine/install/notebooks.js";
import { clonePaths, projectRoot } from "../engine/install/paths.js";
import { KitError } from "../support/errors.js";

export { KERNEL_NAME, projectRoot };

/** How the kernel is called in menus. */
export const KERNEL_TITLE = kernelspec().display_name;

/** How to start Jupyter programs that find the project's kernel. */
export interface NotebookEnvironment {
  /** The Python that has nbclient and JupyterLab. */
  readonly python: string;
  readonly variables: NodeJS.ProcessEnv;
}

/**
 * The Python of the clone's virtual environment (`IFT_KIT_JUPYTER_PYTHON` names another) and the variables with which Jupyter
 * finds the kernel: it is registered in the clone's `.jupyter` and nowhere else.
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
  registerKernel(root);
  return { python, variables: { ...process.env, ...jupyterEnvironment(root) } };
}
