import type { Distribution } from "../../data/compare/index.js";
import type { Interval } from "../../evaluate/statistics/bootstrap.js";
import type { MatchedDiversity, QualityReport, SetQuality } from "../../generate/quality/index.js";
import type { GenerationLedger } from "../../generate/pipeline/ledger.js";
import { MOST_SIMILAR } from "../../generate/pipeline/filters.js";
import type { AnyFigure } from "../figure.js";
import { armsWithIntervals } from "../figures/arms-with-intervals.js";
import { idPart } from "../figures/common.js";
import { lengthBoxes } from "../figures/length-boxes.js";
import { outcomeBars } from "../figures/outcome-bars.js";
import { shareLines } from "../figures/share-lines.js";
import { instructionVerbMap } from "./verbs.js";

/** What the instructions of a set ask for; undefined where none has a verb. @param id where the name alone would not do */
export function setVerbFigure(
  { name, diversity }: SetQuality,
  id = `verbs-${idPart(name)}`,
): AnyFigure | undefined {
  return diversity === null
    ? undefined
    : instructionVerbMap(diversity, {
        id,
        title: `What the instructions of ${name} ask for`,
      });
}

/** Measures of which more means more varied, over draws of one size; undefined where no set is large enough. */
export function varietyFigure(report: QualityReport): AnyFigure | undefined {
  return matchedFigure(report, {
    id: "variety",
    title: "How varied the instructions are (more is more varied)",
    valueTitle: "share (of n-grams, or of instructions)",
    series: [
      { name: "different verb–object pairs", of: ({ verbObjects }) => verbObjects },
      { name: "distinct-2", of: ({ distinct2 }) => distinct2 },
    ],
  });
}

/** Measures of which more means that instructions repeat each other; undefined where no set is large enough. */
export function repetitionFigure(report: QualityReport): AnyFigure | undefined {
  return matchedFigure(report, {
    id: "repetition",
    title: "How much the instructions repeat each other (less is more varied)",
    valueTitle: "similarity (0 to 1)",
    series: [
      { name: "self-BLEU", of: ({ selfBleu }) => selfBleu },
      { name: "ROUGE-L with the nearest other one", of: ({ nearestRougeL }) => nearestRougeL },
    ],
  });
}

function matchedFigure(
  { sets }: QualityReport,
  {
    series,
    ...text
  }: {
    readonly id: string;
    readonly title: string;
    readonly valueTitle: string;
    readonly series: readonly {
      readonly name: string;
      readonly of: (matched: MatchedDiversity) => Interval;
    }[];
  },
): AnyFigure | undefined {
  const drawn = sets.flatMap(({ name, matched }) => (matched === null ? [] : [{ name, matched }]));
  const [first] = drawn;
  if (first === undefined) return undefined;
  const { instructions, draws } = first.matched;
  return armsWithIntervals({
    ...text,
    subtitle: `${draws} draws of ${instructions} instructions from each set: the mean, and 90% of the draws`,
    series: series.map(({ name, of }) => ({
      name,
      points: drawn.map(({ name: row, matched }) => ({ row, ...of(matched) })),
    })),
  });
}

/** How like the instructions of each set are to the nearest seed; undefined where nothing was compared. */
export function nearestSeedFigure({ sets, seeds }: QualityReport): AnyFigure | undefined {
  const series = sets.flatMap(({ name, nearestSeeds }) =>
    nearestSeeds === null ? [] : [{ name, shares: nearestSeeds.shares }],
  );
  if (series.length === 0) return undefined;
  return shareLines({
    id: "nearest-seed",
    title: "How like the nearest seed the instructions are",
    subtitle: `seeds: ${seeds ?? ""}; Self-Instruct leaves out what is above its limit`,
    xTitle: "ROUGE-L with the most similar seed (0 to 1)",
    yTitle: "share of the instructions",
    series,
    reference: { name: "Self-Instruct's limit", x: MOST_SIMILAR },
  });
}

/** Lengths of instructions, inputs and outputs of each set; undefined where there are none. */
export function lengthFigure({ sets }: QualityReport): AnyFigure | undefined {
  const parts = ["instruction", "input", "output"] as const;
  const rows = parts.flatMap((part) =>
    sets.flatMap(({ name, lengths }): { label: string; lengths: Distribution }[] => {
      const found = lengths[part];
      return found === null ? [] : [{ label: `${part} · ${name}`, lengths: found }];
    }),
  );
  if (rows.length === 0) return undefined;
  return lengthBoxes({
    id: "lengths",
    title: "How long instructions, inputs and outputs are",
    subtitle: "where there are any; boxes are quartiles, whiskers the 5th and 95th percentile",
    valueTitle: "length (words, log scale)",
    rows,
  });
}

/** A run's ledger under a name. */
export interface NamedLedger {
  readonly name: string;
  readonly ledger: GenerationLedger;
}

/** What became of the tasks that each run proposed; undefined where nothing was proposed. */
export function ledgerFigure(runs: readonly NamedLedger[]): AnyFigure | undefined {
  const rows = runs.flatMap(({ name, ledger: { tasks } }) =>
    tasks.proposed === 0 ? [] : [{ label: name, first: tasks.kept, others: byReason(tasks.rejected) }],
  );
  if (rows.length === 0) return undefined;
  return outcomeBars({
    id: "ledger",
    title: "What became of the tasks that the teacher proposed",
    valueTitle: "share of the proposed tasks",
    firstName: "kept",
    rows,
  });
}

/** Counts by the reason alone, whatever step found it. */
function byReason(rejected: Readonly<Record<string, number>>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [name, count] of Object.entries(rejected)) {
    const reason = name.slice(name.indexOf(": ") + 2).replaceAll("-", " ");
    counts[reason] = (counts[reason] ?? 0) + count;
  }
  return counts;
}
