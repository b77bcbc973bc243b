import { Command, InvalidArgumentError } from "commander";
import { buildNotebook } from "../../notebook/build.js";
import { runNotebook } from "../../notebook/run.js";
import { KitError } from "../../support/errors.js";

interface RunFlags {
  readonly fast?: true;
  readonly output?: string;
  readonly inPlace?: true;
  readonly timeout: number;
  readonly json?: true;
}

/** `ift-kit notebook run` and `ift-kit notebook build`. */
export function command(): Command {
  const notebook = new Command("notebook");
  notebook
    .command("run")
    .summary("execute a notebook without a browser")
    .description("Executes a notebook with the project's kernel and fails when a cell fails.")
    .argument("<notebook>", "an .ipynb file")
    .option("--fast", "the sizes of the tests (IFT_KIT_FAST=1)")
    .option("--output <file>", "write the executed copy there, also when a cell fails")
    .option("--in-place", "write the outputs into the notebook itself, when all cells are good")
    .option("--timeout <seconds>", "limit for the whole notebook", parseSeconds, 1800)
    .option("--json", "print the result as JSON")
    .action(run);
  notebook
    .command("build")
    .summary("make a notebook from a TypeScript file with `// %%` lines")
    .description(
      "Makes a notebook without outputs: `// %%` starts a code cell, `// %% [markdown]` a text cell of // lines.",
    )
    .argument("<source>", "a .ts file")
    .argument("<notebook>", "the .ipynb file to write")
    .action((source: string, target: string) => {
      console.log(`${target}: ${buildNotebook(source, target)} cells`);
    });
  return notebook;
}

async function run(path: string, flags: RunFlags): Promise<void> {
  if (flags.inPlace === true && flags.output !== undefined) {
    throw new KitError("--in-place and --output exclude each other", "give one of them");
  }
  const output = flags.inPlace === true ? path : flags.output;
  const result = await runNotebook(path, {
    fast: flags.fast === true,
    ...(output === undefined ? {} : { output }),
    onlyGood: flags.inPlace === true,
    timeoutSeconds: flags.timeout,
  });
  if (flags.json === true) console.log(JSON.stringify(result));
  else console.log(`${path}: ${result.codeCells} code cells ran in ${result.seconds.toFixed(1)} s`);
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!Number.isFinite(seconds) || seconds <= 0)
    throw new InvalidArgumentError("a number of seconds above 0");
  return seconds;
}
