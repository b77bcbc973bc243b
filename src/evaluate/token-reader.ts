import { HIDDEN } from "../engine/ops/attention-mask.js";
import { tf, type TensorFlow } from "../engine/tensorflow.js";
import { CompiledDecoder, type Following } from "../model/compiled/compiled-decoder.js";
import { Decoder } from "../model/decoder.js";
import type { LanguageModel } from "../model/load.js";
import { type Continuation, continuePrompts } from "./continuation.js";
import { padRight } from "./pad.js";

type Rows = readonly (readonly number[])[];

/** Reads tokens row by row and says what follows; remembers what it has read. */
export interface TokenReader {
  /** What each row reads first: its prompt, or the token that the decoder of an encoder-decoder starts with. */
  readonly first: Rows;
  /**
   * Reads the new tokens of each row: those of `first`, then one each.
   * @returns the most probable next token of each row `[rows]`, or all logits `[rows * vocabulary]`
   */
  read(rows: Rows, following: Following): ArrayLike<number>;
  /** Goes on with some of the rows only. */
  select(rows: readonly number[]): void;
  dispose(): void;
}

/**
 * Begins to answer prompts.
 * @param prompts token ids, at least one each
 * @param compiled see `isCompiled`
 */
export async function startReader(
  model: LanguageModel,
  prompts: Rows,
  compiled: boolean,
): Promise<TokenReader> {
  return compiled && model instanceof Decoder
    ? CompiledReader.start(model, prompts)
    : new EagerReader(model, prompts);
}

/** Reads by kernels that are called one by one: on every backend, and what the compiled reader must agree with. */
class EagerReader implements TokenReader {
  readonly #model: LanguageModel;
  readonly #continuation: Continuation;

  constructor(model: LanguageModel, prompts: Rows) {
    this.#model = model;
    this.#continuation = continuePrompts(model, prompts);
  }

  get first(): Rows {
    return this.#continuation.first;
  }

  read(rows: Rows, following: Following): ArrayLike<number> {
    return valuesOf(() => {
      const logits = this.#model.logits(this.#continuation.feed(rows));
      return following === "next" ? tf.argMax(logits, 1) : logits;
    });
  }

  select(rows: readonly number[]): void {
    this.#continuation.select(rows);
  }

  dispose(): void {
    this.#continuation.dispose();
  }
}

/** Slots that are added to the keys and values at once. */
export const MORE_SLOTS = 32;

/** Reads by the compiled decoder, with the keys and values in its session. */
class CompiledReader implements TokenReader {
  readonly first: Rows;
  readonly #compiled: CompiledDecoder;
  readonly #release: () => void;
  /** Tokens of each row so far: the slot that its next one takes. */
  #lengths: readonly number[] = [];
  /** Slots of each row. */
  #capacity = 0;

  private constructor(compiled: CompiledDecoder, prompts: Rows, release: () => void) {
    this.first = prompts;
    this.#compiled = compiled;
    this.#release = release;
  }

  /** Begins when no other one of the same decoder is at work. */
  static async start(decoder: Decoder, prompts: Rows): Promise<CompiledReader> {
    const compiled = CompiledDecoder.of(decoder);
    return new CompiledReader(compiled, prompts, await compiled.acquireCache());
  }

  read(rows: Rows, following: Following): ArrayLike<number> {
    return valuesOf(() =>
      this.#capacity === 0 ? this.#prompt(rows, following) : this.#token(rows, following),
    );
  }

  select(rows: readonly number[]): void {
    this.#compiled.keepRows(rows, 0);
    this.#lengths = rows.map((row) => this.#lengths[row] ?? 0);
  }

  dispose(): void {
    this.#release();
  }

  #prompt(rows: Rows, following: Following): TensorFlow.Tensor {
    const inputs = promptInputs(rows);
    this.#lengths = rows.map(({ length }) => length);
    this.#capacity = Math.max(...this.#lengths) + MORE_SLOTS;
    this.#compiled.makeRoom(rows.length, this.#capacity);
    const held = { rows: rows.length, capacity: this.#capacity };
    return this.#compiled.readPrompts(inputs, [...rows.keys()], held, following);
  }

  #token(rows: Rows, following: Following): TensorFlow.Tensor {
    if (Math.max(...this.#lengths) === this.#capacity) {
      this.#compiled.keepRows([...rows.keys()], MORE_SLOTS);
      this.#capacity += MORE_SLOTS;
    }
    const inputs = tokenInputs(rows.flat(), this.#lengths, this.#capacity);
    this.#lengths = this.#lengths.map((length) => length + 1);
    return this.#compiled.readTokens(inputs, following);
  }
}

/** What `CompiledDecoder.readPrompts` is given for prompts. */
export function promptInputs(prompts: Rows): Parameters<CompiledDecoder["readPrompts"]>[0] {
  const { ids, counts, time } = padRight(prompts);
  const counting = Array.from({ length: time }, (_, place) => place);
  const last = counts.map((count, row) => row * time + count - 1);
  return {
    ids,
    positions: padRight(prompts.map(() => counting)).ids,
    rows: tf.tensor1d(last, "int32"),
  };
}

/**
 * What `CompiledDecoder.readTokens` is given for one token of each row.
 * @param lengths tokens of each row before it
 */
export function tokenInputs(
  tokens: readonly number[],
  lengths: readonly number[],
  capacity: number,
): Parameters<CompiledDecoder["readTokens"]>[0] {
  const unused = new Float32Array(tokens.length * capacity);
  lengths.forEach((length, row) => unused.fill(HIDDEN, row * capacity + length + 1, (row + 1) * capacity));
  return {
    ids: padRight(tokens.map((id) => [id])).ids,
    positions: padRight(lengths.map((length) => [length])).ids,
    unused: tf.tensor(unused, [tokens.length, 1, 1, capacity]),
  };
}

/**
 * The values of what is made, of which nothing else stays. The session and the kernels have finished when they return:
 * waiting for their values in another thread costs 5 % of a token.
 */
export function valuesOf(make: () => TensorFlow.Tensor): ArrayLike<number> {
  const tensor = tf.tidy(make);
  const values = tensor.dataSync();
  tensor.dispose();
  return values;
}
