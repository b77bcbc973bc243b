import { KitError } from "../support/errors.js";
import { filterLayout, type Layout, type Piece } from "./layout.js";
import type { Segment } from "./template.js";
import type { Encoding, Tokenizer } from "./tokenizer.js";

/**
 * The tokens of a layout. Its special pieces become the tokens that they stand for and cut the text, as added tokens do in
 * Hugging Face `tokenizers`; the text between them is encoded as one string. Text becomes text tokens only: what a row
 * says never becomes a special token.
 * @param layout after `writeSpecials`
 * @throws KitError when text becomes a special token, or a special piece is a second BOS or padding
 */
export function encodeLayout(layout: Layout, tokenizer: Tokenizer, exampleId: string): Encoding {
  if (!layout.pieces.some(({ source }) => source === "special"))
    return encodeText(layout.text, tokenizer, exampleId);
  const ids: number[] = [];
  const byteEnds: number[] = [];
  let run = "";
  let start = 0;
  const flush = (): void => {
    const encoding = encodeText(run, tokenizer, exampleId);
    for (const id of encoding.ids) ids.push(id);
    for (const end of encoding.byteEnds) byteEnds.push(start + end);
    run = "";
  };
  for (const piece of layout.pieces) {
    const id = piece.source === "special" ? specialId(piece, tokenizer) : undefined;
    if (id === undefined) {
      run += piece.text;
      continue;
    }
    refuseSpecial(id, piece, tokenizer, exampleId);
    flush();
    ids.push(id);
    byteEnds.push(piece.end);
    start = piece.end;
  }
  flush();
  return { ids, byteEnds };
}

/** A layout as one tokenizer writes it. */
export interface WrittenLayout {
  readonly layout: Layout;
  /** Special texts that the tokenizer has no token for; they are scaffold of the layout now. */
  readonly plainSpecials: readonly string[];
}

/** Makes text of the special pieces that the tokenizer has no token for. */
export function writeSpecials(layout: Layout, tokenizer: Tokenizer): WrittenLayout {
  const isPlain = (piece: Piece): boolean =>
    piece.source === "special" && specialId(piece, tokenizer) === undefined;
  const plainSpecials = layout.pieces.filter(isPlain).map(({ text }) => text);
  if (plainSpecials.length === 0) return { layout, plainSpecials };
  const pieces = layout.pieces.map((piece): Piece =>
    isPlain(piece) ? { ...piece, source: "scaffold" } : piece,
  );
  return { layout: { ...layout, pieces }, plainSpecials };
}

/** The layout without a BOS of the template at its beginning: the renderer writes the one BOS, where there is one. */
export function withoutLeadingBos(layout: Layout, tokenizer: Tokenizer): Layout {
  const first = layout.pieces.find(({ text, source }) => text !== "" || source === "special");
  if (first?.source !== "special") return layout;
  const { bos } = tokenizer.special;
  const isBos = first.token === "bos" || (bos !== undefined && specialId(first, tokenizer) === bos);
  return isBos ? filterLayout(layout, (piece) => piece !== first) : layout;
}

/** The id of a special segment; undefined where the tokenizer has no such token. */
export function specialId({ token, text }: Segment, tokenizer: Tokenizer): number | undefined {
  return token === undefined ? tokenizer.addedTokens?.get(text) : tokenizer.special[token];
}

/** Encodes text, and makes sure that it became text. */
export function encodeText(text: string, tokenizer: Tokenizer, exampleId: string): Encoding {
  const encoding = tokenizer.encode(text);
  const special = specialIds(tokenizer);
  const found = encoding.ids.find((id) => special.has(id));
  if (found !== undefined) {
    throw new KitError(
      `the text of example "${exampleId}" becomes the special token ${tokenizer.tokenText(found)}`,
      "use a tokenizer that encodes text to text tokens only",
    );
  }
  return encoding;
}

function refuseSpecial(id: number, { text }: Piece, { special }: Tokenizer, exampleId: string): void {
  if (id !== special.bos && id !== special.pad) return;
  throw new KitError(
    id === special.pad
      ? `the template writes the padding token ${text} into example "${exampleId}"`
      : `the template writes the BOS ${text} a second time into example "${exampleId}"`,
    "take it out of the template: the renderer writes the one BOS",
  );
}

const SPECIAL_IDS = new WeakMap<Tokenizer, ReadonlySet<number>>();

function specialIds(tokenizer: Tokenizer): ReadonlySet<number> {
  let ids = SPECIAL_IDS.get(tokenizer);
  if (ids === undefined) {
    const { bos, eos, pad } = tokenizer.special;
    ids = new Set([
      ...(bos === undefined ? [] : [bos]),
      eos,
      pad,
      ...(tokenizer.addedTokens?.values() ?? []),
    ]);
    SPECIAL_IDS.set(tokenizer, ids);
  }
  return ids;
}
