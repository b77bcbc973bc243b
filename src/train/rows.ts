import type { Spans } from "../data/spans.js";
import { KitError } from "../support/errors.js";
import { sha256 } from "../support/hash.js";

/**
 * A row of data as the loop uses it. The last token is only ever a target, so a row of n tokens fills n - 1
 * positions of a tensor, and the token after position i is the one that is predicted there:
 *
 *     tokens        <bos> 2 + 3 = 5 <eos>       supervised: 5 <eos>
 *     inputs        <bos> 2 + 3 = 5
 *     targetOffsets               4 5           positions in `inputs`
 *     targets                     5 <eos>
 *
 * That is a row for learning the next token; other objectives fill the same arrays in their own way, and the optional
 * ones as they need them.
 */
export interface TrainingRow {
  readonly id: string;
  /** What the model reads (its encoder, where it has one): token ids but the last, `[positions]`. */
  readonly inputs: Int32Array;
  /** Positions from which a target is predicted, rising: in `inputs`, or in `decoderInputs` where there are any. */
  readonly targetOffsets: Int32Array;
  /** The supervised tokens, or the class of the row: `[supervised]`. */
  readonly targets: Int32Array;
  /** Tokens in the row, all of them. */
  readonly tokens: number;
  /** 0 for the first text of a pair and 1 for the second: `[positions]`. */
  readonly tokenTypes?: Int32Array;
  /** A label of the whole row beside its targets, e.g. whether the second text follows the first. */
  readonly rowTarget?: number;
  /** What the decoder of an encoder-decoder reads. */
  readonly decoderInputs?: Int32Array;
  /** Validation losses are given for each. */
  readonly taskType?: string;
  /** UTF-8 bytes of the supervised text, where they are known. */
  readonly bytes?: number;
}

/** What the model can take. */
export interface RowLimits {
  readonly vocabularySize: number;
  /** Positions in a sequence, at most. */
  readonly contextLength: number;
}

/**
 * The rows, checked.
 * @param bytesOf UTF-8 bytes of the supervised text of a row (`supervisedBytes`)
 * @throws KitError that names the row, when there are none, when one has nothing supervised, is longer than the
 *   context, or has a token that the model does not know
 */
export function prepareRows(
  rows: readonly Spans[],
  limits: RowLimits,
  bytesOf?: (row: Spans) => number,
): TrainingRow[] {
  return rowsOf(rows, (row, number) => prepareRow(row, number, limits), bytesOf);
}

/**
 * Rows of any kind from rendered rows, with the task type and the bytes of each.
 * @param prepare what else a row is made of; its number is counted from 1
 * @throws KitError when there are none
 */
export function rowsOf(
  rows: readonly Spans[],
  prepare: (row: Spans, number: number) => TrainingRow,
  bytesOf?: (row: Spans) => number,
): TrainingRow[] {
  if (rows.length === 0) {
    throw new KitError(
      "there are no rows to train on",
      "check the data path, the split and what the ledger dropped",
    );
  }
  return rows.map((row, index) => ({
    ...prepare(row, index + 1),
    taskType: row.taskType,
    ...(bytesOf === undefined ? {} : { bytes: bytesOf(row) }),
  }));
}

function prepareRow({ id, ids, supervised }: Spans, row: number, limits: RowLimits): TrainingRow {
  const fail = (problem: string, cure: string): KitError =>
    new KitError(`${problem} (id "${id}")`, cure, { row });
  if (ids.length !== supervised.length) {
    throw fail(`${ids.length} ids but ${supervised.length} supervised flags`, "render the row again");
  }
  if (supervised[0] === true) {
    throw fail(
      "the first token is supervised, but nothing comes before it",
      "start the row with BOS or a prompt",
    );
  }
  const offsets: number[] = [];
  supervised.forEach((flag, position) => {
    if (flag) offsets.push(position - 1);
  });
  if (offsets.length === 0) {
    throw fail(
      "no token of the row is supervised",
      "drop the row when rendering, so that the ledger counts it",
    );
  }
  if (ids.length - 1 > limits.contextLength) {
    throw fail(
      `the row has ${ids.length} tokens, the model takes ${limits.contextLength + 1} (its context and one target)`,
      "render with a smaller maxTokens or build the model with a longer context",
    );
  }
  const unknown = ids.find(
    (token) => !(Number.isInteger(token) && token >= 0 && token < limits.vocabularySize),
  );
  if (unknown !== undefined) {
    throw fail(
      `the token id ${unknown} is not in the model's vocabulary of ${limits.vocabularySize}`,
      "use the tokenizer that the model was built for",
    );
  }
  return {
    id,
    inputs: Int32Array.from(ids.slice(0, -1)),
    targetOffsets: Int32Array.from(offsets),
    targets: Int32Array.from(offsets, (offset) => ids[offset + 1] ?? 0),
    tokens: ids.length,
  };
}

/** SHA-256 over ids, tokens and masks of the rows in their order: a run resumes on the same data only. */
export function hashRows(rows: readonly TrainingRow[], validation: readonly TrainingRow[] = []): string {
  const trained = rows.map(describeRow);
  const held = validation.map((row) => `${row.taskType ?? ""}\n${describeRow(row)}`);
  return sha256([...trained, ...(held.length === 0 ? [] : ["validation", ...held])].join("\n\n"));
}

function describeRow(row: TrainingRow): string {
  const { id, inputs, targetOffsets, targets, tokenTypes, rowTarget, decoderInputs } = row;
  return [
    id,
    ...[inputs, targetOffsets, targets].map((values) => values.join(" ")),
    ...(tokenTypes === undefined ? [] : [`types ${tokenTypes.join(" ")}`]),
    ...(rowTarget === undefined ? [] : [`label ${rowTarget}`]),
    ...(decoderInputs === undefined ? [] : [`decoder ${decoderInputs.join(" ")}`]),
  ].join("\n");
}
