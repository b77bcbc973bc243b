import type { Constraint } from "../../data/example.js";
import { type ErrorLocation, KitError } from "../../support/errors.js";
import { strip } from "../metrics/python-text.js";
import { compileConstraint } from "./checks.js";

/** Whether an answer holds to each constraint of its prompt, in their order. */
export interface ConstraintScores {
  readonly strict: readonly boolean[];
  /** Also right when the answer is without its first line, last line or asterisks. */
  readonly loose: readonly boolean[];
}

/** IFEval's four accuracies, from 0 to 1. */
export interface IfevalAccuracies {
  /** Share of answers that hold to all their constraints. */
  readonly promptStrict: number;
  readonly promptLoose: number;
  /** Share of constraints that are held to, over all prompts. */
  readonly instructionStrict: number;
  readonly instructionLoose: number;
}

/**
 * Holds an answer against its prompt's constraints, strictly and loosely, as IFEval's `evaluation_main.py` does. An answer
 * of white space holds to none.
 * @throws KitError at `location` for a constraint that cannot be checked
 */
export function scoreConstraints(
  answer: string,
  constraints: readonly Constraint[],
  location: ErrorLocation = {},
): ConstraintScores {
  const checks = constraints.map((constraint) => compileConstraint(constraint, location));
  const variants = looseVariants(answer).filter((variant) => strip(variant) !== "");
  return {
    strict: checks.map((check) => strip(answer) !== "" && check(answer)),
    loose: checks.map((check) => variants.some(check)),
  };
}

/**
 * The accuracies over all answers.
 * @throws KitError for no answers, or an answer without constraints
 */
export function ifevalAccuracies(scores: readonly ConstraintScores[]): IfevalAccuracies {
  if (scores.length === 0) throw new KitError("there are no answers to score", "give at least one");
  const empty = scores.findIndex(({ strict }) => strict.length === 0);
  if (empty >= 0) {
    throw new KitError("an answer without constraints", "leave it out: it cannot be wrong", {
      row: empty + 1,
    });
  }
  const share = (values: readonly boolean[]): number => values.filter(Boolean).length / values.length;
  return {
    promptStrict: share(scores.map(({ strict }) => strict.every(Boolean))),
    promptLoose: share(scores.map(({ loose }) => loose.every(Boolean))),
    instructionStrict: share(scores.flatMap(({ strict }) => strict)),
    instructionLoose: share(scores.flatMap(({ loose }) => loose)),
  };
}

/** The answer as it is and without its first line, its last line, both; each with and without asterisks. */
function looseVariants(answer: string): string[] {
  const lines = answer.split("\n");
  const cuts = [lines.slice(1), lines.slice(0, -1), lines.slice(1, -1)].map((rest) => strip(rest.join("\n")));
  return [answer, ...cuts].flatMap((text) => [text, text.replaceAll("*", "")]);
}
