import { geluOperation } from "../engine/ops/gelu.js";
import { reshape } from "../engine/ops/kernels.js";
import { positionsOperation } from "../engine/ops/positions.js";
import { swigluOperation } from "../engine/ops/silu.js";
import type { TensorFlow } from "../engine/tensorflow.js";
import type { DecoderConfig } from "./config.js";
import type { Layers } from "./layers.js";

type Tensor = TensorFlow.Tensor;

/** How a block mixes its positions: queries, keys and values `[rows, columns]` -> `[rows, heads * headWidth]`. */
export type Attend = (joint: Tensor, layer: number) => Tensor;

/** What goes through the decoder. */
export interface ForwardInput {
  /** int32 `[batch, time]` */
  readonly ids: TensorFlow.Tensor2D;
  /** int32 `[batch, time]`, or undefined: each row counts from 0. */
  readonly positions: TensorFlow.Tensor2D | undefined;
  /** int32 `[n]`, different places in the flattened `[batch * time]`: only their hidden states are wanted. */
  readonly rows: TensorFlow.Tensor1D | undefined;
  /** Whether blocks keep nothing but their input, see `Tape.recompute`. */
  readonly recomputeBlocks: boolean;
}

/**
 * The decoder from token ids to the hidden states after the final norm. Everything but attention works on single rows,
 * so activations are `[batch * time, width]` throughout. Where only some rows are wanted, the last block works on
 * these alone after its attention: no other position reads what it would give for the rest.
 * @returns `[batch * time, width]`, or `[n, width]` for the wanted rows
 */
export function decoderForward(
  layerOf: Layers,
  config: DecoderConfig,
  { ids, positions, rows, recomputeBlocks }: ForwardInput,
  attend: Attend,
): Tensor {
  const { tape } = layerOf;
  const [batch, time] = ids.shape;
  let stream = layerOf.rows(layerOf.parameter("embedding.token"), reshape(ids, [batch * time]));
  if (config.positions.kind === "learned") {
    const { contextLength } = config;
    const options = { batch, time, positions, contextLength };
    stream = tape.apply(positionsOperation, [stream, layerOf.parameter("embedding.position")], options);
  }
  for (let layer = 0; layer < config.layers; layer++) {
    const wanted = layer === config.layers - 1 ? rows : undefined;
    const inputs = [stream] as const;
    const run = ([input]: typeof inputs): Tensor => block(layerOf, config, input, layer, attend, wanted);
    stream = recomputeBlocks ? tape.recompute(inputs, run) : tape.scope(() => run(inputs));
  }
  return norm(layerOf, config, "norm", stream);
}

function block(
  layerOf: Layers,
  config: DecoderConfig,
  input: Tensor,
  layer: number,
  attend: Attend,
  wanted: Tensor | undefined,
): Tensor {
  const attention = `layers.${layer}.attention`;
  const feedForward = `layers.${layer}.feedForward`;
  const parallel = config.block === "parallel";
  const choose = (x: Tensor): Tensor => (wanted === undefined ? x : layerOf.chosenRows(x, wanted));
  const read = norm(layerOf, config, parallel ? `layers.${layer}.norm` : `${attention}.norm`, input);
  const joint = layerOf.linear(`${attention}.queryKeyValue`, read);
  const mixed = choose(attend(joint, layer));
  const stream = layerOf.residual(choose(input), layerOf.linear(`${attention}.output`, mixed));
  const normed = parallel ? choose(read) : norm(layerOf, config, `${feedForward}.norm`, stream);
  const activated = activation(layerOf, config, feedForward, normed);
  return layerOf.residual(stream, layerOf.linear(`${feedForward}.down`, activated));
}

function norm(layerOf: Layers, config: DecoderConfig, name: string, x: Tensor): Tensor {
  const { kind, epsilon } = config.norm;
  return kind === "rms" ? layerOf.rmsNorm(name, x, epsilon) : layerOf.layerNorm(name, x, epsilon);
}

function activation(layerOf: Layers, config: DecoderConfig, name: string, x: Tensor): Tensor {
  const up = layerOf.linear(`${name}.up`, x);
  if (config.activation === "gelu-tanh") return layerOf.tape.apply(geluOperation, [up], undefined);
  return layerOf.tape.apply(swigluOperation, [layerOf.linear(`${name}.gate`, x), up], undefined);
}
