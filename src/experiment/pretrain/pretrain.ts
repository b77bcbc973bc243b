import { rmSync } from "node:fs";
import { join } from "node:path";
import { corpusOf } from "../../data/mini/corpus/documents.js";
import { startEngine } from "../../engine/start.js";
import { saveDecoder } from "../../model/checkpoint.js";
import { Decoder } from "../../model/decoder.js";
import { writeFileAtomic } from "../../support/files.js";
import type { TrainProgress } from "../../train/progress.js";
import { train } from "../../train/train.js";
import { PRETRAIN_FILES, type PretrainPlan } from "./plan.js";
import { type BaseQuality, measureQuality } from "./quality.js";
import { corpusRows, planTokenizer } from "./rows.js";

/** What a pre-training left behind, besides the model. */
export interface PretrainResult {
  readonly plan: PretrainPlan;
  readonly parameterCount: number;
  /** What the rows are: drawn from the corpus of the plan's world. */
  readonly corpus: { readonly documents: number; readonly tokens: number; readonly factExposures: number };
  readonly training: {
    readonly steps: number;
    /** Tokens trained on, those of every epoch. */
    readonly tokens: number;
    /** By the clock; other work on the machine counts. */
    readonly seconds: number;
  };
  readonly quality: BaseQuality;
}

/** A line of the log: means over the steps since the line before. */
export interface LogLine {
  readonly step: number;
  readonly tokens: number;
  /** Nats per token. */
  readonly loss: number;
  readonly learningRate: number;
  readonly gradientNorm: number;
  readonly seconds: number;
}

export interface PretrainOptions {
  readonly signal?: AbortSignal;
  readonly progress?: boolean;
  /** Where a stopped run is kept, to go on from; a run goes on from what is there. */
  readonly workFolder: string;
}

const STEPS_OF_A_LINE = 25;
const CHECKPOINT_STEPS = 500;

/**
 * Makes a base decoder as a plan says: draws the corpus, trains tokenizer and decoder, measures what came of it, and writes
 * model, tokenizer, plan, log and result into a folder. A run that was stopped goes on from its work folder.
 * @returns undefined when it was stopped
 * @throws KitError when the plan does not fit together, or a file cannot be written
 */
export async function pretrain(
  plan: PretrainPlan,
  folder: string,
  { signal, progress = false, workFolder }: PretrainOptions,
): Promise<PretrainResult | undefined> {
  await startEngine();
  const tokenizer = planTokenizer(plan);
  const { vocabularySize, special } = tokenizer;
  const corpus = corpusRows(
    corpusOf(plan.worldSeed, "train", plan.mix),
    tokenizer,
    plan.corpusTokens,
    plan.decoder.contextLength,
  );
  const decoder = Decoder.create({ ...plan.decoder, vocabularySize }, plan.training.seed);
  try {
    const trained = await train(
      decoder,
      corpus.rows,
      { ...plan.training, checkpoint: { directory: workFolder, everySteps: CHECKPOINT_STEPS } },
      { ...(signal === undefined ? {} : { signal }), progress, label: "pre-training", resume: true },
    );
    if (trained.status === "stopped") return undefined;
    saveDecoder(folder, decoder, { layout: "hugging-face", type: plan.weights, special });
    tokenizer.save(folder);
    writeFileAtomic(
      join(folder, PRETRAIN_FILES.log),
      logOf(trained.history)
        .map((line) => `${JSON.stringify(line)}\n`)
        .join(""),
    );
    // What ships is what is measured: the weights as they were rounded.
    const quality = await measureQuality(folder, plan, signal);
    if (quality === undefined) return undefined;
    const { step, totalTokens, seconds } = trained.progress;
    const result: PretrainResult = {
      plan,
      parameterCount: decoder.parameterCount,
      corpus: {
        documents: corpus.rows.length,
        tokens: corpus.tokens,
        factExposures: corpus.factExposures,
      },
      training: { steps: step, tokens: totalTokens, seconds },
      quality,
    };
    writeJson(join(folder, PRETRAIN_FILES.plan), plan);
    writeJson(join(folder, PRETRAIN_FILES.result), result);
    rmSync(workFolder, { recursive: true, force: true });
    return result;
  } finally {
    decoder.dispose();
  }
}

function logOf(history: readonly TrainProgress[]): LogLine[] {
  const lines: LogLine[] = [];
  for (let first = 0; first < history.length; first += STEPS_OF_A_LINE) {
    const part = history.slice(first, first + STEPS_OF_A_LINE);
    const last = part.at(-1);
    if (last === undefined) continue;
    const mean = (of: (step: TrainProgress) => number): number =>
      part.reduce((sum, step) => sum + of(step), 0) / part.length;
    lines.push({
      step: last.step,
      tokens: last.totalTokens,
      loss: round(mean(({ loss }) => loss)),
      learningRate: round(last.learningRate, 7),
      gradientNorm: round(mean(({ gradientNorm }) => gradientNorm)),
      seconds: round(last.seconds, 1),
    });
  }
  return lines;
}

function round(value: number, digits = 4): number {
  return Number(value.toFixed(digits));
}

function writeJson(path: string, value: unknown): void {
  writeFileAtomic(path, `${JSON.stringify(value, undefined, 2)}\n`);
}
