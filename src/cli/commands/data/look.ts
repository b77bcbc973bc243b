import { Command } from "commander";
import { type Look, lookAt, lookText, lookTextSideBySide, wantsColor } from "../../../data/look.js";
import { renderSpans } from "../../../data/render.js";
import { KitError } from "../../../support/errors.js";
import { loadTokenizer } from "../../../tokenizer/load.js";
import { positiveInteger } from "../../options.js";
import { type ReadFlags, readWithFlags, withReadFlags } from "./shared.js";
import {
  type PolicyFlags,
  policyOf,
  TEMPLATE_HELP,
  type TemplateFlags,
  templateOf,
  withPolicyFlags,
  withTemplateFlags,
} from "./template-flags.js";

interface LookFlags extends ReadFlags, TemplateFlags, PolicyFlags {
  readonly template: readonly string[];
  readonly tokenizer: string;
  readonly row: number;
  readonly json?: true;
}

/** `ift-kit data look PATH --template A --template B --tokenizer DIR`: one row as training sees it, in colours. */
export function lookCommand(): Command {
  const command = withReadFlags(new Command("look"))
    .description("Shows one row under one or more templates: what it is made of, and what the loss is on.")
    .argument("<path>", "file or folder")
    .requiredOption("--template <name...>", TEMPLATE_HELP)
    .requiredOption("--tokenizer <folder>", "folder with tokenizer.json and tokenizer_config.json")
    .option("--row <n>", "which row, counted from 1", positiveInteger, 1);
  return withPolicyFlags(withTemplateFlags(command))
    .option("--json", "print the pieces as JSON")
    .action(look);
}

async function look(path: string, flags: LookFlags): Promise<void> {
  const tokenizer = loadTokenizer(flags.tokenizer);
  const templates = [];
  for (const name of flags.template) templates.push(await templateOf(name, flags.tokenizer, flags));
  const { examples } = await readWithFlags(path, flags);
  const example = examples[flags.row - 1];
  if (example === undefined) {
    throw new KitError(`there is no row ${flags.row}`, `give a number from 1 to ${examples.length}`, {
      file: path,
      row: flags.row,
    });
  }
  const looks = templates.map((template): Look => {
    const outcome = renderSpans(example, template, tokenizer, policyOf(flags));
    if (outcome.kind === "rendered")
      return lookAt(outcome.spans, tokenizer, `${template.name} · ${example.id}`);
    throw new KitError(
      `template "${template.name}" drops the row: ${outcome.reason}, ${outcome.tokens} tokens`,
      "raise --max-tokens, let the policy cut the input, or look at another row",
      { file: path, row: flags.row },
    );
  });
  if (flags.json === true) {
    console.log(JSON.stringify({ path, row: flags.row, id: example.id, looks }, undefined, 2));
    return;
  }
  const format = { color: wantsColor(process.stdout, process.env), width: process.stdout.columns || 100 };
  const [left, right, ...more] = looks;
  console.log(
    left !== undefined && right !== undefined && more.length === 0
      ? lookTextSideBySide(left, right, format)
      : looks.map((one) => lookText(one, format)).join("\n\n"),
  );
}
