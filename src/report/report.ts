import { join } from "node:path";
import { writeFileAtomic } from "../support/files.js";
import { KitError } from "../support/errors.js";
import type { Report, Section, Table } from "./document.js";
import { reportPage } from "./page.js";
import { renderPng } from "./png.js";

export type { Report, Section, Table };

/** Paths of what was written. */
export interface WrittenReport {
  readonly html: string;
  readonly json: string;
  readonly images: string[];
}

/** The version of `report.json`; it changes when an older reader would misread it. */
export const REPORT_VERSION = 1;

/**
 * Writes `report.html` (one page that needs nothing else: figures live, no network), `report.json` and
 * `images/<figure id>.png` into a folder. Everything is drawn before the first file is written, and each file is whole
 * or absent.
 * @throws KitError when two figures have the same id, a table's rows do not match its columns, a figure cannot be
 *   drawn, or the folder cannot be written
 */
export async function writeReport(directory: string, report: Report): Promise<WrittenReport> {
  checkReport(report);
  const figures = report.sections.flatMap(({ figure }) => figure ?? []);
  const pictures = new Map<string, Uint8Array>();
  for (const figure of figures) pictures.set(figure.id, await renderPng(figure));
  const page = reportPage(report, pictures);
  const html = join(directory, "report.html");
  const json = join(directory, "report.json");
  const images: string[] = [];
  for (const [id, bytes] of pictures) {
    const path = join(directory, "images", `${id}.png`);
    writeFileAtomic(path, bytes);
    images.push(path);
  }
  writeFileAtomic(json, `${JSON.stringify({ version: REPORT_VERSION, ...report }, null, 2)}\n`);
  writeFileAtomic(html, page);
  return { html, json, images };
}

function checkReport({ sections }: Report): void {
  const seen = new Set<string>();
  for (const { heading, figure, table } of sections) {
    if (figure !== undefined && seen.has(figure.id)) {
      throw new KitError(
        `two figures have the id "${figure.id}"`,
        "give each figure of a report an id of its own",
      );
    }
    if (figure !== undefined) seen.add(figure.id);
    const row = table?.rows.findIndex((cells) => cells.length !== table.columns.length) ?? -1;
    if (row >= 0) {
      throw new KitError(
        `the table under "${heading}" has ${table?.columns.length ?? 0} columns, but a row of ${table?.rows[row]?.length ?? 0} cells`,
        "give every row one cell for each column",
        { row: row + 1 },
      );
    }
  }
}
