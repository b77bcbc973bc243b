import type { TokenLoss } from "../engine/ops/index.js";
import { tf, type TensorFlow } from "../engine/tensorflow.js";
import { Random } from "../support/random.js";
import { type BatchArrays, type BatchNeeds, layOut, type RowLayout, type TensorRow } from "./batch.js";
import type { RowLimits, TrainingRow } from "./rows.js";

/** What training needs of a model, whatever it learns. */
export interface Trainable {
  readonly config: RowLimits;
  /** What is trained, by name. */
  readonly parameters: ReadonlyMap<string, TensorFlow.Variable>;
  /** What the model computes with and is not trained, by name; absent where there is none. */
  readonly frozen?: ReadonlyMap<string, TensorFlow.Variable>;
  /** What else decides its numbers (an adapter's scale and targets), as JSON: part of what a run is. */
  readonly settings?: unknown;
  /** Whether training it draws random numbers. */
  readonly hasDropout?: boolean;
  /** Whether it heeds `LossOptions.recomputeBlocks`. */
  readonly recomputesBlocks?: boolean;
}

/** Gives a parameter its values, flat. */
export function assignValues({ parameters }: Trainable, name: string, values: Float32Array): void {
  const variable = parameters.get(name);
  if (variable === undefined) throw new Error(`no parameter ${name}`);
  const value = tf.tensor(values, variable.shape);
  variable.assign(value);
  value.dispose();
}

/** What training asks of a loss besides its terms; a validation asks for none of it. */
export interface LossOptions extends TokenLoss {
  /** Computes each block again in the backward pass instead of keeping what it computed. */
  readonly recomputeBlocks?: boolean | undefined;
  /** In how many slices of queries causal attention is computed: less work, the same numbers but for rounding. Default: 1. */
  readonly querySlices?: number | undefined;
}

/** The options that a loss heeds: its own, and `recomputeBlocks` where the model does. */
export function heededOptions(
  { recomputesBlocks }: Trainable,
  ...own: readonly (keyof LossOptions)[]
): ReadonlySet<keyof LossOptions> {
  return new Set([...own, ...(recomputesBlocks === true ? (["recomputeBlocks"] as const) : [])]);
}

/**
 * What a model learns: the one thing by which families differ in training. Rows, batches, the loop, both kinds of step
 * and the checkpoints are the same for all of them; `nextToken` is the objective of decoders.
 *
 * To plug in a family: (1) write a function from its data to `TrainingRow`s, with the optional arrays that it needs; (2)
 * write its objective, whose `needs` say which of them are there; (3) call `trainObjective`. A model with another kind of
 * input adds an optional array to `TrainingRow` and `BatchArrays`, and to the four functions that go through them all:
 * `layOut`, `batchTensors`, `fillUp` (longer rows) and `madeUpBatch` (from which a compiled step is recorded).
 */
export interface Objective {
  /** Part of what a run is: "next-token". */
  readonly name: string;
  readonly model: Trainable;
  readonly needs: BatchNeeds;
  /**
   * The terms of the loss of a batch in nats, each a sum over its targets: the first over `targets`, the second, where
   * there is one, over `rowTargets`. A step divides each by the number of its targets in the whole step and adds them up.
   * Only tensors may decide the numbers, and no other ops may run for other data: the function is also recorded.
   */
  lossSums(batch: BatchTensors, options?: LossOptions): readonly TensorFlow.Scalar[];
  /** The options that `lossSums` heeds; another one is refused before the first step. Default: none. */
  readonly options?: ReadonlySet<keyof LossOptions>;
  /**
   * A row as it is in one epoch, e.g. with other tokens masked; absent where rows are always the same.
   * @param random of this row in this epoch
   * @returns a row with the same number of positions and of targets
   */
  redraw?(row: TrainingRow, random: Random): TrainingRow;
}

/** A batch as tensors, int32; see `BatchArrays` for what they hold. */
export interface BatchTensors {
  /** `[batch, time]`; so are `positions`, `segments` and `tokenTypes`. */
  readonly ids: TensorFlow.Tensor2D;
  readonly positions?: TensorFlow.Tensor2D;
  readonly segments?: TensorFlow.Tensor2D;
  readonly tokenTypes?: TensorFlow.Tensor2D;
  /** `[batch, decoderTime]` */
  readonly decoderIds?: TensorFlow.Tensor2D;
  /** `[supervised]` */
  readonly targetPositions: TensorFlow.Tensor1D;
  /** `[supervised]` */
  readonly targets: TensorFlow.Tensor1D;
  /** `[rows of data]` */
  readonly rowStarts?: TensorFlow.Tensor1D;
  /** `[rows of data]` */
  readonly rowTargets?: TensorFlow.Tensor1D;
  /** `[2]`, another one for each pass of training: what dropout draws from. */
  readonly dropoutSeed?: TensorFlow.Tensor1D;
}

/** The tensors of a batch; the caller disposes them. */
export function batchTensors(arrays: BatchArrays): BatchTensors {
  const { batch, time, decoderTime = 0 } = arrays;
  const grid = (name: "positions" | "segments" | "tokenTypes"): { [name]?: TensorFlow.Tensor2D } => {
    const values = arrays[name];
    return values === undefined ? {} : { [name]: tf.tensor2d(values, [batch, time], "int32") };
  };
  const { decoderIds, rowStarts, rowTargets } = arrays;
  return {
    ids: tf.tensor2d(arrays.ids, [batch, time], "int32"),
    ...grid("positions"),
    ...grid("segments"),
    ...grid("tokenTypes"),
    ...(decoderIds === undefined
      ? {}
      : { decoderIds: tf.tensor2d(decoderIds, [batch, decoderTime], "int32") }),
    targetPositions: tf.tensor1d(arrays.targetPositions, "int32"),
    targets: tf.tensor1d(arrays.targets, "int32"),
    ...(rowStarts === undefined ? {} : { rowStarts: tf.tensor1d(rowStarts, "int32") }),
    ...(rowTargets === undefined ? {} : { rowTargets: tf.tensor1d(rowTargets, "int32") }),
  };
}

/** Rows of data as they are in one epoch, in arrays: a function of rows, seed and epoch alone. */
export function layOutEpoch(
  objective: Objective,
  rows: readonly TrainingRow[],
  tensorRows: readonly TensorRow[],
  { layout, seed, epoch }: { layout: RowLayout; seed: number; epoch: number },
): BatchArrays {
  const { needs } = objective;
  if (objective.redraw === undefined) return layOut(rows, tensorRows, layout, needs);
  const drawn: TrainingRow[] = [];
  const places = tensorRows.map((tensorRow) =>
    tensorRow.map((index) => {
      const row = rows[index];
      if (row === undefined) throw new RangeError(`there is no row ${index} among ${rows.length}`);
      const random = Random.derive(seed, `row ${index} in epoch ${epoch}`);
      return drawn.push(objective.redraw?.(row, random) ?? row) - 1;
    }),
  );
  return layOut(drawn, places, layout, needs);
}
