import type { Graph } from "../../engine/compile/graph.js";
import { generalise, type SizedGraph } from "../../engine/compile/passes/generalise.js";
import { record } from "../../engine/compile/record.js";
import { tf, type TensorFlow } from "../../engine/tensorflow.js";
import { Random } from "../../support/random.js";
import type { BatchArrays } from "../batch.js";
import { batchTensors, tensorLossSum, type TrainableModel } from "../loss.js";
import { gradientOutput } from "./training-graph.js";

/** The sizes of a batch, which differ from batch to batch. */
export interface BatchSizes {
  /** Rows of the tensor. */
  readonly batch: number;
  /** Positions of a row. */
  readonly time: number;
  /** Supervised tokens. */
  readonly targets: number;
}

/** What batches of a run can be like. */
export interface BatchLimits {
  /** Positions of a row, at most. */
  readonly longestRow: number;
  readonly packed: boolean;
}

/** Rows with fewer positions than this cannot be recorded at enough different sizes; nor is there anything to gain. */
export const SHORTEST_CONTEXT = 8;

/** Small sizes that share no factors, so that it shows which number comes from which size. */
const SMALL_SIZES: readonly BatchSizes[] = [
  { batch: 2, time: 5, targets: 7 },
  { batch: 3, time: 7, targets: 11 },
  { batch: 5, time: 6, targets: 13 },
];

/**
 * Loss and gradient of a batch of any size, as a graph: recorded at three small sizes, where it costs little, and once
 * with the longest rows that a run has, because masks and tables are taken from there.
 *
 * Placeholders: ids, positions, segments, targetPositions, targets; dropoutSeed, where the model has dropout; share, what
 * the loss is multiplied by; batch, time and targetCount, the sizes. Outputs: loss, and the gradient of each parameter.
 * @throws KitError that names the op which cannot be recorded faithfully
 */
export function recordLoss(model: TrainableModel, limits: BatchLimits): Graph {
  const largest = { batch: 2, time: Math.max(limits.longestRow, SHORTEST_CONTEXT), targets: 17 };
  const recordings = [...SMALL_SIZES, largest].map((sizes, index) =>
    recordAt(model, sizes, limits.packed, index),
  );
  return generalise(recordings);
}

function recordAt(model: TrainableModel, sizes: BatchSizes, packed: boolean, seed: number): SizedGraph {
  const arrays = madeUpBatch(model, sizes, packed, seed);
  const variables = [...model.parameters.values()];
  const names = [...model.parameters.keys()];
  const seeds = model.hasDropout === true ? { dropoutSeed: tf.tensor1d([seed, seed], "int32") } : {};
  const tensors = { ...batchTensors(arrays), ...seeds };
  const share = tf.scalar(1 / sizes.targets);
  try {
    const graph = record({
      inputs: { ...tensors, share },
      variables: new Map([...model.parameters, ...(model.frozen ?? [])]),
      body: () => {
        const { value, grads } = tf.variableGrads(
          () => tf.mul(tensorLossSum(model, tensors), share),
          variables,
        );
        const gradients = names.map((name, index): [string, TensorFlow.Tensor] => {
          const gradient = grads[variables[index]?.name ?? ""];
          if (gradient === undefined) throw new Error(`the loss does not depend on the parameter ${name}`);
          return [gradientOutput(name), gradient];
        });
        return { loss: value, ...Object.fromEntries(gradients) };
      },
    });
    const { batch, time, targets } = sizes;
    return { graph, sizes: { batch, time, targetCount: targets } };
  } finally {
    tf.dispose([share, ...Object.values<TensorFlow.Tensor>({ ...tensors })]);
  }
}

/** Any batch of the given sizes; other data for each seed, so that what is worked out from the data shows. */
function madeUpBatch(
  { config }: TrainableModel,
  { batch, time, targets }: BatchSizes,
  packed: boolean,
  seed: number,
): BatchArrays {
  const random = Random.derive(seed, "recording");
  const size = batch * time;
  const draw = (length: number, below: number): Int32Array =>
    Int32Array.from({ length }, () => random.integer(below));
  const split = Math.floor(time / 2);
  const place = (index: number): number => index % time;
  return {
    batch,
    time,
    ids: draw(size, config.vocabularySize),
    targetPositions: draw(targets, size),
    targets: draw(targets, config.vocabularySize),
    ...(packed
      ? {
          positions: Int32Array.from({ length: size }, (_, index) =>
            place(index) < split ? place(index) : place(index) - split,
          ),
          segments: Int32Array.from({ length: size }, (_, index) => (place(index) < split ? 1 : 2)),
        }
      : {}),
  };
}
