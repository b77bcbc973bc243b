import type { Encoding } from "../data/tokenizer.js";
import type { NormalCharacter } from "./normalizer.js";

/** A piece of a word: its id, and the number of characters. */
export interface Piece {
  readonly id: number;
  readonly length: number;
}

/** Words whose pieces are remembered; at the limit the memory is emptied. */
const CACHE_LIMIT = 200_000;

/** Cuts words into pieces, and remembers those of each word. */
export class WordPieces {
  readonly #cut: (characters: readonly string[]) => readonly Piece[];
  readonly #cache = new Map<string, readonly Piece[]>();

  /** @param cut the pieces of a word, which together have all its characters */
  constructor(cut: (characters: readonly string[]) => readonly Piece[]) {
    this.#cut = cut;
  }

  /**
   * The tokens of a text.
   * @param words of the text, normalised, in order
   */
  encode(words: Iterable<readonly NormalCharacter[]>, text: string): Encoding {
    const ids: number[] = [];
    const byteEnds: number[] = [];
    for (const word of words) {
      let place = 0;
      for (const { id, length } of this.#piecesOf(word.map((character) => character.text))) {
        place += length;
        ids.push(id);
        byteEnds.push(word[place - 1]?.byteEnd ?? 0);
      }
    }
    // White space at the end belongs to the last token.
    if (byteEnds.length > 0) byteEnds[byteEnds.length - 1] = Buffer.byteLength(text);
    return { ids, byteEnds };
  }

  #piecesOf(characters: readonly string[]): readonly Piece[] {
    const key = characters.join("");
    const known = this.#cache.get(key);
    if (known !== undefined) return known;
    const pieces = this.#cut(characters);
    if (this.#cache.size >= CACHE_LIMIT) this.#cache.clear();
    this.#cache.set(key, pieces);
    return pieces;
  }
}
