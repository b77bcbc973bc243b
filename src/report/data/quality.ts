import type { QualityReport, SetQuality } from "../../generate/quality/index.js";
import { REASONS } from "../../generate/pipeline/draft.js";
import { LEVELS } from "../../generate/pipeline/ledger.js";
import type { Interval } from "../../evaluate/statistics/bootstrap.js";
import { formatNumber, idPart } from "../figures/common.js";
import type { Report, Section, Table } from "../report.js";
import {
  ledgerFigure,
  lengthFigure,
  type NamedLedger,
  nearestSeedFigure,
  repetitionFigure,
  setVerbFigure,
  varietyFigure,
} from "./quality-figures.js";

/** What each set has: one row for each. */
export function setTable({ sets }: QualityReport): Table {
  return {
    columns: columns(
      "set",
      "rows",
      "instructions",
      "verbs",
      "verb-object pairs",
      "rows without input",
      "without output",
    ),
    rows: sets.map(({ name, rows, diversity, withoutInput, withoutOutput }) => [
      name,
      rows,
      diversity?.instructions ?? 0,
      diversity?.verbs ?? 0,
      diversity?.verbObjects ?? 0,
      withoutInput,
      withoutOutput,
    ]),
  };
}

/** Diversity over draws of one size, each with the range that 90% of the draws are in. */
export function matchedTable({ sets }: QualityReport): Table {
  return {
    columns: columns(
      "set",
      "instructions of a draw",
      "verb-object pairs an instruction",
      "distinct-2",
      "self-BLEU",
      "nearest other ROUGE-L",
    ),
    rows: sets.flatMap(({ name, matched }) =>
      matched === null
        ? []
        : [
            [
              name,
              matched.instructions,
              withRange(matched.verbObjects),
              withRange(matched.distinct2),
              withRange(matched.selfBleu),
              withRange(matched.nearestRougeL),
            ],
          ],
    ),
  };
}

/** Similarity to the nearest seed. */
export function nearestSeedTable({ sets }: QualityReport): Table {
  return {
    columns: columns(
      "set",
      "instructions",
      "nearest seed, median ROUGE-L",
      "95th percentile",
      "above 0.7",
      "with the words of a seed",
    ),
    rows: sets.flatMap(({ name, nearestSeeds }) =>
      nearestSeeds === null
        ? []
        : [
            [
              name,
              nearestSeeds.rougeL.count,
              formatNumber(nearestSeeds.rougeL.median),
              formatNumber(nearestSeeds.rougeL.p95),
              nearestSeeds.aboveLimit,
              nearestSeeds.sameWords,
            ],
          ],
    ),
  };
}

/** Lengths in words. */
export function lengthTable({ sets }: QualityReport): Table {
  const parts = ["instruction", "input", "output"] as const;
  const round = (value: number): number => Number(value.toPrecision(3));
  return {
    columns: [
      ...columns("part", "set", "number"),
      ...["mean", "5th percentile", "median", "95th percentile", "longest"].map((name) => ({
        name,
        unit: "words",
      })),
    ],
    rows: parts.flatMap((part) =>
      sets.flatMap(({ name, lengths }) => {
        const found = lengths[part];
        if (found === null) return [];
        const { count, mean, p5, median, p95, max } = found;
        return [[part, name, count, round(mean), round(p5), round(median), round(p95), max]];
      }),
    ),
  };
}

/** Whether labels are among the answers to choose from, and what is there twice. */
export function soundnessTable({ sets }: QualityReport): Table {
  return {
    columns: columns(
      "set",
      "rows with options",
      "valid labels",
      "valid in another form",
      "invalid",
      "labels without options",
      "exact duplicates",
      "near-duplicates",
      "same prompt",
      "nearly the same prompt",
    ),
    rows: sets.map(({ name, labels, duplicates: { row, prompt } }) => [
      name,
      labels.rows,
      labels.valid,
      labels.inAnotherForm,
      labels.invalid,
      labels.uncheckable,
      row.exact,
      row.near,
      prompt.exact,
      prompt.near,
    ]),
  };
}

/** What was rejected in each run, the most frequent reason first, with what it means. */
export function rejectionTable(runs: readonly NamedLedger[]): Table {
  const meanings: Readonly<Record<string, string>> = REASONS;
  return {
    columns: columns("run", "what", "step", "reason", "rejected", "meaning"),
    rows: runs.flatMap(({ name, ledger }) =>
      LEVELS.flatMap((level) =>
        Object.entries(ledger[level].rejected)
          .sort((a, b) => b[1] - a[1])
          .map(([key, count]) => {
            const [step = "", reason = ""] = key.split(": ");
            return [name, level, step, reason, count, meanings[reason] ?? ""];
          }),
      ),
    ),
  };
}

/** The runs among the sets. */
export function ledgersOf({ sets }: QualityReport): NamedLedger[] {
  return sets.flatMap(({ name, ledger }) => (ledger === null ? [] : [{ name, ledger }]));
}

/** What the report shows, in sentences; they say no more than the numbers. */
export function qualitySummary(report: QualityReport): string[] {
  const few = report.sets.filter(({ matched }) => matched === null).map(({ name }) => name);
  return [
    ...report.sets.map((set) => sentenceOf(set, report.seeds)),
    ...(few.length === 0 ? [] : [`Too few instructions to compare how varied they are: ${few.join(", ")}.`]),
  ];
}

function sentenceOf(
  { name, rows, diversity, nearestSeeds, labels, duplicates, ledger }: SetQuality,
  seeds: string | null,
): string {
  const count = (value: number): string => value.toLocaleString("en");
  const parts = [
    `${count(rows)} rows with ${count(diversity?.instructions ?? 0)} different instructions`,
    ...(nearestSeeds === null
      ? []
      : [
          `${count(nearestSeeds.aboveLimit)} of these are more than 0.7 like one of ${seeds ?? "the seeds"} (ROUGE-L)`,
        ]),
    ...(labels.rows === 0 ? [] : [`${count(labels.valid)} of ${count(labels.rows)} labels are valid`]),
    `${count(duplicates.row.exact)} exact and ${count(duplicates.row.near)} near-duplicates`,
    ...(ledger === null
      ? []
      : [`${count(ledger.tasks.kept)} of ${count(ledger.tasks.proposed)} proposed tasks were kept`]),
  ];
  return `${name}: ${parts.join("; ")}.`;
}

/** The whole of it as a report. */
export function qualityReport(report: QualityReport): Report {
  const runs = ledgersOf(report);
  const { hash, settings, seeds, sets } = report;
  const closest = sets.flatMap(({ name, nearestSeeds }) =>
    (nearestSeeds?.closest.slice(0, 3) ?? []).map(({ instruction, seed, rougeL }) => [
      name,
      formatNumber(rougeL),
      instruction,
      seed,
    ]),
  );
  const invalid = sets.flatMap(({ name, labels }) =>
    labels.examples.map(({ id, output, options }) => [name, id, output, options.join(" | ")]),
  );
  const sections: Section[] = [
    { heading: "The sets", table: setTable(report) },
    ...sets.flatMap((set, index) => {
      const figure = setVerbFigure(set, `verbs-${index + 1}-${idPart(set.name)}`);
      return figure === undefined ? [] : [{ heading: `Verbs and objects: ${set.name}`, figure }];
    }),
    ...optional("How varied the instructions are", varietyFigure(report), {
      text: [
        "All measures here change with the number of instructions, so each set is drawn from equally often, in draws of one size. The draws are without repetition: new sets of that size would spread more.",
      ],
      table: matchedTable(report),
    }),
    ...optional("How much they repeat each other", repetitionFigure(report)),
    ...optional("The nearest seed", nearestSeedFigure(report), { table: nearestSeedTable(report) }),
    ...(closest.length === 0
      ? []
      : [
          {
            heading: "Most like a seed",
            table: { columns: columns("set", "ROUGE-L", "instruction", "nearest seed"), rows: closest },
          },
        ]),
    ...optional("Lengths", lengthFigure(report), { table: lengthTable(report) }),
    { heading: "Labels and duplicates", table: soundnessTable(report) },
    ...(invalid.length === 0
      ? []
      : [
          {
            heading: "Labels that are not valid",
            table: { columns: columns("set", "row", "output", "to choose from"), rows: invalid },
          },
        ]),
    ...optional("What was rejected", ledgerFigure(runs), { table: rejectionTable(runs) }),
  ];
  return {
    title: `Instruction data: ${sets.map(({ name }) => name).join(", ")}`,
    summary: qualitySummary(report),
    sections,
    manifest: {
      hash,
      settings,
      seeds,
      sets: sets.map(({ name, dataHash, rows }) => ({ name, dataHash, rows })),
    },
  };
}

/** A section that is there only with its figure. */
function optional(
  heading: string,
  figure: Section["figure"],
  more: Pick<Section, "text" | "table"> = {},
): Section[] {
  return figure === undefined ? [] : [{ heading, figure, ...more }];
}

function columns(...names: readonly string[]): Table["columns"] {
  return names.map((name) => ({ name }));
}

function withRange({ mean, low, high }: Interval): string {
  return `${formatNumber(mean)} [${formatNumber(low)}, ${formatNumber(high)}]`;
}
