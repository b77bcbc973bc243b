import type { Graph } from "../../engine/compile/graph.js";
import { generalise, type SizedGraph } from "../../engine/compile/passes/generalise.js";
import type { Sizes } from "../../engine/compile/passes/size-formula.js";
import { record } from "../../engine/compile/record.js";
import { tf, type TensorFlow } from "../../engine/tensorflow.js";
import { Random } from "../../support/random.js";
import type { BatchArrays } from "../batch.js";
import { termCounts, weightedLoss } from "../loss.js";
import { batchTensors, type LossOptions, type Objective, type Trainable } from "../objective.js";
import { gradientOutput } from "./training-graph.js";

/** The sizes of a batch, which differ from batch to batch. */
export interface BatchSizes {
  /** Rows of the tensor. */
  readonly batch: number;
  /** Positions of a row. */
  readonly time: number;
  /** Supervised tokens. */
  readonly targets: number;
  /** Positions of a row of the decoder, where there is one beside an encoder. */
  readonly decoderTime: number;
  /** Rows of data that have a label. */
  readonly labels: number;
}

/** What batches of a run can be like. */
export interface BatchLimits {
  /** Positions of a row, at most. */
  readonly longestRow: number;
  /** Positions of a row of the decoder, at most; 0 where there is none beside an encoder. */
  readonly longestDecoderRow?: number;
  readonly packed: boolean;
  /** In how many slices of queries attention is computed; divides the positions of every row. Default: 1. */
  readonly querySlices?: number;
}

/** Rows with fewer positions than this cannot be recorded at enough different sizes; nor is there anything to gain. */
export const SHORTEST_CONTEXT = 8;

/** Small sizes that share no factors, so that it shows which number comes from which size. */
const SMALL_SIZES: readonly BatchSizes[] = [
  { batch: 2, time: 5, targets: 7, decoderTime: 6, labels: 11 },
  { batch: 3, time: 7, targets: 11, decoderTime: 3, labels: 5 },
  { batch: 5, time: 6, targets: 13, decoderTime: 7, labels: 7 },
];

/**
 * Loss and gradient of a batch of any size, as a graph: recorded at three small sizes, where it costs little, and once
 * with the longest rows that a run has, because masks and tables are taken from there.
 *
 * Placeholders: the tensors of a batch; dropoutSeed, where the model has dropout; `shareName` of each term of the loss;
 * the sizes of `sizesOf`. Outputs: loss, and the gradient of each parameter.
 * @throws KitError that names the op which cannot be recorded faithfully
 */
export function recordLoss(objective: Objective, limits: BatchLimits, options: LossOptions = {}): Graph {
  const { querySlices = 1 } = limits;
  return generalise(
    recordedSizes(limits).map((sizes, index) =>
      recordGradient(objective, sizes, limits, index, { ...options, querySlices }),
    ),
  );
}

/**
 * The terms of the loss alone, without a gradient, dropout or added terms, for a batch of any size: what a validation
 * measures.
 *
 * Placeholders: the tensors of a batch and the sizes of `sizesOf`, each under its name for a validation (`validationInput`).
 * Outputs: `sumOutput` of each term of the loss.
 * @throws KitError that names the op which cannot be recorded faithfully
 */
export function recordSums(objective: Objective, limits: BatchLimits): Graph {
  return generalise(
    recordedSizes(limits).map((sizes, index) => recordTerms(objective, sizes, limits, index)),
  );
}

/** The placeholder of a tensor or a size in the part of the graph that measures a validation. */
export function validationInput(name: string): string {
  return `validation/${name}`;
}

/** The output of a term of the loss, counted from 0, summed over its targets. */
export function sumOutput(term: number): string {
  return `sum ${term}`;
}

function recordedSizes({ longestRow, longestDecoderRow = 0, querySlices = 1 }: BatchLimits): BatchSizes[] {
  const largest = {
    ...{ batch: 2, time: Math.max(longestRow, SHORTEST_CONTEXT), targets: 17 },
    ...{ decoderTime: Math.max(longestDecoderRow, SHORTEST_CONTEXT), labels: 13 },
  };
  return [...SMALL_SIZES.map((sizes) => ({ ...sizes, time: querySlices * sizes.time })), largest];
}

/** The placeholder of what a term of the loss is multiplied by, counted from 0. */
export function shareName(term: number): string {
  return term === 0 ? "share" : `share${term}`;
}

/** The sizes of a batch by the name of their placeholder. */
export function sizesOf(
  { batch, time, targets, decoderTime, rowTargets }: BatchArrays,
  { querySlices = 1 }: Pick<BatchLimits, "querySlices">,
): Sizes {
  return {
    // All sizes along the time are whole multiples of a slice's.
    ...{ batch, sliceTime: time / querySlices, targetCount: targets.length },
    ...(decoderTime === undefined ? {} : { decoderTime }),
    ...(rowTargets === undefined ? {} : { labelCount: rowTargets.length }),
  };
}

function recordGradient(
  objective: Objective,
  sizes: BatchSizes,
  limits: BatchLimits,
  seed: number,
  options: LossOptions,
): SizedGraph {
  const { model } = objective;
  const arrays = madeUpBatch(objective, sizes, limits.packed, seed);
  const variables = [...model.parameters.values()];
  const names = [...model.parameters.keys()];
  const seeds = model.hasDropout === true ? { dropoutSeed: tf.tensor1d([seed, seed], "int32") } : {};
  const tensors = { ...batchTensors(arrays), ...seeds };
  const shares = termCounts([arrays]).map((count) => tf.scalar(1 / count));
  try {
    const graph = record({
      inputs: {
        ...tensors,
        ...Object.fromEntries(shares.map((share, term) => [shareName(term), share])),
      },
      variables: variablesOf(model),
      body: () => {
        const { value, grads } = tf.variableGrads(
          () => weightedLoss(objective.lossSums(tensors, options), shares),
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
    return { graph, sizes: sizesOf(arrays, limits) };
  } finally {
    tf.dispose([...shares, ...Object.values<TensorFlow.Tensor>({ ...tensors })]);
  }
}

function recordTerms(objective: Objective, sizes: BatchSizes, limits: BatchLimits, seed: number): SizedGraph {
  const arrays = madeUpBatch(objective, sizes, limits.packed, seed);
  const tensors = batchTensors(arrays);
  try {
    const graph = record({
      inputs: withNames<TensorFlow.Tensor>(validationInput, { ...tensors }),
      variables: variablesOf(objective.model),
      body: () => {
        const sums = objective.lossSums(tensors, { querySlices: limits.querySlices });
        return Object.fromEntries(sums.map((sum, term) => [sumOutput(term), sum]));
      },
    });
    return { graph, sizes: withNames(validationInput, sizesOf(arrays, limits)) };
  } finally {
    tf.dispose(Object.values<TensorFlow.Tensor>({ ...tensors }));
  }
}

function variablesOf({ parameters, frozen }: Trainable): ReadonlyMap<string, TensorFlow.Variable> {
  return new Map([...parameters, ...(frozen ?? [])]);
}

/** The same values under other names. */
export function withNames<Value>(
  nameOf: (name: string) => string,
  values: Readonly<Record<string, Value>>,
): Record<string, Value> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [nameOf(name), value]));
}

/** Any batch of the given sizes; other data for each seed, so that what is worked out from the data shows. */
function madeUpBatch(
  { model: { config }, needs }: Objective,
  { batch, time, targets, decoderTime, labels }: BatchSizes,
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
    targetPositions: draw(targets, needs.decoder === true ? batch * decoderTime : size),
    targets: draw(targets, needs.targetClasses),
    ...(packed
      ? {
          positions: Int32Array.from({ length: size }, (_, index) =>
            place(index) < split ? place(index) : place(index) - split,
          ),
        }
      : {}),
    ...(packed || needs.padding === true
      ? { segments: Int32Array.from({ length: size }, (_, index) => (place(index) < split ? 1 : 2)) }
      : {}),
    ...(needs.tokenTypes === undefined ? {} : { tokenTypes: draw(size, needs.tokenTypes) }),
    ...(needs.decoder === true
      ? { decoderTime, decoderIds: draw(batch * decoderTime, config.vocabularySize) }
      : {}),
    ...(needs.rowTargets === undefined
      ? {}
      : { rowStarts: draw(labels, size), rowTargets: draw(labels, needs.rowTargets) }),
  };
}
