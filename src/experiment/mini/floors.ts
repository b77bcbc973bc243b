import { TRAINING_CELLS } from "../../data/mini/grid/cells.js";
import { drawTests, GRID_LEVELS, type GridLevel, randomWordScore } from "../../data/mini/grid/rows.js";
import type { ExampleScore } from "../../evaluate/statistics/bootstrap.js";
import { drawMiniTraining } from "./rows.js";
import type { MiniSettings } from "./settings.js";

/** What needs no model, at one level: exact match, the mean over all seeds' rows. */
export interface LevelFloors {
  readonly level: GridLevel;
  /** Always the most frequent answer of the training rows. */
  readonly majority: number;
  /** The right format with a random word of the text in it. */
  readonly randomWord: number;
  /** The expected score of the latter on each row, to be paired with a model's. */
  readonly randomWordScores: readonly ExampleScore[];
}

/** The floors of the arms with all training task types, on the rows that these are asked. */
export function miniFloors(settings: MiniSettings): LevelFloors[] {
  const trainingCells = Math.max(...settings.trainingCells);
  const seeds = settings.seeds.map((seed) => {
    const tests = drawTests(
      Math.max(...Object.values(settings.testRows)),
      seed,
      TRAINING_CELLS.slice(0, trainingCells),
    );
    const answers = drawMiniTraining({ trainingCells, settings, seed }).map(
      ({ outputs }) => outputs[0] ?? "",
    );
    return { seed, tests, majority: mostFrequent(answers) };
  });
  return GRID_LEVELS.map((level) => {
    const rows = seeds.flatMap(({ seed, tests, majority }) =>
      tests[level].slice(0, settings.testRows[level]).map((row) => ({
        majority: row.outputs.includes(majority) ? 1 : 0,
        score: { seed, taskType: row.taskType, id: row.id, score: randomWordScore(row) },
      })),
    );
    const mean = (of: (row: (typeof rows)[number]) => number): number =>
      rows.reduce((sum, row) => sum + of(row), 0) / rows.length;
    return {
      level,
      majority: mean((row) => row.majority),
      randomWord: mean((row) => row.score.score),
      randomWordScores: rows.map(({ score }) => score),
    };
  });
}

function mostFrequent(answers: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const answer of answers) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  return [...counts].reduce<readonly [string, number]>(
    (best, one) => (one[1] > best[1] ? one : best),
    ["", 0],
  )[0];
}
