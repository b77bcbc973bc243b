import { paddingMask, sameSegmentMask } from "../../engine/ops/attention-mask.js";
import { linearOperation } from "../../engine/ops/linear.js";
import { Tape } from "../../engine/ops/tape.js";
import { tanhOperation } from "../../engine/ops/tanh.js";
import { tf, type TensorFlow } from "../../engine/tensorflow.js";
import { Layers } from "../layers.js";
import type { LoraAdapter } from "../lora/adapter.js";
import { startValues } from "../parameters.js";
import { makeWeights, type ValuesOf, WeightedModel, type Weights } from "../weighted-model.js";
import { checkContextLength } from "../context-length.js";
import type { BertConfig } from "./config.js";
import { Dropout } from "../dropout.js";
import { activation, bertForward } from "./forward.js";
import { bertParameterSpecs, isHeadParameter } from "./parameters.js";

type Tensor2D = TensorFlow.Tensor2D;

/** A batch of rows, each `[CLS] a [SEP]` or `[CLS] a [SEP] b [SEP]`. */
export interface BertInput {
  /** int32 `[batch, time]` */
  readonly ids: Tensor2D;
  /** int32 `[batch, time]`: 0 in the first text, 1 in the second; by default all 0. */
  readonly tokenTypes?: Tensor2D;
  /** int32 `[batch, time]`, where rows are packed; by default each row counts from 0, padding included. */
  readonly positions?: Tensor2D;
  /**
   * int32 `[batch, time]`: 0 is padding, on either side, and where rows are packed tokens see only their own segment; by
   * default all 1.
   */
  readonly segments?: Tensor2D;
  /** int32 `[2]`, another one for each pass: there is dropout, where the config or an adapter has a rate of it. */
  readonly dropoutSeed?: TensorFlow.Tensor1D;
  /** Of each block only the input is kept for the backward pass, as in `DecoderInput`. Default: false. */
  readonly recomputeBlocks?: boolean | undefined;
  /** Told of each layer's attention weights, `[batch, heads, time, time]`, in the forward pass. */
  readonly onAttention?: ((layer: number, weights: TensorFlow.Tensor) => void) | undefined;
}

/** A BERT encoder with its head, its parameters in float32 variables. */
export class Bert extends WeightedModel<BertConfig> {
  /** It heeds `BertInput.recomputeBlocks`. */
  readonly recomputesBlocks = true;
  /** Whether of the weights the head alone is trained. */
  readonly #headOnly: boolean;

  private constructor(config: BertConfig, weights: Weights, adapter?: LoraAdapter, headOnly = false) {
    super(config, weights, adapter);
    this.#headOnly = headOnly;
  }

  /** A BERT with start values from a seed: the same config and seed give the same bits everywhere. */
  static create(config: BertConfig, seed: number): Bert {
    return Bert.fromValues(config, (spec) => startValues(spec, seed));
  }

  /** A BERT with given values, e.g. those of a checkpoint; they are asked for one parameter after another. */
  static fromValues(config: BertConfig, valuesOf: ValuesOf): Bert {
    return new Bert(config, makeWeights(bertParameterSpecs(config), valuesOf));
  }

  /**
   * A model with the encoder of this one and another head, for transfer learning: what both have is copied (also the
   * pooler), the rest starts from the seed.
   */
  withHead(head: BertConfig["head"], seed: number): Bert {
    return Bert.fromValues({ ...this.config, head }, (spec) => {
      const known = this.weights.get(spec.name);
      if (known?.shape.join() !== spec.shape.join()) return startValues(spec, seed);
      return this.weight(spec.name).dataSync<"float32">().slice();
    });
  }

  /**
   * The same model, whose weights it shares, with low-rank updates that alone are trained; with `trainHead`, the head too
   * (with the pooler), as a head that starts from nothing needs it. It is disposed before this one, and its `dispose`
   * frees the adapter only.
   */
  withAdapter(adapter: LoraAdapter, { trainHead = false } = {}): Bert {
    return new Bert(this.config, this.weights, adapter, trainHead);
  }

  /** The same model, whose weights it shares, of which training changes the head alone (with the pooler). */
  withFrozenEncoder(): Bert {
    return new Bert(this.config, this.weights, undefined, true);
  }

  /** Whether the head is trained beside an adapter, or alone. */
  get trainsHead(): boolean {
    return this.#headOnly;
  }

  override get parameters(): Weights {
    if (!this.#headOnly) return super.parameters;
    const head = this.#weightsOf(isHeadParameter);
    return this.adapter === undefined ? head : new Map([...this.adapter.parameters, ...head]);
  }

  override get frozen(): Weights {
    return this.#headOnly ? this.#weightsOf((name) => !isHeadParameter(name)) : super.frozen;
  }

  protected override get dropoutRate(): number {
    return Math.max(this.config.dropout, super.dropoutRate);
  }

  override get settings(): unknown {
    const { dropout } = this.config;
    return dropout === 0 ? super.settings : { adapter: super.settings, dropout };
  }

  /**
   * Hidden states of the last block, differentiable in what is trained.
   * @returns `[batch, time, width]`
   * @throws KitError when the rows are longer than the context
   */
  hiddenStates(input: BertInput): TensorFlow.Tensor3D {
    const { ids, positions, dropoutSeed, onAttention, recomputeBlocks = false } = input;
    const [batch, time] = ids.shape;
    checkContextLength(time, this.config.contextLength);
    return tf.tidy(() => {
      const segments = input.segments ?? tf.onesLike(ids);
      const tokenTypes = input.tokenTypes ?? tf.zerosLike(ids);
      // Rows are packed where they have positions; else all segments are 1, and the smaller mask does.
      const mask = positions === undefined ? paddingMask(segments) : sameSegmentMask(segments, segments);
      const hidden = this.#run([], isHeadParameter, dropoutSeed, (layerOf, dropout) => {
        const { tape } = layerOf;
        if (tape.recording) this.checkDropout(dropoutSeed);
        if (tape.recording && recomputeBlocks) tape.hold([mask.bias, dropoutSeed]);
        const rows = { ids, tokenTypes, positions, mask, recomputeBlocks, onAttention };
        return bertForward(layerOf, this.config, rows, dropout);
      });
      return tf.reshape(hidden, [batch, time, this.config.width]);
    });
  }

  /**
   * Logits of the words at masked places.
   * @param hidden `[n, width]`
   * @returns `[n, vocabulary]`
   */
  maskedLogits(hidden: Tensor2D): Tensor2D {
    const used = (name: string): boolean => !name.startsWith("masked.") && name !== "embedding.token";
    return this.#run([hidden], used, undefined, (layerOf) => {
      const transformed = activation(layerOf, this.config, layerOf.linear("masked.transform", hidden));
      const normed = layerOf.layerNorm("masked.norm", transformed, this.config.epsilon);
      const inputs = [
        normed,
        layerOf.parameter("embedding.token"),
        layerOf.parameter("masked.bias"),
      ] as const;
      return layerOf.tape.apply(linearOperation, inputs, { transposed: true });
    }) as Tensor2D;
  }

  /**
   * Logits of whether the second text follows the first: column 0 it does, column 1 it is another's.
   * @param first hidden states of the first token of each row, `[n, width]`
   * @returns `[n, 2]`
   */
  nextSentenceLogits(first: Tensor2D): Tensor2D {
    return this.#pooledLogits("nextSentence", first, undefined);
  }

  /**
   * Logits of the classes.
   * @param first hidden states of the first token of each row, `[n, width]`
   * @param dropoutSeed of the pass; dropout is on what the classifier reads
   * @returns `[n, classes]`
   */
  classLogits(first: Tensor2D, dropoutSeed?: TensorFlow.Tensor1D): Tensor2D {
    return this.#pooledLogits("classifier", first, dropoutSeed);
  }

  #pooledLogits(
    name: "nextSentence" | "classifier",
    first: Tensor2D,
    dropoutSeed: TensorFlow.Tensor1D | undefined,
  ): Tensor2D {
    const used = (parameter: string): boolean =>
      !parameter.startsWith("pooler.") && !parameter.startsWith(`${name}.`);
    return this.#run([first], used, dropoutSeed, (layerOf) => {
      const pooled = layerOf.tape.apply(tanhOperation, [layerOf.linear("pooler", first)], undefined);
      // A place of its own, after those of the encoder.
      const dropout = new Dropout(this.config.dropout, dropoutSeed, 1 + 3 * this.config.layers);
      return layerOf.linear(name, dropout.apply(layerOf, pooled));
    }) as Tensor2D;
  }

  /** Runs a part of the network. @param unused whether the part does without a parameter */
  #run(
    inputs: readonly TensorFlow.Tensor[],
    unused: (name: string) => boolean,
    dropoutSeed: TensorFlow.Tensor1D | undefined,
    network: (layerOf: Layers, dropout: Dropout) => TensorFlow.Tensor,
  ): TensorFlow.Tensor {
    const trained = [...this.parameters].filter(([name]) => !unused(name)).map(([, value]) => value);
    return Tape.run([...inputs, ...trained], (tape) => {
      const updates = this.adapter?.updates(tape.recording ? dropoutSeed : undefined);
      const dropout = new Dropout(this.config.dropout, tape.recording ? dropoutSeed : undefined);
      return network(new Layers(tape, this.weights, updates), dropout);
    });
  }

  #weightsOf(wanted: (name: string) => boolean): Weights {
    return new Map([...this.weights].filter(([name]) => wanted(name)));
  }

  /** Frees the weights, or the adapter where there is one; a model that shares its weights frees nothing. */
  override dispose(): void {
    if (!this.#headOnly) super.dispose();
    else this.adapter?.dispose();
  }
}
