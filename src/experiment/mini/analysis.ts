import { GRID_LEVELS, type GridCluster, type GridLevel, inCluster } from "../../data/mini/grid/rows.js";
import type { BootstrapOptions, ExampleScore } from "../../evaluate/statistics/bootstrap.js";
import { seedDifference, type SeedInterval, seedMean } from "../../evaluate/statistics/seed-interval.js";
import { type Claim, percentInterval } from "../claim.js";
import type { RunResult } from "../result.js";
import { type ArmBudget, budgetsOf, REPORT_BOOTSTRAP, scoresOf } from "../scores.js";
import { type LevelFloors, miniFloors } from "./floors.js";
import { clusterArmName, clusterLevel, miniArmName } from "./plan.js";
import type { MiniArm, MiniSettings } from "./settings.js";

/** An arm's exact match at one level. */
export interface MiniLevelScore {
  readonly format: MiniArm;
  readonly level: GridLevel;
  readonly interval: SeedInterval;
}

/** IFT at one number of training task types. */
export interface MiniDose {
  readonly trainingCells: number;
  readonly seen: SeedInterval;
  readonly heldOut: SeedInterval;
}

/** A cluster's task types, asked of the models that were trained with all clusters and of those that never saw this one. */
export interface ClusterScore {
  readonly cluster: GridCluster;
  readonly trained: SeedInterval;
  readonly leftOut: SeedInterval;
}

/** The mean over seeds and rows in one cell of the grid. */
export interface CellScore {
  /** "kind/twice". */
  readonly cell: string;
  readonly level: GridLevel;
  readonly mean: number;
}

/** What the experiment says, in numbers; all scores are exact match. */
export interface MiniAnalysis {
  /** Every arm with all training task types, at every level. */
  readonly levels: readonly MiniLevelScore[];
  readonly floors: readonly LevelFloors[];
  /** IFT minus knowing the format and writing a random word of the text in it, at every level. */
  readonly aboveRandomWord: readonly { readonly level: GridLevel; readonly difference: SeedInterval }[];
  /** IFT minus each other arm on the held-out task types. */
  readonly differences: readonly { readonly against: MiniArm; readonly difference: SeedInterval }[];
  /** Ascending. */
  readonly curve: readonly MiniDose[];
  readonly clusters: readonly ClusterScore[];
  /** IFT with all training task types. */
  readonly cells: readonly CellScore[];
  readonly budgets: readonly ArmBudget[];
  /** Those that the experiment is made to show. */
  readonly claims: readonly Claim[];
}

/** The arms, the one of interest first. */
export const MINI_ARMS: readonly MiniArm[] = ["ift", "sft-tag", "sft", "ift-shuffled"];

const METRIC = "exact-match";
const LEVELS_OF_CELLS: readonly GridLevel[] = [
  "seen",
  "held-out-cell",
  "held-out-selector",
  "held-out-format",
];

/**
 * Scores with intervals, paired differences, floors and claims of a finished experiment. The unit is the task type (cell).
 * @throws KitError when an arm has no results
 */
export function analyseMini(
  results: readonly RunResult[],
  settings: MiniSettings,
  options: BootstrapOptions = REPORT_BOOTSTRAP,
): MiniAnalysis {
  const most = Math.max(...settings.trainingCells);
  const ift = miniArmName("ift", most);
  const scores = (arm: string, level: string): ExampleScore[] => scoresOf(results, arm, { level }, METRIC);
  const mean = (arm: string, level: string): SeedInterval => seedMean(scores(arm, level), options);
  const heldOutMinus = (a: string, b: string): SeedInterval =>
    seedDifference({ a: scores(a, "held-out-cell"), b: scores(b, "held-out-cell") }, options);
  const differences = MINI_ARMS.slice(1).map((against) => ({
    against,
    difference: heldOutMinus(ift, miniArmName(against, most)),
  }));
  const curve = [...settings.trainingCells]
    .sort((a, b) => a - b)
    .map((trainingCells) => ({
      trainingCells,
      seen: mean(miniArmName("ift", trainingCells), "seen"),
      heldOut: mean(miniArmName("ift", trainingCells), "held-out-cell"),
    }));
  const floors = miniFloors(settings);
  const aboveRandomWord = floors.map(({ level, randomWordScores }) => ({
    level,
    difference: seedDifference({ a: scores(ift, level), b: randomWordScores }, options),
  }));
  return {
    levels: MINI_ARMS.flatMap((format) =>
      GRID_LEVELS.map((level) => ({ format, level, interval: mean(miniArmName(format, most), level) })),
    ),
    floors,
    aboveRandomWord,
    differences,
    curve,
    clusters: settings.clusters.map((cluster) => ({
      cluster,
      trained: seedMean(
        scores(ift, "seen").filter(({ taskType }) => inCluster(taskType, cluster)),
        options,
      ),
      leftOut: mean(clusterArmName(cluster), clusterLevel(cluster)),
    })),
    cells: LEVELS_OF_CELLS.flatMap((level) => cellScores(scores(ift, level), level)),
    budgets: budgetsOf(results),
    claims: [
      ...differences.map((difference) => beatenClaim(difference, most)),
      ...doseClaim(settings.trainingCells, heldOutMinus),
      ...aboveRandomWord.filter(({ level }) => level === "held-out-cell").map(floorClaim),
    ],
  };
}

function cellScores(scores: readonly ExampleScore[], level: GridLevel): CellScore[] {
  return [...new Set(scores.map(({ taskType }) => taskType))].map((cell) => {
    const own = scores.filter(({ taskType }) => taskType === cell);
    return { cell, level, mean: own.reduce((sum, { score }) => sum + score, 0) / own.length };
  });
}

function beatenClaim(
  { against, difference }: MiniAnalysis["differences"][number],
  trainingCells: number,
): Claim {
  const names: Readonly<Record<MiniArm, string>> = {
    ift: "IFT",
    sft: "SFT",
    "sft-tag": "SFT with task tags",
    "ift-shuffled": "IFT with shuffled instructions",
    "ift-swapped": "IFT with instructions of another task type",
  };
  return {
    statement: `With ${trainingCells} training task types IFT beats ${names[against]} on task types never trained on`,
    holds: difference.low > 0,
    evidence: `difference in exact match ${percentInterval(difference)} points`,
  };
}

/** The claim about the largest and the smallest number of training task types, where there are two. */
function doseClaim(doses: readonly number[], heldOutMinus: (a: string, b: string) => SeedInterval): Claim[] {
  const [fewest, most] = [Math.min(...doses), Math.max(...doses)];
  if (fewest === most) return [];
  const gain = heldOutMinus(miniArmName("ift", most), miniArmName("ift", fewest));
  return [
    {
      statement: `${most} training task types generalize better than ${fewest}, with as many rows`,
      holds: gain.low > 0,
      evidence: `difference in exact match ${percentInterval(gain)} points`,
    },
  ];
}

function floorClaim({ difference }: MiniAnalysis["aboveRandomWord"][number]): Claim {
  return {
    statement: "There IFT beats a random word of the text in the right format",
    holds: difference.low > 0,
    evidence: `difference in exact match ${percentInterval(difference)} points`,
  };
}
