import type { Figure } from "../../src/report/figure.js";
import { armsWithIntervals } from "../../src/report/figures/arms-with-intervals.js";
import { doseCurve } from "../../src/report/figures/dose-curve.js";
import { learningCurves } from "../../src/report/figures/learning-curves.js";
import { pairedDifferences } from "../../src/report/figures/paired-differences.js";

/** A mean with an interval around it. */
export function around(mean: number, half = 0.05): { mean: number; low: number; high: number } {
  return { mean, low: mean - half, high: mean + half };
}

const ARMS = ["IFT", "SFT", "IFT <shuffled> & tagged"];

/** One figure of each builder. */
export const FIGURES: Readonly<Record<string, Figure>> = {
  dose: doseCurve({
    id: "dose",
    title: "Exact match by number of instructions",
    subtitle: "mean and 95% interval",
    xTitle: "training instructions (number, log scale)",
    yTitle: "exact match (share of rows)",
    series: [
      {
        name: "held-out rules",
        points: [20, 200, 1000].map((x, index) => ({ x, ...around(0.1 + 0.4 * index) })),
      },
      { name: "training rules", points: [20, 200, 1000].map((x) => ({ x, ...around(0.95) })) },
    ],
    references: [{ name: "copy the input", value: 0.02 }],
  }),
  arms: armsWithIntervals({
    id: "arms",
    title: "Four arms",
    valueTitle: "exact match (share of rows)",
    series: [{ name: "held-out", points: ARMS.map((row, index) => ({ row, ...around(0.9 - 0.3 * index) })) }],
    floors: [
      { name: "majority label", value: 0.2 },
      { name: "copy input", points: ARMS.map((row) => ({ row, value: 0.1 })) },
    ],
  }),
  differences: pairedDifferences({
    id: "differences",
    title: "What the instruction adds",
    valueTitle: "difference in exact match (IFT minus the other arm)",
    rows: [
      { label: "IFT − SFT", ...around(0.5) },
      { label: "IFT − IFT shuffled", ...around(0.01) },
    ],
  }),
  learning: learningCurves({
    id: "learning",
    title: "Training loss",
    xTitle: "supervised tokens (number)",
    yTitle: "loss (nats per supervised token)",
    curves: [1, 2].map((seed) => ({
      name: "IFT",
      run: `seed ${seed}`,
      points: Array.from({ length: 600 }, (_, step) => ({
        x: 100 * step,
        y: 3 * Math.exp(-step / 100) + 0.1 * seed,
      })),
    })),
  }),
};
