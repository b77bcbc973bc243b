import { Command } from "commander";
import { inspectCommand } from "./data/inspect.js";
import { renderCommand } from "./data/render.js";
import { splitCommand } from "./data/split.js";
import { tokenizerCommand } from "./data/tokenizer.js";

/** `ift-kit data`: look at data, render it, split it, train a tokenizer on it. */
export function command(): Command {
  const data = new Command("data").description("Looks at instruction data, renders it and splits it.");
  for (const part of [inspectCommand(), renderCommand(), splitCommand(), tokenizerCommand()]) {
    data.addCommand(part.exitOverride());
  }
  return data;
}
