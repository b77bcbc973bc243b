import { Decoder } from "../../model/decoder.js";
import type { BatchArrays } from "../../train/batch.js";
import { stepLoss } from "../../train/loss.js";
import { AdamW } from "../../train/optimizer.js";
import { OPTIMIZER, type Workload, workloadRows } from "./workload.js";

/** What some training steps took. */
export interface Lap {
  readonly seconds: number;
  /** Nats per token of the last step. */
  readonly loss: number;
  /** Most memory that the process has had, in MB. */
  readonly peakMegabytes: number;
}

/** The kit's own training step, with the parts that `train` uses. */
export class OwnTraining {
  readonly parameterCount: number;
  readonly #decoder: Decoder;
  readonly #optimizer: AdamW;
  readonly #arrays: BatchArrays;

  constructor(workload: Workload) {
    this.#decoder = Decoder.create(workload.config, 1);
    this.parameterCount = this.#decoder.parameterCount;
    this.#optimizer = new AdamW(this.#decoder.parameters, OPTIMIZER);
    const { batch, time } = workload;
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
      loss = stepLoss(this.#decoder, [this.#arrays], this.#optimizer);
      this.#optimizer.step(OPTIMIZER.learningRate, this.#optimizer.gradientNorm());
      await new Promise((resolve) => setImmediate(resolve));
    }
    const seconds = (performance.now() - start) / 1000;
    // Kilobytes.
    const peakMegabytes = Math.round(process.resourceUsage().maxRSS / 1000);
    return { seconds, loss, peakMegabytes };
  }

  /** Frees the model and the optimizer. */
  close(): void {
    this.#optimizer.dispose();
    this.#decoder.dispose();
  }
}
