/** Two clusters of tasks that must not stand on different sides: one would teach the other. */
export interface Relation {
  readonly between: readonly [string, string];
  /** Why, as a clause for the report. */
  readonly why: string;
}

/**
 * The relations of FLAN (Wei et al. 2022, section 2.2 and `flan/task_splits.py`), under FLAN's names of the clusters.
 */
export const FLAN_RELATIONS: readonly Relation[] = [
  { between: ["paraphrase", "entailment"], why: "to paraphrase is to entail both ways" },
  {
    between: ["reading_comprehension", "read_comp_and_common_sense"],
    why: "the one is half of the other",
  },
  { between: ["common_sense", "read_comp_and_common_sense"], why: "the one is half of the other" },
];

/**
 * FLAN's idea carried over to the task types of Super-NaturalInstructions: our reading, that source has no relations of its own.
 */
export const NATURAL_INSTRUCTIONS_RELATIONS: readonly Relation[] = [
  ...["Paraphrasing", "Text Matching"].map((other): Relation => ({
    between: ["Textual Entailment", other],
    why: "to paraphrase is to entail both ways",
  })),
  { between: ["Paraphrasing", "Text Matching"], why: "both are about texts of one meaning" },
  { between: ["Paraphrasing", "Question Rewriting"], why: "to rewrite a question is to paraphrase it" },
  { between: ["Title Generation", "Summarization"], why: "a title is the shortest summary" },
];

/** FLAN's relation between clusters that T0 has too. */
export const T0_RELATIONS: readonly Relation[] = [
  { between: ["paraphrase", "NLI"], why: "to paraphrase is to entail both ways" },
];

/** A cluster that is left out of training because a held-out one is related to it. */
export interface Relative {
  readonly name: string;
  readonly heldOut: string;
  readonly why: string;
}

/** The clusters that are related to held-out ones and are not held out themselves; each once. */
export function relativesOf(
  heldOut: ReadonlySet<string>,
  relations: readonly Relation[],
): Map<string, Relative> {
  const relatives = new Map<string, Relative>();
  for (const { between, why } of relations) {
    for (const [name, other] of [between, [between[1], between[0]] as const]) {
      if (heldOut.has(other) && !heldOut.has(name) && !relatives.has(name)) {
        relatives.set(name, { name, heldOut: other, why });
      }
    }
  }
  return relatives;
}
