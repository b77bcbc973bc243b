/**
 * All texts that a pattern of alternatives stands for, in order: `"[Find|Name] the town[ in the text|]."` gives four.
 * Brackets do not nest.
 */
export function expand(pattern: string): string[] {
  return pattern
    .split(/\[([^\]]*)\]/)
    .map((piece, index) => (index % 2 === 0 ? [piece] : piece.split("|")))
    .reduce<string[]>(
      (texts, choices) => texts.flatMap((text) => choices.map((choice) => text + choice)),
      [""],
    );
}
