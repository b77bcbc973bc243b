import type { Piece } from "./word-pieces.js";

/** What a character costs that has no piece, below the least probable piece: `K_UNK_PENALTY` of SentencePiece. */
const UNKNOWN_PENALTY = 10;

/**
 * Cuts words into the pieces whose log-probabilities have the largest sum (Kudo 2018), as SentencePiece and Hugging Face
 * `tokenizers` do: of equal sums the one found first, longer last pieces first. Characters without a piece become the
 * unknown token, neighbours of that kind one token.
 */
export class UnigramPaths {
  readonly #ids: ReadonlyMap<string, number>;
  readonly #scores: readonly number[];
  readonly #unknown: number;
  readonly #unknownScore: number;
  readonly #longest: number;

  /**
   * @param vocabulary pieces and their log-probabilities, by id
   * @param unknown id of the unknown token
   * @param reserved ids of tokens that no text becomes
   */
  constructor(
    vocabulary: readonly (readonly [piece: string, score: number])[],
    unknown: number,
    reserved: ReadonlySet<number>,
  ) {
    this.#ids = new Map(vocabulary.flatMap(([piece], id) => (reserved.has(id) ? [] : [[piece, id]])));
    this.#scores = vocabulary.map(([, score]) => score);
    this.#unknown = unknown;
    this.#unknownScore =
      this.#scores.reduce((least, score) => Math.min(least, score), Infinity) - UNKNOWN_PENALTY;
    this.#longest = vocabulary.reduce((longest, [piece]) => Math.max(longest, Array.from(piece).length), 1);
  }

  /** @param characters of a word, each one code point */
  cut(characters: readonly string[]): Piece[] {
    const count = characters.length;
    const best = new Float64Array(count + 1).fill(-Infinity);
    const start = new Int32Array(count + 1);
    const id = new Int32Array(count + 1);
    best[0] = 0;
    for (let from = 0; from < count; from++) {
      const before = best[from] ?? -Infinity;
      const reach = (to: number, piece: number, score: number): void => {
        if (before + score <= (best[to] ?? -Infinity)) return;
        best[to] = before + score;
        start[to] = from;
        id[to] = piece;
      };
      let text = "";
      let single = false;
      for (let to = from + 1; to <= count && to - from <= this.#longest; to++) {
        text += characters[to - 1] ?? "";
        const piece = this.#ids.get(text);
        if (piece === undefined) continue;
        reach(to, piece, this.#scores[piece] ?? -Infinity);
        single ||= to === from + 1;
      }
      if (!single) reach(from + 1, this.#unknown, this.#unknownScore);
    }
    const pieces: { id: number; length: number }[] = [];
    for (let to = count; to > 0; to = start[to] ?? 0) {
      const own = { id: id[to] ?? this.#unknown, length: to - (start[to] ?? 0) };
      const next = pieces.at(-1);
      if (own.id === this.#unknown && next?.id === this.#unknown) next.length += own.length;
      else pieces.push(own);
    }
    return pieces.reverse();
  }
}
