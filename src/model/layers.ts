import { chooseRowsOperation, embeddingOperation } from "../engine/ops/embedding.js";
import { layerNormOperation } from "../engine/ops/layer-norm.js";
import { linearOperation } from "../engine/ops/linear.js";
import { loraOperation } from "../engine/ops/lora.js";
import { residualOperation } from "../engine/ops/residual.js";
import { rmsNormOperation } from "../engine/ops/rms-norm.js";
import type { Tape } from "../engine/ops/tape.js";
import type { TensorFlow } from "../engine/tensorflow.js";

type Tensor = TensorFlow.Tensor;

/** The parameters by name. */
export type Parameters = ReadonlyMap<string, Tensor>;

/** A low-rank update of a linear layer, see `loraOperation`. */
export interface LinearUpdate {
  /** `[in, rank]` */
  readonly down: Tensor;
  /** `[rank, end - begin]` */
  readonly up: Tensor;
  readonly scale: number;
  readonly columns: readonly [begin: number, end: number];
  /** What the update's input `[rows, in]` is multiplied by, or undefined. */
  readonly mask: (rows: number) => Tensor | undefined;
}

/** Updates by the name of the linear layer. */
export type LinearUpdates = ReadonlyMap<string, readonly LinearUpdate[]>;

/** The layers of a network by the name of their parameters, recorded on a tape. */
export class Layers {
  readonly tape: Tape;
  readonly #parameters: Parameters;
  readonly #updates: LinearUpdates | undefined;

  constructor(tape: Tape, parameters: Parameters, updates?: LinearUpdates) {
    this.tape = tape;
    this.#parameters = parameters;
    this.#updates = updates;
  }

  parameter(name: string): Tensor {
    const parameter = this.#parameters.get(name);
    if (parameter === undefined) throw new Error(`the model has no parameter ${name}`);
    return parameter;
  }

  /** A linear layer with its bias and its updates, where it has any: `[rows, in]` -> `[rows, out]`. */
  linear(name: string, x: Tensor): Tensor {
    const inputs = [x, this.parameter(`${name}.weight`), this.#parameters.get(`${name}.bias`)] as const;
    let output = this.tape.apply(linearOperation, inputs, { transposed: false });
    for (const { down, up, scale, columns, mask } of this.#updates?.get(name) ?? []) {
      const [rows = 0] = x.shape;
      const options = { scale, columns, mask: mask(rows) };
      output = this.tape.apply(loraOperation, [output, x, down, up], options);
    }
    return output;
  }

  layerNorm(name: string, x: Tensor, epsilon: number): Tensor {
    const inputs = [x, this.parameter(`${name}.gain`), this.#parameters.get(`${name}.bias`)] as const;
    return this.tape.apply(layerNormOperation, inputs, { epsilon });
  }

  rmsNorm(name: string, x: Tensor, epsilon: number): Tensor {
    return this.tape.apply(rmsNormOperation, [x, this.parameter(`${name}.gain`)], { epsilon });
  }

  /** Rows of `[size, width]` by int32 index. */
  rows(table: Tensor, ids: Tensor): Tensor {
    const [size = 0] = table.shape;
    return this.tape.apply(embeddingOperation, [table], { ids, size });
  }

  /** Some rows of `[size, width]`, by int32 indices `[n]` that differ from each other. */
  chosenRows(x: Tensor, rows: Tensor): Tensor {
    const [size = 0] = x.shape;
    return this.tape.apply(chooseRowsOperation, [x], { rows, size });
  }

  residual(stream: Tensor, branch: Tensor): Tensor {
    return this.tape.apply(residualOperation, [stream, branch], undefined);
  }
}
