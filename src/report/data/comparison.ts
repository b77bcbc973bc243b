import type { FormatComparison, FormatNumbers, TaskTypeComparison } from "../../data/compare/index.js";
import type { AnyFigure } from "../figure.js";
import { compactNumber, idPart } from "../figures/common.js";
import { lengthBoxes } from "../figures/length-boxes.js";
import { matrixMap } from "../figures/matrix-map.js";
import { tokenBars } from "../figures/token-bars.js";
import type { Report, Section, Table } from "../report.js";
import { instructionVerbMap } from "./verbs.js";

/** Task types with the most rows are drawn; the rest is in the tables. */
const MOST_DRAWN = 24;

/** A matrix of similarities with its names. */
export interface NamedMatrix {
  readonly labels: readonly string[];
  readonly values: readonly (readonly (number | null)[])[];
}

/** Tokens of all rows in each format, by where they come from. */
export function tokenFigure({ total }: FormatComparison): AnyFigure {
  return tokenBars({
    id: "tokens",
    title: "The same rows in each format: tokens by where they come from",
    subtitle: `${total.rows.toLocaleString("en")} rows that every format shows`,
    valueTitle: "tokens (number)",
    rows: total.formats.map(({ format, tokensBySource }) => ({ label: format, tokens: tokensBySource })),
  });
}

/** Mean tokens of a row of each task type in one format. */
export function taskTypeTokenFigure(comparison: FormatComparison, format: string): AnyFigure {
  const rows = largest(comparison, ({ rows: count }) => count > 0).map((line) => {
    const numbers = numbersOf(line, format);
    const sources = Object.entries(numbers?.tokensBySource ?? {});
    return {
      label: line.taskType,
      tokens: Object.fromEntries(sources.map(([source, count]) => [source, count / line.rows])),
    };
  });
  return tokenBars({
    id: `task-type-tokens-${idPart(format)}`,
    title: `A row of each task type as ${format}`,
    subtitle: drawnOf(comparison),
    valueTitle: "tokens of a row (mean)",
    rows,
  });
}

/** Lengths of the outputs of each task type. */
export function outputLengthFigure(comparison: FormatComparison): AnyFigure {
  const rows = largest(comparison, ({ outputTokens }) => outputTokens !== null).flatMap((line) =>
    line.outputTokens === null ? [] : [{ label: line.taskType, lengths: line.outputTokens }],
  );
  return lengthBoxes({
    id: "output-lengths",
    title: "How long the outputs are",
    subtitle: `boxes are quartiles, whiskers the 5th and 95th percentile; ${drawnOf(comparison)}`,
    valueTitle: "output (tokens, log scale)",
    rows,
  });
}

/** Root verbs and objects of the instructions that a format shows; undefined where it shows none with a verb. */
export function verbFigure({ total }: FormatComparison, format: string): AnyFigure | undefined {
  const diversity = numbersOf(total, format)?.diversity;
  if (diversity == null) return undefined;
  return instructionVerbMap(diversity, {
    id: `verbs-${idPart(format)}`,
    title: "What the instructions ask for: root verbs and their objects",
  });
}

/** Similarity of task types. */
export function similarityFigure({ labels, values }: NamedMatrix, subtitle: string): AnyFigure {
  return matrixMap({
    id: "task-type-similarity",
    title: "How alike the task types are",
    subtitle,
    valueTitle: "similarity (mean Jaccard, 0 to 1)",
    rows: labels,
    columns: labels,
    values,
  });
}

/** The comparison's table for one or several lines: one row for each line and format. */
export function comparisonTable(lines: readonly TaskTypeComparison[]): Table {
  return {
    columns: [
      { name: "task type" },
      { name: "format" },
      { name: "rows" },
      { name: "dropped" },
      { name: "cut" },
      { name: "supervised tokens" },
      { name: "tokens" },
      { name: "supervised", unit: "%" },
      { name: "instructions" },
      { name: "more tokens a row" },
      { name: "rows at equal tokens" },
    ],
    rows: lines.flatMap((line) =>
      line.formats.map((numbers) => [
        line.taskType,
        numbers.format,
        line.rows,
        numbers.rowsIn - numbers.rendered,
        numbers.truncated,
        numbers.supervisedTokens,
        numbers.totalTokens,
        numbers.supervisedShare === null ? "-" : (100 * numbers.supervisedShare).toFixed(1),
        numbers.diversity?.instructions ?? 0,
        numbers.budget === null ? "-" : numbers.budget.extraTokensPerRow.toFixed(1),
        numbers.budget === null ? "-" : `× ${numbers.budget.rowsAtSameTotalTokens.toFixed(2)}`,
      ]),
    ),
  };
}

/** Instruction diversity of each format that shows instructions. */
export function diversityTable(lines: readonly TaskTypeComparison[]): Table {
  const digits = (value: number | null): string => (value === null ? "-" : value.toFixed(3));
  return {
    columns: [
      { name: "task type" },
      { name: "format" },
      { name: "instructions" },
      { name: "verbs" },
      { name: "verb-object pairs" },
      { name: "distinct-1" },
      { name: "distinct-2" },
      { name: "distinct-3" },
      { name: "distinct-4" },
      { name: "self-BLEU" },
      { name: "nearest ROUGE-L" },
    ],
    rows: lines.flatMap(({ taskType, formats }) =>
      formats.flatMap(({ format, diversity }) =>
        diversity === null
          ? []
          : [
              [
                taskType,
                format,
                diversity.instructions,
                diversity.verbs,
                diversity.verbObjects,
                ...diversity.distinct.map(digits),
                digits(diversity.selfBleu),
                digits(diversity.nearestRougeL),
              ],
            ],
      ),
    ),
  };
}

/** Balance of labels of each task type that has any. */
export function labelTable(lines: readonly TaskTypeComparison[]): Table {
  return {
    columns: [
      { name: "task type" },
      { name: "classification tasks" },
      { name: "rows" },
      { name: "labels of a task (mean)" },
      { name: "majority share", unit: "%" },
      { name: "entropy", unit: "bits" },
      { name: "evenness", unit: "0 to 1" },
    ],
    rows: lines.flatMap(({ taskType, labels }) =>
      labels === null
        ? []
        : [
            [
              taskType,
              labels.tasks,
              labels.rows,
              labels.labels.toFixed(1),
              (100 * labels.majorityShare).toFixed(1),
              labels.entropy.toFixed(2),
              labels.evenness.toFixed(2),
            ],
          ],
    ),
  };
}

/** What a comparison shows, in sentences; they say no more than the numbers. */
export function comparisonSummary({ total, formats, leftOut }: FormatComparison): string[] {
  const [base, ...others] = total.formats;
  const { rowsIn, rows } = total;
  const lines = [
    `${rows.toLocaleString("en")} of ${rowsIn.toLocaleString("en")} rows are shown by all of ${formats.map(({ name }) => name).join(", ")} with the same target.`,
  ];
  for (const numbers of total.formats) {
    const reasons = Object.entries(numbers.dropped).map(([reason, count]) => `${count} ${reason}`);
    if (reasons.length > 0) lines.push(`Left out of ${numbers.format}: ${reasons.join(", ")}.`);
  }
  const [first] = leftOut;
  const why = Object.values(first?.reasons ?? {}).find((reason) => reason.includes(" "));
  if (why !== undefined) lines.push(`The first of these: ${why}`);
  for (const { format, budget, supervisedTokens } of others) {
    if (budget === null || base === undefined) continue;
    const same = supervisedTokens === base.supervisedTokens;
    lines.push(
      `A row costs ${(1 / budget.rowsAtSameTotalTokens).toFixed(2)} times the tokens in ${format} that it costs in ${base.format}${same ? ", for the same supervised tokens" : ` (supervised tokens: ${compactNumber(supervisedTokens)} and ${compactNumber(base.supervisedTokens)})`}.`,
    );
  }
  if (total.cutUnequally > 0)
    lines.push(`${total.cutUnequally} rows lose other parts of their input in one format than in another.`);
  return lines;
}

/** A whole comparison as a report. */
export function comparisonReport(comparison: FormatComparison, similarity?: NamedMatrix): Report {
  const { total, taskTypes, formats, leftOut } = comparison;
  const longest = [...total.formats].sort((a, b) => b.totalTokens - a.totalTokens)[0]?.format ?? "";
  const withVerbs = formats.flatMap(({ name }) => verbFigure(comparison, name) ?? []).slice(0, 1);
  const sections: Section[] = [
    { heading: "All rows", table: comparisonTable([total]) },
    ...(total.rows === 0
      ? []
      : [
          { heading: "Where the tokens come from", figure: tokenFigure(comparison) },
          { heading: "Task types", figure: taskTypeTokenFigure(comparison, longest) },
        ]),
    { heading: "Each task type", table: comparisonTable(taskTypes) },
    ...(total.outputTokens === null
      ? []
      : [{ heading: "Lengths of the outputs", figure: outputLengthFigure(comparison) }]),
    {
      heading: "Diversity of the instructions",
      text: [
        "Over distinct instructions. Root verbs and objects come from part-of-speech tags (about 95 % right); distinct n-grams and self-BLEU are of at most 1,000 instructions, nearest ROUGE-L is the mean over them of the most similar other instruction.",
      ],
      ...(withVerbs[0] === undefined ? {} : { figure: withVerbs[0] }),
      table: diversityTable([total, ...taskTypes]),
    },
    { heading: "Balance of labels", table: labelTable([total, ...taskTypes]) },
    ...(similarity === undefined || similarity.labels.length < 2
      ? []
      : [
          {
            heading: "Similarity of task types",
            figure: similarityFigure(
              similarity,
              "words of instructions and inputs; on the diagonal between different rows of one type",
            ),
          },
        ]),
    ...(leftOut.length === 0
      ? []
      : [
          {
            heading: "Rows that are not in every format",
            table: {
              columns: [{ name: "row" }, ...formats.map(({ name }) => ({ name }))],
              rows: leftOut
                .slice(0, 20)
                .map(({ id, reasons }) => [id, ...formats.map(({ name }) => reasons[name] ?? "")]),
            },
          },
        ]),
  ];
  const { hash, dataHash, tokenizer, policy } = comparison;
  return {
    title: `The same rows as ${formats.map(({ name }) => name).join(", ")}`,
    summary: comparisonSummary(comparison),
    sections,
    manifest: { hash, dataHash, tokenizer, policy, formats },
  };
}

function largest(
  { taskTypes }: FormatComparison,
  keep: (line: TaskTypeComparison) => boolean,
): TaskTypeComparison[] {
  return taskTypes
    .filter(keep)
    .sort((a, b) => b.rowsIn - a.rowsIn || (a.taskType < b.taskType ? -1 : 1))
    .slice(0, MOST_DRAWN);
}

function drawnOf({ taskTypes }: FormatComparison): string {
  return taskTypes.length <= MOST_DRAWN
    ? `${taskTypes.length} task types`
    : `the ${MOST_DRAWN} largest of ${taskTypes.length} task types`;
}

function numbersOf({ formats }: TaskTypeComparison, format: string): FormatNumbers | undefined {
  return formats.find((numbers) => numbers.format === format);
}
