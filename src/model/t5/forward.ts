import { gegluOperation } from "../../engine/ops/gelu.js";
import { reshape } from "../../engine/ops/kernels.js";
import { reluOperation } from "../../engine/ops/relu.js";
import type { TensorFlow } from "../../engine/tensorflow.js";
import type { Dropout } from "../dropout.js";
import type { Layers } from "../layers.js";
import type { T5Config } from "./config.js";
import type { Stack } from "./parameters.js";

type Tensor = TensorFlow.Tensor;

/** Queries, keys and values of one attention, each `[rows, heads * headWidth]`. */
export interface AttentionParts {
  readonly query: Tensor;
  readonly key: Tensor;
  readonly value: Tensor;
}

/** How the blocks of a stack mix positions, each giving `[rows, heads * headWidth]`. */
export interface StackAttention<Shared extends readonly Tensor[]> {
  /** What every block reads besides what the one before it gives: the bias of the positions, the encoder's output. */
  readonly shared: Shared;
  readonly self: (parts: AttentionParts, layer: number, shared: Shared) => Tensor;
  /** From the decoder to the encoder's output, given the queries. */
  readonly cross?: (query: Tensor, layer: number, shared: Shared) => Tensor;
}

/** What goes through a stack. */
export interface StackRows {
  /** int32 `[batch, time]` */
  readonly ids: TensorFlow.Tensor2D;
  /** Whether blocks keep nothing but their input, see `Tape.recompute`. */
  readonly recomputeBlocks: boolean;
}

/**
 * One stack from token ids to the hidden states after its norm. Everything but attention works on single rows, so
 * activations are `[batch * time, width]` throughout.
 * @param dropout of the pass, in the places of `transformers`; that of attention weights is up to `attention`
 */
export function stackForward<Shared extends readonly Tensor[]>(
  layerOf: Layers,
  config: T5Config,
  stack: Stack,
  { ids, recomputeBlocks }: StackRows,
  attention: StackAttention<Shared>,
  dropout: Dropout,
): Tensor {
  const { tape } = layerOf;
  const embedded = layerOf.rows(layerOf.parameter("embedding.token"), reshape(ids, [ids.size]));
  let stream = dropout.apply(layerOf, embedded);
  const layers = stack === "encoder" ? config.encoderLayers : config.decoderLayers;
  for (let layer = 0; layer < layers; layer++) {
    const inputs = [stream, ...attention.shared] as const;
    const name = `${stack}.layers.${layer}`;
    const run = dropout.repeatable(([input, ...shared]: typeof inputs) =>
      block(layerOf, config, name, input, layer, { ...attention, shared }, dropout),
    );
    stream = recomputeBlocks ? tape.recompute(inputs, run) : tape.scope(() => run(inputs));
  }
  return dropout.apply(layerOf, layerOf.rmsNorm(`${stack}.norm`, stream, config.epsilon));
}

function block<Shared extends readonly Tensor[]>(
  layerOf: Layers,
  config: T5Config,
  name: string,
  input: Tensor,
  layer: number,
  { shared, self, cross }: StackAttention<Shared>,
  dropout: Dropout,
): Tensor {
  const { epsilon } = config;
  const joined = (stream: Tensor, branch: string, x: Tensor): Tensor =>
    layerOf.residual(stream, dropout.apply(layerOf, layerOf.linear(branch, x)));
  const own = `${name}.attention`;
  const read = layerOf.rmsNorm(`${own}.norm`, input, epsilon);
  const query = layerOf.linear(`${own}.query`, read);
  const mixed = self({ query, ...keysAndValues(layerOf, own, read) }, layer, shared);
  let stream = joined(input, `${own}.output`, mixed);
  if (cross !== undefined) {
    const other = `${name}.crossAttention`;
    const asked = layerOf.linear(`${other}.query`, layerOf.rmsNorm(`${other}.norm`, stream, epsilon));
    stream = joined(stream, `${other}.output`, cross(asked, layer, shared));
  }
  const feedForward = `${name}.feedForward`;
  const normed = layerOf.rmsNorm(`${feedForward}.norm`, stream, epsilon);
  const up = layerOf.linear(`${feedForward}.up`, normed);
  const activated =
    config.activation === "relu"
      ? layerOf.tape.apply(reluOperation, [up], undefined)
      : layerOf.tape.apply(gegluOperation, [layerOf.linear(`${feedForward}.gate`, normed), up], undefined);
  return joined(stream, `${feedForward}.down`, dropout.apply(layerOf, activated));
}

/** Keys and values of an attention: of what its own stack reads, or of the encoder's output. */
export function keysAndValues(
  layerOf: Layers,
  attention: string,
  read: Tensor,
): Pick<AttentionParts, "key" | "value"> {
  return {
    key: layerOf.linear(`${attention}.key`, read),
    value: layerOf.linear(`${attention}.value`, read),
  };
}
