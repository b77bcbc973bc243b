import { type Fact, RELATIONS, type RelationName } from "../facts.js";
import { groupBy } from "../../../support/group.js";
import type { Frame } from "../grammar/frame.js";

/** The fact that a sentence states: read with the frames of every relation, and true in the world. */
export function factStatedBy(sentence: string, facts: readonly Fact[]): Fact {
  return read(sentence, facts, (relation) => RELATIONS[relation].statements);
}

/** The fact that a question asks for. */
export function factAskedBy(question: string, facts: readonly Fact[]): Fact {
  return read(question, facts, (relation) => RELATIONS[relation].questions);
}

function read(
  sentence: string,
  facts: readonly Fact[],
  framesOf: (relation: RelationName) => readonly Frame<"subject">[],
): Fact {
  for (const [relation, known] of groupBy(facts, ({ relation: name }) => name)) {
    for (const candidate of framesOf(relation)) {
      const found: Partial<Record<"subject" | "object", string>> | undefined = candidate.match(sentence);
      if (found === undefined) continue;
      const fact = known.find(
        ({ subject, object }) =>
          same(subject, found.subject) && (found.object === undefined || same(object, found.object)),
      );
      if (fact !== undefined) return fact;
    }
  }
  throw new RangeError(`no fact of the world is in "${sentence}"`);
}

/** The first word of a sentence has a capital that it may not have elsewhere. */
function same(known: string, found: string | undefined): boolean {
  return known.toLowerCase() === found?.toLowerCase();
}
