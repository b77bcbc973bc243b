import { answerOf } from "../data/answer.js";
import type { Example } from "../data/example.js";
import { endToken, fitPrompt } from "../data/render.js";
import { renderExamples } from "../data/render-all.js";
import type { RenderPolicy } from "../data/spans.js";
import type { Template } from "../data/template.js";
import type { Tokenizer } from "../data/tokenizer.js";
import { startEngine } from "../engine/start.js";
import { generateGreedy } from "../evaluate/generate.js";
import { loadDecoder } from "../model/checkpoint.js";
import { Decoder } from "../model/decoder.js";
import type { DecoderConfig } from "../model/config.js";
import { hashJson } from "../support/hash.js";
import type { TrainConfig } from "../train/config.js";
import type { TrainProgress } from "../train/progress.js";
import { train } from "../train/train.js";
import type { RunBudget } from "./budget.js";
import type { RunContext } from "./context.js";
import { rowLengths, trainerBudget, trainingFlops } from "./cost/flops.js";
import { buildManifest } from "./manifest.js";
import { RUN_RESULT_VERSION, type RunResult, type RunSpecification, type ScoredRow } from "./result.js";
import { weightsHash } from "./weights-hash.js";

/** Rows to be answered after training. */
export interface TestPart {
  readonly part: ScoredRow["part"];
  /** See `ScoredRow.level`. */
  readonly level?: string;
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
  readonly training: Omit<TrainConfig, "budget"> & { readonly budget: RunBudget };
  /** Longest answer, in tokens. */
  readonly maxNewTokens: number;
  /** Rows that are answered together. */
  readonly testBatchRows: number;
  /** Each from 0 to 1. */
  readonly metrics: Readonly<Record<string, (output: string, references: readonly string[]) => number>>;
}

/** Points of the loss curve that a result keeps. */
const CURVE_POINTS = 100;
/** Share of a run's work that is training, for the progress bar; the rest is answering. */
const TRAINING_SHARE = 0.9;
/** Steps between checkpoints of long runs. */
const CHECKPOINT_STEPS = 500;

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
  const decoder = startDecoder(inputs.start, tokenizer, specification.seed);
  const report = (share: number, step: TrainProgress): void =>
    context.onProgress({ fraction: share, tokensPerSecond: step.tokensPerSecond });
  const lengths = rowLengths(rendered.spans.map(({ ids }) => ids.length));
  const training: TrainConfig = {
    ...inputs.training,
    budget: trainerBudget(inputs.training.budget, decoder.config, lengths),
  };
  const trained = await train(
    decoder,
    rendered.spans,
    { ...training, checkpoint: { directory: context.workFolder, everySteps: CHECKPOINT_STEPS } },
    {
      signal: context.signal,
      resume: true,
      progress: false,
      onStep: throttled((step) => report(TRAINING_SHARE * budgetShare(training, step), step)),
    },
  );
  if (trained.status === "stopped") return undefined;
  const rows: ScoredRow[] = [];
  for (const test of inputs.tests) {
    const answered = await answer(decoder, test, inputs, context.signal);
    if (answered === undefined) return undefined;
    rows.push(...answered);
  }
  const manifest = buildManifest({
    sourceHash: context.sourceHash,
    engine,
    template,
    tokenizer,
    decoder,
    trainingData: inputs.train,
    testData: inputs.tests,
  });
  const trainedWeights = weightsHash(decoder.weights);
  const flopsPerToken = trainingFlops(decoder.config, lengths) / lengths.tokens;
  decoder.dispose();
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
  };
}

/**
 * The decoder that a run starts from. The engine must have been started.
 * @throws KitError when the model's folder is not whole
 */
export function startDecoder(start: ArmStart, tokenizer: Tokenizer, seed: number): Decoder {
  if (start.kind === "checkpoint") return loadDecoder(start.folder);
  return Decoder.create({ ...start.decoder, vocabularySize: tokenizer.vocabularySize }, seed);
}

async function answer(
  decoder: Decoder,
  { part, level, examples }: TestPart,
  inputs: ArmInputs,
  signal: AbortSignal,
): Promise<ScoredRow[] | undefined> {
  const { template, tokenizer, policy, maxNewTokens, metrics } = inputs;
  const asked = examples.flatMap((example) => {
    const prompt = fitPrompt(example, template, tokenizer, policy, maxNewTokens);
    return prompt === undefined ? [] : [{ example, ids: prompt.ids }];
  });
  const answers = await generateGreedy(
    decoder,
    asked.map(({ ids }) => ids),
    { maxNewTokens, eos: endToken(template, tokenizer), batchSize: inputs.testBatchRows, signal },
  );
  if (signal.aborted) return undefined;
  return asked.map(({ example, ids }, index) => {
    const output = answerOf(template, tokenizer.decode(answers[index] ?? []));
    return {
      id: example.id,
      task: example.task,
      taskType: example.taskType,
      part,
      ...(level === undefined ? {} : { level }),
      prompt: tokenizer.decode(ids),
      target: example.outputs[0] ?? "",
      output,
      scores: Object.fromEntries(
        Object.entries(metrics).map(([name, metric]) => [name, metric(output, example.outputs)]),
      ),
    };
  });
}

function budgetShare({ budget }: TrainConfig, step: TrainProgress): number {
  const used = {
    "supervised-tokens": step.supervisedTokens,
    "total-tokens": step.totalTokens,
    steps: step.step,
  };
  return Math.min(1, used[budget.unit] / budget.amount);
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
  return {
    policy,
    start,
    training,
    maxNewTokens,
    testBatchRows,
    template: template.name,
    metrics: Object.keys(metrics),
    inputsHash: hashJson({ policy, start, training, maxNewTokens, template: template.hash }),
  };
}
