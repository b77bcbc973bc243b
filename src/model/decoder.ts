import { joinHeads, selfAttentionOperation, splitHeads } from "../engine/ops/attention.js";
import { mix } from "../engine/ops/attention-mix.js";
import { causalMask, segmentMask } from "../engine/ops/attention-mask.js";
import { Tape } from "../engine/ops/tape.js";
import { tf, type TensorFlow } from "../engine/tensorflow.js";
import { attentionLayout } from "./attention-layout.js";
import type { KeyValueCache } from "./cache.js";
import type { DecoderConfig } from "./config.js";
import { checkContextLength } from "./context-length.js";
import { decoderForward } from "./forward.js";
import { headLogits } from "./head.js";
import { Layers } from "./layers.js";
import type { LoraAdapter } from "./lora/adapter.js";
import { parameterSpecs, startValues } from "./parameters.js";
import { makeWeights, type ValuesOf, WeightedModel, type Weights } from "./weighted-model.js";

const HEAD = "head.weight";

/** A batch of token rows. */
export interface DecoderInput {
  /** int32 `[batch, time]` */
  readonly ids: TensorFlow.Tensor2D;
  /** int32 `[batch, time]`; by default each row counts from 0. */
  readonly positions?: TensorFlow.Tensor2D;
  /** int32 `[batch, time]`: tokens see only their own segment. Given when rows are packed; 0 is padding. */
  readonly segments?: TensorFlow.Tensor2D;
  /** int32 `[2]`, another one for each pass: there is dropout, where the adapter has a rate of it. */
  readonly dropoutSeed?: TensorFlow.Tensor1D;
  /**
   * Of each block only the input is kept for the backward pass, which computes the rest again (activation checkpointing):
   * less memory, the same gradients, a third more work. Default: false.
   */
  readonly recomputeBlocks?: boolean | undefined;
  /** In how many slices of queries attention is computed, see `mixSlices`; divides the time. Default: 1. */
  readonly querySlices?: number | undefined;
  /** Told of each layer's attention weights, `[batch, heads, time, time]`, in the forward pass. */
  readonly onAttention?: ((layer: number, weights: TensorFlow.Tensor) => void) | undefined;
}

/** A decoder-only transformer with pre-norm blocks (GPT-2, Llama, PaLM), its parameters in float32 variables. */
export class Decoder extends WeightedModel<DecoderConfig> {
  /** It heeds `DecoderInput.recomputeBlocks`. */
  readonly recomputesBlocks = true;
  /** It heeds `DecoderInput.querySlices`. */
  readonly slicesQueries = true;
  readonly #trunk: readonly TensorFlow.Variable[];

  private constructor(config: DecoderConfig, weights: Weights, adapter?: LoraAdapter) {
    super(config, weights, adapter);
    // An untied head has no part in the hidden states.
    this.#trunk = [...this.parameters].filter(([name]) => name !== HEAD).map(([, value]) => value);
  }

  /** A decoder with GPT-2's start, from a seed: the same config and seed give the same bits everywhere. */
  static create(config: DecoderConfig, seed: number): Decoder {
    return Decoder.fromValues(config, (spec) => startValues(spec, seed));
  }

  /** A decoder with given values, e.g. those of a checkpoint; they are asked for one parameter after another. */
  static fromValues(config: DecoderConfig, valuesOf: ValuesOf): Decoder {
    return new Decoder(config, makeWeights(parameterSpecs(config), valuesOf));
  }

  /**
   * The same decoder, whose weights it shares, with low-rank updates that alone are trained. It is disposed before this
   * one, and its `dispose` frees the adapter only.
   */
  withAdapter(adapter: LoraAdapter): Decoder {
    return new Decoder(this.config, this.weights, adapter);
  }

  /**
   * Hidden states after the final norm, differentiable in the parameters.
   * @returns `[batch, time, width]`
   * @throws KitError when the rows are longer than the context
   */
  hiddenStates(input: DecoderInput): TensorFlow.Tensor3D {
    const [batch, time] = input.ids.shape;
    return tf.tidy(() => tf.reshape(this.#hidden(input, undefined), [batch, time, this.config.width]));
  }

  /**
   * Hidden states of some positions only, e.g. those from which a supervised token is predicted: the same numbers as
   * those rows of `hiddenStates`, without the last block's work for the others.
   * @param rows int32 `[n]`, places in the flattened `[batch * time]`
   * @returns `[n, width]`
   * @throws KitError when the rows are longer than the context
   */
  hiddenRows(input: DecoderInput, rows: TensorFlow.Tensor1D): TensorFlow.Tensor2D {
    return this.#hidden(input, rows) as TensorFlow.Tensor2D;
  }

  /**
   * Hidden states of tokens that follow those in the cache, which takes them in. No gradient.
   * @param ids int32 `[batch, new]`, short rows filled up on the right with any id
   * @param counts for each row, how many of its new ids are tokens; by default all
   * @returns `[batch, new, width]`; what stands at filled-up places is meaningless
   * @throws KitError when a row becomes longer than the context
   */
  extend(ids: TensorFlow.Tensor2D, cache: KeyValueCache, counts?: readonly number[]): TensorFlow.Tensor3D {
    const [batch, time] = ids.shape;
    const tokens = counts ?? new Array<number>(batch).fill(time);
    return tf.tidy(() =>
      tf.reshape(this.#extend(ids, cache, tokens, undefined), [batch, time, this.config.width]),
    );
  }

  /**
   * As `extend`, but only the hidden state of each row's last token: what the next token is chosen from.
   * @returns `[batch, width]`
   */
  extendLast(
    ids: TensorFlow.Tensor2D,
    cache: KeyValueCache,
    counts?: readonly number[],
  ): TensorFlow.Tensor2D {
    const [batch, time] = ids.shape;
    const tokens = counts ?? new Array<number>(batch).fill(time);
    return tf.tidy(() => {
      const last = tf.tensor1d(
        tokens.map((count, row) => row * time + count - 1),
        "int32",
      );
      return this.#extend(ids, cache, tokens, time === 1 ? undefined : last) as TensorFlow.Tensor2D;
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

  /** `[batch * time, width]`, or `[n, width]` */
  #hidden(
    {
      ids,
      positions,
      segments,
      dropoutSeed,
      recomputeBlocks = false,
      querySlices,
      onAttention,
    }: DecoderInput,
    rows: TensorFlow.Tensor1D | undefined,
  ): TensorFlow.Tensor {
    const [batch, time] = ids.shape;
    checkContextLength(time, this.config.contextLength);
    return tf.tidy(() => {
      const mask = segments === undefined ? causalMask(time) : segmentMask(segments);
      const options = { mask, querySlices, ...attentionLayout(this.config, batch, time, positions) };
      return Tape.run(this.#trunk, (tape) => {
        if (tape.recording) this.checkDropout(dropoutSeed);
        if (tape.recording && recomputeBlocks) {
          const { rotary } = options;
          tape.hold([mask.bias, rotary?.cosines, rotary?.sines, rows, dropoutSeed]);
        }
        const layers = new Layers(tape, this.weights, this.adapter?.updates(dropoutSeed));
        const input = { ids, positions, rows, recomputeBlocks };
        return decoderForward(layers, this.config, input, (joint, layer) =>
          tape.apply(selfAttentionOperation, [joint], {
            ...options,
            ...(onAttention && { onWeights: (weights) => onAttention(layer, weights) }),
          }),
        );
      });
    });
  }

  #extend(
    ids: TensorFlow.Tensor2D,
    cache: KeyValueCache,
    tokens: readonly number[],
    rows: TensorFlow.Tensor1D | undefined,
  ): TensorFlow.Tensor {
    const [batch, time] = ids.shape;
    const { contextLength } = this.config;
    const before = cache.lengths;
    checkContextLength(Math.max(...before.map((length, row) => length + (tokens[row] ?? 0))), contextLength);
    cache.reserve(time, tokens);
    return tf.tidy(() => {
      const places = before.flatMap((length) =>
        Array.from({ length: time }, (_, index) => Math.min(length + index, contextLength - 1)),
      );
      const positions = tf.tensor2d(places, [batch, time], "int32");
      const layout = attentionLayout(this.config, batch, time, positions);
      const mask = cache.mask(time);
      return Tape.forward((tape) => {
        const layers = new Layers(tape, this.weights, this.adapter?.updates(undefined));
        const input = { ids, positions, rows, recomputeBlocks: false };
        return decoderForward(layers, this.config, input, (joint, layer) => {
          const { scaledQuery, key, value } = splitHeads(joint, layout);
          const all = cache.join(layer, key, value);
          return joinHeads(mix(scaledQuery, all.key, all.value, mask).output);
        });
      });
    });
  }
}
