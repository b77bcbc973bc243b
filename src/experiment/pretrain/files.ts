import { join } from "node:path";
import { writeFileAtomic } from "../../support/files.js";
import type { TrainProgress } from "../../train/progress.js";
import type { BertQuality } from "./bert-quality.js";
import { type BertPlan, type DecoderPlan, PRETRAIN_FILES, type PretrainPlan } from "./plan.js";
import type { BaseQuality } from "./quality.js";

/** What any pre-training left behind, besides the model. */
export interface AnyResult {
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
}

export interface DecoderResult extends AnyResult {
  readonly plan: DecoderPlan;
  readonly quality: BaseQuality;
}

export interface BertResult extends AnyResult {
  readonly plan: BertPlan;
  readonly quality: BertQuality;
}

export type PretrainResult = DecoderResult | BertResult;

/** A line of the log: means over the steps since the line before. */
export interface LogLine {
  readonly step: number;
  readonly tokens: number;
  /** Nats per target: of a BERT, the mean of its masked words plus that of its pairs. */
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

/** Writes the log of a training. */
export function writeLog(folder: string, history: readonly TrainProgress[]): void {
  const lines = logOf(history).map((line) => `${JSON.stringify(line)}\n`);
  writeFileAtomic(join(folder, PRETRAIN_FILES.log), lines.join(""));
}

/** Writes plan and result. */
export function writeResult(
  folder: string,
  result: AnyResult & { readonly plan: PretrainPlan; readonly quality: unknown },
): void {
  writeJson(join(folder, PRETRAIN_FILES.plan), result.plan);
  writeJson(join(folder, PRETRAIN_FILES.result), result);
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
