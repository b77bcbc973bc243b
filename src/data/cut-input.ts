import { type Layout, mapLayout, piecesOfTokens } from "./layout.js";
import type { Encoding } from "./tokenizer.js";

/** A prompt and its tokens. */
export interface EncodedPrompt {
  readonly layout: Layout;
  readonly encoding: Encoding;
}

/**
 * Cuts whole tokens from the input at one side until the prompt has at most `budget` tokens; all other text stays. The
 * shorter text is encoded anew, as inference will see it, and cut again where it came out longer than expected.
 * @param encode how the renderer encodes a layout
 * @returns undefined when the prompt cannot be made to fit with something of the input left
 */
export function cutInput(
  prompt: EncodedPrompt,
  budget: number,
  side: "cut-input-start" | "cut-input-end",
  encode: (layout: Layout) => Encoding,
): EncodedPrompt | undefined {
  const { layout, encoding } = prompt;
  const borders = cutPoints(prompt, side);
  let remove = encoding.ids.length - budget;
  while (remove < borders.length) {
    const border = borders[remove] ?? 0;
    const shorter = mapLayout(layout, (piece) => {
      if (piece.source !== "input") return piece.text;
      const bytes = Buffer.from(piece.text);
      const at = Math.min(Math.max(border - piece.start, 0), bytes.length);
      return (side === "cut-input-start" ? bytes.subarray(at) : bytes.subarray(0, at)).toString();
    });
    const shorterEncoding = encode(shorter);
    const excess = shorterEncoding.ids.length - budget;
    const left = shorter.pieces.some((piece) => piece.source === "input" && piece.text !== "");
    if (!left) return undefined;
    if (excess <= 0) return { layout: shorter, encoding: shorterEncoding };
    remove += excess;
  }
  return undefined;
}

/**
 * `points[n]` is the byte of the prompt up to which (or from which) the input goes when `n` of its tokens go; borders
 * inside a character move outwards, so that only whole characters are cut. Tokens that are partly scaffold do not count.
 */
function cutPoints({ layout, encoding }: EncodedPrompt, side: "cut-input-start" | "cut-input-end"): number[] {
  const bytes = Buffer.from(layout.text);
  const insideCharacter = (at: number): boolean => ((bytes[at] ?? 0) & 0xc0) === 0x80;
  const inputTokens = piecesOfTokens(encoding, layout)
    .map((piece, token) => ({
      piece,
      start: encoding.byteEnds[token - 1] ?? 0,
      end: encoding.byteEnds[token] ?? 0,
    }))
    .filter(({ piece, start }) => piece.source === "input" && start >= piece.start);
  if (side === "cut-input-end") inputTokens.reverse();
  const points = [side === "cut-input-start" ? 0 : bytes.length];
  for (const { start, end } of inputTokens) {
    let at = side === "cut-input-start" ? end : start;
    while (insideCharacter(at)) at += side === "cut-input-start" ? 1 : -1;
    points.push(at);
  }
  return points;
}
