import { type BatchArrays, planEpoch } from "../batch.js";
import type { Precision, TrainConfig } from "../config.js";
import type { Objective } from "../objective.js";
import type { TrainingRow } from "../rows.js";
import type { BatchLimits } from "./record-loss.js";

/** How a step is compiled: how its batches are brought to few shapes, and what it is made of. */
export interface ShapePlan extends BatchLimits {
  /** Rows of the tensor are filled up to a multiple of so many positions, `longestRow` at most; 1 leaves them as they are. */
  readonly timeUnit: number;
  /** Whether the shapes are few enough to compile regions for each. */
  readonly fuse: boolean;
  /** Default: "float32". */
  readonly precision?: Precision;
  /** Whether the loss is also measured on rows that are not trained on. Default: no. */
  readonly validates?: boolean;
  /** Whether a decoder also scores and generates while it is trained. Default: no. */
  readonly answers?: boolean;
}

/** Rows of data are filled up to a multiple of this, which costs half of it on average. */
const TIME_UNIT = 8;
/** Longest row from which filling up costs little. */
const LONG_ROWS = 64;
/** Compiling all regions for one shape takes about as long as computing so many parameter-positions (0.5 s at 10^11 flop/s). */
const COMPILE_WORK = 1e10;
/** Causal attention in so many slices leaves out three eighths of the scores. */
const QUERY_SLICES = 4;
/** Positions of the rows in which the average token stands, from which slices are no loss. */
const LONG_ENOUGH_TO_SLICE = 128;
/** What fused regions save of the time of a step, at least. */
const SAVED = 0.08;

/** Decides from the config and the rows alone, so that a run that is resumed does as before. */
export function planShapes(
  rows: readonly TrainingRow[],
  config: TrainConfig,
  { model, needs, options: heeded }: Pick<Objective, "model" | "needs" | "options">,
  validationRows: readonly TrainingRow[] = [],
): ShapePlan {
  const { batch, budget, microBatchRows, precision = "float32", seed } = config;
  const allRows = [...rows, ...validationRows];
  const longest = allRows.reduce((most, { inputs }) => Math.max(most, inputs.length), 0);
  const packed = batch.kind === "packed";
  const timeUnit = packed ? batch.tokensPerRow : longest >= LONG_ROWS ? TIME_UNIT : 1;
  const longestRow = Math.min(roundUp(longest, timeUnit), model.config.contextLength);
  const longestDecoder = allRows.reduce((most, row) => Math.max(most, row.decoderInputs?.length ?? 0), 0);
  const longestDecoderRow = Math.min(roundUp(longestDecoder, timeUnit), model.config.contextLength);
  const shapes = new Set<string>();
  let [positions, scores] = [0, 0];
  const steps = planEpoch(rows, batch, seed, 0);
  for (const step of steps) {
    const size = microBatchRows ?? step.length;
    for (let first = 0; first < step.length; first += size) {
      const part = step.slice(first, first + size);
      const lengths = part.map((row) =>
        row.reduce((length, index) => length + (rows[index]?.inputs.length ?? 0), 0),
      );
      const time = Math.min(roundUp(Math.max(...lengths), timeUnit), longestRow);
      const decoderLengths = part.flat().map((index) => rows[index]?.decoderInputs?.length ?? 0);
      const decoderTime = Math.min(roundUp(Math.max(...decoderLengths), timeUnit), longestDecoderRow);
      shapes.add(`${part.length}x${time}x${decoderTime}`);
      positions += part.length * (time + decoderTime);
      scores += part.length * time * time;
    }
  }
  const parameterCount = [...model.parameters.values(), ...(model.frozen?.values() ?? [])].reduce(
    (sum, { size }) => sum + size,
    0,
  );
  const work = parameterCount * positions * (budget.amount / perEpoch(rows, steps.length, budget.unit));
  const fuse = SAVED * work > COMPILE_WORK * shapes.size;
  const decoder = needs.decoder === true ? { longestDecoderRow } : {};
  const querySlices =
    heeded?.has("querySlices") === true ? slicesFor(scores / positions, timeUnit, longestRow) : 1;
  return {
    longestRow,
    ...decoder,
    packed,
    timeUnit,
    precision,
    fuse,
    querySlices,
  };
}

/**
 * In how many slices of queries causal attention is computed.
 * @param usualTime positions of the row in which the average token stands
 * @param lengths of which all rows have a multiple, or one of them
 */
export function slicesFor(usualTime: number, ...lengths: readonly number[]): number {
  const fits = lengths.every((length) => length % QUERY_SLICES === 0);
  return fits && usualTime >= LONG_ENOUGH_TO_SLICE ? QUERY_SLICES : 1;
}

function perEpoch(rows: readonly TrainingRow[], steps: number, unit: TrainConfig["budget"]["unit"]): number {
  if (unit === "steps") return steps;
  return rows.reduce(
    (sum, { tokens, targets }) => sum + (unit === "total-tokens" ? tokens : targets.length),
    0,
  );
}

function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}

/**
 * The same batch with rows that are filled up as the plan says. Padding comes after every token, so that causal
 * attention does not see it; where there are segments it is segment 0.
 */
export function fillUp(
  arrays: BatchArrays,
  {
    timeUnit,
    longestRow,
    longestDecoderRow = 0,
  }: Pick<ShapePlan, "timeUnit" | "longestRow" | "longestDecoderRow">,
): BatchArrays {
  const { batch, time, ids, positions, segments, tokenTypes, targetPositions, rowStarts } = arrays;
  const { decoderTime, decoderIds } = arrays;
  const longerThan = (own: number, longest: number): number =>
    Math.max(own, Math.min(roundUp(own, timeUnit), longest));
  const longer = longerThan(time, longestRow);
  const longerDecoder = longerThan(decoderTime ?? 0, longestDecoderRow);
  if (longer === time && longerDecoder === (decoderTime ?? 0)) return arrays;
  const widened = (values: Int32Array, from = time, to = longer): Int32Array => {
    const result = new Int32Array(batch * to);
    for (let row = 0; row < batch; row++) result.set(values.subarray(row * from, (row + 1) * from), row * to);
    return result;
  };
  const moved = (places: Int32Array, from = time, to = longer): Int32Array =>
    places.map((place) => place + Math.floor(place / from) * (to - from));
  return {
    ...arrays,
    time: longer,
    ids: widened(ids),
    ...(positions === undefined ? {} : { positions: widened(positions) }),
    ...(segments === undefined ? {} : { segments: widened(segments) }),
    ...(tokenTypes === undefined ? {} : { tokenTypes: widened(tokenTypes) }),
    ...(rowStarts === undefined ? {} : { rowStarts: moved(rowStarts) }),
    ...(decoderTime === undefined || decoderIds === undefined
      ? { targetPositions: moved(targetPositions) }
      : {
          decoderTime: longerDecoder,
          decoderIds: widened(decoderIds, decoderTime, longerDecoder),
          targetPositions: moved(targetPositions, decoderTime, longerDecoder),
        }),
  };
}
