import type { Example } from "../../data/example.js";
import { plainText } from "../../similarity/words.js";

/** Whether the answers of classification rows are among those to choose from. `rows` = `valid` + `inAnotherForm` + `invalid`. */
export interface LabelValidity {
  /** Rows that name the answers to choose from. */
  readonly rows: number;
  /** The first reference is one of them, to the character. */
  readonly valid: number;
  /** It is one of them but for case, white space and marks at its ends: exact match would not count it. */
  readonly inAnotherForm: number;
  readonly invalid: number;
  /** Rows called classification that name no answers: nothing can be checked. */
  readonly uncheckable: number;
  /** The first rows that are not valid. */
  readonly examples: readonly InvalidLabel[];
}

export interface InvalidLabel {
  readonly id: string;
  readonly output: string;
  readonly options: readonly string[];
}

const EXAMPLES_KEPT = 10;

/** Checks the first references of rows with options; rows without a reference are for others to count. */
export function labelValidity(examples: readonly Example[]): LabelValidity {
  const counts = { rows: 0, valid: 0, inAnotherForm: 0, invalid: 0, uncheckable: 0 };
  const kept: InvalidLabel[] = [];
  for (const { id, taskType, options, outputs } of examples) {
    const [output] = outputs;
    if (output === undefined) continue;
    if (options === undefined || options.length === 0) {
      if (taskType === "classification") counts.uncheckable++;
      continue;
    }
    counts.rows++;
    if (options.includes(output)) {
      counts.valid++;
      continue;
    }
    const form = bare(output);
    if (form !== "" && options.some((option) => bare(option) === form)) counts.inAnotherForm++;
    else counts.invalid++;
    if (kept.length < EXAMPLES_KEPT) kept.push({ id, output, options });
  }
  return { ...counts, examples: kept };
}

function bare(text: string): string {
  return plainText(text).replace(/^[\p{P}\s]+|[\p{P}\s]+$/gu, "");
}
