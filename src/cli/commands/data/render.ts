import { Command, Option } from "commander";
import type { Ledger, LedgerLine } from "../../../data/ledger.js";
import { renderExamples } from "../../../data/render-all.js";
import type { RenderPolicy, Spans } from "../../../data/spans.js";
import { TEMPLATES, templateByName } from "../../../data/templates/index.js";
import type { Tokenizer } from "../../../data/tokenizer.js";
import { writeFileAtomic } from "../../../support/files.js";
import { loadTokenizer } from "../../../tokenizer/load.js";
import { positiveInteger } from "../../options.js";
import { type ReadFlags, readWithFlags, textTable, withReadFlags } from "./shared.js";

interface RenderFlags extends ReadFlags {
  readonly template: string;
  readonly tokenizer: string;
  readonly out: string;
  readonly maxTokens: number;
  readonly overlong: RenderPolicy["overlong"];
  readonly lossOn: RenderPolicy["lossOn"];
  readonly skipUnrenderable?: true;
  readonly json?: true;
}

/** `ift-kit data render PATH --template T --tokenizer DIR --out F`: rows as training sees them. */
export function renderCommand(): Command {
  return withReadFlags(new Command("render"))
    .description("Writes each row as training sees it: JSONL with {id, text, ids, supervised, source}.")
    .argument("<path>", "file or folder")
    .requiredOption("--template <name>", `one of ${TEMPLATES.map(({ name }) => name).join(", ")}`)
    .requiredOption("--tokenizer <folder>", "folder with tokenizer.json and tokenizer_config.json")
    .requiredOption("--out <file>", "file to write")
    .option("--max-tokens <n>", "longest row in tokens", positiveInteger, 2048)
    .addOption(
      new Option("--overlong <what>", "what becomes of longer rows")
        .choices(["drop", "cut-input-start", "cut-input-end"])
        .default("drop"),
    )
    .addOption(
      new Option("--loss-on <what>", "which tokens are targets")
        .choices(["response", "all"])
        .default("response"),
    )
    .option("--skip-unrenderable", "leave rows out that lack what the template shows, and count them")
    .option("--json", "print the ledger as JSON")
    .action(render);
}

async function render(path: string, flags: RenderFlags): Promise<void> {
  const template = templateByName(flags.template);
  const tokenizer = loadTokenizer(flags.tokenizer);
  const { maxTokens, overlong, lossOn } = flags;
  const policy: RenderPolicy = { maxTokens, overlong, lossOn };
  const { examples, ledger: readLedger } = await readWithFlags(path, flags);
  const { spans, ledger } = renderExamples(examples, template, tokenizer, policy, {
    onUnrenderable: flags.skipUnrenderable === true ? "drop" : "error",
  });
  const lines = spans.map((row) => Buffer.from(`${JSON.stringify(toRecord(row, tokenizer))}\n`));
  writeFileAtomic(flags.out, Buffer.concat(lines));
  const settings = {
    template: template.name,
    templateHash: template.hash,
    tokenizerHash: tokenizer.hash,
    policy,
  };
  if (flags.json === true) {
    console.log(JSON.stringify({ path, out: flags.out, ...settings, readLedger, ledger }, undefined, 2));
    return;
  }
  console.log(
    `${flags.out}: ${spans.length} rows, template ${template.name}, rows up to ${maxTokens} tokens`,
  );
  console.log(
    `longer rows: ${overlong}; loss on: ${lossOn}; ${readLedger.rowsIn - readLedger.kept} rows dropped on reading`,
  );
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
    line.supervisedTokens,
    line.totalTokens,
  ];
  return textTable(
    ["task type", "rows", "rendered", "dropped", "cut", "supervised tokens", "tokens"],
    [...lines, total].map(cells),
  );
}
