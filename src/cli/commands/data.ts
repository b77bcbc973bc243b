import { Command } from "commander";

/** The commands under `data`. Only the one that is asked for is loaded: some bring figures and grammars with them. */
const PARTS: Readonly<Record<string, () => Promise<Command>>> = {
  inspect: async () => (await import("./data/inspect.js")).inspectCommand(),
  convert: async () => (await import("./data/convert.js")).convertCommand(),
  look: async () => (await import("./data/look.js")).lookCommand(),
  render: async () => (await import("./data/render.js")).renderCommand(),
  lint: async () => (await import("./data/lint.js")).lintCommand(),
  compare: async () => (await import("./data/compare.js")).compareCommand(),
  split: async () => (await import("./data/split.js")).splitCommand(),
  quality: async () => (await import("./data/quality.js")).qualityCommand(),
  duplicates: async () => (await import("./data/duplicates.js")).duplicatesCommand(),
  tokenizer: async () => (await import("./data/tokenizer.js")).tokenizerCommand(),
  mini: async () => (await import("./data/mini.js")).miniCommand(),
};

/**
 * `ift-kit data`: look at data, render it, compare formats, split and convert it, find duplicates, train a tokenizer on it.
 * @param words what stands after `data` on the command line
 */
export async function command([name = ""]: readonly string[]): Promise<Command> {
  const data = new Command("data").description(
    "Looks at instruction data, renders it, compares formats, splits and converts it.",
  );
  const chosen = Object.hasOwn(PARTS, name) ? [PARTS[name]] : Object.values(PARTS);
  for (const load of chosen) {
    if (load !== undefined) data.addCommand((await load()).exitOverride());
  }
  return data;
}
