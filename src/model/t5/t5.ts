import { causalMask, paddingMask, sameSegmentMask, segmentMask } from "../../engine/ops/attention-mask.js";
import { joinHeads } from "../../engine/ops/attention.js";
import { mix } from "../../engine/ops/attention-mix.js";
import { biasedAttentionOperation, splitHeads } from "../../engine/ops/biased-attention.js";
import { bucketTable, relativeBiasOperation } from "../../engine/ops/relative-bias.js";
import { scaleOperation } from "../../engine/ops/scale.js";
import { Tape } from "../../engine/ops/tape.js";
import { tf, type TensorFlow } from "../../engine/tensorflow.js";
import { KitError } from "../../support/errors.js";
import { Dropout } from "../dropout.js";
import { headLogits } from "../head.js";
import { Layers } from "../layers.js";
import type { LoraAdapter } from "../lora/adapter.js";
import { startValues } from "../parameters.js";
import { makeWeights, type ValuesOf, WeightedModel, type Weights } from "../weighted-model.js";
import { type CrossPart, T5Cache } from "./cache.js";
import type { T5Config } from "./config.js";
import { keysAndValues, stackForward, type StackRows } from "./forward.js";
import { type Stack, t5ParameterSpecs } from "./parameters.js";

type Tensor = TensorFlow.Tensor;

const HEAD = "head.weight";

/** What the encoder reads. */
export interface EncoderInput {
  /** int32 `[batch, inputTime]` */
  readonly ids: TensorFlow.Tensor2D;
  /** int32 `[batch, inputTime]`: 0 at padding, on either side; by default there is none. */
  readonly segments?: TensorFlow.Tensor2D;
}

/** A batch of inputs and of what the decoder has said so far. */
export interface T5Input extends EncoderInput {
  /** int32 `[batch, time]`, each row from the decoder's start token on; padding on the right needs nothing else. */
  readonly decoderIds: TensorFlow.Tensor2D;
  /**
   * int32 `[batch, time]`: tokens see only their own segment, in the encoder too. Given when rows are packed or padded on
   * the left, together with `segments`.
   */
  readonly decoderSegments?: TensorFlow.Tensor2D;
  /** int32 `[2]`, another one for each pass: there is dropout, where the config or an adapter has a rate of it. */
  readonly dropoutSeed?: TensorFlow.Tensor1D;
  /**
   * Of each block, of either stack, only the input is kept for the backward pass, as in `DecoderInput`. Default: false.
   */
  readonly recomputeBlocks?: boolean | undefined;
}

/** A T5 encoder-decoder, its parameters in float32 variables. */
export class T5 extends WeightedModel<T5Config> {
  /** It heeds `T5Input.recomputeBlocks`. */
  readonly recomputesBlocks = true;
  readonly #trunk: readonly TensorFlow.Variable[];

  private constructor(config: T5Config, weights: Weights, adapter?: LoraAdapter) {
    super(config, weights, adapter);
    // An untied head has no part in the hidden states.
    this.#trunk = [...this.parameters].filter(([name]) => name !== HEAD).map(([, value]) => value);
  }

  /** A T5 with start values from a seed: the same config and seed give the same bits everywhere. */
  static create(config: T5Config, seed: number): T5 {
    return T5.fromValues(config, (spec) => startValues(spec, seed));
  }

  /** A T5 with given values, e.g. those of a checkpoint; they are asked for one parameter after another. */
  static fromValues(config: T5Config, valuesOf: ValuesOf): T5 {
    return new T5(config, makeWeights(t5ParameterSpecs(config), valuesOf));
  }

  /**
   * The same model, whose weights it shares, with low-rank updates that alone are trained. It is disposed before this
   * one, and its `dispose` frees the adapter only.
   */
  withAdapter(adapter: LoraAdapter): T5 {
    return new T5(this.config, this.weights, adapter);
  }

  protected override get dropoutRate(): number {
    return Math.max(this.config.dropout, super.dropoutRate);
  }

  override get settings(): unknown {
    const { dropout } = this.config;
    return dropout === 0 ? super.settings : { adapter: super.settings, dropout };
  }

  /**
   * Hidden states of the decoder after the final norm (and its scale, where the head has one), differentiable in the
   * parameters.
   * @returns `[batch, time, width]`
   * @throws KitError when inputs or outputs are longer than the context
   */
  hiddenStates(input: T5Input): TensorFlow.Tensor3D {
    const [batch, time] = input.decoderIds.shape;
    return tf.tidy(() => tf.reshape(this.#hidden(input), [batch, time, this.config.width]));
  }

  /**
   * Reads inputs, so that answers can be generated token by token. No gradient.
   * @returns what the decoder then reads; the caller disposes it
   * @throws KitError when an input is longer than the context
   */
  encode({ ids, segments }: EncoderInput): T5Cache {
    this.#checkLength(ids.shape[1], "an input");
    const [batch, time] = ids.shape;
    const { heads, decoderLayers } = this.config;
    const cross: CrossPart[] = [];
    const mask = tf.tidy(() => {
      const padding = segments === undefined ? tf.zeros([batch, 1, 1, time]) : paddingMask(segments).bias;
      const encoded = Tape.forward((tape) =>
        this.#encoded(
          this.#layers(tape, undefined),
          { ids, recomputeBlocks: false },
          padding,
          this.#dropout(undefined),
        ),
      );
      const part = (name: string): Tensor =>
        tf.keep(
          Tape.forward((tape) =>
            splitHeads(this.#layers(tape, undefined).linear(name, encoded), batch, heads),
          ),
        );
      for (let layer = 0; layer < decoderLayers; layer++) {
        const name = crossName(layer);
        cross.push({ key: part(`${name}.key`), value: part(`${name}.value`) });
      }
      return tf.keep(padding);
    });
    return new T5Cache(cross, mask);
  }

  /**
   * Hidden states of tokens that follow those in the cache, which takes them in; as `hiddenStates`, without a gradient.
   * @param ids int32 `[batch, new]`; the first ones after the encoder's are the decoder's start tokens
   * @returns `[batch, new, width]`
   * @throws KitError when an output becomes longer than the context
   */
  extend(ids: TensorFlow.Tensor2D, cache: T5Cache): TensorFlow.Tensor3D {
    const [batch, time] = ids.shape;
    const { heads, width } = this.config;
    const before = cache.length;
    this.#checkLength(before + time, "an output");
    cache.own.reserve(time, new Array<number>(batch).fill(time));
    return tf.tidy(() => {
      const mask = cache.own.mask(time).bias;
      const hidden = Tape.forward((tape) => {
        const layerOf = this.#layers(tape, undefined);
        const bias = this.#relativeBias(layerOf, "decoder", time, before + time, mask);
        return this.#scaled(
          tape,
          stackForward(
            layerOf,
            this.config,
            "decoder",
            { ids, recomputeBlocks: false },
            {
              shared: [],
              self: (parts, layer) => {
                const [key, value] = [parts.key, parts.value].map((x) => splitHeads(x, batch, heads));
                if (key === undefined || value === undefined)
                  throw new Error("attention has keys and values");
                const all = cache.own.join(layer, key, value);
                return joinHeads(
                  mix(splitHeads(parts.query, batch, heads), all.key, all.value, { bias }).output,
                );
              },
              cross: (query, layer) => {
                const { key, value, bias: padding } = cache.cross(layer);
                return joinHeads(mix(splitHeads(query, batch, heads), key, value, { bias: padding }).output);
              },
            },
            this.#dropout(undefined),
          ),
        );
      });
      return tf.reshape(hidden, [batch, time, width]);
    });
  }

  /**
   * Logits of chosen rows; callers gather the supervised positions first.
   * @param hidden `[rows, width]`
   * @returns `[rows, vocabulary]`
   */
  logits(hidden: TensorFlow.Tensor2D): TensorFlow.Tensor2D {
    const head = this.weight(this.config.tiedHead ? "embedding.token" : HEAD);
    return headLogits(hidden, head as TensorFlow.Tensor2D, this.adapter === undefined);
  }

  /** `[batch * time, width]` */
  #hidden(input: T5Input): Tensor {
    const { ids, segments, decoderIds, decoderSegments, dropoutSeed, recomputeBlocks = false } = input;
    const [batch, inputTime] = ids.shape;
    const [, time] = decoderIds.shape;
    const { heads } = this.config;
    this.#checkLength(inputTime, "an input");
    this.#checkLength(time, "an output");
    const masks = masksOf(segments, decoderSegments, time);
    return Tape.run(this.#trunk, (tape) => {
      if (tape.recording) this.checkDropout(dropoutSeed);
      if (tape.recording && recomputeBlocks) tape.hold([masks.cross, dropoutSeed]);
      const seed = tape.recording ? dropoutSeed : undefined;
      const layerOf = this.#layers(tape, seed);
      const dropout = this.#dropout(seed);
      const encoded = this.#encoded(layerOf, { ids, recomputeBlocks }, masks.encoder, dropout);
      const bias = this.#relativeBias(layerOf, "decoder", time, time, masks.decoder);
      const hidden = stackForward(
        layerOf,
        this.config,
        "decoder",
        { ids: decoderIds, recomputeBlocks },
        {
          shared: [bias, encoded] as const,
          self: ({ query, key, value }, _, [ownBias]) =>
            tape.apply(biasedAttentionOperation, [query, key, value, ownBias], {
              ...{ batch, heads, dropout: dropout.mask([batch, heads, time, time]) },
            }),
          cross: (query, layer, [, read]) => {
            const { key, value } = keysAndValues(layerOf, crossName(layer), read);
            return tape.apply(biasedAttentionOperation, [query, key, value, masks.cross], {
              ...{ batch, heads, dropout: dropout.mask([batch, heads, time, inputTime]) },
            });
          },
        },
        dropout,
      );
      return this.#scaled(tape, hidden);
    });
  }

  /** The encoder's output `[batch * inputTime, width]`. */
  #encoded(layerOf: Layers, rows: StackRows, mask: Tensor | undefined, dropout: Dropout): Tensor {
    const [batch, time] = rows.ids.shape;
    const { heads } = this.config;
    const bias = this.#relativeBias(layerOf, "encoder", time, time, mask);
    return stackForward(
      layerOf,
      this.config,
      "encoder",
      rows,
      {
        shared: [bias] as const,
        self: ({ query, key, value }, _, [ownBias]) =>
          layerOf.tape.apply(biasedAttentionOperation, [query, key, value, ownBias], {
            ...{ batch, heads, dropout: dropout.mask([batch, heads, time, time]) },
          }),
      },
      dropout,
    );
  }

  /** What all layers of a stack add to their scores; the last query is at the last key. */
  #relativeBias(
    layerOf: Layers,
    stack: Stack,
    queries: number,
    keys: number,
    mask: Tensor | undefined,
  ): Tensor {
    const { positionBuckets, farthestPosition } = this.config;
    const rules = { buckets: positionBuckets, farthest: farthestPosition, bothWays: stack === "encoder" };
    const buckets = bucketTable(queries, keys, keys - queries, rules);
    return layerOf.tape.apply(relativeBiasOperation, [layerOf.parameter(`${stack}.positions`)], {
      buckets,
      mask,
    });
  }

  #scaled(tape: Tape, hidden: Tensor): Tensor {
    const { scaledHead, width } = this.config;
    return scaledHead ? tape.apply(scaleOperation, [hidden], { factor: width ** -0.5 }) : hidden;
  }

  /** The dropout of a pass. @param seed undefined: nothing is left out */
  #dropout(seed: TensorFlow.Tensor1D | undefined): Dropout {
    return new Dropout(this.config.dropout, seed);
  }

  #layers(tape: Tape, dropoutSeed: TensorFlow.Tensor1D | undefined): Layers {
    return new Layers(tape, this.weights, this.adapter?.updates(dropoutSeed));
  }

  #checkLength(time: number, what: string): void {
    const { contextLength } = this.config;
    if (time <= contextLength) return;
    throw new KitError(
      `${what} of ${time} tokens is longer than the context of the model (${contextLength} tokens)`,
      "cut it, or raise contextLength (n_positions in config.json) where the memory allows",
      { field: "contextLength" },
    );
  }
}

/** What each kind of attention adds to its scores. */
interface Masks {
  readonly encoder: Tensor | undefined;
  readonly decoder: Tensor;
  readonly cross: Tensor | undefined;
}

function masksOf(
  segments: EncoderInput["segments"],
  decoderSegments: T5Input["decoderSegments"],
  time: number,
): Masks {
  if (segments !== undefined && decoderSegments !== undefined) {
    return {
      encoder: sameSegmentMask(segments, segments).bias,
      decoder: segmentMask(decoderSegments).bias,
      cross: sameSegmentMask(decoderSegments, segments).bias,
    };
  }
  const padding = segments === undefined ? undefined : paddingMask(segments).bias;
  return { encoder: padding, decoder: causalMask(time).bias, cross: padding };
}

function crossName(layer: number): string {
  return `decoder.layers.${layer}.crossAttention`;
}
