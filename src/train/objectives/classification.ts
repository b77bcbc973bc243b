import { embeddingLookup, softmaxCrossEntropySum } from "../../engine/ops/index.js";
import type { TensorFlow } from "../../engine/tensorflow.js";
import { KitError } from "../../support/errors.js";
import { heededOptions, type Objective, type Trainable } from "../objective.js";
import type { TrainingRow } from "../rows.js";
import { type EncoderModel, flatRows } from "./masked-language.js";
import type { EncodedTexts } from "./sentence-pairs.js";

/** An encoder that gives a text, or a pair of texts, a class. */
export interface ClassifierModel extends EncoderModel {
  readonly config: Trainable["config"] & {
    readonly tokenTypes: number;
    readonly head: { readonly kind: string; readonly labels?: readonly string[] };
  };
  /** Of first tokens: `[n, width]` -> `[n, classes]` */
  classLogits(first: TensorFlow.Tensor2D, dropoutSeed?: TensorFlow.Tensor1D): TensorFlow.Tensor2D;
}

/** Learning the class of each row: cross entropy summed over the rows. A row's supervised "token" is its class. */
export function classification(model: ClassifierModel): Objective {
  const { tokenTypes, head } = model.config;
  return {
    name: "classification",
    model,
    needs: { targetClasses: head.labels?.length ?? 0, padding: true, tokenTypes },
    options: heededOptions(model),
    lossSums: ({ targetPositions, targets, ...input }, { recomputeBlocks } = {}) => {
      const rows = flatRows(model.hiddenStates({ ...input, recomputeBlocks }));
      const first = embeddingLookup(rows, targetPositions) as TensorFlow.Tensor2D;
      return [softmaxCrossEntropySum(model.classLogits(first, input.dropoutSeed), targets)];
    },
  };
}

/**
 * The row of a labelled text or pair of texts.
 * @param encoded from `encodeTexts`
 * @param labels of the model's head
 * @throws KitError for a label that the head does not have
 */
export function classifiedRow(
  id: string,
  { ids, tokenTypes }: EncodedTexts,
  label: string,
  labels: readonly string[],
): TrainingRow {
  const target = labels.indexOf(label);
  if (target < 0) {
    throw new KitError(
      `the row "${id}" has the label "${label}", which the head does not have`,
      `use one of ${labels.map((known) => `"${known}"`).join(", ")}`,
    );
  }
  return {
    id,
    inputs: Int32Array.from(ids),
    tokenTypes: Int32Array.from(tokenTypes),
    targetOffsets: Int32Array.of(0),
    targets: Int32Array.of(target),
    tokens: ids.length,
  };
}
