import { joined } from "../../engine/compile/passes/join.js";
import { type Feeds, GraphSession } from "../../engine/compile/session.js";
import { tf, type TensorFlow } from "../../engine/tensorflow.js";
import { headShape } from "../config.js";
import type { Decoder } from "../decoder.js";
import { assignment, decoderGraphs, prefix, prefixed, weightAssignments } from "./decoder-graphs.js";
import { sizeName } from "./record-decoder.js";

/** Positions that every graph here can be recorded with. */
const SHORTEST_CONTEXT = 8;

/** What follows a pass: the most probable token of each row, int32 `[rows]`, or all logits, `[rows, vocabulary]`. */
export type Following = "next" | "logits";

const made = new WeakMap<Decoder, CompiledDecoder>();

/**
 * Scoring and one-token decoding of a decoder as TensorFlow graphs in a session that holds its weights, and the keys and
 * values of a generation. While the decoder is trained by a compiled step that has these graphs too, the session is the
 * training's, and the weights are those of the last step; else it is one of its own, recorded when first needed and
 * freed with the decoder, and weights that the decoder has been given since are taken over before each use.
 */
export class CompiledDecoder {
  readonly #decoder: Decoder;
  readonly #session: GraphSession;
  /** What each variable of an own session holds, to know when the decoder has other weights. */
  readonly #held: Map<string, object> | undefined;
  #cacheIsFree: Promise<void> = Promise.resolve();

  private constructor(decoder: Decoder, session: GraphSession, held?: Map<string, object>) {
    this.#decoder = decoder;
    this.#session = session;
    this.#held = held;
  }

  /** Whether a decoder can be compiled here. */
  static isPossible({ config }: Decoder): boolean {
    return tf.getBackend() === "tensorflow" && config.contextLength >= SHORTEST_CONTEXT;
  }

  /** Whether there is one in a session that is there anyway, so that nothing needs to be recorded. */
  static isAtHand(decoder: Decoder): boolean {
    const compiled = made.get(decoder);
    return compiled !== undefined && compiled.#held === undefined;
  }

  /**
   * The one of a decoder, with its weights of now.
   * @throws KitError that names what cannot be recorded faithfully
   */
  static of(decoder: Decoder): CompiledDecoder {
    let compiled = made.get(decoder);
    if (compiled === undefined) {
      const session = new GraphSession(joined(weightAssignments(decoder), decoderGraphs(decoder)));
      compiled = new CompiledDecoder(decoder, session, new Map());
      made.set(decoder, compiled);
      decoder.whenDisposed(() => {
        made.delete(decoder);
        session.dispose();
      });
    }
    compiled.#takeOverWeights();
    return compiled;
  }

  /**
   * Lets a decoder be scored and decoded in a session that has its weights and its `decoderGraphs`.
   * @returns what ends it, before the session is closed
   */
  static within(decoder: Decoder, session: GraphSession): () => void {
    const before = made.get(decoder);
    made.set(decoder, new CompiledDecoder(decoder, session));
    return () => {
      if (before === undefined) made.delete(decoder);
      else made.set(decoder, before);
    };
  }

  /** Log-probabilities of pairs, see `recordScoring`. The caller disposes what it is given, or calls this in a tidy. */
  logProbabilities(inputs: {
    readonly ids: TensorFlow.Tensor2D;
    readonly positions: TensorFlow.Tensor2D;
    readonly segments: TensorFlow.Tensor2D;
    readonly rows: TensorFlow.Tensor1D;
    readonly pairRows: TensorFlow.Tensor1D;
    readonly targets: TensorFlow.Tensor1D;
  }): TensorFlow.Tensor {
    const [batch, time] = inputs.ids.shape;
    const sizes = { batch, time, rows: inputs.rows.size, pairs: inputs.targets.size };
    return this.#run("scoring", inputs, sizes, "logprobs");
  }

  /** Waits until no generation uses the keys and values. @returns what gives them free again */
  async acquireCache(): Promise<() => void> {
    const before = this.#cacheIsFree;
    let free = (): void => undefined;
    this.#cacheIsFree = new Promise((resolve) => (free = resolve));
    await before;
    return () => {
      this.makeRoom(0, 0);
      free();
    };
  }

  /**
   * Makes room for the keys and values of rows, and forgets those that were there.
   * @param capacity slots of each
   */
  makeRoom(rows: number, capacity: number): void {
    const { keyValueHeads, headWidth } = headShape(this.#decoder.config);
    tf.tidy(() => {
      const shape = tf.tensor1d([rows, keyValueHeads, capacity, headWidth], "int32");
      this.#session.run(prefixed("cache", { shape }), [prefix("cache", "made")]);
    });
  }

  /**
   * Reads prompts; their keys and values go into some of the rows that there is room for, from slot 0 on.
   * @param inputs `rows` are the flat places of the last tokens of the prompts
   * @param into for each prompt its row in the cache
   * @param held rows and slots of the cache
   */
  readPrompts(
    inputs: {
      readonly ids: TensorFlow.Tensor2D;
      readonly positions: TensorFlow.Tensor2D;
      readonly rows: TensorFlow.Tensor1D;
    },
    into: readonly number[],
    held: { readonly rows: number; readonly capacity: number },
    following: Following,
  ): TensorFlow.Tensor {
    const [batch, time] = inputs.ids.shape;
    const { keyValueHeads: heads } = headShape(this.#decoder.config);
    const places = new Int32Array(batch * heads * time);
    let index = 0;
    for (const row of into) {
      for (let head = 0; head < heads; head++) {
        const start = (row * heads + head) * held.capacity;
        for (let slot = 0; slot < time; slot++) places[index++] = start + slot;
      }
    }
    const feeds = { ...inputs, places: tf.tensor1d(places, "int32") };
    const sizes = { batch, time, rows: inputs.rows.size, held: held.rows, capacity: held.capacity };
    return this.#run("prompt", feeds, sizes, following);
  }

  /** Reads one token of each row. `inputs.unused` is `[batch, 1, 1, capacity]`, see `recordToken`. */
  readTokens(
    inputs: {
      readonly ids: TensorFlow.Tensor2D;
      readonly positions: TensorFlow.Tensor2D;
      readonly unused: TensorFlow.Tensor;
    },
    following: Following,
  ): TensorFlow.Tensor {
    const sizes = { batch: inputs.ids.shape[0], capacity: inputs.unused.shape[3] ?? 0 };
    return this.#run("token", inputs, sizes, following);
  }

  /** Keeps the keys and values of some rows, in this order (one may come several times), with more slots for each. */
  keepRows(rows: readonly number[], moreSlots: number): void {
    tf.tidy(() => {
      const feeds = { kept: tf.tensor1d([...rows], "int32"), room: roomAfter(moreSlots) };
      this.#session.run(prefixed("cache", feeds), [prefix("cache", "kept")]);
    });
  }

  #run(
    graph: string,
    inputs: Feeds,
    sizes: Readonly<Record<string, number>>,
    output: string,
  ): TensorFlow.Tensor {
    return tf.tidy(() => {
      const scalars = Object.entries(sizes).map(([name, size]) => [sizeName(name), tf.scalar(size, "int32")]);
      const feeds = { ...inputs, ...(Object.fromEntries(scalars) as Feeds) };
      const [result] = this.#session.run(prefixed(graph, feeds), [prefix(graph, output)]);
      if (result === undefined) throw new Error(`the session gave no ${output}`);
      return result;
    });
  }

  #takeOverWeights(): void {
    if (this.#held === undefined) return;
    const { weights, adapter } = this.#decoder;
    for (const [name, variable] of [...weights, ...(adapter?.parameters ?? [])]) {
      if (this.#held.get(name) === variable.dataId) continue;
      tf.dispose(this.#session.run({ [name]: variable }, [assignment(name)]));
      this.#held.set(name, variable.dataId);
    }
  }
}

/** Paddings of `Pad` that add slots to keys or values. */
function roomAfter(slots: number): TensorFlow.Tensor2D {
  return tf.tensor2d([0, 0, 0, 0, 0, slots, 0, 0], [4, 2], "int32");
}
