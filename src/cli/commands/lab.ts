import { spawn } from "node:child_process";
import { Command } from "commander";
import { notebooksAreReady } from "../../engine/install/notebooks.js";
import { KERNEL_NAME, notebookEnvironment, projectRoot } from "../../notebook/environment.js";
import { KitError, messageOf } from "../../support/errors.js";

/** New notebooks are in TypeScript; no server is asked for news and updates. */
const SETTINGS = [
  `--MultiKernelManager.default_kernel_name=${KERNEL_NAME}`,
  "--LabApp.news_url=None",
  "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
];

/** `ift-kit lab`: JupyterLab in the clone, with the TypeScript kernel. */
export function command(): Command {
  return new Command("lab")
    .description("Opens JupyterLab with the TypeScript kernel, in the folder of the clone.")
    .argument("[arguments...]", "passed on to JupyterLab, for example --no-browser --port=8890")
    .allowUnknownOption()
    .helpOption("--help", "display help for command")
    .action(lab);
}

async function lab(passedOn: readonly string[]): Promise<void> {
  const root = projectRoot();
  const { python, variables } = notebookEnvironment(root);
  if (process.env.IFT_KIT_JUPYTER_PYTHON === undefined && !notebooksAreReady(root)) {
    throw new KitError("the set-up of JupyterLab is not finished", "run `npx ift-kit setup`", {
      file: ".venv",
    });
  }
  const asRoot = process.getuid?.() === 0 ? ["--allow-root"] : [];
  const argv = ["-m", "jupyterlab", `--ServerApp.root_dir=${root}`, ...SETTINGS, ...asRoot, ...passedOn];
  process.exitCode = await runAttached(python, argv, variables);
}

/** Runs a program on this terminal to its end; Ctrl-C goes to the program, which asks before it stops. */
function runAttached(program: string, argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const leaveToProgram = (): void => undefined;
  process.on("SIGINT", leaveToProgram);
  return new Promise<number>((resolve, reject) => {
    const child = spawn(program, argv, { env, stdio: "inherit" });
    child.on("error", (error) =>
      reject(
        new KitError(`JupyterLab does not start (${messageOf(error)})`, "run `npx ift-kit setup`", {
          file: program,
        }),
      ),
    );
    child.on("close", (code) => resolve(code ?? 1));
  }).finally(() => process.removeListener("SIGINT", leaveToProgram));
}
