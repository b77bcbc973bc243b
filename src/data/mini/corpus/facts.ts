import type { Random } from "../../../support/random.js";
import { groupBy } from "../../../support/group.js";
import { type Fact, statementOf } from "../facts.js";

/** Facts that are said in one document when they have no common subject. */
const LOOSE_FACTS = 4;

/**
 * Documents of facts, endlessly, in rounds: each round says every fact once, in a new order and wording, so that no fact
 * is left to chance. Facts of one subject stand together, so that a sentence is often followed by one that belongs to it.
 */
export class FactRounds {
  readonly #groups: readonly (readonly Fact[])[];
  readonly #kinds: readonly Fact[];
  readonly #random: Random;
  #left: (readonly Fact[])[] = [];
  #rounds = 0;

  constructor(facts: readonly Fact[], random: Random) {
    const bySubject = groupBy(
      facts.filter(({ relation }) => relation !== "thing-kind"),
      ({ relation, subject }) => `${relation.split("-")[0] ?? ""}:${subject}`,
    );
    this.#groups = [...bySubject.values()];
    this.#kinds = facts.filter(({ relation }) => relation === "thing-kind");
    this.#random = random;
  }

  /** Rounds that are complete: how often each fact was said at least. */
  get rounds(): number {
    return this.#left.length === 0 ? this.#rounds : Math.max(0, this.#rounds - 1);
  }

  /** The sentences of the next document. */
  next(): string[] {
    if (this.#left.length === 0) {
      const kinds = this.#random.shuffled(this.#kinds);
      const loose = Array.from({ length: Math.ceil(kinds.length / LOOSE_FACTS) }, (_, index) =>
        kinds.slice(index * LOOSE_FACTS, (index + 1) * LOOSE_FACTS),
      );
      this.#left = this.#random.shuffled([...this.#groups, ...loose]);
      this.#rounds++;
    }
    const group = this.#left.pop() ?? [];
    return this.#random.shuffled(group).map((fact) => statementOf(fact, this.#random));
  }
}
