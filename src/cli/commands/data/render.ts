import { Command } from "commander";
import type { Ledger, LedgerLine } from "../../../data/ledger.js";
import { renderExamples } from "../../../data/render-all.js";
import type { Spans } from "../../../data/spans.js";
import type { Tokenizer } from "../../../data/tokenizer.js";
import { writeFileAtomic } from "../../../support/files.js";
import { loadTokenizer } from "../../../tokenizer/load.js";
import { type ReadFlags, readWithFlags, textTable, withReadFlags } from "./shared.js";
import {
  type PolicyFlags,
  policyOf,
  TEMPLATE_HELP,
  type TemplateFlags,
  templateOf,
  withPolicyFlags,
  withTemplateFlags,
} from "./template-flags.js";

interface RenderFlags extends ReadFlags, TemplateFlags, PolicyFlags {
  readonly template: string;
  readonly tokenizer: string;
  readonly out: string;
  readonly skipUnrenderable?: true;
  readonly json?: true;
}

/** `ift-kit data render PATH --template T --tokenizer DIR --out F`: rows as training sees them. */
export function renderCommand(): Command {
  const command = withReadFlags(new Command("render"))
    .description("Writes each row as training sees it: JSONL with {id, text, ids, supervised, source}.")
    .argument("<path>", "file or folder")
    .requiredOption("--template <name>", TEMPLATE_HELP)
    .requiredOption("--tokenizer <folder>", "folder with tokenizer.json and tokenizer_config.json")
    .requiredOption("--out <file>", "file to write");
  return withPolicyFlags(withTemplateFlags(command))
    .option("--skip-unrenderable", "leave rows out that lack what the template shows, and count them")
    .option("--json", "print the ledger as JSON")
    .action(render);
}

async function render(path: string, flags: RenderFlags): Promise<void> {
  const template = await templateOf(flags.template, flags.tokenizer, flags);
  const tokenizer = loadTokenizer(flags.tokenizer);
  const policy = policyOf(flags);
  const { examples, ledger: readLedger } = await readWithFlags(path, flags);
  const { spans, ledger, plainSpecials } = renderExamples(examples, template, tokenizer, policy, {
    onUnrenderable: flags.skipUnrenderable === true ? "drop" : "error",
  });
  const lines = spans.map((row) => Buffer.from(`${JSON.stringify(toRecord(row, tokenizer))}\n`));
  writeFileAtomic(flags.out, Buffer.concat(lines));
  const settings = {
    template: template.name,
    templateHash: template.hash,
    tokenizerHash: tokenizer.hash,
    policy,
    plainSpecials,
  };
  if (flags.json === true) {
    console.log(JSON.stringify({ path, out: flags.out, ...settings, readLedger, ledger }, undefined, 2));
    return;
  }
  console.log(
    `${flags.out}: ${spans.length} rows, template ${template.name}, rows up to ${policy.maxTokens} tokens`,
  );
  console.log(
    `longer rows: ${policy.overlong}; loss on: ${policy.lossOn}; ${readLedger.rowsIn - readLedger.kept} rows dropped on reading`,
  );
  if (plainSpecials.length > 0) {
    console.log(`written as text, because the tokenizer has no such token: ${plainSpecials.join(" ")}`);
  }
  console.log(ledgerTable(ledger));
}

/** The row with its special tokens as text, so that BOS and EOS can be seen. */
function toRecord({ id, ids, supervised, source }: Spans, tokenizer: Tokenizer): object {
  let text = "";
  let run: number[] = [];
  ids.forEach((token, index) => {
    if (source[index] !== "special") {
      run.push(token);
      return;
    }
    text += tokenizer.decode(run) + tokenizer.tokenText(token);
    run = [];
  });
  return { id, text: text + tokenizer.decode(run), ids, supervised, source };
}

function ledgerTable({ lines, total }: Ledger): string {
  const cells = (line: LedgerLine): (string | number)[] => [
    line.taskType,
    line.rowsIn,
    line.rendered,
    Object.entries(line.dropped)
      .map(([reason, rows]) => `${rows} ${reason}`)
      .join(", "),
    line.truncated,
    line.demonstrationsDropped,
    line.supervisedTokens,
    line.totalTokens,
  ];
  return textTable(
    ["task type", "rows", "rendered", "dropped", "cut", "shots dropped", "supervised tokens", "tokens"],
    [...lines, total].map(cells),
  );
}
