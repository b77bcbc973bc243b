import { KitError } from "../../support/errors.js";
import { Random } from "../../support/random.js";
import type { Example } from "../example.js";
import {
  applyRule,
  drawInput,
  drawRules,
  instructionOf,
  type RewriteLanguage,
  type RewriteRule,
} from "./rule.js";

/** How large a suite is. All counts are rows or rules. */
export interface RewriteSuiteSize {
  readonly trainingRules: number;
  readonly trainingRows: number;
  readonly heldOutRules: number;
  /** Test rows for the held-out rules together, and as many for training rules. */
  readonly testRows: number;
}

/** Rows of the string-rewrite suite: every rule is a task type of its own. */
export interface RewriteSuite {
  readonly train: readonly Example[];
  /** Training rules, strings that were not trained on under the same rule. */
  readonly seenTest: readonly Example[];
  /** Rules never trained on. */
  readonly heldOutTest: readonly Example[];
}

/**
 * Draws a suite after Zhang, Wang and Charton 2024 (arXiv 2402.10891): the instruction states a rewrite rule, the
 * input is a random string that holds its left side, the output is the rewritten string.
 *
 * For one seed the held-out rules are the same whatever the number of training rules is, and a smaller number of
 * training rules is the beginning of a larger one: a curve over that number compares like with like.
 */
export function drawRewriteSuite(
  language: RewriteLanguage,
  size: RewriteSuiteSize,
  seed: number,
): RewriteSuite {
  checkLanguage(language);
  const heldOutRules = drawRules(language, size.heldOutRules, Random.derive(seed, "held-out rules"));
  const heldOut = new Set(heldOutRules.map(instructionOf));
  const trainingRules = drawRules(
    language,
    size.trainingRules + size.heldOutRules,
    Random.derive(seed, "training rules"),
  )
    .filter((rule) => !heldOut.has(instructionOf(rule)))
    .slice(0, size.trainingRules);
  const train = drawExamples(
    language,
    trainingRules,
    size.trainingRows,
    Random.derive(seed, "training rows"),
    "train",
  );
  const trained = new Set(train.map(rowKey));
  const seenRandom = Random.derive(seed, "seen test rows");
  const testedRules = seenRandom.shuffled(trainingRules).slice(0, size.heldOutRules);
  const seenTest = drawExamples(language, testedRules, size.testRows, seenRandom, "seen", trained);
  const heldOutTest = drawExamples(
    language,
    heldOutRules,
    size.testRows,
    Random.derive(seed, "held-out test rows"),
    "held-out",
  );
  return { train, seenTest, heldOutTest };
}

/** Rows that visit the rules in turn, so that every rule has the same number of rows (or one more). */
function drawExamples(
  language: RewriteLanguage,
  rules: readonly RewriteRule[],
  rows: number,
  random: Random,
  part: string,
  avoid: ReadonlySet<string> = new Set(),
): Example[] {
  return Array.from({ length: rows }, (_, index) => {
    const rule = rules[index % rules.length];
    if (rule === undefined)
      throw new KitError("a suite without rules has no rows", "ask for at least one rule");
    for (let draws = 0; ; draws++) {
      const example = exampleOf(rule, drawInput(language, rule, random), `${part}-${index}`);
      // Short strings run out: after many tries a string that was trained on is kept rather than looping for ever.
      if (!avoid.has(rowKey(example)) || draws > 1000) return example;
    }
  });
}

function exampleOf(rule: RewriteRule, input: string, id: string): Example {
  const instruction = instructionOf(rule);
  return {
    id,
    task: instruction,
    taskType: instruction,
    instruction,
    input,
    outputs: [applyRule(rule, input)],
    source: `string-rewrite:${instruction}`,
  };
}

function rowKey(example: Example): string {
  return `${example.task}|${example.input}`;
}

function checkLanguage({ alphabet, leftLength, rightLength, inputLength }: RewriteLanguage): void {
  if (new Set(alphabet).size !== alphabet.length || alphabet.length < 2) {
    throw new KitError(
      `the alphabet "${alphabet}" must have two or more letters, each once`,
      "mend the alphabet",
    );
  }
  for (const [name, range] of Object.entries({ leftLength, rightLength, inputLength })) {
    if (range.min < 1 || range.max < range.min) {
      throw new KitError(`${name} ${range.min} to ${range.max} is no range`, "give 1 <= min <= max");
    }
  }
  if (inputLength.min < leftLength.max) {
    throw new KitError(
      `inputs of ${inputLength.min} letters cannot hold a left side of ${leftLength.max}`,
      "make the shortest input at least as long as the longest left side",
    );
  }
}
