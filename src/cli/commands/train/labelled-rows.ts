import type { Example } from "../../../data/example.js";
import { readExamples, type ReadLedger } from "../../../data/read/index.js";
import { splitByTaskType } from "../../../data/split.js";
import { carveValidation } from "../../../data/split/validation.js";
import { KitError } from "../../../support/errors.js";
import type { RowData } from "./run-config.js";

/** Which labelled rows a run may see. */
export type LabelledData = RowData & {
  /** The task types to learn from; left out: all. */
  readonly taskTypes?: readonly string[];
};

/** Labelled rows as they are in their files. */
export interface LabelledRows {
  /** Those of the task types that are trained on. */
  readonly examples: readonly Example[];
  readonly ledger: ReadLedger;
}

/**
 * Reads the rows that a run may train on.
 * @param file of the configuration, for messages
 * @throws KitError for data that cannot be read, and for a task type that no row has
 */
export async function readLabelledRows(data: LabelledData, file: string): Promise<LabelledRows> {
  const { path, format, limitPerTask, onMalformed, taskTypes, heldOutTaskTypes } = data;
  const { examples, ledger } = await readExamples(path, {
    ...(format === undefined ? {} : { format }),
    ...(limitPerTask === undefined ? {} : { limitPerTask }),
    onMalformed,
  });
  const wanted = ofTaskTypes(examples, taskTypes, file);
  if (heldOutTaskTypes === undefined) return { examples: wanted, ledger };
  return { examples: splitByTaskType(wanted, { heldOutTaskTypes }).train, ledger };
}

/**
 * The rows that are trained on, and those that are set aside as the file says; undefined where it does not.
 * @param groupOf what rows that stay on one side have in common; by default their input
 */
export function setRowsAside(
  examples: readonly Example[],
  { validation }: Pick<RowData, "validation">,
  seed: number,
  groupOf?: (example: Example) => string,
): { readonly train: readonly Example[]; readonly validation: readonly Example[] | undefined } {
  if (validation === undefined) return { train: examples, validation };
  return carveValidation(examples, { ...validation, seed, ...(groupOf === undefined ? {} : { groupOf }) });
}

function ofTaskTypes(
  examples: readonly Example[],
  taskTypes: readonly string[] | undefined,
  file: string,
): readonly Example[] {
  if (taskTypes === undefined) return examples;
  const known = new Set(examples.map(({ taskType }) => taskType));
  const unknown = taskTypes.find((name) => !known.has(name));
  if (unknown === undefined) return examples.filter(({ taskType }) => taskTypes.includes(taskType));
  throw new KitError(`there is no task type "${unknown}"`, `choose among ${[...known].sort().join(", ")}`, {
    file,
    field: "data.taskTypes",
  });
}
