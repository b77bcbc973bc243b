import { Command } from "commander";

/** The commands under `experiment`. Only the one that is asked for is loaded. */
const PARTS: Readonly<Record<string, () => Promise<Command>>> = {
  pretrain: async () => (await import("./experiment/pretrain.js")).pretrainCommand(),
  work: async () => (await import("./experiment/work.js")).workCommand(),
};

/**
 * `ift-kit experiment`: experiments from plan files, and what they are made of.
 * @param words what stands after `experiment` on the command line
 */
export async function command([name = ""]: readonly string[]): Promise<Command> {
  const experiment = new Command("experiment");
  const chosen = Object.hasOwn(PARTS, name) ? [PARTS[name]] : Object.values(PARTS);
  for (const load of chosen) {
    if (load !== undefined) experiment.addCommand((await load()).exitOverride());
  }
  return experiment;
}
