import type { Spans } from "../data/spans.js";
import { KitError } from "../support/errors.js";
import { groupBy } from "../support/group.js";
import { type BatchArrays, checkBatching, layOut, type TensorRow } from "./batch.js";
import type { TrainConfig } from "./config.js";
import { supervisedLossSum, type TrainableModel } from "./loss.js";
import { packBestFit } from "./pack.js";
import { prepareRows, type TrainingRow } from "./rows.js";

/** A loss over some rows. */
export interface LossMeasure {
  /** Nats per supervised token: the sum over all tokens divided by their number. */
  readonly loss: number;
  readonly supervisedTokens: number;
  readonly rows: number;
  /**
   * The sum in bits divided by the UTF-8 bytes of the supervised text, so that tokenizers can be compared; absent where
   * the bytes are not known. What ends a row counts among the bits and has no bytes.
   */
  readonly bitsPerByte?: number;
}

/** Losses on the validation rows after a step. */
export interface Validation extends LossMeasure {
  readonly step: number;
  /** The mean over the task types, each with the same weight. */
  readonly taskTypeMean: number;
  readonly byTaskType: Readonly<Record<string, LossMeasure>>;
}

/** Validation rows of one task type as tensors. */
interface Part {
  readonly taskType: string;
  readonly batches: readonly BatchArrays[];
  readonly supervisedTokens: number;
  readonly rows: number;
  readonly bytes: number | undefined;
}

/** Measures the loss on rows that are not trained on, task type by task type. It draws no random number. */
export class Validator {
  readonly #model: TrainableModel;
  readonly #parts: readonly Part[];

  /**
   * @param bytesOf UTF-8 bytes of the supervised text of a row, for bits per byte
   * @throws KitError for an unfit row, or one that is also trained on
   */
  constructor(
    model: TrainableModel,
    spans: readonly Spans[],
    trained: readonly TrainingRow[],
    config: Pick<TrainConfig, "batch" | "microBatchRows">,
    bytesOf?: (row: Spans) => number,
  ) {
    const rows = prepareRows(spans, model.config);
    checkBatching(rows, config.batch, model.config.contextLength);
    refuseTrained(rows, trained);
    this.#model = model;
    const indexesOf = groupBy(rows.keys(), (index) => spans[index]?.taskType ?? "");
    this.#parts = [...indexesOf].sort().map(([taskType, indexes]) => {
      const bytes = bytesOf && indexes.reduce((sum, index) => sum + bytesAt(spans, index, bytesOf), 0);
      return {
        taskType,
        batches: batchesOf(rows, indexes, config),
        supervisedTokens: indexes.reduce((sum, index) => sum + (rows[index]?.targets.length ?? 0), 0),
        rows: indexes.length,
        bytes: bytes === 0 ? undefined : bytes,
      };
    });
  }

  /**
   * Losses with the model's values of now.
   * @param step the steps taken
   */
  measure(step: number): Validation {
    const sums = this.#parts.map(({ batches }) =>
      batches.reduce((sum, arrays) => sum + lossSum(this.#model, arrays), 0),
    );
    const byTaskType = Object.fromEntries(
      this.#parts.map((part, index) => [part.taskType, measureOf(sums[index] ?? NaN, part)]),
    );
    const all = this.#parts.reduce((sum, part) => ({
      ...sum,
      supervisedTokens: sum.supervisedTokens + part.supervisedTokens,
      rows: sum.rows + part.rows,
      bytes: sum.bytes === undefined || part.bytes === undefined ? undefined : sum.bytes + part.bytes,
    }));
    const losses = Object.values(byTaskType).map(({ loss }) => loss);
    return {
      step,
      ...measureOf(
        sums.reduce((sum, part) => sum + part, 0),
        all,
      ),
      taskTypeMean: losses.reduce((sum, loss) => sum + loss, 0) / losses.length,
      byTaskType,
    };
  }
}

/** @param sum nats */
function measureOf(sum: number, { supervisedTokens, rows, bytes }: Part): LossMeasure {
  return {
    loss: sum / supervisedTokens,
    supervisedTokens,
    rows,
    ...(bytes === undefined ? {} : { bitsPerByte: bitsPerByte(sum, bytes) }),
  };
}

/** @param sum nats over all supervised tokens @param bytes of their text */
export function bitsPerByte(sum: number, bytes: number): number {
  return sum / Math.LN2 / bytes;
}

function lossSum(model: TrainableModel, arrays: BatchArrays): number {
  const sum = supervisedLossSum(model, arrays);
  const value = sum.dataSync()[0] ?? NaN;
  sum.dispose();
  return value;
}

function bytesAt(spans: readonly Spans[], index: number, bytesOf: (row: Spans) => number): number {
  const row = spans[index];
  return row === undefined ? 0 : bytesOf(row);
}

/** As many rows in a pass as in training; sorted by length, or packed. */
function batchesOf(
  rows: readonly TrainingRow[],
  indexes: readonly number[],
  { batch, microBatchRows = batch.rowsPerStep }: Pick<TrainConfig, "batch" | "microBatchRows">,
): BatchArrays[] {
  const lengthOf = (index: number): number => rows[index]?.inputs.length ?? 0;
  const tensorRows: readonly TensorRow[] =
    batch.kind === "packed"
      ? packBestFit(rows, indexes, batch.tokensPerRow)
      : [...indexes].sort((a, b) => lengthOf(a) - lengthOf(b)).map((index) => [index]);
  const batches: BatchArrays[] = [];
  for (let first = 0; first < tensorRows.length; first += microBatchRows) {
    batches.push(layOut(rows, tensorRows.slice(first, first + microBatchRows), batch.kind));
  }
  return batches;
}

function refuseTrained(rows: readonly TrainingRow[], trained: readonly TrainingRow[]): void {
  const content = ({ inputs, targets }: TrainingRow): string => `${inputs.join(" ")}|${targets.join(" ")}`;
  const known = new Map(trained.map((row) => [content(row), row.id]));
  rows.forEach((row, index) => {
    const same = known.get(content(row));
    if (same === undefined) return;
    throw new KitError(
      `the validation row "${row.id}" has the same tokens as the training row "${same}"`,
      "split the rows so that equal inputs stay on one side (carveValidation does)",
      { row: index + 1 },
    );
  });
}
