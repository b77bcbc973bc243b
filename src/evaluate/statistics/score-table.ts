import { KitError } from "../../support/errors.js";
import type { ExampleScore, ResampledLevel } from "./bootstrap-types.js";

/** The examples of one task type in one seed: `values[offset ... offset + length]`. */
export interface Cell {
  readonly taskType: string;
  readonly offset: number;
  readonly length: number;
}

/** Scores as one array, sorted by seed, task type and id, so that a result does not depend on the order of the rows. */
export interface ScoreTable {
  /** `[rows]` */
  readonly values: Float64Array;
  /** What each row is: `[rows]`. */
  readonly rows: readonly ExampleScore[];
  /** For each seed its cells, in the order of their names. */
  readonly seeds: readonly (readonly Cell[])[];
  readonly structure: "nested" | "shared";
  /** For each shared task type, whether all seeds have the same examples in it. */
  readonly sameExamples: readonly boolean[];
  readonly levels: readonly ResampledLevel[];
}

/**
 * Sorts and checks scores.
 * @param name what the scores are called in messages
 * @throws KitError for no rows, a key that comes twice, a score that is not a finite number, or seeds that
 *   have most, but not all, of their task types in common
 */
export function buildTable(
  scores: readonly ExampleScore[],
  name: string,
  taskTypes: "nested" | "shared" | undefined,
): ScoreTable {
  if (scores.length === 0)
    throw new KitError("there are no scores", "give at least one example", { field: name });
  scores.forEach(({ score, id }, index) => {
    if (!Number.isFinite(score)) {
      throw new KitError(`the score of "${id}" is ${score}`, "score every example with a finite number", {
        field: name,
        row: index + 1,
      });
    }
  });
  const rows = [...scores].sort(byKey);
  for (let i = 1; i < rows.length; i++) {
    const [last, row] = [rows[i - 1], rows[i]];
    if (last !== undefined && row !== undefined && byKey(last, row) === 0) {
      throw new KitError(`two scores for ${keyText(row)}`, "give one score for each seed, task type and id", {
        field: name,
      });
    }
  }
  const seeds = groupCells(rows);
  const structure = structureOf(seeds, name, taskTypes);
  const sameExamples =
    structure === "shared" ? (seeds[0] ?? []).map((_, type) => haveSameIds(rows, seeds, type)) : [];
  return {
    values: Float64Array.from(rows, ({ score }) => score),
    rows,
    seeds,
    structure,
    sameExamples,
    levels: describeLevels(seeds, structure, sameExamples),
  };
}

/** The error for two tables whose rows are not the same (seed, task type, id), or undefined when they pair up. */
export function pairingError(a: ScoreTable, b: ScoreTable): KitError | undefined {
  const cure =
    "score the same examples with the same seeds in both arms; compare unpaired arms with nothing else";
  const length = Math.max(a.rows.length, b.rows.length);
  for (let i = 0; i < length; i++) {
    const [left, right] = [a.rows[i], b.rows[i]];
    if (left !== undefined && right !== undefined && byKey(left, right) === 0) continue;
    const only = left === undefined || (right !== undefined && byKey(left, right) > 0) ? "b" : "a";
    const row = only === "a" ? left : right;
    const place = row === undefined ? "a row" : keyText(row);
    return new KitError(
      `the arms do not pair up (${a.rows.length} and ${b.rows.length} scores): ${place} is only in arm ${only}`,
      cure,
    );
  }
  return undefined;
}

function groupCells(rows: readonly ExampleScore[]): Cell[][] {
  const seeds: Cell[][] = [];
  let start = 0;
  for (let i = 1; i <= rows.length; i++) {
    const [first, row] = [rows[start], rows[i]];
    if (first === undefined || (row?.seed === first.seed && row.taskType === first.taskType)) continue;
    const cell = { taskType: first.taskType, offset: start, length: i - start };
    if (start === 0 || rows[start - 1]?.seed !== first.seed) seeds.push([]);
    seeds.at(-1)?.push(cell);
    start = i;
  }
  return seeds;
}

/**
 * Shared when all seeds have the same task types, nested when they have others. A few names in common do not matter
 * (rules drawn anew for each seed may meet); when most are, rows have been lost.
 */
function structureOf(
  seeds: readonly (readonly Cell[])[],
  name: string,
  asked: "nested" | "shared" | undefined,
): "nested" | "shared" {
  if (asked === "nested" || seeds.length < 2) return "nested";
  const lists = seeds.map((cells) => cells.map(({ taskType }) => taskType));
  const first = new Set(lists[0]);
  const same = lists.every((list) => list.length === first.size && list.every((type) => first.has(type)));
  if (same) return "shared";
  const counts = new Map<string, number>();
  for (const type of lists.flat()) counts.set(type, (counts.get(type) ?? 0) + 1);
  const common = [...counts].filter(([, count]) => count > 1);
  if (asked === undefined && common.length <= counts.size / 2) return "nested";
  const [type = "", count = 0] =
    common.find(([, seedsOfType]) => seedsOfType < seeds.length) ?? common[0] ?? [];
  throw new KitError(
    count === 0
      ? "the seeds have no task type in common, but shared task types were asked for"
      : `the task type "${type}" is in ${count} of ${seeds.length} seeds, but the seeds do not have the same task types`,
    'score every seed on the same task types, or say taskTypes: "nested" when equal names mean different things',
    { field: name },
  );
}

function haveSameIds(
  rows: readonly ExampleScore[],
  seeds: readonly (readonly Cell[])[],
  type: number,
): boolean {
  const lists = seeds.map((cells) => {
    const cell = cells[type];
    return cell === undefined ? [] : rows.slice(cell.offset, cell.offset + cell.length).map(({ id }) => id);
  });
  const first = lists[0] ?? [];
  return lists.every(
    (list) => list.length === first.length && list.every((id, index) => id === first[index]),
  );
}

function describeLevels(
  seeds: readonly (readonly Cell[])[],
  structure: "nested" | "shared",
  sameExamples: readonly boolean[],
): ResampledLevel[] {
  const shared = structure === "shared";
  const cells = seeds.flat();
  const examplesShared = shared && sameExamples.every(Boolean);
  const counted = examplesShared ? (seeds[0] ?? []) : cells;
  return [
    { unit: "seed", count: seeds.length, resampled: seeds.length > 1, shared: false },
    {
      unit: "task type",
      count: shared ? (seeds[0]?.length ?? 0) : cells.length,
      resampled: seeds.some((list) => list.length > 1),
      shared,
    },
    {
      unit: "example",
      count: counted.reduce((sum, { length }) => sum + length, 0),
      resampled: cells.some(({ length }) => length > 1),
      shared: examplesShared,
    },
  ];
}

function byKey(a: ExampleScore, b: ExampleScore): number {
  return a.seed - b.seed || compareText(a.taskType, b.taskType) || compareText(a.id, b.id);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function keyText({ seed, taskType, id }: ExampleScore): string {
  return `(seed ${seed}, task type "${taskType}", id "${id}")`;
}
