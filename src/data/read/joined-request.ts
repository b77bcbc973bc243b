import type { RowReading } from "./format.js";

/** Between instruction and input, where a format has one text for both. */
const GAP = "\n\n";

/** Instruction and input as one text, for formats that have one field for both. */
export function joinRequest(instruction: string | undefined, input: string): string {
  if (instruction === undefined) return input;
  return input === "" ? instruction : `${instruction}${GAP}${input}`;
}

/**
 * Takes the instruction out of the input again: the kit's writers say beside a joined text what its instruction was.
 * Where the text does not begin with it (somebody changed one of them), the input stays as it is.
 */
export function splitRequest(reading: RowReading, instruction: string | undefined): RowReading {
  if (instruction === undefined || reading.kind === "drop") return reading;
  const drafts = reading.drafts.map(({ example, outputs }) => {
    const { input } = example;
    if (input === instruction) return { example: { ...example, instruction, input: "" }, outputs };
    const opening = instruction + GAP;
    return input.startsWith(opening)
      ? { example: { ...example, instruction, input: input.slice(opening.length) }, outputs }
      : { example, outputs };
  });
  return { ...reading, drafts };
}
