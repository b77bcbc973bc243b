import type { Word } from "../grammar/words.js";
import { type Fact, factsOf, type RelationName } from "../facts.js";
import { partition, type SplitName } from "../partition.js";
import { ACTIONS, ENCOUNTERS } from "../lexicon/actions.js";
import { BLAME, PRAISE } from "../lexicon/opinions.js";
import { TOWNS } from "../lexicon/places.js";
import { THINGS, type Thing } from "../lexicon/things.js";
import { ACTS, wordingsOf } from "../scenes/dialogue.js";
import { groupBy } from "../../../support/group.js";
import { createWorld, type Person, type World } from "../world.js";

/** What the tasks of one split are drawn from. No two splits share anything of it but the world. */
export interface Materials {
  readonly split: SplitName;
  readonly world: World;
  /** All facts of the world, for solvers. */
  readonly allFacts: readonly Fact[];
  readonly facts: ReadonlyMap<RelationName, readonly Fact[]>;
  readonly people: readonly Person[];
  readonly towns: readonly string[];
  readonly things: readonly Thing[];
  readonly actions: readonly Word[];
  readonly encounters: readonly Word[];
  readonly praise: readonly string[];
  readonly blame: readonly string[];
  /** Wordings of lines of dialogues. */
  readonly lines: ReadonlySet<string>;
}

/** The materials of every split, for a seed. */
export function materialsOf(seed: number): Readonly<Record<SplitName, Materials>> {
  const world = createWorld(seed);
  const allFacts = factsOf(world);
  const facts = [...groupBy(allFacts, ({ relation }) => relation)].map(
    ([relation, group]) => [relation, partition(group, seed, `facts ${relation}`)] as const,
  );
  const parts = {
    people: partition(world.people, seed, "people"),
    towns: partition(TOWNS, seed, "towns"),
    actions: partition(ACTIONS, seed, "actions"),
    encounters: partition(ENCOUNTERS, seed, "encounters"),
    praise: partition(PRAISE, seed, "praise"),
    blame: partition(BLAME, seed, "blame"),
  };
  // Every kind of thing is in every split: a kind is an answer, the things of it are what is asked.
  const things = [...groupBy(THINGS, ({ kind }) => kind)].map(([kind, group]) =>
    partition(group, seed, kind),
  );
  const lines = ACTS.map((act) => partition(wordingsOf(act), seed, `lines ${act}`));
  const ofSplit = (split: SplitName): Materials => ({
    split,
    world,
    allFacts,
    facts: new Map(facts.map(([relation, part]) => [relation, part[split]])),
    people: parts.people[split],
    towns: parts.towns[split],
    actions: parts.actions[split],
    encounters: parts.encounters[split],
    praise: parts.praise[split],
    blame: parts.blame[split],
    lines: new Set(lines.flatMap((part) => part[split])),
    things: things.flatMap((part) => part[split]),
  });
  return { train: ofSplit("train"), validation: ofSplit("validation"), test: ofSplit("test") };
}
