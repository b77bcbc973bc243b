import { Random } from "../../support/random.js";

/** The parts of a data set that are never mixed. */
export type SplitName = "train" | "validation" | "test";

const SHARES = { train: 0.7, validation: 0.1 };

/**
 * Parts of a list for train, validation and test, disjoint and together the whole list; every part has at least one
 * item of a list of three or more.
 */
export function partition<Item>(
  all: readonly Item[],
  seed: number,
  label: string,
): Record<SplitName, Item[]> {
  const shuffled = Random.derive(seed, `partition ${label}`).shuffled(all);
  const validation = Math.max(1, Math.floor(all.length * SHARES.validation));
  const train = Math.min(Math.floor(all.length * SHARES.train), all.length - validation - 1);
  return {
    train: shuffled.slice(0, train),
    validation: shuffled.slice(train, train + validation),
    test: shuffled.slice(train + validation),
  };
}
