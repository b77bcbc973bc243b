import { setImmediate } from "node:timers/promises";
import type { Spans } from "../data/spans.js";
import { tf } from "../engine/tensorflow.js";
import { KitError } from "../support/errors.js";
import { type ProgressBar, progressBar, silentProgress } from "../support/progress.js";
import { type BatchArrays, checkBatching, fitStep, layOut, type Step } from "./batch.js";
import { loadCheckpoint, prepareCheckpoints, saveCheckpoint } from "./checkpoint.js";
import { parseTrainConfig, type TrainConfig } from "./config.js";
import { meanLoss, type TrainableModel } from "./loss.js";
import { DataOrder } from "./order.js";
import { describeProgress, type TrainProgress } from "./progress.js";
import { hashRows, prepareRows, type TrainingRow } from "./rows.js";
import { type RunIdentity, runIdentity } from "./identity.js";
import { learningRateOf } from "./schedule.js";
import { createStep, stepKind } from "./step/create-step.js";
import type { StepKind, TrainingStep } from "./step/training-step.js";

/** What a run may be told that does not change its numbers. */
export interface TrainOptions {
  /** Aborting stops the run after the current step, with a checkpoint where the config has one. */
  readonly signal?: AbortSignal;
  /** Called after each step. */
  readonly onStep?: (progress: TrainProgress) => void;
  /** Shows a bar in a terminal, a line about every ten seconds elsewhere. Default: nothing. */
  readonly progress?: boolean;
  /** What the bar calls the run. */
  readonly label?: string;
  /** Goes on from the newest checkpoint in the config's folder, or starts where there is none. */
  readonly resume?: boolean;
  /**
   * Whether the step is recorded once and run as one TensorFlow graph, which is faster; its numbers are those of the
   * eager step up to rounding. The model's variables then have their new values when training ends or a checkpoint is
   * written, not after each step. Default: true where the native engine runs; elsewhere it makes no difference.
   */
  readonly compile?: boolean;
}

/** How a run ended. */
export interface TrainResult {
  /** "finished": the budget is used. "stopped": the signal stopped it before. */
  readonly status: "finished" | "stopped";
  /** After the last step. */
  readonly progress: TrainProgress;
  /** After each step, from the first, also across a resume. */
  readonly history: readonly TrainProgress[];
  /** How the steps were done; the numbers of the two kinds differ by rounding. */
  readonly step: StepKind;
}

/**
 * Trains a model in place, on a budget. The same model, rows and config give the same bits, whether in one go or
 * resumed. Each step yields to the event loop, so that a notebook or a signal can interrupt it.
 *
 * The budget is never exceeded. The last step takes the rows of its turn that still fit, so that what is left is less
 * than the smallest of the other rows of that turn: arms of a comparison match to less than one row.
 * @throws KitError for a wrong config, an unfit row, a checkpoint of another run, a full disk, or a loss or gradient
 *   that is not finite; the last good checkpoint stays as it is
 */
export async function train(
  model: TrainableModel,
  rows: readonly Spans[],
  config: TrainConfig,
  options: TrainOptions = {},
): Promise<TrainResult> {
  const run = new TrainRun(model, rows, parseTrainConfig(config), options);
  try {
    return await run.run();
  } finally {
    run.dispose();
  }
}

class TrainRun {
  readonly #model: TrainableModel;
  readonly #rows: readonly TrainingRow[];
  readonly #config: TrainConfig;
  readonly #options: TrainOptions;
  readonly #identity: RunIdentity;
  readonly #step: TrainingStep;
  readonly #order: DataOrder;
  readonly #bar: ProgressBar;
  readonly #history: TrainProgress[];
  /** `performance.now()` at which a run of the same seconds without a break would have started. */
  #started: number;
  #finished: boolean;
  /** The step of the newest checkpoint on disk. */
  #saved: number;

  constructor(model: TrainableModel, rows: readonly Spans[], config: TrainConfig, options: TrainOptions) {
    this.#model = model;
    this.#config = config;
    this.#options = options;
    this.#rows = prepareRows(rows, model.config);
    checkBatching(this.#rows, config.batch, model.config.contextLength);
    const kind = stepKind(model, options.compile ?? true);
    this.#identity = runIdentity(config, hashRows(this.#rows), model, kind);
    const label = options.label ?? "train";
    this.#bar = options.progress === true ? progressBar(label) : silentProgress;
    const directory = config.checkpoint?.directory;
    if (directory !== undefined) prepareCheckpoints(directory);
    const saved =
      directory === undefined
        ? undefined
        : loadCheckpoint(directory, this.#identity, options.resume === true);
    for (const [name, values] of saved?.parameters ?? []) assignValues(model, name, values);
    this.#step = createStep(
      kind,
      model,
      config,
      this.#rows,
      saved && { count: saved.state.history.length, slots: saved.slots },
    );
    this.#order = new DataOrder(this.#rows, config.batch, config.seed, saved?.state.position);
    this.#history = [...(saved?.state.history ?? [])];
    this.#finished = saved?.state.finished ?? false;
    this.#saved = this.#history.length;
    this.#started = performance.now() - (this.#last?.seconds ?? 0) * 1000;
  }

  get #last(): TrainProgress | undefined {
    return this.#history.at(-1);
  }

  async run(): Promise<TrainResult> {
    const { signal, onStep } = this.#options;
    try {
      while (!this.#finished && signal?.aborted !== true) {
        const progress = this.#takeStep();
        if (progress !== undefined) {
          this.#history.push(progress);
          this.#bar.update(this.#used() / this.#config.budget.amount, describeProgress(progress));
          onStep?.(progress);
          if (this.#checkpointIsDue()) this.#save();
        }
        await setImmediate();
      }
      if (this.#saved < this.#history.length) this.#save();
    } finally {
      this.#step.synchronise(this.#config.weightAverage?.use);
      this.#bar.stop();
    }
    const progress = this.#last;
    if (progress === undefined) {
      if (this.#finished) throw this.#budgetError();
      throw new KitError("training was stopped before its first step", "start it again");
    }
    return {
      status: this.#finished ? "finished" : "stopped",
      progress,
      history: this.#history,
      step: this.#identity.step,
    };
  }

  /** One optimizer step; undefined when no row fits into what is left of the budget. */
  #takeStep(): TrainProgress | undefined {
    const { budget } = this.#config;
    const used = this.#used();
    const full = this.#order.next();
    const step =
      budget.unit === "steps" ? full : fitStep(full, (row) => this.#cost(row), budget.amount - used);
    const indexes = step.flat();
    // Rows were left out, or the budget is used to the last token: there is no later step.
    const own = budget.unit === "steps" ? 1 : sumOf(indexes, (row) => this.#cost(row));
    this.#finished = indexes.length < full.flat().length || used + own >= budget.amount;
    if (indexes.length === 0) return undefined;
    const learningRate = learningRateOf(this.#config, this.#history.length + 1, used, own);
    const batches = this.#batches(step);
    const { loss, gradientNorm } = this.#step.measure(batches);
    if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) {
      throw this.#divergence(step, loss, gradientNorm, learningRate);
    }
    this.#step.update(learningRate, gradientNorm);
    const before = this.#last;
    const seconds = (performance.now() - this.#started) / 1000;
    const totalTokens = (before?.totalTokens ?? 0) + sumOf(indexes, (row) => this.#row(row).tokens);
    const rows = (before?.rows ?? 0) + indexes.length;
    return {
      step: (before?.step ?? 0) + 1,
      loss,
      learningRate,
      gradientNorm,
      supervisedTokens:
        (before?.supervisedTokens ?? 0) + sumOf(indexes, (row) => this.#row(row).targets.length),
      totalTokens,
      positions: (before?.positions ?? 0) + sumOf(batches, ({ ids }) => ids.length),
      rows,
      epochs: rows / this.#rows.length,
      seconds,
      tokensPerSecond: totalTokens / seconds,
    };
  }

  #batches(step: Step): BatchArrays[] {
    const { batch, microBatchRows = step.length } = this.#config;
    const batches: BatchArrays[] = [];
    for (let first = 0; first < step.length; first += microBatchRows) {
      batches.push(layOut(this.#rows, step.slice(first, first + microBatchRows), batch.kind));
    }
    return batches;
  }

  #row(index: number): TrainingRow {
    const row = this.#rows[index];
    if (row === undefined) throw new RangeError(`there is no row ${index}`);
    return row;
  }

  /** What a row of data takes from a budget of tokens. */
  #cost(index: number): number {
    const { targets, tokens } = this.#row(index);
    return this.#config.budget.unit === "supervised-tokens" ? targets.length : tokens;
  }

  /** Budget used so far, in its unit. */
  #used(): number {
    const last = this.#last;
    if (last === undefined) return 0;
    const { unit } = this.#config.budget;
    if (unit === "steps") return last.step;
    return unit === "supervised-tokens" ? last.supervisedTokens : last.totalTokens;
  }

  #checkpointIsDue(): boolean {
    const every = this.#config.checkpoint?.everySteps;
    return every !== undefined && this.#history.length % every === 0;
  }

  #save(): void {
    const { checkpoint } = this.#config;
    if (checkpoint === undefined) return;
    this.#step.synchronise();
    saveCheckpoint(checkpoint.directory, {
      state: {
        identity: this.#identity,
        position: this.#order.position,
        finished: this.#finished,
        history: this.#history,
      },
      parameters: this.#model.parameters,
      slots: this.#step.slots(),
    });
    this.#saved = this.#history.length;
  }

  #budgetError(): KitError {
    const { unit, amount } = this.#config.budget;
    return new KitError(`the budget of ${amount} ${unit} is less than one row has`, "raise it", {
      field: "budget.amount",
    });
  }

  /** Names the rows whose own loss is not finite, else the rows of the step. */
  #divergence(step: Step, loss: number, gradientNorm: number, learningRate: number): KitError {
    this.#step.discard();
    this.#step.synchronise();
    const indexes = step.flat();
    const broken = indexes.filter(
      (index) => !Number.isFinite(meanLoss(this.#model, [layOut(this.#rows, [[index]], "bucketed")])),
    );
    const named = broken.length > 0 && broken.length < indexes.length ? broken : indexes;
    const ids = named.slice(0, 8).map((index) => `"${this.#row(index).id}"`);
    const more = named.length > ids.length ? ` and ${named.length - ids.length} more` : "";
    const what = Number.isFinite(loss) ? `the gradient norm is ${gradientNorm}` : `the loss is ${loss}`;
    const { checkpoint } = this.#config;
    const left =
      checkpoint === undefined || this.#saved === 0
        ? ""
        : `; the checkpoint of step ${this.#saved} is untouched`;
    return new KitError(
      `${what} at step ${this.#history.length + 1}, learning rate ${learningRate.toPrecision(3)}, ` +
        `rows ${ids.join(", ")}${more}${left}`,
      "lower optimizer.learningRate, lengthen the warm-up or clip with optimizer.clipNorm, and look at these rows",
    );
  }

  dispose(): void {
    this.#step.dispose();
  }
}

function assignValues(model: TrainableModel, name: string, values: Float32Array): void {
  const variable = model.parameters.get(name);
  if (variable === undefined) throw new Error(`no parameter ${name}`);
  const value = tf.tensor(values, variable.shape);
  variable.assign(value);
  value.dispose();
}

function sumOf<Item>(items: readonly Item[], valueOf: (item: Item) => number): number {
  return items.reduce((sum, item) => sum + valueOf(item), 0);
}
