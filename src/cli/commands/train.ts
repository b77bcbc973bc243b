import { basename, extname, join } from "node:path";
import { Command } from "commander";
import { supervisedBytes } from "../../data/supervised-bytes.js";
import { startEngine } from "../../engine/start.js";
import { saveTrainedTemplate } from "../../evaluate/chat/trained-template.js";
import { buildManifest } from "../../experiment/manifest.js";
import { decidingSources } from "../../experiment/store/sources.js";
import { saveModel } from "../../model/load.js";
import { mergeAdapter } from "../../model/lora/merge.js";
import { saveAdapter } from "../../model/lora/peft.js";
import { T5 } from "../../model/t5/t5.js";
import { KitError } from "../../support/errors.js";
import { writeFileAtomic } from "../../support/files.js";
import { checkpointSteps } from "../../train/checkpoint.js";
import { train, type TrainOptions, trainSequences } from "../../train/train.js";
import { onInterrupt } from "../interrupt.js";
import { checkRun } from "./train/check.js";
import { TRAIN_FIELDS } from "./train/help.js";
import { prepareRun, type PreparedRun } from "./train/prepare.js";
import { reportRun } from "./train/report.js";
import { readRunConfig, type RunConfig } from "./train/run-config.js";
import { trackersOf } from "./train/trackers.js";

interface TrainFlags {
  readonly out?: string;
  readonly resume?: true;
  readonly check?: true;
  readonly eager?: true;
  readonly bf16?: true;
  readonly json?: true;
}

const DESCRIPTION = `Trains a model as a JSON file says, and writes into a folder:
  model/         decoder and tokenizer, for score, generate and evaluate; loads in Python's transformers too;
                 trained_template.json says how rows were shown to it: chat, serve and generate-data take it up
  adapter/       with "lora": the adapter by itself, as PEFT has it; model/ then has it merged
  metrics.jsonl  a line for each step: loss in nats a token and bits a byte, validation by task type, learning
                 rate, gradient norm, tokens, tokens/s, memory
  tensorboard/   the same curves (tensorboard --logdir FOLDER)
  ledger.json    what became of each row, by task type
  run.json       the resolved configuration and the manifest
  checkpoints/   what --resume goes on from; the newest two, a damaged one is passed over

A loss that is not finite, or a spike (train.spike), stops the run with step, rows and learning rate named.
With "data": {"validation": {"by": "row", "share": 0.1}} and "train": {"validation": {"everySteps": 50,
"earlyStopping": {"on": "all-tokens", "patience": 3, "minimumImprovement": 0}}} the loss is measured on rows that
are set aside, and the weights of the best validation are kept. Curves also go to an MLflow server where
MLFLOW_TRACKING_URI or "tracking": {"mlflow": {"uri", "experiment"}} names one (MLFLOW_TRACKING_TOKEN opens it).`;

/** `ift-kit train CONFIG`: one run, resumable. */
export function command(): Command {
  return new Command("train")
    .description(DESCRIPTION)
    .argument("<config>", "JSON file of the run")
    .option("--out <folder>", "folder of the run (default: runs/<name of the file>)")
    .option("--resume", "go on from the newest checkpoint in the folder")
    .option("--check", "check rows, model and configuration, train nothing; exit code 1 where a check fails")
    .option("--eager", "call TensorFlow's kernels one by one instead of compiling the step")
    .option("--bf16", "compute matrix products in bfloat16, as train.precision in the file does")
    .option("--json", "print the result (or the checks) as JSON")
    .addHelpText("after", TRAIN_FIELDS)
    .action(trainCommand);
}

async function trainCommand(file: string, flags: TrainFlags): Promise<void> {
  const out = flags.out ?? join("runs", basename(file, extname(file)));
  const modes = `${flags.eager === true ? " --eager" : ""}${flags.bf16 === true ? " --bf16" : ""}`;
  const resumeHint = `ift-kit train ${file} --out ${out} --resume${modes}`;
  const read = readRunConfig(file);
  const config: RunConfig =
    flags.bf16 === true ? { ...read, train: { ...read.train, precision: "bfloat16" } } : read;
  const checkpoints = join(out, "checkpoints");
  const found = checkpointSteps(checkpoints)[0];
  if (found !== undefined && flags.resume !== true && flags.check !== true) {
    throw new KitError(
      `the folder already has a run, up to step ${found}`,
      "add --resume to go on with it, or give another folder with --out",
      { file: out },
    );
  }
  const interrupt = onInterrupt("Stopping after this step, with a checkpoint (again to stop at once).");
  try {
    const engine = await startEngine();
    const run = await prepareRun(config, file);
    const { tokenizer, decoder, examples } = run;
    if (flags.check === true) {
      const modes = { compile: flags.eager !== true, json: flags.json === true };
      if (!(await checkRun(run, config, modes))) process.exitCode = 1;
      return;
    }
    const manifest = buildManifest({
      sourceHash: decidingSources(new URL(import.meta.url)).hash,
      engine,
      template: config.template,
      tokenizer,
      decoder,
      trainingData: examples,
      testData: [],
    });
    writeJson(join(out, "ledger.json"), run.ledgers);
    writeJson(join(out, "run.json"), { config: { ...config, decoder: decoder.config }, manifest });
    if (flags.json !== true) announce(out, run, found);
    const settings = {
      ...config.train,
      checkpoint: { directory: checkpoints, everySteps: config.checkpointEverySteps },
    };
    const options: TrainOptions = {
      signal: interrupt.signal,
      resume: flags.resume === true,
      compile: flags.eager !== true,
      progress: true,
      label: basename(out),
      trackers: trackersOf(out, basename(out), config, process.env),
      bytesOf: (row) => supervisedBytes(row, tokenizer),
      ...(run.validation === undefined ? {} : { validation: run.validation }),
    };
    const result =
      decoder instanceof T5
        ? await trainSequences(decoder, run.spans, settings, options)
        : await train(decoder, run.spans, settings, options);
    if (result.status === "finished") {
      saveRun(out, run, config);
    }
    reportRun(out, result, { json: flags.json === true, resumeHint });
    decoder.dispose();
    if (run.base !== decoder) run.base.dispose();
  } finally {
    interrupt.release();
  }
}

function saveRun(out: string, { base, decoder, tokenizer }: PreparedRun, config: RunConfig): void {
  const { special } = tokenizer;
  const folder = join(out, "model");
  tokenizer.save(folder);
  saveTrainedTemplate(folder, config.templateChoice, config.template);
  if (decoder.adapter === undefined) {
    saveModel(folder, decoder, { special });
    return;
  }
  const from = "from" in config.decoder ? config.decoder.from : undefined;
  saveAdapter(join(out, "adapter"), decoder.adapter, base.config, from);
  const merged = mergeAdapter(base, decoder.adapter);
  saveModel(folder, merged, { special });
  merged.dispose();
}

function announce(
  out: string,
  { spans, decoder, ledgers }: PreparedRun,
  resumedFrom: number | undefined,
): void {
  const { total } = ledgers.render;
  const dropped = total.rowsIn - total.rendered;
  console.log(
    `${spans.length} rows (${dropped} dropped, ${total.truncated} cut), ${total.supervisedTokens} supervised of ` +
      `${total.totalTokens} tokens; ${decoder.parameterCount} parameters`,
  );
  if (resumedFrom !== undefined) console.log(`going on in ${out}, newest checkpoint: step ${resumedFrom}`);
}

function writeJson(path: string, value: unknown): void {
  writeFileAtomic(path, `${JSON.stringify(value, undefined, 2)}\n`);
}
