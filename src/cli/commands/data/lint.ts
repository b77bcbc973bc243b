import { Command } from "commander";
import { lintTemplate, type LintReport } from "../../../data/lint.js";
import { loadTokenizer } from "../../../tokenizer/load.js";
import { type ReadFlags, readWithFlags, textTable, withReadFlags } from "./shared.js";
import { TEMPLATE_HELP, type TemplateFlags, templateOf, withTemplateFlags } from "./template-flags.js";

interface LintFlags extends ReadFlags, TemplateFlags {
  readonly template: readonly string[];
  readonly tokenizer: string;
  readonly json?: true;
}

/** `ift-kit data lint PATH --template T --tokenizer DIR`: what is wrong with a template on these rows. */
export function lintCommand(): Command {
  const command = withReadFlags(new Command("lint"))
    .description(
      "Looks for what templates get wrong on these rows. Ends with code 1 where it finds an error.",
    )
    .argument("<path>", "file or folder")
    .requiredOption("--template <name...>", TEMPLATE_HELP)
    .requiredOption("--tokenizer <folder>", "folder with tokenizer.json and tokenizer_config.json");
  return withTemplateFlags(command).option("--json", "print the findings as JSON").action(lint);
}

async function lint(path: string, flags: LintFlags): Promise<void> {
  const tokenizer = loadTokenizer(flags.tokenizer);
  const { examples } = await readWithFlags(path, flags);
  const reports: LintReport[] = [];
  for (const name of flags.template) {
    reports.push(lintTemplate(await templateOf(name, flags.tokenizer, flags), examples, tokenizer));
  }
  if (flags.json === true) console.log(JSON.stringify({ path, reports }, undefined, 2));
  else console.log(reports.map(describe).join("\n\n"));
  if (reports.some(({ findings }) => findings.some(({ severity }) => severity === "error")))
    process.exitCode = 1;
}

function describe({ template, rows, findings }: LintReport): string {
  const head = `${template} on ${rows} rows: ${findings.length === 0 ? "nothing found" : `${findings.length} findings`}`;
  if (findings.length === 0) return head;
  const table = textTable(
    ["rule", "severity", "rows", "first row", "excerpt"],
    findings.map(({ rule, severity, rows: count, row, excerpt }) => [rule, severity, count, row, excerpt]),
  );
  const cures = [...new Set(findings.map(({ rule, cure }) => `${rule}: ${cure}`))];
  return [head, table, ...cures.map((cure) => `  ${cure}`)].join("\n");
}
