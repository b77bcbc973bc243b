import { KitError } from "../../support/errors.js";
import type { AnyFigure, HeatMapTrace } from "../figure.js";
import { textWidth } from "../text-size.js";
import { seriesStyle, translucent } from "../theme.js";
import { rowLabel } from "./rows.js";
import {
  axisTitle,
  baseLayout,
  checkFigure,
  figureOf,
  type FigureText,
  formatNumber,
  plain,
} from "./common.js";

export interface MatrixMapOptions extends FigureText {
  /** Top to bottom, and left to right: the same for a similarity, training and held-out types for an overlap. */
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** `[rows][columns]`; null for cells that are left empty. */
  readonly values: readonly (readonly (number | null)[])[];
  /** What a cell is, with its unit, such as "similarity (Jaccard, 0 to 1)". */
  readonly valueTitle: string;
  /** What stands at the rows and at the columns, such as "training task types". */
  readonly rowTitle?: string;
  readonly columnTitle?: string;
  /** Values of the palest and of the fullest colour; 0 and the largest value where they are not given. */
  readonly range?: readonly [number, number];
  /** Digits behind the point in the cells (2). */
  readonly digits?: number;
}

/** With more columns than this there is no room for numbers in the cells. */
const MOST_COLUMNS_WITH_NUMBERS = 12;
/** With more columns than this there is no room for their labels; the mouse shows them. */
const MOST_LABELLED_COLUMNS = 26;
/** With more columns than this their labels are turned. */
const MOST_UPRIGHT_COLUMNS = 3;
/** With more rows than this only some are labelled. */
const MOST_LABELLED_ROWS = 60;

/**
 * A matrix as coloured cells, from nothing (the page) to full colour; one colour, so that it can be read without seeing
 * colours and on light and dark pages. Small matrices have their numbers in the cells.
 * @throws KitError when there is nothing to draw, the values do not fit the labels, or one is not finite
 */
export function matrixMap(options: MatrixMapOptions): AnyFigure {
  const { id, rows, columns, values } = options;
  const known = values.flat().filter((value) => value !== null);
  checkFigure(id, known);
  if (values.length !== rows.length || values.some((row) => row.length !== columns.length)) {
    throw new KitError(
      `figure "${id}" has ${rows.length} rows and ${columns.length} columns, but other numbers of values`,
      "give one row of values for each row, and one value for each column",
    );
  }
  const cell = Math.max(14, Math.min(36, Math.round(560 / rows.length)));
  const labelled = columns.length <= MOST_LABELLED_COLUMNS;
  const columnLabels = labelled ? columns.map((name) => shorten(name, 26)) : [];
  const columnTitle = labelled
    ? options.columnTitle
    : `${options.columnTitle ?? "columns"} (${columns.join() === rows.join() ? "in the order of the rows" : `${columns.length}, in order`})`;
  return figureOf(options, {
    description: describe(options),
    data: [cells(options, known)],
    layout: {
      ...baseLayout(options, {
        plotHeight: Math.max(
          Math.ceil(textWidth(options.valueTitle, 13, 400)) + 12,
          Math.min(14 * MOST_LABELLED_ROWS, cell * rows.length),
        ),
        legend: false,
        right: 24,
        bottom: 64 + (columns.length > MOST_UPRIGHT_COLUMNS ? turnedHeight(columnLabels) : 0),
        xaxis: {
          ...(columnTitle === undefined ? {} : { title: axisTitle(columnTitle) }),
          tickmode: "array",
          ...ticks(columnLabels, MOST_LABELLED_COLUMNS),
          tickangle: columns.length > MOST_UPRIGHT_COLUMNS ? -40 : 0,
          range: [-0.5, columns.length - 0.5],
          showgrid: false,
          zeroline: false,
          automargin: true,
        },
        yaxis: {
          ...(options.rowTitle === undefined ? {} : { title: axisTitle(options.rowTitle) }),
          tickmode: "array",
          ...ticks(
            rows.map((name) => shorten(name, 34)),
            MOST_LABELLED_ROWS,
          ),
          range: [rows.length - 0.5, -0.5],
          showgrid: false,
          zeroline: false,
          automargin: true,
        },
      }),
    },
  });
}

function cells(options: MatrixMapOptions, known: readonly number[]): HeatMapTrace {
  const { rows, columns, values, valueTitle, digits = 2 } = options;
  const [low, high] = options.range ?? [0, Math.max(...known)];
  const { color } = seriesStyle(0);
  const numbers = columns.length <= MOST_COLUMNS_WITH_NUMBERS;
  const text = values.map((row) =>
    row.map((value) => (value === null ? "" : formatNumber(value, false, digits))),
  );
  return {
    type: "heatmap",
    x: columns.map((_, index) => index),
    y: rows.map((_, index) => index),
    z: values,
    zmin: low,
    zmax: high > low ? high : low + 1,
    colorscale: [
      [0, translucent(color, 0.04)],
      [1, translucent(color, 1)],
    ],
    xgap: 1,
    ygap: 1,
    hoverongaps: false,
    showscale: true,
    colorbar: {
      title: { text: plain(valueTitle), side: "right", font: { size: 13 } },
      thickness: 14,
      outlinewidth: 0,
    },
    customdata: rows.map((row) => columns.map((column) => [plain(row), plain(column)])),
    hovertemplate: "%{customdata[0]}<br>%{customdata[1]}<br>%{z:.3f}<extra></extra>",
    ...(numbers ? { text, texttemplate: "%{text}", textfont: { size: 11 } } : {}),
  };
}

/** Height that turned labels take. */
function turnedHeight(labels: readonly string[]): number {
  return Math.ceil(0.65 * Math.max(0, ...labels.map((label) => textWidth(label, 13, 400))));
}

/** All labels, or every second, third, ... one. */
function ticks(labels: readonly string[], most: number): { tickvals: number[]; ticktext: string[] } {
  const every = Math.ceil(labels.length / most);
  const kept = labels.flatMap((label, index) => (index % every === 0 ? [{ label, index }] : []));
  return { tickvals: kept.map(({ index }) => index), ticktext: kept.map(({ label }) => label) };
}

function shorten(name: string, most: number): string {
  return rowLabel(name.length > most ? `${name.slice(0, most - 1)}…` : name);
}

/** The largest cells off the diagonal in words: all of them would be too many. */
function describe({ title, valueTitle, rows, columns, values }: MatrixMapOptions): string {
  const pairs = values.flatMap((row, r) =>
    row.flatMap((value, c) =>
      value === null || rows[r] === columns[c]
        ? []
        : [{ value, names: `${rows[r] ?? ""} and ${columns[c] ?? ""}` }],
    ),
  );
  const top = pairs.sort((a, b) => b.value - a.value).slice(0, 5);
  const list = top.map(({ names, value }) => `${names} ${value.toFixed(2)}`);
  return `${title}. ${valueTitle}, ${rows.length} rows and ${columns.length} columns. The largest: ${list.join("; ")}.`;
}
