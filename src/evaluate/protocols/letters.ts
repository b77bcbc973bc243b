import type { Example } from "../../data/example.js";
import { KitError } from "../../support/errors.js";

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/**
 * A row whose options are listed in the input with letters, as MMLU does, and whose options and answers are the letters:
 *
 *     input    Which is a fruit?\nA. stone\nB. apple
 *     options  A, B
 *     outputs  B
 *
 * @throws KitError for more than 26 options
 */
export function withLetters(example: Example): Example {
  const options = example.options ?? [];
  if (options.length > LETTERS.length) {
    throw new KitError(
      `example "${example.id}" has ${options.length} options, there are ${LETTERS.length} letters`,
      "rank the options themselves",
      { field: "options" },
    );
  }
  const letterOf = (place: number): string => LETTERS[place] ?? "";
  const lines = options.map((text, place) => `${letterOf(place)}. ${text}`);
  return {
    ...example,
    input: [example.input, ...lines].filter((line) => line !== "").join("\n"),
    options: options.map((_, place) => letterOf(place)),
    outputs: options.flatMap((text, place) => (example.outputs.includes(text) ? [letterOf(place)] : [])),
  };
}
