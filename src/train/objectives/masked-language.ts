import { embeddingLookup, softmaxCrossEntropySum } from "../../engine/ops/index.js";
import { tf, type TensorFlow } from "../../engine/tensorflow.js";
import {
  type BatchTensors,
  heededOptions,
  type LossOptions,
  type Objective,
  type Trainable,
} from "../objective.js";
import { maskRow, type MaskingRule } from "./masking.js";

/** What an encoder is given: int32 tensors `[batch, time]`. */
export type EncoderBatch = Pick<
  BatchTensors,
  "ids" | "positions" | "segments" | "tokenTypes" | "dropoutSeed"
> &
  Pick<LossOptions, "recomputeBlocks">;

/** An encoder that reads whole rows; `Bert` is one. */
export interface EncoderModel extends Trainable {
  /** `[batch, time, width]` */
  hiddenStates(input: EncoderBatch): TensorFlow.Tensor3D;
}

/** An encoder that says which words were masked, and whether the second text of a pair follows the first. */
export interface MaskedLanguageModel extends EncoderModel {
  readonly config: Trainable["config"] & {
    readonly tokenTypes: number;
    readonly head: { readonly kind: string };
  };
  /** `[n, width]` -> `[n, vocabulary]` */
  maskedLogits(hidden: TensorFlow.Tensor2D): TensorFlow.Tensor2D;
  /** Of first tokens: `[n, width]` -> `[n, 2]` */
  nextSentenceLogits(first: TensorFlow.Tensor2D): TensorFlow.Tensor2D;
}

/**
 * Learning masked words, and whether the second text follows the first where the model has a head for it (Devlin et al.
 * 2019). The loss of a step is the mean over its masked words plus the mean over its rows: each cross entropy is summed
 * over the whole step and divided by its own number, however the step is cut into batches.
 * @param rule how rows are masked anew in each epoch; without it they stay as they are
 */
export function maskedLanguage(model: MaskedLanguageModel, rule?: MaskingRule): Objective {
  const { vocabularySize, tokenTypes, head } = model.config;
  const pairs = head.kind === "pre-training";
  return {
    name: pairs ? "masked-language-next-sentence" : "masked-language",
    model,
    needs: {
      targetClasses: vocabularySize,
      padding: true,
      tokenTypes,
      ...(pairs ? { rowTargets: 2 } : {}),
    },
    options: heededOptions(model),
    lossSums: ({ targetPositions, targets, rowStarts, rowTargets, ...input }, { recomputeBlocks } = {}) => {
      const rows = flatRows(model.hiddenStates({ ...input, recomputeBlocks }));
      const chosen = embeddingLookup(rows, targetPositions) as TensorFlow.Tensor2D;
      const words = softmaxCrossEntropySum(model.maskedLogits(chosen), targets);
      if (!pairs) return [words];
      if (rowStarts === undefined || rowTargets === undefined) throw new Error("the rows have no labels");
      const first = embeddingLookup(rows, rowStarts) as TensorFlow.Tensor2D;
      return [words, softmaxCrossEntropySum(model.nextSentenceLogits(first), rowTargets)];
    },
    ...(rule === undefined ? {} : { redraw: (row, random) => maskRow(row, rule, random) }),
  };
}

/** `[batch, time, width]` -> `[batch * time, width]` */
export function flatRows(hidden: TensorFlow.Tensor3D): TensorFlow.Tensor2D {
  const [batch, time, width] = hidden.shape;
  return tf.reshape<TensorFlow.Rank.R2>(hidden, [batch * time, width]);
}
