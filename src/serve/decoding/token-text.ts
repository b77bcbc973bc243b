import type { Tokenizer } from "../../data/tokenizer.js";

/** The text of a token behind another: some tokenizers write a blank only between tokens. */
export function tokenTextAfter(
  tokenizer: Pick<Tokenizer, "decode" | "tokenText">,
  before: readonly number[],
  id: number,
): string {
  const earlier = tokenizer.decode(before);
  const both = tokenizer.decode([...before, id]);
  const text = both.startsWith(earlier) ? both.slice(earlier.length) : tokenizer.decode([id]);
  return text === "" ? tokenizer.tokenText(id) : text;
}
