import type { Graph } from "../../engine/compile/graph.js";
import { generalise } from "../../engine/compile/passes/generalise.js";
import { record, type RecordingRequest } from "../../engine/compile/record.js";
import { joinHeads, splitHeads } from "../../engine/ops/attention.js";
import { type AttentionMask, HIDDEN } from "../../engine/ops/attention-mask.js";
import { mix } from "../../engine/ops/attention-mix.js";
import { integerConstant } from "../../engine/ops/constants.js";
import { pairLogProbabilities } from "../../engine/ops/cross-entropy.js";
import { add, multiply, reshape, scale } from "../../engine/ops/kernels.js";
import { NO_ATTRIBUTES, rawOps } from "../../engine/ops/raw-ops.js";
import { Tape } from "../../engine/ops/tape.js";
import { tf, type TensorFlow } from "../../engine/tensorflow.js";
import { attentionLayout } from "../attention-layout.js";
import { headShape } from "../config.js";
import type { Decoder } from "../decoder.js";
import { type Attend, decoderForward, type ForwardInput } from "../forward.js";
import { Layers } from "../layers.js";

type Tensor = TensorFlow.Tensor;

/** Names of the keys and values of a layer, as variables of the session and as outputs of a recording. */
export const cacheNames = (layer: number): readonly [key: string, value: string] => [
  `cache/${layer}/keys`,
  `cache/${layer}/values`,
];

/** Small sizes that share no factors, so that it shows which number comes from which size. */
const SIZES = [
  { batch: 2, time: 5, rows: 7, pairs: 11, capacity: 9, held: 19 },
  { batch: 3, time: 7, rows: 11, pairs: 13, capacity: 11, held: 23 },
  { batch: 5, time: 6, rows: 13, pairs: 17, capacity: 13, held: 29 },
  { batch: 2, time: 8, rows: 17, pairs: 19, capacity: 17, held: 31 },
];
type Recorded = Omit<RecordingRequest, "variables">;

/**
 * Log-probabilities of tokens in rows that are trees: a prompt, and branches that each see the prompt and themselves.
 *
 *     ids         p p p a a b      segments  0 0 0 1 1 2     positions  0 1 2 3 4 3
 *
 * Placeholders: ids, positions, segments int32 `[batch, time]`; rows int32 `[rows]`, the flat places whose hidden states
 * count; pairRows and targets int32 `[pairs]`, see `pairLogProbabilities`; the sizes. Output: logprobs `[pairs]`.
 */
export function recordScoring(decoder: Decoder): Graph {
  return recorded(decoder, ["batch", "time", "rows", "pairs"], ({ batch, time, rows, pairs }) => {
    const ids = matrix(batch, time, decoder.config.vocabularySize);
    const positions = matrix(batch, time, time);
    const segments = matrix(batch, time, 3);
    const chosen = vector(rows, batch * time);
    const pairRows = vector(pairs, rows);
    const targets = vector(pairs, decoder.config.vocabularySize);
    return {
      inputs: { ids, positions, segments, rows: chosen, pairRows, targets },
      body: () => {
        const mask = { bias: treeBias(segments) };
        const hidden = forward(decoder, { ids, positions, rows: chosen }, (joint) => {
          const { scaledQuery, key, value } = splitHeads(joint, layoutOf(decoder, ids, positions));
          return joinHeads(mix(scaledQuery, key, value, mask).output);
        });
        const logits = decoder.logits(hidden as TensorFlow.Tensor2D);
        return { logprobs: pairLogProbabilities(logits, pairRows, targets) };
      },
    };
  });
}

/**
 * The first pass of an answer, over whole prompts: padded on the right, where no token of theirs looks. Their keys and
 * values are written into the variables' own memory, beside those of the rows that are there.
 *
 * Placeholders: ids, positions int32 `[batch, time]`; rows int32 `[rows]`, the flat place of each row's last token; places
 * int32 `[batch * keyValueHeads * time]`, where the keys go in the flattened variables; the sizes, of which `held` is the
 * rows of the variables. Outputs: logits `[rows, vocabulary]`, next int32 `[rows]`, and the written variables.
 */
export function recordPrompt(decoder: Decoder): Graph {
  const { keyValueHeads, headWidth } = headShape(decoder.config);
  return recorded(decoder, ["batch", "time", "rows", "capacity", "held"], (sizes) => {
    const { batch, time, rows, capacity, held } = sizes;
    const ids = matrix(batch, time, decoder.config.vocabularySize);
    const positions = matrix(batch, time, time);
    const last = vector(rows, batch * time);
    const written = batch * keyValueHeads * time;
    const places = vector(written, held * keyValueHeads * capacity);
    const states = new CacheStates(decoder, held, capacity);
    return {
      inputs: { ids, positions, rows: last, places },
      states: states.tensors,
      body: () => {
        const caches: Record<string, Tensor> = {};
        const write = (name: string, value: Tensor): void => {
          caches[name] = writeRows(states.flat(name), places, reshape(value, [written, headWidth]));
        };
        const mask = { bias: scale(tf.cast(laterKeys(time), "float32"), HIDDEN) };
        const hidden = forward(decoder, { ids, positions, rows: last }, (joint, layer) => {
          const { scaledQuery, key, value } = splitHeads(joint, layoutOf(decoder, ids, positions));
          const [keys, values] = cacheNames(layer);
          write(keys, key);
          write(values, value);
          return joinHeads(mix(scaledQuery, key, value, mask).output);
        });
        return { ...nextOf(decoder, hidden), ...caches };
      },
    };
  });
}

/**
 * One more token of each row, with the keys and values of those before it in variables `[batch, heads, capacity, width]`.
 * The new ones are written into the variables' own memory, at the token's position: a row has no gaps.
 *
 * Placeholders: ids, positions int32 `[batch, 1]`; unused float32 `[batch, 1, 1, capacity]`, added to the scores; the
 * sizes. Outputs: logits `[batch, vocabulary]`, next int32 `[batch]`.
 */
export function recordToken(decoder: Decoder): Graph {
  const { keyValueHeads, headWidth } = headShape(decoder.config);
  return recorded(decoder, ["batch", "capacity"], ({ batch, capacity }) => {
    const ids = matrix(batch, 1, decoder.config.vocabularySize);
    const positions = matrix(batch, 1, capacity);
    const unused = tf.zeros([batch, 1, 1, capacity]);
    const states = new CacheStates(decoder, batch, capacity);
    return {
      inputs: { ids, positions, unused },
      states: states.tensors,
      body: () => {
        const rows = batch * keyValueHeads;
        const starts = multiply(
          tf.tensor1d(
            Array.from({ length: rows }, (_, row) => row),
            "int32",
          ),
          integerConstant(capacity),
        );
        const places = reshape(add(reshape(starts, [batch, keyValueHeads]), positions), [rows]);
        const write = (name: string, value: Tensor): Tensor =>
          reshape(writeRows(states.flat(name), places, reshape(value, [rows, headWidth])), states.shape);
        const mask: AttentionMask = { bias: unused };
        const hidden = forward(decoder, { ids, positions, rows: undefined }, (joint, layer) => {
          const { scaledQuery, key, value } = splitHeads(joint, layoutOf(decoder, ids, positions));
          const [keys, values] = cacheNames(layer);
          return joinHeads(mix(scaledQuery, write(keys, key), write(values, value), mask).output);
        });
        return nextOf(decoder, hidden);
      },
    };
  });
}

/** Keys and values as they stand in the session while a graph is recorded. */
class CacheStates {
  readonly shape: [number, number, number, number];
  readonly tensors: ReadonlyMap<string, Tensor>;

  constructor({ config }: Decoder, rows: number, capacity: number) {
    const { keyValueHeads, headWidth } = headShape(config);
    this.shape = [rows, keyValueHeads, capacity, headWidth];
    const names = Array.from({ length: config.layers }, (_, layer) => cacheNames(layer)).flat();
    this.tensors = new Map(names.map((name) => [name, tf.zeros(this.shape)]));
  }

  /** `[rows * heads * capacity, width]` */
  flat(name: string): Tensor {
    const tensor = this.tensors.get(name);
    if (tensor === undefined) throw new Error(`there is no ${name}`);
    const [rows, heads, capacity, width] = this.shape;
    return reshape(tensor, [rows * heads * capacity, width]);
  }
}

function recorded(
  decoder: Decoder,
  names: readonly (keyof (typeof SIZES)[number])[],
  make: (sizes: (typeof SIZES)[number]) => Recorded,
): Graph {
  const variables = new Map([...decoder.weights, ...(decoder.adapter?.parameters ?? [])]);
  const recordings = SIZES.map((sizes) => {
    const request = make(sizes);
    try {
      const graph = record({ ...request, variables });
      return { graph, sizes: Object.fromEntries(names.map((name) => [sizeName(name), sizes[name]])) };
    } finally {
      tf.dispose([...Object.values(request.inputs), ...(request.states?.values() ?? [])]);
    }
  });
  return generalise(recordings);
}

/** The placeholder of a size. */
export const sizeName = (name: string): string => `size_of_${name}`;

function forward(decoder: Decoder, input: Omit<ForwardInput, "recomputeBlocks">, attend: Attend): Tensor {
  return Tape.forward((tape) => {
    const layers = new Layers(tape, decoder.weights, decoder.adapter?.updates(undefined));
    return decoderForward(layers, decoder.config, { ...input, recomputeBlocks: false }, attend);
  });
}

function layoutOf(
  decoder: Decoder,
  ids: TensorFlow.Tensor2D,
  positions: TensorFlow.Tensor2D,
): ReturnType<typeof attentionLayout> {
  const [batch, time] = ids.shape;
  return attentionLayout(decoder.config, batch, time, positions);
}

function nextOf(decoder: Decoder, hidden: Tensor): { readonly logits: Tensor; readonly next: Tensor } {
  const logits = decoder.logits(hidden as TensorFlow.Tensor2D);
  return { logits, next: tf.argMax(logits, 1) };
}

/** bool `[time, time]`: whether a key comes after a query. */
function laterKeys(time: number): Tensor {
  const counting = tf.tensor1d(
    Array.from({ length: time }, (_, place) => place),
    "int32",
  );
  return tf.greater(reshape(counting, [1, -1]), reshape(counting, [-1, 1]));
}

/** float32 `[batch, 1, time, time]` from segments, of which 0 is seen by all. */
function treeBias(segments: TensorFlow.Tensor2D): Tensor {
  const [batch, time] = segments.shape;
  const keys = reshape(segments, [batch, 1, 1, time]);
  const other = tf.notEqual(keys, reshape(segments, [batch, 1, time, 1]));
  const branch = tf.notEqual(keys, integerConstant(0));
  const hidden = tf.logicalOr(laterKeys(time), tf.logicalAnd(other, branch));
  return scale(tf.cast(hidden, "float32"), HIDDEN);
}

/** Writes rows into the memory of a tensor `[n, width]`, and gives that same memory. */
function writeRows(x: Tensor, places: Tensor, rows: Tensor): Tensor {
  const raw = rawOps();
  if (raw === undefined) throw new Error("the native engine does not run");
  return raw.executeSingleOutput("InplaceUpdate", NO_ATTRIBUTES, [x, places, rows]);
}

function matrix(rows: number, columns: number, below: number): TensorFlow.Tensor2D {
  return tf.tensor2d(numbers(rows * columns, below), [rows, columns], "int32");
}

function vector(length: number, below: number): TensorFlow.Tensor1D {
  return tf.tensor1d(numbers(length, below), "int32");
}

/** Numbers below a limit, in no order. */
function numbers(length: number, below: number): Int32Array {
  return Int32Array.from({ length }, (_, index) => (index * 7) % below);
}
