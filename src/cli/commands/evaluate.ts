import { Command, Option } from "commander";
import type { Example } from "../../data/example.js";
import { hasOfficialSplit, readOfficialSplit } from "../../data/read/index.js";
import type { Template } from "../../data/template.js";
import { TEMPLATE_NAMES } from "../../data/templates/index.js";
import { startEngine } from "../../engine/start.js";
import type { Interval } from "../../evaluate/statistics/bootstrap.js";
import { chatTemplateByName, TRAINED_TEMPLATE } from "../../evaluate/chat/templates.js";
import { evaluate, type EvaluatedTaskType, type Evaluation } from "../../evaluate/evaluate.js";
import { loadModelFolder } from "../../evaluate/model-folder.js";
import { protocolByName, PROTOCOLS, superNi } from "../../evaluate/protocols/index.js";
import { modelTypeIn } from "../../model/load.js";
import { KitError } from "../../support/errors.js";
import { writeFileAtomic } from "../../support/files.js";
import { progressBar } from "../../support/progress.js";
import { onInterrupt } from "../interrupt.js";
import { positiveInteger } from "../options.js";
import { readWithFlags, textTable, withReadFlags } from "./data/shared.js";
import { evaluateClassifier } from "./evaluate/classifier.js";
import { BOOTSTRAP, type EvaluateFlags, onlyTemplate } from "./evaluate/flags.js";
import { evaluateProtocol } from "./evaluate/protocol.js";

/** `ift-kit evaluate --model DIR --data PATH --template T`: scores per task type beside the floors. */
export function command(): Command {
  return withReadFlags(new Command("evaluate"))
    .requiredOption("--model <folder>", "folder with config.json, model.safetensors and tokenizer.json")
    .requiredOption("--data <path>", "file or folder with labelled rows")
    .requiredOption(
      "--template <names...>",
      `one of ${TEMPLATE_NAMES.join(", ")}; "trained": what ift-kit train showed the model; several where a protocol compares them`,
    )
    .addOption(
      new Option("--protocol <name>", describeProtocols()).choices(PROTOCOLS.map(({ name }) => name)),
    )
    .option("--shots <number>", "demonstrations of a few-shot template", positiveInteger)
    .option("--task-types <names...>", "score these task types only")
    .addOption(
      new Option(
        "--match <how>",
        "exact match to the character, or without case, punctuation and extra blanks",
      )
        .choices(["strict", "normalized"])
        .default("normalized"),
    )
    .option("--no-stem", "ROUGE-L without the Porter stemmer")
    .addOption(
      new Option("--overlong <what>", "what becomes of a row whose prompt leaves no room for the answer")
        .choices(["drop", "cut-input-start", "cut-input-end"])
        .default("drop"),
    )
    .option("--max-new-tokens <number>", "longest answer in tokens", positiveInteger, 64)
    .option(
      "--batch-size <number>",
      "rows answered together; does not change the scores",
      positiveInteger,
      32,
    )
    .option(
      "--batch-tokens <number>",
      "tokens scored together; does not change the scores",
      positiveInteger,
      16_384,
    )
    .option("--no-score-end", "rank options without their end token")
    .option("--resamples <number>", "bootstrap resamples of the 95% intervals", positiveInteger, 10_000)
    .option("--out <file>", "also write scores and every answer to this JSON file")
    .option("--result <file>", "with a protocol: write the typed result file, one line for each answer")
    .option("--lm-eval <file>", "with a protocol: write the scores in the form of lm-evaluation-harness")
    .option("--json", "print the scores as JSON")
    .option("--eager", "call TensorFlow's kernels one by one instead of compiling the model")
    .action(run);
}

async function run(flags: EvaluateFlags): Promise<void> {
  const { examples } = await readWithFlags(flags.data, flags);
  const official = flags.protocol === superNi.name ? officialTestRows(examples, flags.data) : examples;
  const rows = chooseTaskTypes(official, flags.taskTypes, flags.data);
  if (flags.protocol !== undefined) return evaluateProtocol(protocolByName(flags.protocol), flags, rows);
  const wantsProtocol = (["result", "lmEval"] as const).find((name) => flags[name] !== undefined);
  if (wantsProtocol !== undefined) {
    throw new KitError(
      "a result file belongs to a protocol",
      `give --protocol, one of ${PROTOCOLS.map(({ name }) => name).join(", ")}, or write the answers with --out`,
      { field: wantsProtocol === "result" ? "--result" : "--lm-eval" },
    );
  }
  return evaluateModel(flags, rows);
}

function chosenTemplate(flags: EvaluateFlags): Template {
  if (flags.template.join() !== TRAINED_TEMPLATE)
    return onlyTemplate(flags, "an evaluation without a protocol");
  if (flags.shots === undefined) return chatTemplateByName(TRAINED_TEMPLATE, flags.model);
  throw new KitError("the template of a training has no demonstrations", "leave --shots out", {
    field: "--shots",
  });
}

async function evaluateModel(flags: EvaluateFlags, rows: readonly Example[]): Promise<void> {
  const template = chosenTemplate(flags);
  await startEngine();
  if (modelTypeIn(flags.model) === "bert") return evaluateClassifier(flags, template, rows);
  const model = loadModelFolder(flags.model);
  const interrupt = onInterrupt("Stopping; nothing is written.");
  const bar = progressBar("answering");
  const settings = {
    template,
    policy: { maxTokens: model.decoder.config.contextLength, overlong: flags.overlong },
    maxNewTokens: flags.maxNewTokens,
    match: flags.match,
    stem: flags.stem,
    bootstrap: { ...BOOTSTRAP, resamples: flags.resamples },
  };
  let evaluation: Evaluation | undefined;
  try {
    evaluation = await evaluate(model, rows, settings, {
      batchSize: flags.batchSize,
      ...(flags.eager === true ? { compile: false } : {}),
      signal: interrupt.signal,
      onProgress: (done, total) => bar.update(done / total, `${done} of ${total} rows`),
    });
  } finally {
    bar.stop();
    interrupt.release();
  }
  if (evaluation === undefined) return;
  const { predictions, ...scores } = evaluation;
  const described = {
    model: flags.model,
    tokenizerHash: model.tokenizer.hash,
    data: flags.data,
    ...settings,
    template: { name: template.name, hash: template.hash },
    ...scores,
  };
  if (flags.out !== undefined) {
    writeFileAtomic(flags.out, `${JSON.stringify({ ...described, predictions }, null, 2)}\n`);
  }
  console.log(flags.json === true ? JSON.stringify(described, null, 2) : describe(evaluation, flags));
}

/** Super-NaturalInstructions is evaluated on its official test tasks where the folder has their list. */
function officialTestRows(rows: readonly Example[], folder: string): readonly Example[] {
  if (!hasOfficialSplit(folder)) return rows;
  const sideOf = readOfficialSplit(folder);
  const test = rows.filter(({ task }) => sideOf(task) === "test");
  if (test.length > 0) return test;
  throw new KitError(
    "no task is on the official list of test tasks",
    "give the test tasks, or move the list away",
    {
      file: folder,
    },
  );
}

function describeProtocols(): string {
  return `how to evaluate: ${PROTOCOLS.map(({ name, description }) => `${name} (${description})`).join("; ")}`;
}

function chooseTaskTypes<Row extends { readonly taskType: string }>(
  rows: readonly Row[],
  wanted: readonly string[] | undefined,
  file: string,
): readonly Row[] {
  if (wanted === undefined) return rows;
  const known = new Set(rows.map(({ taskType }) => taskType));
  const unknown = wanted.find((name) => !known.has(name));
  if (unknown !== undefined) {
    throw new KitError(`there is no task type "${unknown}"`, `choose among ${[...known].sort().join(", ")}`, {
      file,
    });
  }
  return rows.filter(({ taskType }) => wanted.includes(taskType));
}

function describe({ taskTypes, overall, leftOut, shortened }: Evaluation, flags: EvaluateFlags): string {
  const header = [
    "task type",
    "rows",
    `exact match (${flags.match})`,
    "F1",
    `ROUGE-L${flags.stem ? " (stemmed)" : ""}`,
    "majority EM",
    "copy input R-L",
    "copy demo R-L",
  ];
  const all = taskTypes.reduce((sum, { rows }) => sum + rows, 0);
  const lines = taskTypes.map((one) => [
    one.taskType,
    one.rows,
    percent(one.exactMatch),
    percent(one.f1),
    percent(one.rougeL),
    ...floorCells(one),
  ]);
  const notes = [
    leftOut.length === 0
      ? ""
      : `${leftOut.length} rows left out: their prompt leaves no room for ${flags.maxNewTokens} tokens.`,
    shortened === 0 ? "" : `${shortened} rows with a shortened input.`,
  ];
  return [
    textTable(header, [
      ...lines,
      [
        "all, each task type the same",
        all,
        ...[overall.exactMatch, overall.f1, overall.rougeL].map(percent),
        ...["", "", ""],
      ],
    ]),
    `In percent. ${overall.exactMatch.basis}; within a task type over its examples.`,
    ...notes.filter(Boolean),
  ].join("\n");
}

function floorCells({ floors }: EvaluatedTaskType): string[] {
  const { majorityLabel, copyInput, copyDemonstration } = floors;
  return [majorityLabel.exactMatch, copyInput.rougeL, copyDemonstration?.rougeL].map((value) =>
    value === undefined ? "-" : (100 * value).toFixed(1),
  );
}

function percent({ mean, low, high }: Interval): string {
  return `${(100 * mean).toFixed(1)} [${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}]`;
}
