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
const MORE_SLOTS = 32;

/** Reads by the compiled decoder, with the keys and values in its session. */
class CompiledReader implements TokenReader {
  readonly first: Rows;
  readonly #compiled: CompiledDecoder;
  readonly #release: () => void;
  /** Tokens of each row's prompt, and of the longest. */
  #prompts: readonly number[] = [];
  #time = 0;
  /** Where the next keys go, and how many slots there are. */
  #slot = 0;
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
    return valuesOf(() => (this.#slot === 0 ? this.#prompt(rows, following) : this.#token(rows, following)));
  }

  select(rows: readonly number[]): void {
    this.#compiled.keepRows(rows, 0);
    this.#prompts = rows.map((row) => this.#prompts[row] ?? 0);
  }

  dispose(): void {
    this.#release();
  }

  #prompt(rows: Rows, following: Following): TensorFlow.Tensor {
    const { ids, counts, time } = padRight(rows);
    const last = counts.map((count, row) => row * time + count - 1);
    this.#prompts = counts;
    this.#time = time;
    this.#slot = time;
    this.#capacity = time + MORE_SLOTS;
    const counting = Array.from({ length: time }, (_, place) => place);
    const { ids: positions } = padRight(rows.map(() => counting));
    return this.#compiled.readPrompts(
      { ids, positions, rows: tf.tensor1d(last, "int32") },
      this.#capacity,
      following,
    );
  }

  #token(rows: Rows, following: Following): TensorFlow.Tensor {
    if (this.#slot === this.#capacity) {
      this.#compiled.keepRows(
        rows.map((_, row) => row),
        MORE_SLOTS,
      );
      this.#capacity += MORE_SLOTS;
    }
    const [slot, capacity, time] = [this.#slot, this.#capacity, this.#time];
    this.#slot++;
    // A short prompt leaves slots unused up to the longest one's end.
    const unused = new Float32Array(rows.length * capacity);
    this.#prompts.forEach((length, row) => {
      unused.fill(HIDDEN, row * capacity + length, row * capacity + time);
      unused.fill(HIDDEN, row * capacity + slot + 1, (row + 1) * capacity);
    });
    const inputs = {
      ids: padRight(rows).ids,
      positions: padRight(this.#prompts.map((length) => [length + slot - time])).ids,
      slot: tf.scalar(slot, "int32"),
      unused: tf.tensor(unused, [rows.length, 1, 1, capacity]),
    };
    return this.#compiled.readTokens(inputs, following);
  }
}

/** The session and the kernels have finished when they return: waiting for their values in another thread costs 5 % of a token. */
function valuesOf(make: () => TensorFlow.Tensor): ArrayLike<number> {
  const tensor = tf.tidy(make);
  const values = tensor.dataSync();
  tensor.dispose();
  return values;
}
