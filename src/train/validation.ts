import { KitError } from "../support/errors.js";
import { groupBy } from "../support/group.js";
import { type BatchArrays, checkBatching, layOut, type TensorRow } from "./batch.js";
import type { TrainConfig } from "./config.js";
import { termCounts } from "./loss.js";
import type { Objective } from "./objective.js";
import { packBestFit } from "./pack.js";
import type { TrainingRow } from "./rows.js";

/** A loss over some rows. */
export interface LossMeasure {
  /** Nats per supervised token: the sum over all tokens divided by their number; plus nats per label of the rows, if any. */
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

/** The terms of the loss of a batch, in nats and summed over the targets of each. */
export type LossSums = (arrays: BatchArrays) => readonly number[];

/** Validation rows of one task type as tensors. */
interface Part {
  readonly taskType: string;
  readonly batches: readonly BatchArrays[];
  /** Targets of each term of the loss: supervised tokens, and labels where rows have any. */
  readonly counts: readonly number[];
  readonly rows: number;
  readonly bytes: number | undefined;
}

/** Measures the loss on rows that are not trained on, task type by task type. It draws no random number. */
export class Validator {
  readonly #parts: readonly Part[];

  /** @throws KitError for a row that cannot be batched, or that is also trained on */
  constructor(
    objective: Objective,
    rows: readonly TrainingRow[],
    trained: readonly TrainingRow[],
    config: Pick<TrainConfig, "batch" | "microBatchRows">,
  ) {
    checkBatching(rows, config.batch, objective.model.config.contextLength, objective.needs);
    refuseTrained(rows, trained);
    const indexesOf = groupBy(rows.keys(), (index) => rows[index]?.taskType ?? "");
    this.#parts = [...indexesOf].sort().map(([taskType, indexes]) => {
      const batches = batchesOf(rows, indexes, config, objective);
      const bytes = indexes.reduce((sum, index) => sum + (rows[index]?.bytes ?? 0), 0);
      return {
        taskType,
        batches,
        counts: termCounts(batches),
        rows: indexes.length,
        bytes: bytes === 0 ? undefined : bytes,
      };
    });
  }

  /**
   * Losses with the weights of now.
   * @param step the steps taken
   * @param lossSums of a batch (`TrainingStep.lossSums`)
   */
  measure(step: number, lossSums: LossSums): Validation {
    const sums = this.#parts.map(({ batches }) => batches.map(lossSums).reduce(addEach));
    const byTaskType = Object.fromEntries(
      this.#parts.map((part, index) => [part.taskType, measureOf(sums[index] ?? [], part)]),
    );
    const all = this.#parts.reduce((sum, part) => ({
      ...sum,
      counts: addEach(sum.counts, part.counts),
      rows: sum.rows + part.rows,
      bytes: sum.bytes === undefined || part.bytes === undefined ? undefined : sum.bytes + part.bytes,
    }));
    const losses = Object.values(byTaskType).map(({ loss }) => loss);
    return {
      step,
      ...measureOf(sums.reduce(addEach), all),
      taskTypeMean: losses.reduce((sum, loss) => sum + loss, 0) / losses.length,
      byTaskType,
    };
  }
}

/** @param sums of each term, in nats */
function measureOf(sums: readonly number[], { counts, rows, bytes }: Part): LossMeasure {
  return {
    loss: sums.reduce((total, sum, term) => total + sum / (counts[term] ?? NaN), 0),
    supervisedTokens: counts[0] ?? 0,
    rows,
    ...(bytes === undefined ? {} : { bitsPerByte: bitsPerByte(sums[0] ?? NaN, bytes) }),
  };
}

function addEach(some: readonly number[], others: readonly number[]): readonly number[] {
  return some.map((value, index) => value + (others[index] ?? NaN));
}

/** @param sum nats over all supervised tokens @param bytes of their text */
export function bitsPerByte(sum: number, bytes: number): number {
  return sum / Math.LN2 / bytes;
}

/** As many rows in a pass as in training; sorted by length, or packed. */
function batchesOf(
  rows: readonly TrainingRow[],
  indexes: readonly number[],
  { batch, microBatchRows = batch.rowsPerStep }: Pick<TrainConfig, "batch" | "microBatchRows">,
  { needs }: Objective,
): BatchArrays[] {
  const lengthOf = (index: number): number => rows[index]?.inputs.length ?? 0;
  const tensorRows: readonly TensorRow[] =
    batch.kind === "packed"
      ? packBestFit(rows, indexes, batch.tokensPerRow)
      : [...indexes].sort((a, b) => lengthOf(a) - lengthOf(b)).map((index) => [index]);
  const batches: BatchArrays[] = [];
  for (let first = 0; first < tensorRows.length; first += microBatchRows) {
    batches.push(layOut(rows, tensorRows.slice(first, first + microBatchRows), batch.kind, needs));
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
