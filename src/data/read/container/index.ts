import { readDelimited } from "./delimited.js";
import { readJsonElements } from "./json-file.js";
import { readJsonLines } from "./lines.js";
import { readParquet } from "./parquet.js";
import type { RawRecord } from "./record.js";

/** How rows are put into a file: what a row means is another question, which a row schema answers. */
export type ContainerName = "json-list" | "json-lines" | "csv" | "tsv" | "parquet";

/** The containers as messages name them. */
export const CONTAINERS: Readonly<Record<ContainerName, string>> = {
  "json-list": "a JSON array",
  "json-lines": "one JSON object a line",
  csv: "a CSV table",
  tsv: "a TSV table",
  parquet: "a Parquet file",
};

/**
 * The records of a file, one after the other.
 * @throws KitError when the file cannot be read, or is damaged so that its records cannot be told apart
 */
export async function* readContainer(path: string, container: ContainerName): AsyncGenerator<RawRecord> {
  switch (container) {
    case "json-list":
      yield* readJsonElements(path);
      break;
    case "json-lines":
      for await (const line of readJsonLines(path)) {
        const place = { line: line.line };
        yield "value" in line ? { place, value: line.value } : { place, problem: line.problem };
      }
      break;
    case "csv":
      yield* readDelimited(path, ",");
      break;
    case "tsv":
      yield* readDelimited(path, "\t");
      break;
    case "parquet":
      yield* readParquet(path);
  }
}
