import type { z } from "zod";
import type { ErrorLocation } from "../../support/errors.js";
import { KitError } from "../../support/errors.js";
import type { Example } from "../example.js";
import { type ContainerName, CONTAINERS, readContainer } from "./container/index.js";
import type { Place } from "./container/record.js";
import type { Format, ReadRequest, RowContext, RowReading, RowSchema } from "./format.js";
import { checkRow } from "./rows.js";
import { containerOf } from "./sample.js";

/** A format of rows that stand in a container: JSON array, JSON lines, CSV, TSV or Parquet. */
export function rowFormat<Table>(schema: RowSchema<Table>): Format {
  return {
    name: schema.name,
    looksLike: `rows of ${schema.looksLike}`,
    recognize(sample) {
      if (sample.kind !== "records") return undefined;
      const why = schema.recognize(sample.first);
      return why === undefined ? undefined : `${CONTAINERS[sample.container]}, ${why}`;
    },
    read: (request) => readRows(schema, request),
  };
}

async function* readRows<Table>(schema: RowSchema<Table>, request: ReadRequest): AsyncGenerator<Example> {
  const { path, name, collector, wantsTask, options } = request;
  const container = await rowContainer(path);
  const table = await schema.table?.(path);
  let number = 0;
  try {
    for await (const record of readContainer(path, container)) {
      number++;
      const place = { file: path, ...record.place };
      if ("problem" in record) {
        collector.drop("malformed", record.problem, `correct the ${placeName(record.place)}`, place);
        continue;
      }
      for (const reading of schema.rows(record.value, { name, number, options, place }, table)) {
        if (reading.kind === "drop") {
          const { reason, problem, cure, field } = reading;
          collector.drop(reason, problem, cure, withField(place, field));
        } else if (wantsTask(reading.drafts[0]?.example.task ?? name)) {
          const examples = collector.takeRow(reading, withField(place, reading.field));
          for (const example of examples)
            yield options.keepFields ? withFields(example, record.value) : example;
        }
      }
    }
  } catch (error) {
    // A damaged container: what follows cannot be counted, so the rest of the file is booked as one row.
    if (!(error instanceof KitError)) throw error;
    collector.dropFile(error);
  }
}

/** The container of a file of rows. @throws KitError when the file is no such container */
export async function rowContainer(path: string): Promise<ContainerName> {
  const container = await containerOf(path);
  if (container !== "json-object" && container !== "text") return container;
  throw new KitError(
    container === "text" ? "this is plain text, not rows" : "this is a JSON object, not a list of rows",
    `give ${Object.values(CONTAINERS).join(", or ")}`,
    { file: path },
  );
}

function placeName({ line }: Place): "line" | "row" {
  return line === undefined ? "row" : "line";
}

function withField(place: ErrorLocation, field: string): ErrorLocation {
  return field === "" ? place : { ...place, field };
}

function withFields(example: Example, record: unknown): Example {
  return { ...example, fields: record as Readonly<Record<string, unknown>> };
}

/**
 * Checks a record and reads it, or says which field is wrong.
 * @param read what the checked record holds
 */
export function readChecked<Schema extends z.ZodType>(
  schema: Schema,
  record: unknown,
  { place }: RowContext,
  read: (row: z.output<Schema>) => readonly RowReading[],
): readonly RowReading[] {
  const checked = checkRow(schema, record);
  if ("row" in checked) return read(checked.row);
  const { field, problem } = checked.fault;
  const what = place.line === undefined ? "row" : "line";
  return [{ kind: "drop", reason: "malformed", problem, cure: `correct the ${what}`, field }];
}

/** A row that makes one example. */
export function oneExample(
  example: Omit<Example, "outputs">,
  outputs: readonly string[],
  field: string,
): readonly RowReading[] {
  return [{ kind: "row", drafts: [{ example, outputs }], field }];
}
