import { groupBy } from "../../support/group.js";
import type { Example } from "../example.js";
import { Mixture, type MixtureLine, type MixtureSettings, type MixtureState } from "./mixture.js";

/** What rows are put together to a group. */
export type MixBy = "task" | "taskType" | "source";

/** Names of the ways to group, for the command line. */
export const MIX_BY: readonly MixBy[] = ["task", "taskType", "source"];

export interface MixExamplesOptions extends MixtureSettings {
  readonly by: MixBy;
  /** Where to go on, from an earlier call's `state`. */
  readonly from?: MixtureState;
}

/** A stretch of a mixture. */
export interface MixedExamples {
  readonly examples: readonly Example[];
  /** A line for each group, with all draws since the beginning and the epochs that they make. */
  readonly ledger: readonly MixtureLine[];
  /** Where the next stretch begins. */
  readonly state: MixtureState;
}

/** The groups of a mixture in alphabetical order, so that the order of files does not matter. */
export function mixtureGroups(examples: readonly Example[], by: MixBy): Map<string, readonly Example[]> {
  const groups = groupBy(examples, (example) => example[by]);
  return new Map([...groups].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * The next rows of a mixture of examples, in the order in which they are to be trained on.
 * @throws KitError when rates cannot be made, or `from` is of another mixture
 */
export function mixExamples(
  examples: readonly Example[],
  count: number,
  { by, from, ...settings }: MixExamplesOptions,
): MixedExamples {
  const groups = [...mixtureGroups(examples, by)];
  const mixture = new Mixture(
    groups.map(([name, rows]) => ({ name, rows: rows.length })),
    settings,
    from,
  );
  const drawn = mixture.take(count).map(({ group, row }) => {
    const example = groups[group]?.[1][row];
    if (example === undefined) throw new RangeError(`group ${group} has no row ${row}`);
    return example;
  });
  return { examples: drawn, ledger: mixture.ledger(), state: mixture.state };
}
