import type { Report } from "../report.js";

/** A score of a stored report, in percent. */
export interface StoredScore {
  readonly arm: string;
  /** A part of the test rows ("held-out", "seen"), or a level of the suite. */
  readonly rows: string;
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** The scores of a plan's report by one metric: those of arms have an interval, floors are numbers. */
export interface StoredScores {
  readonly arms: readonly StoredScore[];
  readonly floors: readonly { readonly name: string; readonly value: number }[];
}

const INTERVAL = /^(-?[\d.]+) \[(-?[\d.]+), (-?[\d.]+)\]$/;
const FLOOR = "floor: ";

/** Reads the table under "Scores: METRIC" of a plan's report; nothing where it has none. */
export function storedScores(report: Report, metric: string): StoredScores {
  const rows = report.sections.find(({ heading }) => heading === `Scores: ${metric}`)?.table?.rows ?? [];
  const arms: StoredScore[] = [];
  const floors: StoredScores["floors"][number][] = [];
  for (const cells of rows) {
    const [arm = "", part = "", text = ""] = cells.map(String);
    const [mean, low, high] = (INTERVAL.exec(text) ?? []).slice(1).map(Number);
    if (arm.startsWith(FLOOR)) floors.push({ name: arm.slice(FLOOR.length), value: Number(text) });
    else if (mean !== undefined && low !== undefined && high !== undefined) {
      arms.push({ arm, rows: part, mean, low, high });
    }
  }
  return { arms, floors };
}
