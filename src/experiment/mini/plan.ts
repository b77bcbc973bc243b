import { GRID_LEVELS, type GridCluster, type GridLevel } from "../../data/mini/grid/rows.js";
import type { RunSpecification } from "../result.js";
import { startHash } from "./start.js";
import {
  checkVariant,
  MAIN_EXTRA_EVALUATION,
  MAIN_VARIANT,
  type MiniExtraEvaluation,
  type MiniVariant,
} from "./variant.js";
import type { MiniArm, MiniRunSettings, MiniSettings } from "./settings.js";

/** One training run of the mini-world grid. */
export interface MiniRun extends RunSpecification {
  readonly suite: "mini-grid";
  readonly format: MiniArm;
  /** Number of training task types, before a cluster is taken out of them. */
  readonly trainingCells: number;
  /** What is left out of training besides. */
  readonly without?: GridCluster;
  /** What it is asked: everything, or of a dose the trained and the held-out cells. */
  readonly levels: readonly GridLevel[];
  /** Clusters that are asked beside the levels, such as the one left out. */
  readonly clusters: readonly GridCluster[];
  /** SHA-256 of the model that the run starts from; "random" where there is none. */
  readonly startHash: string;
  /** All else that decides the run. */
  readonly settings: Pick<
    MiniRunSettings,
    "start" | "trainingRows" | "budget" | "rowsPerStep" | "learningRate" | keyof MiniVariant
  > &
    Pick<MiniSettings, "testRows" | "clusterRows"> & { readonly asked: MiniExtraEvaluation };
}

/**
 * What a run with these settings is asked to do.
 * @throws KitError when the model to start from cannot be read, or settings do not go together
 */
export function specifyMini({
  format,
  trainingCells,
  split: { without },
  evaluation: { levels, clusters, testRows, clusterRows, ...asked },
  ...settings
}: MiniRunSettings): Omit<MiniRun, "suite" | "id" | "arm" | "seed"> {
  checkVariant(format, settings, asked);
  return {
    format,
    trainingCells,
    ...(without === undefined ? {} : { without }),
    levels,
    clusters,
    startHash: startHash(settings.start),
    settings: { ...settings, testRows, clusterRows, asked },
  };
}

/** The name of an arm: the format, and the number of training task types. */
export function miniArmName(format: MiniArm, trainingCells: number): string {
  return `${format}-${trainingCells}`;
}

/** The name of the arm that was trained without a cluster. */
export function clusterArmName({ over, name }: GridCluster): string {
  return `ift-without-${over === "selectors" ? "selector" : "format"}-${name}`;
}

/** The name of a cluster's test rows: what `ScoredRow.level` says of them. */
export function clusterLevel({ over, name }: GridCluster): string {
  return `${over}/${name}`;
}

/**
 * All runs of the experiment: IFT at each number of training task types; SFT, tagged SFT and IFT with shuffled
 * instructions at the largest one; IFT without each cluster; each with every seed. Runs that take longest come first,
 * so that no core is idle at the end.
 * @throws KitError when the model to start from cannot be read
 */
export function planMiniRuns(settings: MiniSettings): MiniRun[] {
  const { seeds, trainingCells, clusters, supervisedTokens, ...rest } = settings;
  const shared = {
    ...rest,
    ...MAIN_VARIANT,
    asked: MAIN_EXTRA_EVALUATION,
    budget: { unit: "supervised-tokens", amount: supervisedTokens } as const,
  };
  const most = Math.max(...trainingCells);
  const hash = startHash(settings.start);
  const doses = [...trainingCells].sort((a, b) => b - a);
  const arms: MiniArmPlan[] = [
    armPlan("ift-shuffled", most),
    ...doses.map((cells) => ({
      ...armPlan("ift", cells),
      levels: cells === most ? GRID_LEVELS : (["seen", "held-out-cell"] as const),
    })),
    ...clusters.map((without) => ({
      ...armPlan("ift", most),
      arm: clusterArmName(without),
      levels: [],
      clusters: [without],
      without,
    })),
    armPlan("sft-tag", most),
    armPlan("sft", most),
  ];
  return arms.flatMap((one) =>
    seeds.map((seed) => ({
      suite: "mini-grid",
      id: `${one.arm}-seed-${seed}`,
      seed,
      ...one,
      startHash: hash,
      settings: shared,
    })),
  );
}

type MiniArmPlan = Pick<MiniRun, "arm" | "format" | "trainingCells" | "levels" | "clusters" | "without">;

function armPlan(format: MiniArm, trainingCells: number): MiniArmPlan {
  return {
    arm: miniArmName(format, trainingCells),
    format,
    trainingCells,
    levels: GRID_LEVELS,
    clusters: [],
  };
}
