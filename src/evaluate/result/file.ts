import { readJsonLines } from "../../data/read/container/lines.js";
import { KitError } from "../../support/errors.js";
import { writeFileAtomic } from "../../support/files.js";
import { validate } from "../../support/validate.js";
import {
  type EvaluationResult,
  RESULT_VERSION,
  type ResultExample,
  resultExampleSchema,
  resultHeaderSchema,
} from "./schema.js";

/**
 * Writes an evaluation as JSONL: a first line with the configuration and the metrics, then one line for each answer. The
 * file is whole or not there.
 */
export function writeResult(file: string, { config, metrics, examples }: EvaluationResult): void {
  const header = {
    format: "ift-kit evaluation",
    version: RESULT_VERSION,
    config,
    metrics,
    examples: examples.length,
  };
  const lines = [header, ...examples].map((line) => JSON.stringify(line));
  writeFileAtomic(file, `${lines.join("\n")}\n`);
}

/**
 * Reads a file of `writeResult`.
 * @throws KitError with file, line and field for a file of another format or version, a wrong field, or lines that are
 *   missing or too many
 */
export async function readResult(file: string): Promise<EvaluationResult> {
  let header: ReturnType<typeof readHeader> | undefined;
  const examples: ResultExample[] = [];
  for await (const parsed of readJsonLines(file)) {
    const location = { file, line: parsed.line };
    if ("problem" in parsed) throw new KitError(parsed.problem, "write the file again", location);
    if (header === undefined) header = readHeader(parsed.value, location);
    else examples.push(validate(resultExampleSchema, parsed.value, "the answer", location));
  }
  if (header === undefined) {
    throw new KitError("the file is empty", "give a result file of ift-kit evaluate", { file });
  }
  if (examples.length !== header.examples) {
    throw new KitError(
      `the file has ${examples.length} answers, its first line says ${header.examples}`,
      "restore the file or evaluate again",
      { file },
    );
  }
  return { config: header.config, metrics: header.metrics, examples };
}

function readHeader(
  value: unknown,
  location: { readonly file: string; readonly line: number },
): ReturnType<typeof resultHeaderSchema.parse> {
  const found = typeof value === "object" && value !== null && "version" in value ? value.version : undefined;
  if (typeof found === "number" && found !== RESULT_VERSION) {
    throw new KitError(
      `a result file of version ${found}, this kit reads ${RESULT_VERSION}`,
      "evaluate again, or use the kit that wrote it",
      { ...location, field: "version" },
    );
  }
  return validate(resultHeaderSchema, value, "the first line of a result file", location);
}
