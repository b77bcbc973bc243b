import type { CompiledDecoder, Following } from "../../model/compiled/compiled-decoder.js";
import type { LanguageModel } from "../../model/load.js";
import {
  MORE_SLOTS,
  promptInputs,
  startReader,
  tokenInputs,
  type TokenReader,
  valuesOf,
} from "../../evaluate/token-reader.js";

/** The place of an answer in a batch; it stays the answer's, whoever joins and leaves. */
export interface Seat {
  /** Tokens that were read. */
  length: number;
}

/** A token that a seat reads. */
export interface Move {
  readonly seat: Seat;
  readonly token: number;
}

/** What follows in each of several seats: one id each, or the logits `[vocabulary]`. */
export type Followings = readonly (readonly number[] | Float32Array)[];

/** A batch whose rows come and go between tokens. What a row gets does not depend on the others. */
export interface Slots {
  /** Reads prompts into new seats. */
  join(
    prompts: readonly (readonly number[])[],
    following: Following,
  ): Promise<{ readonly seats: readonly Seat[]; readonly followings: Followings }>;
  /** Reads one token in each of the seats, which are all that have joined and not left. */
  read(moves: readonly Move[], following: Following): Followings;
  /** Gives a seat free. */
  leave(seat: Seat): void;
}

/**
 * Rows of the compiled decoder's keys and values. A row that is left stays until another takes it, or until half of them
 * are free: moving rows copies all of them.
 *
 *     row 0   a b c d e .     each token stands at its position, so that rows join with prompts of any length
 *     row 1   f g . . . .
 *     row 2   (free)
 */
export class CompiledSlots implements Slots {
  readonly #compiled: CompiledDecoder;
  readonly #contextLength: number;
  /** Who sits in each row. */
  #rows: (Seat | undefined)[] = [];
  #capacity = 0;

  /** @param compiled its cache must have been acquired */
  constructor(compiled: CompiledDecoder, contextLength: number) {
    this.#compiled = compiled;
    this.#contextLength = contextLength;
  }

  join(
    prompts: readonly (readonly number[])[],
    following: Following,
  ): Promise<{ readonly seats: readonly Seat[]; readonly followings: Followings }> {
    const seats = prompts.map(({ length }): Seat => ({ length }));
    this.#makeRows(seats);
    const into = seats.map((seat) => this.#rows.indexOf(seat));
    const held = { rows: this.#rows.length, capacity: this.#capacity };
    const values = valuesOf(() => this.#compiled.readPrompts(promptInputs(prompts), into, held, following));
    return Promise.resolve({ seats, followings: split(values, prompts.length) });
  }

  read(moves: readonly Move[], following: Following): Followings {
    if (moves.length * 2 <= this.#rows.length) this.#keep(moves.map(({ seat }) => this.#rows.indexOf(seat)));
    this.#makeSlots(Math.max(...moves.map(({ seat }) => seat.length + 1)));
    const rows = moves.map(({ seat }) => this.#rows.indexOf(seat));
    // A free row reads some token at its first slot, which the next prompt overwrites.
    const tokens = this.#rows.map(() => 0);
    moves.forEach(({ token }, index) => (tokens[rows[index] ?? 0] = token));
    const lengths = this.#rows.map((seat) => seat?.length ?? 0);
    const values = valuesOf(() =>
      this.#compiled.readTokens(tokenInputs(tokens, lengths, this.#capacity), following),
    );
    for (const { seat } of moves) seat.length++;
    const followings = split(values, this.#rows.length);
    return rows.map((row) => followings[row] ?? []);
  }

  leave(seat: Seat): void {
    this.#rows = this.#rows.map((other) => (other === seat ? undefined : other));
    if (this.#rows.every((other) => other === undefined)) {
      this.#compiled.makeRoom(0, 0);
      this.#rows = [];
      this.#capacity = 0;
    }
  }

  /** Rows and slots for new seats. */
  #makeRows(seats: readonly Seat[]): void {
    const longest = Math.max(...seats.map(({ length }) => length));
    if (this.#rows.length === 0) {
      this.#rows = [...seats];
      this.#capacity = Math.min(longest + MORE_SLOTS, this.#contextLength);
      this.#compiled.makeRoom(seats.length, this.#capacity);
      return;
    }
    const free = this.#rows.flatMap((seat, row) => (seat === undefined ? [row] : []));
    const missing = seats.length - free.length;
    // The new rows are copies of the first until they are overwritten.
    if (missing > 0) this.#keep([...this.#rows.keys(), ...new Array<number>(missing).fill(0)]);
    seats.forEach(
      (seat, index) => (this.#rows[free[index] ?? this.#rows.length - seats.length + index] = seat),
    );
    this.#makeSlots(longest);
  }

  #makeSlots(needed: number): void {
    if (needed <= this.#capacity) return;
    const capacity = Math.min(needed + MORE_SLOTS, this.#contextLength);
    this.#compiled.keepRows([...this.#rows.keys()], capacity - this.#capacity);
    this.#capacity = capacity;
  }

  #keep(rows: readonly number[]): void {
    this.#compiled.keepRows(rows, 0);
    const kept = new Set<Seat>();
    this.#rows = rows.map((row) => {
      const seat = this.#rows[row];
      if (seat === undefined || kept.has(seat)) return undefined;
      kept.add(seat);
      return seat;
    });
  }
}

/** Answers that are read one after another: for encoder-decoders, and without the native engine. */
export class SingleSlots implements Slots {
  readonly #model: LanguageModel;
  readonly #readers = new Map<Seat, TokenReader>();

  constructor(model: LanguageModel) {
    this.#model = model;
  }

  async join(
    prompts: readonly (readonly number[])[],
    following: Following,
  ): Promise<{ readonly seats: readonly Seat[]; readonly followings: Followings }> {
    const seats: Seat[] = [];
    const followings: (readonly number[] | Float32Array)[] = [];
    for (const prompt of prompts) {
      const reader = await startReader(this.#model, [prompt], false);
      const seat = { length: prompt.length };
      this.#readers.set(seat, reader);
      seats.push(seat);
      followings.push(...split(reader.read(reader.first, following), 1));
    }
    return { seats, followings };
  }

  read(moves: readonly Move[], following: Following): Followings {
    return moves.flatMap(({ seat, token }) => {
      seat.length++;
      return split(this.#readers.get(seat)?.read([[token]], following) ?? [], 1);
    });
  }

  leave(seat: Seat): void {
    this.#readers.get(seat)?.dispose();
    this.#readers.delete(seat);
  }
}

/** Values of rows one after another, as rows. */
function split(values: ArrayLike<number>, rows: number): Followings {
  const width = values.length / rows;
  if (width === 1) return Array.from(values, (value) => [value]);
  const all = values instanceof Float32Array ? values : Float32Array.from(values);
  return Array.from({ length: rows }, (_, row) => all.subarray(row * width, (row + 1) * width));
}
