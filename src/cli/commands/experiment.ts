import { Command } from "commander";

/** The commands under `experiment`. Only the one that is asked for is loaded. */
const PARTS: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import("./experiment/run.js")).runCommand(),
  status: async () => (await import("./experiment/status.js")).statusCommand(),
  verify: async () => (await import("./experiment/verify.js")).verifyCommand(),
  pretrain: async () => (await import("./experiment/pretrain.js")).pretrainCommand(),
  work: async () => (await import("./experiment/work.js")).workCommand(),
};

/**
 * `ift-kit experiment`: experiments from plan files, and what they are made of. `experiment PLAN` is `experiment run PLAN`.
 * @param words what stands after `experiment` on the command line
 */
export async function command([name = "--help"]: readonly string[]): Promise<Command> {
  const experiment = new Command("experiment");
  const isHelp = ["--help", "-h", "help"].includes(name);
  for (const [part, load] of Object.entries(PARTS)) {
    const isChosen = part === (Object.hasOwn(PARTS, name) ? name : "run");
    if (isChosen || isHelp) {
      experiment.addCommand((await load()).exitOverride(), { isDefault: part === "run" && !isHelp });
    }
  }
  return experiment;
}
