import { answerOf } from "../data/answer.js";
import type { Example } from "../data/example.js";
import { endToken, fitPrompt } from "../data/render.js";
import { renderExamples } from "../data/render-all.js";
import type { RenderPolicy } from "../data/spans.js";
import type { Template } from "../data/template.js";
import type { Tokenizer } from "../data/tokenizer.js";
import { startEngine } from "../engine/start.js";
import { bitsPerByte, textBits } from "../evaluate/bits-per-byte.js";
import { generateGreedy } from "../evaluate/generate.js";
import { bestOption } from "../evaluate/panel.js";
import { rankRows } from "../evaluate/rank-classification.js";
import { loadDecoder } from "../model/checkpoint.js";
import { Decoder } from "../model/decoder.js";
import type { DecoderConfig } from "../model/config.js";
import { LoraAdapter } from "../model/lora/adapter.js";
import type { LoraConfig } from "../model/lora/config.js";
import { mergeAdapter } from "../model/lora/merge.js";
import { hashJson } from "../support/hash.js";
import { type TrainConfig, trainingRulesOf } from "../train/config.js";
import { budgetUsed, type TrainProgress } from "../train/progress.js";
import { train } from "../train/train.js";
import type { RunBudget } from "./budget.js";
import type { RunContext } from "./context.js";
import { rowLengths, trainerBudget, trainingFlops } from "./cost/flops.js";
import { buildManifest } from "./manifest.js";
import {
  RUN_RESULT_VERSION,
  type RunFloor,
  type RunResult,
  type RunSpecification,
  type ScoredRow,
} from "./result.js";
import { weightsHash } from "./weights-hash.js";

/** Rows to be answered after training. */
export interface TestPart {
  readonly part: ScoredRow["part"];
  /** See `ScoredRow.level`. */
  readonly level?: string;
  /** See `ScoredRow.wording`. */
  readonly wording?: string;
  /** The answer is the most probable of the row's options (summed log-probability, end included). Default: it is generated. */
  readonly isRanked?: true;
  readonly examples: readonly Example[];
}

/** Random weights, drawn with the run's seed, or those of a model's folder. */
export type ArmStart =
  | { readonly kind: "random"; readonly decoder: Omit<DecoderConfig, "vocabularySize"> }
  | { readonly kind: "checkpoint"; readonly folder: string };

/** What one run of any suite trains and is asked. */
export interface ArmInputs {
  readonly train: readonly Example[];
  readonly tests: readonly TestPart[];
  readonly template: Template;
  readonly tokenizer: Tokenizer;
  readonly policy: RenderPolicy;
  readonly start: ArmStart;
  /** Trains low-rank updates alone; they are merged before anything is asked. */
  readonly lora?: LoraConfig;
  /** What a pre-trained start is measured on before and after training: texts like those that it has read. */
  readonly pretraining?: { readonly name: string; readonly texts: readonly string[] };
  readonly training: Omit<TrainConfig, "budget"> & { readonly budget: RunBudget };
  /** Longest answer, in tokens. */
  readonly maxNewTokens: number;
  /** Rows that are answered together. */
  readonly testBatchRows: number;
  /** Each from 0 to 1. */
  readonly metrics: Readonly<Record<string, (output: string, asked: Example) => number>>;
  /** What the tests score without a model, for the report; asked for at the end of a run. */
  readonly floors?: () => readonly RunFloor[];
}

/** Points of the loss curve that a result keeps. */
const CURVE_POINTS = 100;
/** Share of a run's work that is training, for the progress bar; the rest is answering. */
const TRAINING_SHARE = 0.9;
/** Steps between checkpoints of long runs. */
const CHECKPOINT_STEPS = 500;
/** Tokens of options with their prompts that are scored together. */
const RANKED_TOKENS = 16_384;

/**
 * Renders, trains, answers and scores: the same code for every arm of every suite, so that arms differ in their rows
 * and templates alone.
 * @returns undefined when the run was stopped; a checkpoint in the work folder lets it go on
 * @throws KitError for rows that cannot be rendered, and when training fails
 */
export async function runArm(
  specification: RunSpecification,
  inputs: ArmInputs,
  context: RunContext,
): Promise<RunResult | undefined> {
  const engine = await startEngine();
  const { template, tokenizer, policy } = inputs;
  const rendered = renderExamples(inputs.train, template, tokenizer, policy);
  const base = startDecoder(inputs.start, tokenizer, specification.seed);
  const before = await measureText(base, inputs, context.signal);
  const trainable =
    inputs.lora === undefined ? base : base.withAdapter(LoraAdapter.create(base.config, inputs.lora));
  const report = (share: number, step: TrainProgress): void =>
    context.onProgress({ fraction: share, tokensPerSecond: step.tokensPerSecond });
  const lengths = rowLengths(rendered.spans.map(({ ids }) => ids.length));
  const training: TrainConfig = {
    ...inputs.training,
    budget: trainerBudget(inputs.training.budget, base.config, lengths, inputs.lora),
  };
  let rows: ScoredRow[] | undefined;
  const trained = await train(
    trainable,
    rendered.spans,
    { ...training, checkpoint: { directory: context.workFolder, everySteps: CHECKPOINT_STEPS } },
    {
      signal: context.signal,
      resume: true,
      progress: false,
      onStep: throttled((step) => report(TRAINING_SHARE * budgetShare(training, step), step)),
      // All weights are in the session of the training, which answers; an adapter is merged first.
      ...(trainable.adapter === undefined && {
        evaluation: {
          evaluate: async () => {
            rows = await answerAll(base, inputs, context.signal);
            return rows && {};
          },
        },
      }),
    },
  );
  if (trained.status === "stopped") return undefined;
  const decoder = trainable.adapter === undefined ? base : mergeAdapter(base, trainable.adapter);
  if (trainable.adapter !== undefined) rows = await answerAll(decoder, inputs, context.signal);
  if (rows === undefined) return undefined;
  const after = await measureText(decoder, inputs, context.signal);
  if (context.signal.aborted) return undefined;
  const manifest = buildManifest({
    sourceHash: context.sourceHash,
    engine,
    template,
    tokenizer,
    decoder: trainable,
    trainingData: inputs.train,
    testData: inputs.tests,
    rules: trainingRulesOf(training),
  });
  const trainedWeights = weightsHash(decoder.weights);
  const flopsPerToken = trainingFlops(decoder.config, lengths, inputs.lora) / lengths.tokens;
  for (const model of new Set([trainable, decoder, base])) model.dispose();
  const { step, supervisedTokens, totalTokens, epochs, seconds } = trained.progress;
  return {
    version: RUN_RESULT_VERSION,
    key: context.key,
    suite: specification.suite,
    arm: specification.arm,
    seed: specification.seed,
    specification: { ...specification },
    resolved: resolvedOf(inputs, training),
    manifest,
    training: {
      steps: step,
      supervisedTokens,
      totalTokens,
      epochs,
      seconds,
      rows: rendered.spans.length,
      droppedRows: rendered.dropped.length,
      truncatedRows: rendered.ledger.total.truncated,
      flops: flopsPerToken * totalTokens,
      weightsHash: trainedWeights,
    },
    ledger: [...rendered.ledger.lines],
    curve: thinned(trained.history),
    rows,
    ...(inputs.floors === undefined ? {} : { floors: [...inputs.floors()] }),
    ...(before === undefined || after === undefined
      ? {}
      : {
          forgetting: {
            text: after.text,
            bytes: after.bytes,
            before: before.bitsPerByte,
            after: after.bitsPerByte,
          },
        }),
  };
}

/** Bits per byte of the pre-training text, where there is one. */
async function measureText(
  decoder: Decoder,
  { pretraining, tokenizer }: ArmInputs,
  signal: AbortSignal,
): Promise<{ readonly text: string; readonly bytes: number; readonly bitsPerByte: number } | undefined> {
  if (pretraining === undefined) return undefined;
  const { name, texts } = pretraining;
  const measured = await textBits({ decoder, tokenizer }, texts, { signal });
  if (measured.length === 0) return undefined;
  const bytes = measured.reduce((sum, text) => sum + text.bytes, 0);
  return { text: name, bytes, bitsPerByte: bitsPerByte(measured) };
}

/**
 * The decoder that a run starts from. The engine must have been started.
 * @throws KitError when the model's folder is not whole
 */
export function startDecoder(start: ArmStart, tokenizer: Tokenizer, seed: number): Decoder {
  if (start.kind === "checkpoint") return loadDecoder(start.folder);
  return Decoder.create({ ...start.decoder, vocabularySize: tokenizer.vocabularySize }, seed);
}

/** The answers to all tests; undefined when the signal aborts. */
async function answerAll(
  decoder: Decoder,
  inputs: ArmInputs,
  signal: AbortSignal,
): Promise<ScoredRow[] | undefined> {
  const rows: ScoredRow[] = [];
  for (const test of inputs.tests) {
    const answered = await answer(decoder, test, inputs, signal);
    if (answered === undefined) return undefined;
    rows.push(...answered);
  }
  return rows;
}

async function answer(
  decoder: Decoder,
  test: TestPart,
  inputs: ArmInputs,
  signal: AbortSignal,
): Promise<ScoredRow[] | undefined> {
  const { part, level, wording } = test;
  const answered = await (test.isRanked === true ? ranked : generated)(decoder, test, inputs, signal);
  return answered?.map(({ example, prompt, output }) => ({
    id: example.id,
    task: example.task,
    taskType: example.taskType,
    part,
    ...(level === undefined ? {} : { level }),
    ...(wording === undefined ? {} : { wording }),
    prompt: inputs.tokenizer.decode(prompt),
    target: example.outputs[0] ?? "",
    output,
    scores: Object.fromEntries(
      Object.entries(inputs.metrics).map(([name, metric]) => [name, metric(output, example)]),
    ),
  }));
}

interface Answered {
  readonly example: Example;
  readonly prompt: readonly number[];
  readonly output: string;
}

async function generated(
  decoder: Decoder,
  { examples }: TestPart,
  { template, tokenizer, policy, maxNewTokens, testBatchRows }: ArmInputs,
  signal: AbortSignal,
): Promise<Answered[] | undefined> {
  const asked = examples.flatMap((example) => {
    const prompt = fitPrompt(example, template, tokenizer, policy, maxNewTokens);
    return prompt === undefined ? [] : [{ example, prompt: prompt.ids }];
  });
  const answers = await generateGreedy(
    decoder,
    asked.map(({ prompt }) => prompt),
    { maxNewTokens, eos: endToken(template, tokenizer), batchSize: testBatchRows, signal },
  );
  if (signal.aborted) return undefined;
  return asked.map((row, index) => ({
    ...row,
    output: answerOf(template, tokenizer.decode(answers[index] ?? [])),
  }));
}

async function ranked(
  decoder: Decoder,
  { examples }: TestPart,
  { template, tokenizer, policy }: ArmInputs,
  signal: AbortSignal,
): Promise<Answered[] | undefined> {
  const byId = new Map(examples.map((example) => [example.id, example]));
  const ranks = await rankRows(
    { decoder, tokenizer },
    examples,
    { template, policy, scoreEnd: true },
    { batchTokens: RANKED_TOKENS, signal },
  );
  return ranks?.examples.flatMap(({ id, options, panels, prompt }) => {
    const example = byId.get(id);
    return example === undefined
      ? []
      : [{ example, prompt, output: options[bestOption(panels, "sum")] ?? "" }];
  });
}

function budgetShare({ budget }: TrainConfig, step: TrainProgress): number {
  return Math.min(1, budgetUsed(budget, step) / budget.amount);
}

/** Calls a listener at most four times a second. */
function throttled(listener: (step: TrainProgress) => void): (step: TrainProgress) => void {
  let last = 0;
  return (step) => {
    const now = Date.now();
    if (now - last < 250) return;
    last = now;
    listener(step);
  };
}

function thinned(history: readonly TrainProgress[]): RunResult["curve"] {
  const stride = Math.max(1, Math.ceil(history.length / CURVE_POINTS));
  return history
    .filter((_, index) => index % stride === stride - 1 || index === history.length - 1)
    .map(({ step, supervisedTokens, loss }) => ({ step, supervisedTokens, loss }));
}

function resolvedOf(inputs: ArmInputs, training: TrainConfig): unknown {
  const { policy, start, maxNewTokens, testBatchRows, template, metrics } = inputs;
  const lora = inputs.lora === undefined ? {} : { lora: inputs.lora };
  return {
    policy,
    start,
    ...lora,
    training,
    maxNewTokens,
    testBatchRows,
    template: template.name,
    metrics: Object.keys(metrics),
    inputsHash: hashJson({ policy, start, ...lora, training, maxNewTokens, template: template.hash }),
  };
}
