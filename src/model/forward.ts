import { embeddingOperation } from "../engine/ops/embedding.js";
import { geluOperation } from "../engine/ops/gelu.js";
import { reshape } from "../engine/ops/kernels.js";
import { layerNormOperation } from "../engine/ops/layer-norm.js";
import { linearOperation } from "../engine/ops/linear.js";
import { positionsOperation } from "../engine/ops/positions.js";
import { residualOperation } from "../engine/ops/residual.js";
import { rmsNormOperation } from "../engine/ops/rms-norm.js";
import { swigluOperation } from "../engine/ops/silu.js";
import type { Tape } from "../engine/ops/tape.js";
import type { TensorFlow } from "../engine/tensorflow.js";
import type { DecoderConfig } from "./config.js";

type Tensor = TensorFlow.Tensor;

/** The parameters by name. */
export type Parameters = ReadonlyMap<string, Tensor>;

/** How a block mixes its positions: queries, keys and values `[rows, columns]` -> `[rows, heads * headWidth]`. */
export type Attend = (joint: Tensor, layer: number) => Tensor;

/** What goes through the decoder. */
export interface ForwardInput {
  /** int32 `[batch, time]` */
  readonly ids: TensorFlow.Tensor2D;
  /** int32 `[batch, time]`, or undefined: each row counts from 0. */
  readonly positions: TensorFlow.Tensor2D | undefined;
  /** int32 `[n]`, places in the flattened `[batch * time]`: only their hidden states are wanted. */
  readonly rows: TensorFlow.Tensor1D | undefined;
}

/**
 * The decoder from token ids to the hidden states after the final norm. Everything but attention works on single rows,
 * so activations are `[batch * time, width]` throughout. Where only some rows are wanted, the last block works on
 * these alone after its attention: no other position reads what it would give for the rest.
 * @returns `[batch * time, width]`, or `[n, width]` for the wanted rows
 */
export function decoderForward(
  tape: Tape,
  config: DecoderConfig,
  parameters: Parameters,
  { ids, positions, rows }: ForwardInput,
  attend: Attend,
): Tensor {
  const layerOf = new Layers(tape, config, parameters);
  const [batch, time] = ids.shape;
  let stream = tape.apply(embeddingOperation, [layerOf.parameter("embedding.token")], {
    ids: reshape(ids, [batch * time]),
    size: config.vocabularySize,
  });
  if (config.positions.kind === "learned") {
    const { contextLength } = config;
    const options = { batch, time, positions, contextLength };
    stream = tape.apply(positionsOperation, [stream, layerOf.parameter("embedding.position")], options);
  }
  for (let layer = 0; layer < config.layers; layer++) {
    const input = stream;
    const wanted = layer === config.layers - 1 ? rows : undefined;
    stream = tape.scope(() => block(layerOf, input, layer, attend, wanted));
  }
  return layerOf.norm("norm", stream);
}

function block(
  layerOf: Layers,
  input: Tensor,
  layer: number,
  attend: Attend,
  wanted: Tensor | undefined,
): Tensor {
  const attention = `layers.${layer}.attention`;
  const feedForward = `layers.${layer}.feedForward`;
  const parallel = layerOf.config.block === "parallel";
  const read = layerOf.norm(parallel ? `layers.${layer}.norm` : `${attention}.norm`, input);
  const joint = layerOf.linear(`${attention}.queryKeyValue`, read);
  const mixed = layerOf.choose(attend(joint, layer), wanted);
  const stream = layerOf.residual(
    layerOf.choose(input, wanted),
    layerOf.linear(`${attention}.output`, mixed),
  );
  const normed = parallel ? layerOf.choose(read, wanted) : layerOf.norm(`${feedForward}.norm`, stream);
  const activated = layerOf.activation(feedForward, normed);
  return layerOf.residual(stream, layerOf.linear(`${feedForward}.down`, activated));
}

/** The layers of a decoder by the name of their parameters, recorded on a tape. */
class Layers {
  readonly config: DecoderConfig;
  readonly #tape: Tape;
  readonly #parameters: Parameters;

  constructor(tape: Tape, config: DecoderConfig, parameters: Parameters) {
    this.#tape = tape;
    this.config = config;
    this.#parameters = parameters;
  }

  parameter(name: string): Tensor {
    const parameter = this.#parameters.get(name);
    if (parameter === undefined) throw new Error(`the decoder has no parameter ${name}`);
    return parameter;
  }

  linear(name: string, x: Tensor): Tensor {
    const inputs = [x, this.parameter(`${name}.weight`), this.#parameters.get(`${name}.bias`)] as const;
    return this.#tape.apply(linearOperation, inputs, { transposed: false });
  }

  norm(name: string, x: Tensor): Tensor {
    const { kind, epsilon } = this.config.norm;
    const gain = this.parameter(`${name}.gain`);
    if (kind === "rms") return this.#tape.apply(rmsNormOperation, [x, gain], { epsilon });
    return this.#tape.apply(layerNormOperation, [x, gain, this.#parameters.get(`${name}.bias`)], { epsilon });
  }

  activation(name: string, x: Tensor): Tensor {
    const up = this.linear(`${name}.up`, x);
    if (this.config.activation === "gelu-tanh") return this.#tape.apply(geluOperation, [up], undefined);
    return this.#tape.apply(swigluOperation, [this.linear(`${name}.gate`, x), up], undefined);
  }

  /** The wanted rows of `[rows, width]`, all by default. */
  choose(x: Tensor, wanted: Tensor | undefined): Tensor {
    if (wanted === undefined) return x;
    const [size = 0] = x.shape;
    return this.#tape.apply(embeddingOperation, [x], { ids: wanted, size });
  }

  residual(stream: Tensor, branch: Tensor): Tensor {
    return this.#tape.apply(residualOperation, [stream, branch], undefined);
  }
}
