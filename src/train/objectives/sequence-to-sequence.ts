import type { Spans } from "../../data/spans.js";
import { embeddingLookup, softmaxCrossEntropySum } from "../../engine/ops/index.js";
import { tf, type TensorFlow } from "../../engine/tensorflow.js";
import { KitError } from "../../support/errors.js";
import {
  type BatchTensors,
  heededOptions,
  type LossOptions,
  type Objective,
  type Trainable,
} from "../objective.js";
import { type RowLimits, rowsOf, type TrainingRow } from "../rows.js";

/** What the rows of an encoder-decoder depend on. */
export interface SequenceLimits extends RowLimits {
  /** The token that the decoder starts with. */
  readonly decoderStart: number;
  /** The token that ends each input; absent for none. */
  readonly inputEnd?: number;
}

/** What learning to answer needs of an encoder-decoder; `T5` is one. */
export interface SequenceModel extends Trainable {
  readonly config: SequenceLimits;
  /** Hidden states of the decoder, `[batch, decoderTime, width]`. */
  hiddenStates(
    input: Pick<BatchTensors, "ids" | "segments" | "dropoutSeed"> &
      Pick<LossOptions, "recomputeBlocks"> & { readonly decoderIds: TensorFlow.Tensor2D },
  ): TensorFlow.Tensor3D;
  /** `[n, width]` -> `[n, vocabulary]` */
  logits(hidden: TensorFlow.Tensor2D): TensorFlow.Tensor2D;
}

/**
 * Learning to answer: the encoder reads the prompt, and the cross entropy is summed over the tokens that the decoder
 * should say. Padding of the encoder is seen by nobody.
 * @param name of what the rows are made for, part of what a run is
 */
export function sequenceToSequence(
  model: SequenceModel,
  name = "sequence-to-sequence",
  redraw?: Objective["redraw"],
): Objective {
  return {
    name,
    model,
    needs: { targetClasses: model.config.vocabularySize, padding: true, decoder: true },
    options: heededOptions(model, "labelSmoothing", "zLoss"),
    lossSums: ({ ids, segments, decoderIds, dropoutSeed, targetPositions, targets }, options = {}) => {
      if (decoderIds === undefined || segments === undefined) throw new Error("rows without a decoder");
      const seed = dropoutSeed === undefined ? {} : { dropoutSeed };
      const { labelSmoothing, zLoss, recomputeBlocks } = options;
      const hidden = model.hiddenStates({ ids, segments, decoderIds, recomputeBlocks, ...seed });
      const [batch, time, width] = hidden.shape;
      const rows = tf.reshape<TensorFlow.Rank.R2>(hidden, [batch * time, width]);
      const chosen = embeddingLookup(rows, targetPositions) as TensorFlow.Tensor2D;
      return [softmaxCrossEntropySum(model.logits(chosen), targets, undefined, { labelSmoothing, zLoss })];
    },
    ...(redraw === undefined ? {} : { redraw }),
  };
}

/**
 * A row of an encoder-decoder: what is read, and what is to be said, its end token last.
 *
 *     read      translate : ja </s>
 *     said      yes </s>                decoderInputs   <start> yes
 *                                       targets         yes </s>
 * @throws KitError at the row when one of them is empty or longer than the context, or a token is unknown
 */
export function sequenceRow(
  id: string,
  read: readonly number[],
  said: readonly number[],
  limits: SequenceLimits,
  row: number,
): TrainingRow {
  const { contextLength, vocabularySize, decoderStart } = limits;
  const fail = (problem: string, cure: string): KitError =>
    new KitError(`${problem} (id "${id}")`, cure, { row });
  if (read.length === 0 || said.length === 0) {
    throw fail("nothing is read, or nothing is to be said", "drop the row when rendering");
  }
  for (const part of [read, said]) {
    if (part.length > contextLength) {
      throw fail(
        `the row has ${part.length} tokens on one side, the model's context is ${contextLength}`,
        "render with a smaller maxTokens",
      );
    }
    const unknown = part.find((token) => !(Number.isInteger(token) && token >= 0 && token < vocabularySize));
    if (unknown !== undefined) {
      throw fail(`the model has no token ${unknown}`, "use the tokenizer that the model was made for");
    }
  }
  return {
    id,
    inputs: Int32Array.from(read),
    decoderInputs: Int32Array.from([decoderStart, ...said.slice(0, -1)]),
    targetOffsets: Int32Array.from(said.keys()),
    targets: Int32Array.from(said),
    tokens: read.length + said.length,
  };
}

/**
 * Rendered rows for an encoder-decoder: the encoder reads the prompt, and the whole response is to be said.
 * @param bytesOf UTF-8 bytes of the supervised text of a row (`supervisedBytes`)
 * @throws KitError when there are no rows, or one is unfit
 */
export function sequenceRows(
  rows: readonly Spans[],
  limits: SequenceLimits,
  bytesOf?: (row: Spans) => number,
): TrainingRow[] {
  const { inputEnd } = limits;
  const prepare = ({ id, ids, supervised, promptLength }: Spans, number: number): TrainingRow => {
    if (supervised.some((flag, position) => flag !== position >= promptLength)) {
      throw new KitError(
        `an encoder-decoder says the response and nothing else (id "${id}")`,
        'render with lossOn "response"',
        { row: number, field: "render.lossOn" },
      );
    }
    const prompt = ids.slice(0, promptLength);
    const read = inputEnd === undefined ? prompt : [...prompt, inputEnd];
    return sequenceRow(id, read, ids.slice(promptLength), limits, number);
  };
  return rowsOf(rows, prepare, bytesOf);
}
