import { groupBy } from "../../support/group.js";
import type { FactPrompt } from "./fact-prompts.js";

/** How many of some facts a model completes right. */
export interface FactRecall {
  readonly facts: number;
  /** Share, 0 to 1, completed with the right object. */
  readonly recall: number;
  /** The same share of the most frequent completion of the relation: what needs no facts. */
  readonly floor: number;
}

export type RecallByRelation = FactRecall & { readonly byRelation: Readonly<Record<string, FactRecall>> };

/** The recall of all facts and of each relation, from what was asked and whether the answer was right. */
export function recallByRelation(
  asked: readonly (FactPrompt & { readonly right: boolean })[],
): RecallByRelation {
  const byRelation = [...groupBy(asked, ({ relation }) => relation)].map(
    ([relation, part]): [string, FactRecall] => [relation, recallOf(part)],
  );
  const all = byRelation.map(([, recall]) => recall);
  const mean = (of: (recall: FactRecall) => number): number =>
    all.reduce((sum, recall) => sum + of(recall) * recall.facts, 0) / asked.length;
  return {
    facts: asked.length,
    recall: mean(({ recall }) => recall),
    floor: mean(({ floor }) => floor),
    byRelation: Object.fromEntries(byRelation),
  };
}

function recallOf(asked: readonly (FactPrompt & { readonly right: boolean })[]): FactRecall {
  const frequencies = [...groupBy(asked, ({ completion }) => completion).values()].map(
    ({ length }) => length,
  );
  return {
    facts: asked.length,
    recall: asked.filter(({ right }) => right).length / asked.length,
    floor: Math.max(...frequencies) / asked.length,
  };
}
