import { KitError } from "../../support/errors.js";
import type { Random } from "../../support/random.js";

/** An inclusive range of lengths, in letters. */
export interface LengthRange {
  readonly min: number;
  readonly max: number;
}

/** One task of the string-rewrite suite: where `left` stands in a string, `right` takes its place. */
export interface RewriteRule {
  readonly left: string;
  readonly right: string;
}

/** What rules and strings are drawn from. */
export interface RewriteLanguage {
  /** The letters, each once. */
  readonly alphabet: string;
  readonly leftLength: LengthRange;
  readonly rightLength: LengthRange;
  readonly inputLength: LengthRange;
}

/** The instruction that states a rule: "ab>cde". */
export function instructionOf({ left, right }: RewriteRule): string {
  return `${left}>${right}`;
}

/** The input with the first occurrence of the rule's left side rewritten. */
export function applyRule({ left, right }: RewriteRule, input: string): string {
  const at = input.indexOf(left);
  return at < 0 ? input : input.slice(0, at) + right + input.slice(at + left.length);
}

/**
 * Distinct rules in random order.
 * @throws KitError when the language has too few rules to find that many by drawing
 */
export function drawRules(language: RewriteLanguage, count: number, random: Random): RewriteRule[] {
  const rules = new Map<string, RewriteRule>();
  for (let draws = 0; rules.size < count; draws++) {
    if (draws > 50 * count + 1000) {
      throw new KitError(
        `only ${rules.size} different rewrite rules were found, ${count} are needed`,
        "use more letters or longer sides, or fewer rules",
      );
    }
    const left = drawString(language.alphabet, language.leftLength, random);
    const right = drawString(language.alphabet, language.rightLength, random);
    if (left !== right) rules.set(`${left}>${right}`, { left, right });
  }
  return [...rules.values()];
}

/** A random string that holds the rule's left side exactly once, overlaps counted, so that there is one answer. */
export function drawInput(language: RewriteLanguage, { left }: RewriteRule, random: Random): string {
  for (;;) {
    const text = drawString(language.alphabet, language.inputLength, random);
    const at = random.integer(text.length - left.length + 1);
    const input = text.slice(0, at) + left + text.slice(at + left.length);
    if (input.indexOf(left) === input.lastIndexOf(left)) return input;
  }
}

function drawString(alphabet: string, { min, max }: LengthRange, random: Random): string {
  const length = min + random.integer(max - min + 1);
  return Array.from({ length }, () => alphabet[random.integer(alphabet.length)]).join("");
}
