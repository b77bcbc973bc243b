import { embeddingLookup, softmaxCrossEntropySum } from "../../engine/ops/index.js";
import { tf, type TensorFlow } from "../../engine/tensorflow.js";
import {
  type BatchTensors,
  heededOptions,
  type LossOptions,
  type Objective,
  type Trainable,
} from "../objective.js";

/** What a decoder is given: int32 tensors `[batch, time]`. Positions and segments only where rows are packed. */
export type ModelInput = Pick<BatchTensors, "ids" | "positions" | "segments" | "dropoutSeed"> &
  Pick<LossOptions, "recomputeBlocks" | "querySlices">;

/** What learning the next token needs of a model; `Decoder` is one. */
export interface TrainableModel extends Trainable {
  /** Whether it heeds `querySlices`. */
  readonly slicesQueries?: boolean;
  /** Hidden states after the final norm, `[batch, time, width]`. */
  hiddenStates(input: ModelInput): TensorFlow.Tensor3D;
  /** As rows `int32 [n]` of the flattened hidden states, `[n, width]`; absent where that is no less work. */
  hiddenRows?(input: ModelInput, rows: TensorFlow.Tensor1D): TensorFlow.Tensor2D;
  /** `[n, width]` -> `[n, vocabulary]` */
  logits(hidden: TensorFlow.Tensor2D): TensorFlow.Tensor2D;
}

/**
 * Learning the next token: cross entropy summed over the supervised tokens of a batch. Logits are computed at the
 * positions from which a supervised token is predicted, and nowhere else.
 */
export function nextToken(model: TrainableModel): Objective {
  return {
    name: "next-token",
    model,
    needs: { targetClasses: model.config.vocabularySize },
    options: heededOptions(
      model,
      ...(["labelSmoothing", "zLoss"] as const),
      ...(model.slicesQueries === true ? (["querySlices"] as const) : []),
    ),
    lossSums: ({ targetPositions, targets, ...input }, { recomputeBlocks, querySlices, ...added } = {}) => {
      const chosen = supervisedRows(model, { ...input, recomputeBlocks, querySlices }, targetPositions);
      return [softmaxCrossEntropySum(model.logits(chosen), targets, undefined, added)];
    },
  };
}

/** Hidden states of the positions from which a supervised token is predicted: `[n, width]`. */
function supervisedRows(
  model: TrainableModel,
  input: ModelInput,
  places: TensorFlow.Tensor1D,
): TensorFlow.Tensor2D {
  if (model.hiddenRows !== undefined) return model.hiddenRows(input, places);
  const hidden = model.hiddenStates(input);
  const [batch, time, width] = hidden.shape;
  return embeddingLookup(
    tf.reshape<TensorFlow.Rank.R2>(hidden, [batch * time, width]),
    places,
  ) as TensorFlow.Tensor2D;
}
