import { readJsonFile } from "../../support/files.js";
import { validate } from "../../support/validate.js";
import { type RunResult, runResultSchema } from "../result.js";

/**
 * A stored result, checked against its schema.
 * @throws KitError that names the file and the field
 */
export function readRunResult(path: string): RunResult {
  return validate(runResultSchema, readJsonFile(path), "the run's result", { file: path });
}
