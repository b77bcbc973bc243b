import { type Fact, type Relation, type RelationName, RELATIONS } from "../../data/mini/facts.js";

/** A statement of a fact, cut before its object. */
export interface FactPrompt {
  readonly relation: RelationName;
  /** " The author of 'Pride and Prejudice' is", with the blank that every word has in front. */
  readonly prompt: string;
  /** " Jane Austen." */
  readonly completion: string;
}

/**
 * A prompt for every fact: the last statement of its relation in which the object comes after the subject; earlier ones can
 * go on in several ways ("Mia Ash has" a house, or a pet). An article before the object belongs to the completion, since it
 * tells something of the word.
 */
export function factPrompts(facts: readonly Fact[]): FactPrompt[] {
  return facts.map(({ relation, subject, object }) => {
    const statements: Relation["statements"] = RELATIONS[relation].statements;
    const statement = statements.findLast(({ text }) => text.indexOf("{object") > text.indexOf("{subject"));
    if (statement === undefined) throw new RangeError(`no statement of ${relation} ends with its object`);
    const [before = ""] = statement.text.split(/\{object(?:\|\w+)?\}/);
    const whole = ` ${statement.fill({ subject, object })}`;
    // The frame's own text from the subject to the object says where the object begins.
    const between = before.slice(before.lastIndexOf("}") + 1);
    const end = whole.indexOf(between, whole.toLowerCase().indexOf(subject.toLowerCase()) + subject.length);
    const cut = end + between.trimEnd().length;
    return { relation, prompt: whole.slice(0, cut), completion: whole.slice(cut) };
  });
}
