import { setImmediate } from "node:timers/promises";
import { KitError } from "../support/errors.js";
import { type ProgressBar, progressBar, silentProgress } from "../support/progress.js";
import { sumOf } from "../support/sum.js";
import {
  type BatchArrays,
  checkBatching,
  fitStep,
  layoutOf,
  type RowLayout,
  type Step,
  type TensorRow,
} from "./batch.js";
import { loadCheckpoint, prepareCheckpoints, saveCheckpoint, type SavedRun } from "./checkpoint.js";
import type { TrainConfig } from "./config.js";
import { divergenceError } from "./divergence.js";
import { EvaluationWatch } from "./evaluation.js";
import { type SavedValidations, ValidationWatch } from "./early-stopping.js";
import { type RunIdentity, runIdentity } from "./identity.js";
import { meanLoss } from "./loss.js";
import { isPlainLoss } from "./loss-options.js";
import { assignValues, layOutEpoch, type Objective, type Trainable } from "./objective.js";
import { type ObjectiveOptions, type TrainResult, validationRowsOf } from "./options.js";
import { DataOrder } from "./order.js";
import {
  budgetTooSmall,
  budgetUsed,
  describeProgress,
  progressAfter,
  stepsPerEpoch,
  type Measurements,
  recordsOf,
  type StepRecord,
  type TrainProgress,
} from "./progress.js";
import { hashRows, type TrainingRow } from "./rows.js";
import { learningRateOf } from "./schedule.js";
import { DEFAULT_SPIKE_RULE, findSpike, type Spike } from "./spike.js";
import { createStep, stepKind } from "./step/create-step.js";
import type { StepMeasure, TrainingStep } from "./step/training-step.js";
import type { RunEnd, Tracker } from "./track/tracker.js";
import { Validator } from "./validation.js";

/** One run of `trainObjective`: the loop, and how it goes on from a checkpoint. */
export class TrainRun {
  readonly #objective: Objective;
  readonly #model: Trainable;
  readonly #rows: readonly TrainingRow[];
  readonly #config: TrainConfig;
  readonly #options: ObjectiveOptions;
  readonly #identity: RunIdentity;
  readonly #step: TrainingStep;
  readonly #order: DataOrder;
  readonly #bar: ProgressBar;
  readonly #history: TrainProgress[];
  readonly #watch: ValidationWatch | undefined;
  readonly #evaluation: EvaluationWatch | undefined;
  /** `performance.now()` at which a run of the same seconds without a break would have started. */
  #started: number;
  #finished: boolean;
  /** The step of the newest checkpoint on disk. */
  #saved: number;

  constructor(
    objective: Objective,
    rows: readonly TrainingRow[],
    config: TrainConfig,
    options: ObjectiveOptions,
  ) {
    const { model } = objective;
    this.#objective = objective;
    this.#model = model;
    this.#config = config;
    this.#options = options;
    this.#rows = rows;
    checkBatching(rows, config.batch, model.config.contextLength, objective.needs);
    const validationRows = validationRowsOf(config, options);
    const kind = stepKind(model, options.compile ?? true, config);
    this.#identity = runIdentity(config, hashRows(rows, validationRows), objective, kind);
    this.#bar = options.progress === true ? progressBar(options.label ?? "train") : silentProgress;
    const validator = validationRows && new Validator(objective, validationRows, rows, config);
    const saved = this.#load();
    for (const [name, values] of saved?.parameters ?? []) assignValues(model, name, values);
    this.#step = createStep(
      kind,
      objective,
      config,
      {
        rows,
        validationRows,
        answers: options.evaluation !== undefined && options.evaluation.answers !== false,
      },
      saved && { count: saved.state.history.length, slots: saved.slots },
    );
    this.#watch =
      validator &&
      config.validation &&
      new ValidationWatch(
        model,
        validator,
        config.validation,
        saved && { validations: saved.state.validations, best: saved.best },
      );
    this.#evaluation =
      options.evaluation && new EvaluationWatch(options.evaluation, saved?.state.evaluations);
    this.#order = new DataOrder(rows, config.batch, config.seed, saved?.state.position);
    this.#history = [...(saved?.state.history ?? [])];
    this.#finished = saved?.state.finished ?? false;
    this.#saved = this.#history.length;
    this.#started = performance.now() - (this.#last?.seconds ?? 0) * 1000;
  }

  async run(): Promise<TrainResult> {
    const trackers = this.#options.trackers ?? [];
    let end: RunEnd = "failed";
    try {
      // One that a stop cut off.
      await this.#evaluate();
      const before = this.#records();
      for (const tracker of trackers) tracker.start(before);
      await this.#loop(trackers);
      if (this.#saved < this.#history.length) this.#save();
      if (this.#finished) await this.#conclude();
      end = this.#finished ? "finished" : "stopped";
    } finally {
      this.#step.synchronise(this.#config.weightAverage?.use);
      this.#bar.stop();
      for (const tracker of trackers) await tracker.end(end);
    }
    return this.#result();
  }

  async #loop(trackers: readonly Tracker[]): Promise<void> {
    const { signal, onStep } = this.#options;
    while (!this.#finished && signal?.aborted !== true) {
      const progress = this.#takeStep();
      if (progress !== undefined) {
        this.#history.push(progress);
        this.#validate();
        await this.#evaluate();
        this.#bar.update(this.#used / this.#config.budget.amount, describeProgress(progress));
        const [record] = this.#records(progress.step);
        if (record !== undefined) for (const tracker of trackers) tracker.step(record);
        onStep?.(progress);
        if (this.#checkpointIsDue()) this.#save();
      }
      await setImmediate();
    }
  }

  #result(): TrainResult {
    const progress = this.#last;
    if (progress === undefined) {
      if (this.#finished) throw budgetTooSmall(this.#config.budget);
      throw new KitError("training was stopped before its first step", "start it again");
    }
    this.#showBest();
    return {
      status: this.#finished ? "finished" : "stopped",
      progress,
      history: this.#records(),
      ...this.#measurements,
      best: this.#watch?.best,
      stoppedEarly: this.#finished && this.#watch?.exhausted === true,
      step: this.#identity.step,
    };
  }

  get #last(): TrainProgress | undefined {
    return this.#history.at(-1);
  }

  get #validations(): SavedValidations {
    return this.#watch?.saved ?? { validations: [], best: new Map() };
  }

  get #measurements(): Measurements {
    return { validations: this.#validations.validations, evaluations: this.#evaluation?.records ?? [] };
  }

  #records(first = 1): StepRecord[] {
    return recordsOf(this.#history, this.#measurements, first);
  }

  /** Where there is early stopping, a finished run leaves the weights of the best validation. */
  #showBest(): void {
    if (!this.#finished) return;
    for (const [name, values] of this.#validations.best) assignValues(this.#model, name, values);
  }

  /** One optimizer step; undefined when no row fits into what is left of the budget. */
  #takeStep(): TrainProgress | undefined {
    const { budget } = this.#config;
    const used = this.#used;
    const full = this.#order.next();
    const step =
      budget.unit === "steps" ? full : fitStep(full, (row) => this.#cost(row), budget.amount - used);
    const indexes = step.flat();
    const own = budget.unit === "steps" ? 1 : sumOf(indexes, (row) => this.#cost(row));
    this.#finished = indexes.length < full.flat().length || this.#isLast(budget.amount - used - own);
    if (indexes.length === 0) return undefined;
    const learningRate = learningRateOf(this.#config, this.#history.length + 1, used, own);
    const batches = this.#batches(step);
    const measure = this.#step.measure(batches);
    this.#check(step, measure, learningRate);
    this.#step.update(learningRate, measure.gradientNorm);
    const rows = indexes.map((index) => this.#row(index));
    return progressAfter(this.#last, {
      ...measure,
      learningRate,
      rows,
      dataRows: this.#rows.length,
      positions: sumOf(batches, ({ ids }) => ids.length),
      // A loss with added terms is no number of bits of the text.
      bytes: isPlainLoss(this.#config) ? sumOf(rows, (row) => row.bytes ?? 0) : 0,
      seconds: (performance.now() - this.#started) / 1000,
    });
  }

  /** Whether no further step can be taken. @param left of the budget after this step */
  #isLast(left: number): boolean {
    if (left <= 0 || this.#config.budget.unit === "steps") return left <= 0;
    return fitStep(this.#order.peek(), (row) => this.#cost(row), left).length === 0;
  }

  /** @throws KitError when the step must not be taken: something is not finite, or the loss is a spike */
  #check(step: Step, measure: StepMeasure, learningRate: number): void {
    const { loss, gradientNorm } = measure;
    const rule = this.#config.spike ?? DEFAULT_SPIKE_RULE;
    let spike: Spike | undefined;
    if (Number.isFinite(loss) && Number.isFinite(gradientNorm)) {
      if (rule === "off") return;
      // No more of a long history than the rule looks at.
      const epochSteps = stepsPerEpoch(this.#last);
      const recent = this.#history.slice(-(rule.window + epochSteps)).map((progress) => progress.loss);
      spike = findSpike(recent, loss, rule, epochSteps);
      if (spike === undefined) return;
    }
    this.#step.discard();
    this.#step.synchronise();
    throw divergenceError((index) => this.#rowLoss(index), this.#rows, step, {
      ...measure,
      step: this.#history.length + 1,
      learningRate,
      spike,
      savedStep: this.#config.checkpoint === undefined ? 0 : this.#saved,
    });
  }

  /** Measures the validation loss where it is due; ends the run where it no longer falls. */
  #validate(): void {
    const watch = this.#watch;
    if (watch?.isDue(this.#history.length, this.#finished) !== true) return;
    const started = performance.now();
    const weights = this.#config.weightAverage?.use;
    this.#step.synchronise(weights);
    watch.measure(this.#history.length, (arrays) => this.#step.lossSums(arrays));
    if (weights === "average") this.#step.synchronise();
    if (watch.exhausted) this.#finished = true;
    this.#started += performance.now() - started;
  }

  /** Asks the model where it is due. */
  async #evaluate(): Promise<void> {
    const step = this.#history.length;
    if (this.#evaluation?.isDue(step, this.#finished) !== true) return;
    const started = performance.now();
    const weights = this.#config.weightAverage?.use;
    this.#step.synchronise(weights);
    const isFinal = this.#finished && this.#config.validation?.earlyStopping === undefined;
    await this.#evaluation.evaluate({ step, isFinal });
    if (weights === "average") this.#step.synchronise();
    this.#started += performance.now() - started;
  }

  /** Asks the model with the weights that it ends with, where that was not done. */
  async #conclude(): Promise<void> {
    if (this.#evaluation === undefined || this.#evaluation.isConcluded || this.#last === undefined) return;
    this.#step.synchronise(this.#config.weightAverage?.use);
    this.#showBest();
    this.#step.takeOver();
    await this.#evaluation.conclude(this.#history.length);
  }

  #batches(step: Step): BatchArrays[] {
    const { batch, microBatchRows = step.length } = this.#config;
    const batches: BatchArrays[] = [];
    for (let first = 0; first < step.length; first += microBatchRows) {
      batches.push(this.#layOut(step.slice(first, first + microBatchRows), layoutOf(batch)));
    }
    return batches;
  }

  #layOut(tensorRows: readonly TensorRow[], layout: RowLayout): BatchArrays {
    const place = { layout, seed: this.#config.seed, epoch: this.#order.position.epoch };
    return layOutEpoch(this.#objective, this.#rows, tensorRows, place);
  }

  #rowLoss(index: number): number {
    return meanLoss(this.#objective, [this.#layOut([[index]], "bucketed")]);
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
  get #used(): number {
    return budgetUsed(this.#config.budget, this.#last);
  }

  #checkpointIsDue(): boolean {
    const every = this.#config.checkpoint?.everySteps;
    return every !== undefined && this.#history.length % every === 0;
  }

  #load(): SavedRun | undefined {
    const directory = this.#config.checkpoint?.directory;
    if (directory === undefined) return undefined;
    prepareCheckpoints(directory);
    return loadCheckpoint(directory, this.#identity, this.#options.resume === true);
  }

  #save(): void {
    const { checkpoint } = this.#config;
    if (checkpoint === undefined) return;
    this.#step.synchronise();
    const { best } = this.#validations;
    saveCheckpoint(checkpoint.directory, {
      state: {
        identity: this.#identity,
        position: this.#order.position,
        finished: this.#finished,
        history: this.#history,
        ...this.#measurements,
      },
      parameters: this.#model.parameters,
      slots: this.#step.slots(),
      best,
    });
    this.#saved = this.#history.length;
  }

  dispose(): void {
    this.#step.dispose();
  }
}
