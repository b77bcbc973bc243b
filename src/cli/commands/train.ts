import { basename, extname, join } from "node:path";
import { Command } from "commander";
import { startEngine } from "../../engine/start.js";
import { saveTrainedTemplate } from "../../evaluate/chat/trained-template.js";
import { buildManifest } from "../../experiment/manifest.js";
import { decidingSources } from "../../experiment/store/sources.js";
import { KitError } from "../../support/errors.js";
import { writeFileAtomic } from "../../support/files.js";
import { checkpointSteps } from "../../train/checkpoint.js";
import { trainObjective } from "../../train/train.js";
import { onInterrupt } from "../interrupt.js";
import { shellWord } from "../shell-word.js";
import { answerRun } from "./train/answers-run.js";
import { checkObjective } from "./train/check.js";
import { prepareClassification } from "./train/classification-run.js";
import { type AnyRunConfig, readRunConfig } from "./train/config.js";
import { TRAIN_FIELDS } from "./train/help.js";
import { prepareMasked } from "./train/masked-run.js";
import { disposeModels, type RunEvaluation, type ObjectiveRun, saveModels } from "./train/objective-run.js";
import { prepareRun } from "./train/prepare.js";
import { reportRun } from "./train/report.js";
import { prepareSpans } from "./train/span-run.js";
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
  model/           model and tokenizer, for score, generate and evaluate; loads in Python's transformers too;
                   trained_template.json says how rows were shown to it: chat, serve, generate-data and evaluate
                   take it up
  adapter/         with "lora": the adapter by itself, as PEFT has it; model/ then has it merged
  metrics.jsonl    a line for each step: loss in nats a token and bits a byte, validation by task type, scores, learning
                   rate, gradient norm, tokens, tokens/s, memory
  tensorboard/     the same curves (tensorboard --logdir FOLDER)
  evaluation.json  scores that fit the objective, on the rows that were set aside
  ledger.json      what became of each row, by task type
  run.json         the resolved configuration and the manifest
  checkpoints/     what --resume goes on from; the newest two, a damaged one is passed over

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
  const resumeHint = `ift-kit train ${shellWord(file)} --out ${shellWord(out)} --resume${modes}`;
  const read = readRunConfig(file);
  const config: AnyRunConfig =
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
  if (flags.check === true) {
    await startEngine();
    const checked = { compile: flags.eager !== true, json: flags.json === true };
    if (!(await checkObjective(await prepareAnyRun(config, file), config, checked))) process.exitCode = 1;
    return;
  }
  const interrupt = onInterrupt("Stopping after this step, with a checkpoint (again to stop at once).");
  try {
    const engine = await startEngine();
    const run = await prepareAnyRun(config, file);
    const { model } = run.models;
    const manifest = buildManifest({
      sourceHash: decidingSources(new URL(import.meta.url)).hash,
      engine,
      template: run.made.template,
      tokenizer: run.tokenizer,
      decoder: model,
      trainingData: run.made.from,
      testData: [],
    });
    writeJson(join(out, "ledger.json"), run.ledgers);
    writeJson(join(out, "run.json"), { config: { ...config, ...run.resolved }, manifest });
    if (flags.json !== true) announce(out, run, found);
    const settings = {
      ...config.train,
      checkpoint: { directory: checkpoints, everySteps: config.checkpointEverySteps },
    };
    let evaluation: RunEvaluation | undefined;
    let isScored = true;
    const result = await trainObjective(run.objective, run.rows, settings, {
      signal: interrupt.signal,
      resume: flags.resume === true,
      compile: flags.eager !== true,
      progress: true,
      label: basename(out),
      trackers: trackersOf(out, basename(out), config, process.env),
      ...(run.validation === undefined ? {} : { validation: run.validation }),
      evaluation: {
        ...(run.answers?.everySteps === undefined ? {} : { everySteps: run.answers.everySteps }),
        answers: run.answers !== undefined,
        evaluate: async ({ isFinal }) => {
          // First the model, so that an evaluation that fails loses nothing.
          if (isFinal) save(out, run, config);
          const asked = await run.evaluate(interrupt.signal);
          if (isFinal && asked !== undefined) writeJson(join(out, "evaluation.json"), asked.scores);
          if (isFinal) evaluation = asked;
          isScored = asked !== undefined || !interrupt.signal.aborted;
          return interrupt.signal.aborted ? undefined : (asked?.curves ?? {});
        },
      },
    });
    reportRun(out, result, { json: flags.json === true, resumeHint, evaluation, isScored });
    disposeModels(run.models);
  } finally {
    interrupt.release();
  }
}

async function prepareAnyRun(config: AnyRunConfig, file: string): Promise<ObjectiveRun> {
  switch (config.objective) {
    case "classification":
      return prepareClassification(config, file);
    case "masked-language":
    case "masked-language-next-sentence":
      return prepareMasked(config, file);
    case "span-corruption":
      return prepareSpans(config, file);
    default:
      return answerRun(await prepareRun(config, file), config);
  }
}

function save(out: string, run: ObjectiveRun, config: AnyRunConfig): void {
  saveModels(out, run.models, run.tokenizer);
  if (!("templateChoice" in config)) return;
  const pairAt = "pairAt" in config ? config.pairAt : undefined;
  saveTrainedTemplate(join(out, "model"), config.templateChoice, config.template, pairAt);
}

function announce(out: string, { summary, models }: ObjectiveRun, resumedFrom: number | undefined): void {
  console.log(`${summary}; ${models.model.parameterCount} parameters`);
  if (resumedFrom !== undefined) console.log(`going on in ${out}, newest checkpoint: step ${resumedFrom}`);
}

function writeJson(path: string, value: unknown): void {
  writeFileAtomic(path, `${JSON.stringify(value, undefined, 2)}\n`);
}
