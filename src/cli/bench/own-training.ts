import { Decoder } from "../../model/decoder.js";
import type { BatchArrays } from "../../train/batch.js";
import { nextToken } from "../../train/objectives/next-token.js";
import { CompiledStep } from "../../train/step/compiled-step.js";
import { EagerStep } from "../../train/step/eager-step.js";
import type { StepKind, TrainingStep } from "../../train/step/training-step.js";
import { OPTIMIZER, type Workload, workloadRows } from "./workload.js";

/** What some training steps took. */
export interface Lap {
  readonly seconds: number;
  /** Nats per token of the last step. */
  readonly loss: number;
  /** Most memory that the process has had, in MB. */
  readonly peakMegabytes: number;
}

/** The kit's own training step, as `train` takes it. */
export class OwnTraining {
  readonly parameterCount: number;
  /** What came before the first step: recording and loading the graph. */
  readonly preparation: number;
  readonly #decoder: Decoder;
  readonly #step: TrainingStep;
  readonly #arrays: BatchArrays;

  constructor(workload: Workload, kind: StepKind) {
    this.#decoder = Decoder.create(workload.config, 1);
    this.parameterCount = this.#decoder.parameterCount;
    const { batch, time } = workload;
    const start = performance.now();
    // All batches are alike here, so that regions are compiled once.
    const plan = { longestRow: time, packed: false, timeUnit: 1, fuse: true };
    const objective = nextToken(this.#decoder);
    this.#step =
      kind === "eager"
        ? new EagerStep(objective, { optimizer: OPTIMIZER })
        : new CompiledStep(objective, { optimizer: OPTIMIZER }, plan);
    this.preparation = (performance.now() - start) / 1000;
    const rows = workloadRows(workload);
    this.#arrays = {
      batch,
      time,
      ids: Int32Array.from(rows.flatMap((row) => row.slice(0, -1))),
      targets: Int32Array.from(rows.flatMap((row) => row.slice(1))),
      targetPositions: Int32Array.from({ length: batch * time }, (_, place) => place),
    };
  }

  /** Takes some steps. */
  async run(steps: number): Promise<Lap> {
    const start = performance.now();
    let loss = NaN;
    for (let step = 0; step < steps; step++) {
      const measure = this.#step.measure([this.#arrays]);
      loss = measure.loss;
      this.#step.update(OPTIMIZER.learningRate, measure.gradientNorm);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const seconds = (performance.now() - start) / 1000;
    // Kilobytes.
    const peakMegabytes = Math.round(process.resourceUsage().maxRSS / 1000);
    return { seconds, loss, peakMegabytes };
  }

  /** Frees the model and the optimizer. */
  close(): void {
    this.#step.dispose();
    this.#decoder.dispose();
  }
}
