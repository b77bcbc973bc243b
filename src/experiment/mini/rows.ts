import type { Example } from "../../data/example.js";
import { withCellTags } from "../../data/mini/grid/arms.js";
import {
  HELD_OUT_CELLS,
  NEW_FORMAT_CELLS,
  NEW_SELECTOR_CELLS,
  TRAINING_CELLS,
} from "../../data/mini/grid/cells.js";
import {
  drawClusterTest,
  drawTests,
  drawTraining,
  type GridLevel,
  inCluster,
  withReasoning,
} from "../../data/mini/grid/rows.js";
import { GridDemonstrations } from "../../data/mini/grid/demonstrations.js";
import { inWording, withFewWordings } from "../../data/mini/grid/wording-choice.js";
import { tagSymbol, withShuffledInstructions, withSwappedInstructions } from "../../data/rewrite/arms.js";
import { MINI_CHAIN_OF_THOUGHT, MINI_FEW_SHOT, MINI_IFT, MINI_SFT } from "../../data/mini/template.js";
import type { Template } from "../../data/template.js";
import type { Tokenizer } from "../../data/tokenizer.js";
import type { TestPart } from "../run-arm.js";
import { clusterLevel, type MiniRun } from "./plan.js";
import type { MiniSettings } from "./settings.js";
import { tokenizerOf } from "./start.js";

/** What a run trains on and is asked, as its arm shows it. */
export interface MiniRows {
  readonly train: readonly Example[];
  readonly tests: readonly TestPart[];
  readonly template: Template;
  readonly tokenizer: Tokenizer;
}

/** The level of held-out cells that are asked again in several wordings. */
export const WORDINGS_LEVEL = "held-out-cell-wordings";

/** The levels whose task types are trained; on the others they are held out. */
const TRAINED_LEVELS: readonly GridLevel[] = [
  "seen",
  "unseen-slot-words",
  "unseen-paraphrase",
  "unseen-kind",
];

/** Every cell has a tag of its own, trained or not. */
const TAG_NUMBERS: ReadonlyMap<string, number> = new Map(
  [...TRAINING_CELLS, ...HELD_OUT_CELLS, ...NEW_SELECTOR_CELLS, ...NEW_FORMAT_CELLS].map(
    ({ name }, index) => [name, index],
  ),
);

/**
 * The rows of a run. For one seed and number of cells the arms have the same texts, questions and answers in the same
 * order, and differ only in what is shown beside them. Shuffled instructions are shuffled in training only: the test
 * asks with true ones.
 */
export function miniRows(run: Omit<MiniRun, "suite" | "id" | "arm">): MiniRows {
  const { settings, seed, format } = run;
  const drawn = variedTraining(run);
  const tests = testsOf(run);
  const tags = [...TAG_NUMBERS.values()].map(tagSymbol);
  const tokenizer = tokenizerOf(settings.start, drawn, tags);
  switch (format) {
    case "sft":
      return { train: drawn, tests, template: MINI_SFT, tokenizer };
    case "ift":
      return { train: drawn, tests, template: templateOf(run), tokenizer };
    case "ift-swapped":
      return { train: withSwappedInstructions(drawn, seed), tests, template: MINI_IFT, tokenizer };
    case "ift-shuffled":
      return { train: withShuffledInstructions(drawn, seed), tests, template: MINI_IFT, tokenizer };
    case "sft-tag":
      return {
        train: withCellTags(drawn, TAG_NUMBERS),
        tests: tests.map((test) => ({ ...test, examples: withCellTags(test.examples, TAG_NUMBERS) })),
        template: MINI_IFT,
        tokenizer,
      };
  }
}

function templateOf({ settings }: Pick<MiniRun, "settings">): Template {
  if (settings.response === "chain-of-thought") return MINI_CHAIN_OF_THOUGHT;
  return settings.demonstrations > 0 || settings.asked.demonstrations > 0 ? MINI_FEW_SHOT : MINI_IFT;
}

/** The training rows with what the variant of the run adds to them, or takes from their wordings. */
function variedTraining(run: Pick<MiniRun, "trainingCells" | "without" | "seed" | "settings">): Example[] {
  const { wordings, demonstrations, response } = run.settings;
  const drawn = drawMiniTraining(run);
  const worded = wordings === "all" ? drawn : withFewWordings(drawn, wordings, run.seed);
  const shown = demonstrated(worded, demonstrations, run.seed);
  return response === "chain-of-thought" ? shown.map(withReasoning) : shown;
}

function demonstrated(rows: readonly Example[], count: number, seed: number): Example[] {
  if (count === 0) return [...rows];
  const demonstrations = new GridDemonstrations(seed);
  return rows.map((row) => demonstrations.show(row, count));
}

/**
 * The training rows of a run before its arm changes them. The number of rows for each cell is such that all runs have
 * about as many rows in all.
 */
export function drawMiniTraining({
  trainingCells,
  without,
  settings,
  seed,
}: Pick<MiniRun, "trainingCells" | "without" | "seed"> & {
  readonly settings: Pick<MiniSettings, "trainingRows">;
}): Example[] {
  const cells = TRAINING_CELLS.slice(0, trainingCells).filter(
    ({ name }) => without === undefined || !inCluster(name, without),
  );
  const weight = cells.reduce((sum, { selector }) => sum + selector.weight, 0);
  return drawTraining(cells, settings.trainingRows / weight, seed);
}

/** The levels that the run is asked, and the clusters. */
function testsOf({
  settings,
  seed,
  levels,
  clusters,
  trainingCells,
  without,
}: Omit<MiniRun, "suite" | "id" | "arm">): TestPart[] {
  const { testRows, clusterRows, asked, response } = settings;
  const most = Math.max(...Object.values(testRows));
  const rows = drawTests(most, seed, TRAINING_CELLS.slice(0, trainingCells));
  const again = rows["held-out-cell"].slice(0, testRows["held-out-cell"]);
  const tests: TestPart[] = [
    ...levels.map((level) => ({
      part: TRAINED_LEVELS.includes(level) ? ("seen" as const) : ("held-out" as const),
      level,
      examples: rows[level].slice(0, testRows[level]),
    })),
    ...clusters.map((cluster) => ({
      part: without === undefined ? ("seen" as const) : ("held-out" as const),
      level: clusterLevel(cluster),
      examples: drawClusterTest(cluster, clusterRows, seed),
    })),
    ...Array.from({ length: asked.wordings }, (_, index) => ({
      part: "held-out" as const,
      level: WORDINGS_LEVEL,
      wording: `wording ${index + 1}`,
      examples: inWording(again, index, asked.wordings),
    })),
  ];
  return tests.map((test) => {
    const shown = demonstrated(test.examples, asked.demonstrations, seed);
    return { ...test, examples: response === "chain-of-thought" ? shown.map(withReasoning) : shown };
  });
}
