import type { AnyFigure } from "./figure.js";
import { LEGEND_HEIGHT, withoutTitle } from "./figures/common.js";
import { PAGE_SCRIPT } from "./page-script.js";
import { NO_SCRIPT_STYLE, PAGE_STYLE } from "./page-style.js";
import { plotlySource } from "./plotly.js";
import { FIGURE_WIDTH } from "./png.js";
import type { Report, Section, Table } from "./document.js";
import { DARK_TEMPLATE, LIGHTER_COLORS, LIGHT_TEMPLATE } from "./theme.js";

/** The page may run what is written in it and nothing else: no request can leave it. */
const POLICY =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:";

/**
 * The whole report as one HTML page of about 5 MB, nearly all of it plotly.js, which is in it once.
 * @param pictures for each figure's id its PNG, shown on paper and where scripts are off
 */
export function reportPage(report: Report, pictures: ReadonlyMap<string, Uint8Array>): string {
  const figures = report.sections.flatMap(({ figure }) => figure ?? []);
  const data = {
    light: LIGHT_TEMPLATE,
    dark: DARK_TEMPLATE,
    lighter: LIGHTER_COLORS,
    legendHeight: LEGEND_HEIGHT,
    figures: figures.map((figure) => ({
      id: figure.id,
      data: figure.data,
      layout: withoutTitle(figure.layout),
    })),
  };
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(report.title)}</title>
<style>${PAGE_STYLE}</style>
<noscript><style>${NO_SCRIPT_STYLE}</style></noscript>
</head>
<body>
<main>
<h1>${escapeHtml(report.title)}</h1>
${summaryHtml(report.summary)}
${report.sections.map((section) => sectionHtml(section, pictures)).join("\n")}
<details class="manifest">
<summary>Manifest: versions, seeds, hashes and configurations</summary>
<pre>${escapeHtml(JSON.stringify(report.manifest ?? null, null, 2))}</pre>
</details>
</main>
<script type="application/json" id="report-data">${scriptJson(data)}</script>
${figures.length === 0 ? "" : `<script>${scriptSafe(plotlySource())}</script>\n<script>${PAGE_SCRIPT}</script>`}
</body>
</html>
`;
}

function summaryHtml(summary: readonly string[]): string {
  if (summary.length === 0) return "";
  return `<ul class="summary">\n${summary.map((line) => `<li>${escapeHtml(line)}</li>`).join("\n")}\n</ul>`;
}

function sectionHtml(
  { heading, text = [], figure, table }: Section,
  pictures: ReadonlyMap<string, Uint8Array>,
): string {
  return [
    "<section>",
    `<h2>${escapeHtml(heading)}</h2>`,
    ...text.map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`),
    figure === undefined ? "" : figureHtml(figure, pictures.get(figure.id)),
    table === undefined ? "" : tableHtml(table),
    "</section>",
  ]
    .filter(Boolean)
    .join("\n");
}

function figureHtml(figure: AnyFigure, picture: Uint8Array | undefined): string {
  const { subtitle } = figure;
  const label = escapeHtml(figure.description);
  const still =
    picture === undefined
      ? ""
      : `<img class="still" alt="${label}" width="${FIGURE_WIDTH}" src="data:image/png;base64,${Buffer.from(picture).toString("base64")}">`;
  return `<figure>
<figcaption><strong>${escapeHtml(figure.title)}</strong>${subtitle === undefined ? "" : `<span>${escapeHtml(subtitle)}</span>`}</figcaption>
<div id="figure-${figure.id}" class="plot" role="img" aria-label="${label}" style="min-height:${withoutTitle(figure.layout).height}px"></div>
${still}
</figure>`;
}

function tableHtml({ columns, rows }: Table): string {
  const numeric = columns.map((_, column) => rows.every((row) => isNumeric(row[column])));
  const kind = (column: number): string => (numeric[column] === true ? ' class="number"' : "");
  const head = columns
    .map(({ name, unit }, column) => {
      const shown = unit === undefined ? "" : ` <span class="unit">(${escapeHtml(unit)})</span>`;
      return `<th scope="col"${kind(column)}>${escapeHtml(name)}${shown}</th>`;
    })
    .join("");
  const body = rows
    .map(
      (row) => `<tr>${row.map((cell, column) => `<td${kind(column)}>${cellHtml(cell)}</td>`).join("")}</tr>`,
    )
    .join("\n");
  return `<div class="table"><table>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${body}\n</tbody>\n</table></div>`;
}

/** Numbers, and texts that begin with one, such as "0.95 [0.92, 0.97]", stand at the right. */
function isNumeric(cell: string | number | undefined): boolean {
  return typeof cell === "number" || /^([+\-−]?[\d.,]+ ?(%|\[.*\]|±.*)?|[-–—]?)$/.test(cell ?? "");
}

function cellHtml(cell: string | number): string {
  if (typeof cell === "string") return escapeHtml(cell);
  if (Number.isInteger(cell)) return cell.toLocaleString("en");
  return Number.isFinite(cell) ? Number(cell.toPrecision(4)).toString() : escapeHtml(String(cell));
}

/** JSON that can stand in a script element: nothing in it can end the element or open a comment. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value)
    .replace(/</g, "\\u003c")
    .replace(/>/g, "\\u003e")
    .replace(/&/g, "\\u0026")
    .replace(/\u2028/g, "\\u2028")
    .replace(/\u2029/g, "\\u2029");
}

/** JavaScript that can stand in a script element; its strings keep their meaning. */
function scriptSafe(source: string): string {
  return source.replace(/<\/(script)/gi, "<\\/$1").replace(/<!--/g, "\\x3c!--");
}

/** Text for an HTML element or a double-quoted attribute. */
export function escapeHtml(text: string): string {
  return text
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/"/g, "&quot;")
    .replace(/'/g, "&#39;");
}
