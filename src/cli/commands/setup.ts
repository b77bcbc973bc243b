import { Command } from "commander";
import { setUp } from "../../engine/install/setup.js";

const EXIT_INTERRUPTED = 130;

/** `ift-kit setup`: the Python environment of the notebooks and the native engine. */
export function command(): Command {
  return new Command("setup")
    .description(
      "Sets up the clone: JupyterLab in .venv, native TensorFlow in the cache folder (IFT_KIT_CACHE). It can be run again at any time.",
    )
    .action(async () => {
      process.once("SIGINT", () => {
        console.error(
          "\nift-kit: set-up stopped; run `npx ift-kit setup` again, it goes on where it stopped",
        );
        process.exit(EXIT_INTERRUPTED);
      });
      await setUp((line) => console.log(`setup: ${line}`));
    });
}
