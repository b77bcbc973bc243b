import { HELD_OUT_CELLS, TRAINING_CELLS } from "../../data/mini/grid/cells.js";
import { percent } from "../../experiment/claim.js";
import type { MiniExperiment } from "../../experiment/mini/experiment.js";
import type { Report, Section } from "../report.js";
import { budgetTable, claimLines, lossFigure, manifestOf, predictionTable } from "./common.js";
import {
  clusterFigure,
  gridFigure,
  LEVEL_NAMES,
  levelFigure,
  levelTable,
  miniArmFigure,
  miniDifferenceFigure,
  taskTypeCurve,
} from "./mini.js";

/** The report of the mini-world grid. */
export function miniReport({ settings, results, analysis }: MiniExperiment): Report {
  const clusters = clusterFigure(analysis);
  const most = Math.max(...settings.trainingCells);
  const sections: Section[] = [
    {
      heading: "More task types, then task types never seen",
      text: [
        "A task type is a cell of a grid: what to find in a text (the fruit, the third word, the town) and what to do with it (write it twice, in brackets, as a question). Of a held-out cell both halves are trained, never together.",
        "The number of rows and the budget are the same at every point; what changes is how many task types they come from.",
      ],
      figure: taskTypeCurve(analysis),
    },
    {
      heading: "SFT against IFT",
      text: [
        "SFT sees the text alone. The task tag names the cell by one opaque symbol and gives the same slot words as the instruction: on trained cells it tells as much, on held-out ones nothing. The shuffled control is trained with the instructions of other rows and asked with the true ones.",
      ],
      figure: miniArmFigure(analysis),
    },
    { heading: "Paired differences", figure: miniDifferenceFigure(analysis) },
    {
      heading: "How far it reaches",
      text: [
        "From the nearest to the farthest: new texts; words in the instruction that no training instruction has; wordings that training never has; kinds of things that it never asks for; held-out cells; and ways to find or to write that no training row has.",
        ...failureLines(analysis),
      ],
      figure: levelFigure(analysis),
    },
    { heading: "All arms at every level", table: levelTable(analysis) },
    { heading: "The trained cells", figure: gridFigure(analysis, "trained") },
    { heading: "The cells never trained on", figure: gridFigure(analysis, "held-out") },
    ...(clusters === undefined
      ? []
      : [
          {
            heading: "Leave one cluster out",
            text: [
              "As in FLAN: a whole cluster of task types is left out of training, and asked. Each row is another model; beside it the model that was trained on all task types, on those of the cluster.",
            ],
            figure: clusters,
          },
        ]),
    {
      heading: "Budget",
      text: ["Arms are matched on supervised tokens; what that took is beside it (means over seeds)."],
      table: budgetTable(analysis.budgets),
    },
    { heading: "Training", figure: lossFigure(results) },
    {
      heading: "Answers on held-out task types",
      text: ["The first rows of each arm, as they came."],
      table: predictionTable(
        results.filter(({ arm }) => arm.endsWith(`-${most}`)),
        "held-out",
        4,
      ),
    },
  ];
  return {
    title: "The mini world: SFT against instruction fine-tuning",
    summary: [
      ...claimLines(analysis.claims),
      `${most} of ${TRAINING_CELLS.length + HELD_OUT_CELLS.length} cells of the grid are trained, ${HELD_OUT_CELLS.length} are held out; texts, words and wordings are drawn anew for each of ${settings.seeds.length === 1 ? "one seed" : `${settings.seeds.length} seeds`}.`,
      `Each run starts from ${startOf(settings)} and is trained on ${settings.supervisedTokens.toLocaleString("en")} supervised tokens.`,
    ],
    sections,
    manifest: manifestOf(results),
  };
}

/** What does not work, said as plainly as what does. */
function failureLines({ aboveRandomWord, levels }: MiniExperiment["analysis"]): string[] {
  const failed = aboveRandomWord.filter(({ difference }) => difference.low <= 0);
  if (failed.length === 0) return [];
  const list = failed.map(({ level }) => {
    const score = levels.find((one) => one.format === "ift" && one.level === level)?.interval.mean ?? 0;
    return `${LEVEL_NAMES[level]} (${percent(score)} %)`;
  });
  return [`Not above a random word in the right format: ${list.join("; ")}.`];
}

function startOf({ start }: MiniExperiment["settings"]): string {
  return start.kind === "random"
    ? `random weights (a decoder of ${start.decoder.layers} layers and width ${start.decoder.width})`
    : `the base model ${start.folder}, pre-trained on text of the mini world without instructions`;
}
