import { Command } from "commander";
import { compareCommand } from "./data/compare.js";
import { convertCommand } from "./data/convert.js";
import { inspectCommand } from "./data/inspect.js";
import { lintCommand } from "./data/lint.js";
import { lookCommand } from "./data/look.js";
import { miniCommand } from "./data/mini.js";
import { renderCommand } from "./data/render.js";
import { splitCommand } from "./data/split.js";
import { tokenizerCommand } from "./data/tokenizer.js";

/** `ift-kit data`: look at data, render it, compare formats, split and convert it, train a tokenizer on it. */
export function command(): Command {
  const data = new Command("data").description(
    "Looks at instruction data, renders it, compares formats, splits and converts it.",
  );
  for (const part of [
    inspectCommand(),
    convertCommand(),
    lookCommand(),
    renderCommand(),
    lintCommand(),
    compareCommand(),
    splitCommand(),
    tokenizerCommand(),
    miniCommand(),
  ]) {
    data.addCommand(part.exitOverride());
  }
  return data;
}
