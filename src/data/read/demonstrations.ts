import { z } from "zod";
import type { Demonstration } from "../example.js";
import { text, writtenText } from "./rows.js";

/** Demonstrations of a task as Natural Instructions writes them; v1 calls the explanation "reason". */
export const demonstrations = z
  .array(z.looseObject({ input: text, output: text, explanation: text.optional(), reason: text.optional() }))
  .default([]);

/** An instance as Natural Instructions writes it: one reference or a list of them. */
export const instanceSchema = z.looseObject({
  id: writtenText.optional(),
  input: text,
  output: z.union([text, z.array(text)]),
});

/** A demonstration without an explanation that says nothing ("", and "-" in v1). */
export function demonstrationOf(item: z.output<typeof demonstrations>[number]): Demonstration {
  const { input, output } = item;
  const explanation = item.explanation ?? item.reason ?? "";
  return ["", "-"].includes(explanation.trim()) ? { input, output } : { input, output, explanation };
}
