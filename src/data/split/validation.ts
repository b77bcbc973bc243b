import { KitError } from "../../support/errors.js";
import { groupBy } from "../../support/group.js";
import { Random } from "../../support/random.js";
import type { Example } from "../example.js";
import { chooseHeldOut } from "../split.js";

/** What is set aside of the training rows to choose settings by, without a look at the held-out rows. */
export type ValidationChoice =
  | {
      /** Whole task types: what is chosen by them is chosen for task types that were not trained on. */
      readonly by: "task type";
      readonly share: number;
      readonly seed: number;
    }
  | {
      /** Rows of every task type: for the loss on what is trained. */
      readonly by: "row";
      readonly share: number;
      readonly seed: number;
      /** Rows that must stay together, by a common text: the same input by default. */
      readonly groupOf?: (row: Example) => string;
    };

/** Training rows in two parts, each in the order that it came in. */
export interface ValidationSplit {
  readonly train: readonly Example[];
  readonly validation: readonly Example[];
}

/**
 * Sets validation rows aside. By row, each task type gives its share (rounded; none where that is less than half a row), and
 * rows with the same input stay together.
 * @param rows the training side of a split
 * @throws KitError when a side would be empty or the share cannot be taken
 */
export function carveValidation(rows: readonly Example[], choice: ValidationChoice): ValidationSplit {
  const isValidation = choice.by === "row" ? chooseRows(rows, choice) : chooseTaskTypes(rows, choice);
  const validation = rows.filter(isValidation);
  const train = rows.filter((row) => !isValidation(row));
  if (validation.length === 0 || train.length === 0) {
    throw new KitError(
      `of ${rows.length} rows ${validation.length} would be for validation`,
      "give another share, or more rows",
      { field: "share" },
    );
  }
  return { train, validation };
}

function chooseTaskTypes(
  rows: readonly Example[],
  { share, seed }: Extract<ValidationChoice, { by: "task type" }>,
): (row: Example) => boolean {
  const types = rows.map(({ taskType }) => taskType);
  const chosen = chooseHeldOut(types, { heldOutFraction: share, seed });
  return ({ taskType }) => chosen.has(taskType);
}

function chooseRows(
  rows: readonly Example[],
  { share, seed, groupOf = inputOf }: Extract<ValidationChoice, { by: "row" }>,
): (row: Example) => boolean {
  if (!(share > 0 && share < 1)) {
    throw new KitError(`a share of ${share} cannot be for validation`, "give a number above 0 and below 1", {
      field: "share",
    });
  }
  // Groups are the same for all task types: one input that two of them ask about stays on one side.
  const chosen = new Set<string>();
  const decided = new Set<string>();
  for (const [taskType, ofType] of groupBy(rows, (row) => row.taskType)) {
    const groups = groupBy(ofType, groupOf);
    let wanted = Math.round(share * ofType.length);
    for (const group of groups.keys()) if (chosen.has(group)) wanted -= groups.get(group)?.length ?? 0;
    const open = [...groups.keys()].filter((group) => !decided.has(group)).sort();
    for (const group of Random.derive(seed, `validation rows/${taskType}`).shuffled(open)) {
      const size = groups.get(group)?.length ?? 0;
      if (wanted >= size) {
        chosen.add(group);
        wanted -= size;
      }
      decided.add(group);
    }
  }
  return (row) => chosen.has(groupOf(row));
}

function inputOf({ instruction, input }: Example): string {
  return input === "" ? (instruction ?? "") : input;
}
