import { dealEvenly } from "../support/deal-evenly.js";
import { KitError } from "../support/errors.js";
import { Random } from "../support/random.js";
import type { BatchConfig } from "./config.js";
import { packBestFit } from "./pack.js";
import type { TrainingRow } from "./rows.js";

/** A row of a tensor: the indexes of the rows of data that lie in it, one unless they are packed. */
export type TensorRow = readonly number[];

/** An optimizer step: the rows of its tensor. */
export type Step = readonly TensorRow[];

/** How rows lie in tensors: by themselves, packed and hidden from each other, or packed in sight of each other. */
export type RowLayout = BatchConfig["kind"] | "packed-in-sight";

/** The layout of training batches. */
export function layoutOf(config: BatchConfig): RowLayout {
  return config.kind === "packed" && config.blockMask === false ? "packed-in-sight" : config.kind;
}

/** How many steps' rows are sorted by length together: large enough for little padding, small enough to mix. */
const POOLED_STEPS = 32;

/**
 * The steps of one epoch: every row of data exactly once. The order depends on the seed and the epoch alone, so that
 * a position in a run is two numbers. The rows are dealt out evenly: 130 rows at 64 a step are steps of 44, 43 and
 * 43, not of 64, 64 and 2, because every step has the same weight.
 * @param epoch counted from 0
 */
export function planEpoch(
  rows: readonly TrainingRow[],
  config: BatchConfig,
  seed: number,
  epoch: number,
): Step[] {
  const random = Random.derive(seed, `epoch ${epoch}`);
  const shuffled = random.shuffled(rows.map((_, index) => index));
  if (config.kind === "packed") {
    const packs = random.shuffled(packBestFit(rows, shuffled, config.tokensPerRow));
    return dealEvenly(packs, config.rowsPerStep);
  }
  return random.shuffled(bucketByLength(rows, dealEvenly(shuffled, config.rowsPerStep)));
}

/** Sorts by length within pools of steps and cuts the pools into steps of the same sizes again. */
function bucketByLength(rows: readonly TrainingRow[], steps: readonly (readonly number[])[]): Step[] {
  const lengthOf = (index: number): number => rows[index]?.inputs.length ?? 0;
  const result: Step[] = [];
  for (let first = 0; first < steps.length; first += POOLED_STEPS) {
    const pool = steps.slice(first, first + POOLED_STEPS);
    const sorted = pool.flat().sort((a, b) => lengthOf(a) - lengthOf(b));
    let taken = 0;
    for (const { length } of pool) {
      result.push(sorted.slice(taken, taken + length).map((index) => [index]));
      taken += length;
    }
  }
  return result;
}

/**
 * Checks that the rows can be batched in this way.
 * @throws KitError that names the row which does not fit into a pack, or when rows of this kind cannot be packed
 */
export function checkBatching(
  rows: readonly TrainingRow[],
  config: BatchConfig,
  contextLength: number,
  needs?: Pick<BatchNeeds, "decoder">,
): void {
  if (config.kind !== "packed") return;
  if (needs?.decoder === true) {
    throw new KitError("the rows of an encoder-decoder cannot be packed", 'use the kind "bucketed"', {
      field: "batch.kind",
    });
  }
  rows.forEach(({ id, inputs }, index) => {
    if (inputs.length > config.tokensPerRow) {
      throw new KitError(
        `the row needs ${inputs.length} positions, a pack has ${config.tokensPerRow} (id "${id}")`,
        "raise batch.tokensPerRow or render with a smaller maxTokens",
        { row: index + 1 },
      );
    }
  });
  // Positions restart with each row of data, but rotary tables and masks are made for the context length.
  if (config.tokensPerRow > contextLength) {
    throw new KitError(
      `packs of ${config.tokensPerRow} positions are longer than the model's context of ${contextLength}`,
      "lower it to the context length at most",
      { field: "batch.tokensPerRow" },
    );
  }
}

/**
 * The rows of a step that still fit: each is taken, in order, if the budget left covers it.
 * @param costOf what a row of data costs, in the budget's unit
 * @param left the budget left
 */
export function fitStep(step: Step, costOf: (index: number) => number, left: number): Step {
  let remaining = left;
  return step
    .map((tensorRow) =>
      tensorRow.filter((index) => {
        const cost = costOf(index);
        if (cost > remaining) return false;
        remaining -= cost;
        return true;
      }),
    )
    .filter((tensorRow) => tensorRow.length > 0);
}

/** The tensors of one forward and backward pass, as typed arrays. `time` is the longest row's. */
export interface BatchArrays {
  readonly batch: number;
  readonly time: number;
  /** `[batch * time]`, 0 at padding. */
  readonly ids: Int32Array;
  /** `[batch * time]`, restarting at 0 with each row of data; only when packed. */
  readonly positions?: Int32Array;
  /**
   * `[batch * time]`, 1, 2, ... for the rows of data in a tensor row, 0 at padding; when packed, and for models that
   * would see padding.
   */
  readonly segments?: Int32Array;
  /** `[batch * time]`, 0 or 1, for models that tell the texts of a pair apart. */
  readonly tokenTypes?: Int32Array;
  /** Positions of a row of `decoderIds`. */
  readonly decoderTime?: number;
  /** `[batch * decoderTime]`, 0 at padding: what the decoder of an encoder-decoder reads. */
  readonly decoderIds?: Int32Array;
  /**
   * Indexes into `[batch * time]` (or `[batch * decoderTime]`) of the positions from which a supervised token is
   * predicted: `[supervised]`.
   */
  readonly targetPositions: Int32Array;
  /** The supervised tokens, or classes: `[supervised]`. */
  readonly targets: Int32Array;
  /** Index into `[batch * time]` of the first position of each row of data that has a label. */
  readonly rowStarts?: Int32Array;
  /** The labels of these rows. */
  readonly rowTargets?: Int32Array;
}

/** Which of the arrays that a batch may have those of an objective do have, and what may stand in them. */
export interface BatchNeeds {
  /** Targets are below this: the size of the vocabulary, or the number of classes. */
  readonly targetClasses: number;
  /** `segments` also where rows are not packed, for a model that would see padding otherwise. */
  readonly padding?: true;
  /** `tokenTypes`, below this. */
  readonly tokenTypes?: number;
  /** `rowStarts` and `rowTargets`, the targets below this. */
  readonly rowTargets?: number;
  /** `decoderIds`; then the target positions are in these. Such rows cannot be packed. */
  readonly decoder?: true;
}

/**
 * Lays rows of data into arrays, padded at the end. Padding is never a target and comes after every target, so that
 * causal attention keeps it from being seen; where attention sees both ways, the segments do.
 *
 *     packed: rows a (3 positions) and b (2), time 6     ids        a a a b b 0
 *                                                        positions  0 1 2 0 1 0
 *                                                        segments   1 1 1 2 2 0
 *     in sight of each other                             positions  0 1 2 3 4 0
 *                                                        segments   1 1 1 1 1 0
 */
export function layOut(
  rows: readonly TrainingRow[],
  tensorRows: readonly TensorRow[],
  layout: RowLayout,
  needs: Partial<BatchNeeds> = {},
): BatchArrays {
  const parts = tensorRows.map((tensorRow) => tensorRow.map((index) => rowAt(rows, index)));
  const time = Math.max(...parts.map((part) => total(part, ({ inputs }) => inputs.length)));
  const decoderTime = Math.max(
    ...parts.map((part) => total(part, ({ decoderInputs }) => decoderInputs?.length ?? 0)),
  );
  const targetCount = total(parts, (part) => total(part, ({ targets }) => targets.length));
  const size = parts.length * time;
  const ids = new Int32Array(size);
  const positions = new Int32Array(size);
  const segments = new Int32Array(size);
  const tokenTypes = new Int32Array(size);
  const decoderIds = new Int32Array(parts.length * decoderTime);
  const targetPositions = new Int32Array(targetCount);
  const targets = new Int32Array(targetCount);
  const rowStarts: number[] = [];
  const rowTargets: number[] = [];
  let target = 0;
  parts.forEach((part, tensorRow) => {
    let start = tensorRow * time;
    part.forEach((row, segment) => {
      ids.set(row.inputs, start);
      targets.set(row.targets, target);
      const first = needs.decoder === true ? tensorRow * decoderTime : start;
      for (const offset of row.targetOffsets) targetPositions[target++] = first + offset;
      const inSight = layout === "packed-in-sight";
      const position = inSight ? start - tensorRow * time : 0;
      for (let offset = 0; offset < row.inputs.length; offset++)
        positions[start + offset] = position + offset;
      segments.fill(inSight ? 1 : segment + 1, start, start + row.inputs.length);
      tokenTypes.set(row.tokenTypes ?? [], start);
      decoderIds.set(row.decoderInputs ?? [], tensorRow * decoderTime);
      if (row.rowTarget !== undefined) {
        rowStarts.push(start);
        rowTargets.push(row.rowTarget);
      }
      start += row.inputs.length;
    });
  });
  return {
    ...{ batch: parts.length, time, ids, targetPositions, targets },
    ...(layout === "bucketed" ? {} : { positions }),
    ...(layout !== "bucketed" || needs.padding === true ? { segments } : {}),
    ...(needs.tokenTypes === undefined ? {} : { tokenTypes }),
    ...(needs.decoder === true ? { decoderTime, decoderIds } : {}),
    ...(needs.rowTargets === undefined
      ? {}
      : { rowStarts: Int32Array.from(rowStarts), rowTargets: Int32Array.from(rowTargets) }),
  };
}

function rowAt(rows: readonly TrainingRow[], index: number): TrainingRow {
  const row = rows[index];
  if (row === undefined) throw new RangeError(`there is no row ${index} among ${rows.length}`);
  return row;
}

function total<Item>(items: readonly Item[], valueOf: (item: Item) => number): number {
  return items.reduce((sum, item) => sum + valueOf(item), 0);
}
