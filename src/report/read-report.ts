import { z } from "zod";
import { KitError } from "../support/errors.js";
import { readJsonFile } from "../support/files.js";
import { validate } from "../support/validate.js";
import type { Report } from "./document.js";
import { REPORT_VERSION } from "./report.js";

/** The figures' traces and layouts are checked by plotly's own schema when they are drawn. */
const FIGURE = z.strictObject({
  id: z.string(),
  title: z.string(),
  subtitle: z.string().optional(),
  description: z.string(),
  data: z.array(z.looseObject({ type: z.string() })),
  layout: z.looseObject({
    height: z.number(),
    title: z.looseObject({ text: z.string() }),
    margin: z.strictObject({ l: z.number(), r: z.number(), t: z.number(), b: z.number() }),
    template: z.looseObject({ layout: z.looseObject({}) }),
  }),
});

const REPORT = z.strictObject({
  version: z.literal(REPORT_VERSION),
  title: z.string(),
  summary: z.array(z.string()),
  sections: z.array(
    z.strictObject({
      heading: z.string(),
      text: z.array(z.string()).optional(),
      figure: FIGURE.optional(),
      table: z
        .strictObject({
          columns: z.array(z.strictObject({ name: z.string(), unit: z.string().optional() })),
          rows: z.array(z.array(z.union([z.string(), z.number()]))),
        })
        .optional(),
    }),
  ),
  manifest: z.unknown(),
});

/**
 * The report that `writeReport` stored as `report.json`.
 * @throws KitError when the file is missing, not JSON, or not a report of this version
 */
export function readReport(file: string): Report {
  const value = readJsonFile(file);
  if (
    typeof value !== "object" ||
    value === null ||
    !("version" in value) ||
    value.version !== REPORT_VERSION
  ) {
    throw new KitError(
      "this is not a report of this version of the kit",
      "give a report.json that it wrote",
      {
        file,
        field: "version",
      },
    );
  }
  validate(REPORT, value, "the report", { file });
  // The value itself, not the checked copy: a copy has its fields in another order, and the page would differ.
  const { title, summary, sections, manifest } = value as Report & typeof value;
  return { title, summary, sections, manifest };
}
