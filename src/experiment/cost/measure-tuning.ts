import { readFileSync, writeFileSync } from "node:fs";
import type { Spans } from "../../data/spans.js";
import { loadBert } from "../../model/bert/checkpoint.js";
import { Bert } from "../../model/bert/bert.js";
import { loadModel, modelTypeIn, type LanguageModel } from "../../model/load.js";
import { LoraAdapter } from "../../model/lora/adapter.js";
import { T5 } from "../../model/t5/t5.js";
import { KitError } from "../../support/errors.js";
import { Random } from "../../support/random.js";
import type { TrainConfig } from "../../train/config.js";
import type { Objective } from "../../train/objective.js";
import { classification, classifiedRow } from "../../train/objectives/classification.js";
import { nextToken } from "../../train/objectives/next-token.js";
import { sequenceRow, sequenceToSequence } from "../../train/objectives/sequence-to-sequence.js";
import { prepareRows, type TrainingRow } from "../../train/rows.js";
import { trainObjective } from "../../train/train.js";
import type { AdaptableConfig } from "../../model/lora/config.js";
import type { RowShape, Tuning } from "./model-work.js";

/** What a few real steps took. */
export interface MeasuredTuning {
  /** Of the model in the folder. */
  readonly config: AdaptableConfig;
  readonly steps: number;
  /** The first step, with what it takes to compile it. */
  readonly firstStepSeconds: number;
  /** Median of the others. */
  readonly secondsPerStep: number;
  /** Most memory of the process while it trained; what loading took before is not in it where the system can tell (Linux). */
  readonly peakBytes: number;
  readonly isPeakOfTraining: boolean;
  /** Of the last step, in nats: it is a number, so that something was learned from. */
  readonly loss: number;
}

/** A few real steps on made-up rows. */
export interface MeasureOptions {
  readonly row: RowShape;
  readonly rowsPerStep: number;
  /** At least 3: the first compiles. */
  readonly steps: number;
  readonly seed: number;
  /** Whether each block is computed again in the backward pass. Default: no. */
  readonly activationCheckpointing?: boolean;
}

/**
 * Loads a model from a folder of the kit or of `transformers` and tunes it for some steps on rows of random tokens, all of one
 * length. Of an encoder-decoder the prompt is read and the response said; a BERT needs a head that gives classes.
 * @throws KitError when the folder is not whole, and for a BERT without such a head
 */
export async function measureTuning(
  folder: string,
  tuning: Tuning,
  { row, rowsPerStep, steps, seed, activationCheckpointing = false }: MeasureOptions,
): Promise<MeasuredTuning> {
  if (steps < 3)
    throw new KitError("the first step compiles, and two more are needed", "measure 3 steps or more");
  const base = modelTypeIn(folder) === "bert" ? loadBert(folder) : loadModel(folder);
  const model = tuning.kind === "full" ? base : adapted(base, tuning, seed);
  const { objective, rows } = task(model, row, rowsPerStep * 2, seed, folder);
  const isPeakOfTraining = forgetPeak();
  const times: number[] = [performance.now()];
  const config: TrainConfig = { ...trainingOf(steps, rowsPerStep, seed), activationCheckpointing };
  const { history } = await trainObjective(objective, rows, config, {
    onStep: () => times.push(performance.now()),
  });
  const peakBytes = peak();
  const seconds = steppedBy(times).map((milliseconds) => milliseconds / 1000);
  for (const one of new Set([model, base])) one.dispose();
  return {
    config: base.config,
    steps,
    firstStepSeconds: seconds[0] ?? Number.NaN,
    secondsPerStep: median(seconds.slice(1)),
    peakBytes,
    isPeakOfTraining,
    loss: history.at(-1)?.loss ?? Number.NaN,
  };
}

function adapted(
  model: LanguageModel | Bert,
  { rank, targets }: Extract<Tuning, { readonly kind: "lora" }>,
  seed: number,
): LanguageModel | Bert {
  const adapter = LoraAdapter.create(model.config, { rank, alpha: 2 * rank, dropout: 0, targets, seed });
  return model.withAdapter(adapter);
}

function task(
  model: LanguageModel | Bert,
  { prompt, response }: RowShape,
  count: number,
  seed: number,
  folder: string,
): { readonly objective: Objective; readonly rows: readonly TrainingRow[] } {
  const random = new Random(seed);
  const { vocabularySize } = model.config;
  const ids = (length: number): number[] => Array.from({ length }, () => random.integer(vocabularySize));
  const names = Array.from({ length: count }, (_, index) => `row ${index + 1}`);
  if (model instanceof Bert) {
    const { head } = model.config;
    if (head.kind !== "classification") {
      throw new KitError("this BERT gives no classes", "use a folder of BertForSequenceClassification", {
        file: folder,
      });
    }
    const labels = head.labels;
    return {
      objective: classification(model),
      rows: names.map((id, index) => {
        const own = ids(prompt + response);
        const encoded = { ids: own, tokenTypes: own.map(() => 0) };
        return classifiedRow(id, encoded, labels[index % labels.length] ?? "", labels);
      }),
    };
  }
  if (model instanceof T5) {
    return {
      objective: sequenceToSequence(model),
      rows: names.map((id, index) => sequenceRow(id, ids(prompt), ids(response), model.config, index + 1)),
    };
  }
  const spans = names.map((id): Spans => {
    const own = ids(prompt + response);
    return {
      ...{ id, taskType: "made up", ids: own, promptLength: prompt },
      supervised: own.map((_, index) => index >= prompt),
      source: own.map((_, index) => (index < prompt ? "input" : "response")),
      role: own.map((_, index) => (index < prompt ? "user" : "assistant")),
    };
  });
  return { objective: nextToken(model), rows: prepareRows(spans, model.config) };
}

function trainingOf(steps: number, rowsPerStep: number, seed: number): TrainConfig {
  return {
    budget: { unit: "steps", amount: steps },
    batch: { kind: "bucketed", rowsPerStep },
    optimizer: { learningRate: 1e-4, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, clipNorm: 1 },
    schedule: { kind: "constant", warmupFraction: 0, finalFraction: 1 },
    spike: "off",
    seed,
  };
}

/** Differences of neighbours. */
function steppedBy(values: readonly number[]): number[] {
  return values.slice(1).map((value, index) => value - (values[index] ?? value));
}

/** Has Linux forget the most memory that this process had. @returns whether it did */
function forgetPeak(): boolean {
  try {
    writeFileSync("/proc/self/clear_refs", "5");
    return true;
  } catch {
    return false;
  }
}

/** Most bytes that this process had in memory, since they were forgotten. */
function peak(): number {
  try {
    const [, kilobytes = ""] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
    if (kilobytes !== "") return 1024 * Number(kilobytes);
  } catch {
    // Not Linux: what the system says of the whole life of the process.
  }
  return 1024 * process.resourceUsage().maxRSS;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}
