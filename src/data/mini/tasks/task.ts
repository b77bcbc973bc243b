import type { Random } from "../../../support/random.js";
import { expand } from "../grammar/alternatives.js";
import type { Materials } from "./materials.js";

/** How hard a row is, by what the answer takes: each task says what that means. */
export const DIFFICULTIES = ["easy", "medium", "hard"] as const;
export type Difficulty = (typeof DIFFICULTIES)[number];

/** What a row is drawn from. */
export interface Draw {
  readonly random: Random;
  /** What this split may use. */
  readonly materials: Materials;
  readonly difficulty: Difficulty;
  /** The answer that the row is to have, of a task with options: the rows take turns. */
  readonly label: string;
}

/** A drawn row. */
export interface DrawnRow {
  readonly input: string;
  /** Right answers, the best first. */
  readonly outputs: readonly string[];
}

/** A task of the mini world. */
export interface MiniTask {
  readonly name: string;
  readonly taskType: string;
  /** Ten or more wordings of the instruction; with options, half of them name the options. */
  readonly instructions: readonly string[];
  /** The answers to choose from, of a classification; each is the answer of as many rows. */
  readonly options?: readonly string[];
  /** Levels that the task has; all of them where it is left out. */
  readonly difficulties?: readonly Difficulty[];
  /**
   * What train, validation and test do not share: "materials", where the facts or words that a row is about belong to one
   * split, so that an answer cannot be remembered from another; "inputs", where it is enough that no input is repeated.
   */
  readonly separates: "materials" | "inputs";
  draw(draw: Draw): DrawnRow;
  /** The best answer, found from the input alone and what is known of the world: the perfect solver. */
  solve(input: string, materials: Materials): string;
}

/** All wordings of an instruction; see `expand`. */
export function wordings(...patterns: readonly string[]): readonly string[] {
  return [...new Set(patterns.flatMap(expand))];
}

/** All wordings of a classification: without options, and with them in one of three ways. */
export function wordingsWithOptions(
  options: readonly string[],
  ...patterns: readonly string[]
): readonly string[] {
  const listed = options.join(", ");
  const either = `${options.slice(0, -1).join(", ")} or ${options.at(-1) ?? ""}`;
  const endings = [`Options: ${listed}.`, `Answer with ${either}.`, `Choose from ${listed}.`];
  const plain = wordings(...patterns);
  return [...plain, ...plain.map((text, index) => `${text} ${endings[index % endings.length] ?? ""}`)];
}
