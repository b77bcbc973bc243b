import type { Message, Role, Segment } from "./template.js";
import type { Encoding } from "./tokenizer.js";

/** A stretch of the rendered text that comes from one place, with its bytes (UTF-8) in the text: `[start, end)`. */
export interface Piece extends Segment {
  readonly role: Role;
  readonly start: number;
  readonly end: number;
}

/** The segments of some messages, one after the other. */
export interface Layout {
  readonly pieces: readonly Piece[];
  readonly text: string;
}

/** Joins the segments of messages into one text and notes where each begins and ends. */
export function layOut(messages: readonly Message[]): Layout {
  const parts = messages.flatMap(({ role, segments }) => segments.map((segment) => ({ ...segment, role })));
  return layOutParts(parts);
}

/** The layout of the same pieces with other texts: those that `change` returns. */
export function mapLayout(layout: Layout, change: (piece: Piece) => string): Layout {
  return layOutParts(layout.pieces.map((piece) => ({ ...piece, text: change(piece) })));
}

/** The layout without the pieces that `keep` refuses. */
export function filterLayout(layout: Layout, keep: (piece: Piece) => boolean): Layout {
  return layOutParts(layout.pieces.filter(keep));
}

function layOutParts(parts: readonly (Segment & { readonly role: Role })[]): Layout {
  let start = 0;
  const pieces = parts.map((part): Piece => {
    const end = start + Buffer.byteLength(part.text);
    const piece = { ...part, start, end };
    start = end;
    return piece;
  });
  return { pieces, text: pieces.map((piece) => piece.text).join("") };
}

/**
 * The piece of each token: the one that holds the token's last byte, where a token covers the end of one piece and
 * the beginning of the next.
 *
 *     pieces   Input:_|Great movie!        ("_" is a blank, "|" the border)
 *     tokens   Input : _Great _movie !
 *     piece    0     0 1      1      1
 */
export function piecesOfTokens(encoding: Encoding, layout: Layout): Piece[] {
  let index = 0;
  return encoding.byteEnds.map((end) => {
    while (index < layout.pieces.length - 1 && (layout.pieces[index]?.end ?? 0) < end) index++;
    const piece = layout.pieces[index];
    if (piece === undefined || end > piece.end) {
      throw new RangeError(`a token ends at byte ${end}, behind the end of the text`);
    }
    return piece;
  });
}
