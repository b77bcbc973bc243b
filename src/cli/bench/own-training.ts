import { Decoder } from "../../model/decoder.js";
import type { BatchArrays } from "../../train/batch.js";
import type { Precision } from "../../train/config.js";
import { nextToken } from "../../train/objectives/next-token.js";
import { slicesFor } from "../../train/step/batch-shapes.js";
import { CompiledStep } from "../../train/step/compiled-step.js";
import { EagerStep } from "../../train/step/eager-step.js";
import type { TrainingStep } from "../../train/step/training-step.js";
import { type Contestant, type Lap, ownLap } from "./contest.js";
import { OPTIMIZER, type Workload, workloadRows } from "./workload.js";

/** The kit's own training step, as `train` takes it; each lap takes some steps. */
export class OwnTraining implements Contestant {
  readonly name: string;
  readonly parameterCount: number;
  readonly #decoder: Decoder;
  readonly #step: TrainingStep;
  readonly #arrays: BatchArrays;

  constructor(workload: Workload, kind: "eager" | Precision) {
    this.name = `ift-kit, ${kind}`;
    this.#decoder = Decoder.create(workload.config, 1);
    this.parameterCount = this.#decoder.parameterCount;
    const { batch, time } = workload;
    const objective = nextToken(this.#decoder);
    const config = { optimizer: OPTIMIZER };
    // All batches are alike here, so that regions are compiled once.
    const shape = { longestRow: time, packed: false, timeUnit: time, fuse: true };
    const plan = { ...shape, querySlices: slicesFor(time, time) };
    this.#step =
      kind === "eager"
        ? new EagerStep(objective, config)
        : new CompiledStep(objective, config, { ...plan, precision: kind });
    const rows = workloadRows(workload);
    this.#arrays = {
      batch,
      time,
      ids: Int32Array.from(rows.flatMap((row) => row.slice(0, -1))),
      targets: Int32Array.from(rows.flatMap((row) => row.slice(1))),
      targetPositions: Int32Array.from({ length: batch * time }, (_, place) => place),
    };
  }

  lap(steps: number): Promise<Lap> {
    return ownLap(async () => {
      let value = NaN;
      for (let step = 0; step < steps; step++) {
        const measure = this.#step.measure([this.#arrays]);
        value = measure.loss;
        this.#step.update(OPTIMIZER.learningRate, measure.gradientNorm);
        await new Promise((resolve) => setImmediate(resolve));
      }
      return { amount: steps * this.#arrays.ids.length, value };
    });
  }

  /** Frees the model and the optimizer. */
  close(): void {
    this.#step.dispose();
    this.#decoder.dispose();
  }
}
