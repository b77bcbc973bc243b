import type { Interval } from "../../evaluate/statistics/bootstrap.js";
import type { ArmScores, RewriteAnalysis } from "../../experiment/rewrite/analysis.js";
import type { RewriteExperiment } from "../../experiment/rewrite/experiment.js";
import type { RewriteArm } from "../../experiment/rewrite/settings.js";
import type { Figure } from "../figure.js";
import { armsWithIntervals } from "../figures/arms-with-intervals.js";
import { doseCurve } from "../figures/dose-curve.js";
import { pairedDifferences } from "../figures/paired-differences.js";
import type { Report, Section } from "../report.js";
import { budgetTable, claimLines, endsOf, lossFigure, manifestOf, predictionTable } from "./common.js";

/** The arms as a reader knows them. */
export const REWRITE_ARM_NAMES: Readonly<Record<RewriteArm, string>> = {
  ift: "IFT",
  sft: "SFT",
  "sft-tag": "SFT + task tag",
  "ift-shuffled": "IFT, shuffled",
};

const SCORE_TITLE = "exact match (share of rows)";

/** Held-out and seen exact match over the number of training instructions. */
export function instructionCurve({ curve }: RewriteAnalysis): Figure {
  const points = (of: (scores: ArmScores) => Interval): (Interval & { x: number })[] =>
    curve.map((scores) => ({ x: scores.trainingRules, ...endsOf(of(scores)) }));
  return doseCurve({
    id: "instruction-curve",
    title: "Rules never trained on, by number of training instructions",
    subtitle: `IFT at the same budget of supervised tokens; ${curve[0]?.heldOut.basis ?? ""}`,
    xTitle: "training instructions (number, log scale)",
    yTitle: SCORE_TITLE,
    series: [
      { name: "held-out rules", points: points(({ heldOut }) => heldOut) },
      { name: "training rules, new strings", points: points(({ seen }) => seen) },
    ],
  });
}

/** Every control beside the IFT arm with the same training rows. */
export function armFigure({ arms }: RewriteAnalysis): Figure {
  const row = ({ format, trainingRules }: ArmScores): string =>
    `${REWRITE_ARM_NAMES[format]}, ${trainingRules.toLocaleString("en")} rules`;
  return armsWithIntervals({
    id: "arms",
    title: "The same rows and budget, shown in different ways",
    subtitle: `arms with the same number of training rules saw the same rows; ${arms[0]?.heldOut.basis ?? ""}`,
    valueTitle: SCORE_TITLE,
    series: [
      { name: "held-out rules", points: arms.map((arm) => ({ row: row(arm), ...endsOf(arm.heldOut) })) },
      {
        name: "training rules, new strings",
        points: arms.map((arm) => ({ row: row(arm), ...endsOf(arm.seen) })),
      },
    ],
  });
}

/** IFT minus each other arm on held-out rules. */
export function differenceFigure({ differences }: RewriteAnalysis): Figure {
  return pairedDifferences({
    id: "differences",
    title: "What the instruction adds on rules never trained on",
    subtitle: `paired on the same rows; ${differences[0]?.difference.basis ?? ""}`,
    valueTitle: "difference in exact match (IFT minus the other arm)",
    rows: differences.map(({ against, trainingRules, difference }) => ({
      label: `IFT − ${REWRITE_ARM_NAMES[against]}, ${trainingRules.toLocaleString("en")} rules`,
      ...endsOf(difference),
    })),
  });
}

/** The report of the string-rewrite experiment. */
export function rewriteReport({ settings, results, analysis }: RewriteExperiment): Report {
  const { language } = settings;
  const range = ({ min, max }: { min: number; max: number }): string => `${min} to ${max}`;
  const sections: Section[] = [
    {
      heading: "More instructions, then rules never seen",
      text: [
        "Each rewrite rule is a task type of its own. The held-out rules are the same at every number of training instructions.",
      ],
      figure: instructionCurve(analysis),
    },
    {
      heading: "SFT against IFT",
      text: [
        "SFT sees the string alone. The task tag names the task by one opaque symbol, which must be learned from the task's own rows: with few rules it does well on them, and on held-out rules it says nothing. The shuffled control is trained with the instructions of other rows and asked with the true ones.",
      ],
      figure: armFigure(analysis),
    },
    { heading: "Paired differences", figure: differenceFigure(analysis) },
    {
      heading: "Budget",
      text: ["Arms are matched on supervised tokens; what that took is beside it (means over seeds)."],
      table: budgetTable(analysis.budgets),
    },
    { heading: "Training", figure: lossFigure(results) },
    {
      heading: "Answers on held-out rules",
      text: ["The first rows of each arm, as they came."],
      table: predictionTable(results, "held-out", 3),
    },
  ];
  return {
    title: "String rewriting: SFT against instruction fine-tuning",
    summary: [
      ...claimLines(analysis.claims),
      `A task is a rewrite rule: ${range(language.leftLength)} letters become ${range(language.rightLength)}, in strings of ${range(language.inputLength)} letters of an alphabet of ${language.alphabet.length}. ${settings.heldOutRules} rules a seed are held out.`,
      `Each run is a decoder of ${settings.decoder.layers} layers and width ${settings.decoder.width}, trained from scratch on ${settings.supervisedTokens.toLocaleString("en")} supervised tokens; ${settings.seeds.length} seeds.`,
    ],
    sections,
    manifest: manifestOf(results),
  };
}
