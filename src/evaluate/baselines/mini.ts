import type { Example } from "../../data/example.js";
import { drawGrid, type GridFields, randomWordScore, solveGridRow } from "../../data/mini/grid/rows.js";
import { materialsOf } from "../../data/mini/tasks/materials.js";
import { drawTaskRows, solveTaskRow, type TaskRowFields } from "../../data/mini/tasks/rows.js";
import { type BaselineLine, baselineTable } from "./table.js";

/** How many rows the baselines are measured on. */
export interface MiniBaselineSize {
  /** Training rows of each task and of each grid cell. */
  readonly trainRows: number;
  /** Test rows of each task and of each grid level. */
  readonly testRows: number;
}

/** What ships beside the mini tasks. */
export interface MiniBaselines extends MiniBaselineSize {
  readonly seed: number;
  readonly taskTypes: readonly BaselineLine[];
  /** Groups "task / difficulty". */
  readonly tasks: readonly BaselineLine[];
  readonly gridLevels: readonly (BaselineLine & {
    /** Exact match of a random word of the text in the right format. */
    readonly randomWord: number;
  })[];
}

/** The size of the stored table. */
export const MINI_BASELINE_SIZE: MiniBaselineSize = { trainRows: 100, testRows: 200 };

/** The baselines of every task type, task and grid level, for a seed. */
export function miniBaselines({ trainRows, testRows }: MiniBaselineSize, seed: number): MiniBaselines {
  const { test: materials } = materialsOf(seed);
  const rows = drawTaskRows({ train: trainRows, validation: 0, test: testRows }, seed);
  const tableOf = (groupOf: (row: Example) => string): BaselineLine[] =>
    baselineTable(rows.train, rows.test, { groupOf, solve: (row) => solveTaskRow(row, materials), seed });
  const grid = drawGrid({ rowsPerCell: trainRows / 2, testRows }, seed);
  const levelOf = (row: Example): string => (row.fields as unknown as GridFields).level;
  const gridLines = baselineTable(grid.train, Object.values(grid.tests).flat(), {
    groupOf: levelOf,
    solve: solveGridRow,
    seed,
  });
  return {
    seed,
    trainRows,
    testRows,
    taskTypes: tableOf(({ taskType }) => taskType),
    tasks: tableOf((row) => `${row.task} / ${(row.fields as unknown as TaskRowFields).difficulty}`),
    gridLevels: gridLines.map((line) => {
      const own = grid.tests[line.group as GridFields["level"] & keyof typeof grid.tests];
      return { ...line, randomWord: own.reduce((sum, row) => sum + randomWordScore(row), 0) / own.length };
    }),
  };
}
