import { type Edge, GraphBuilder, type Graph, typeAttribute, typeOf } from "../../engine/compile/graph.js";
import { prune } from "../../engine/compile/passes/prune.js";
import { shareEqualNodes } from "../../engine/compile/passes/share.js";
import { type Feeds, GraphSession } from "../../engine/compile/session.js";
import { splice } from "../../engine/compile/splice.js";
import { tf, type TensorFlow } from "../../engine/tensorflow.js";
import { headShape } from "../config.js";
import type { Decoder } from "../decoder.js";
import { cacheNames, recordPrompt, recordScoring, recordToken, sizeName } from "./record-decoder.js";

/** Positions that every graph here can be recorded with. */
const SHORTEST_CONTEXT = 8;

/** What follows a pass: the most probable token of each row, int32 `[rows]`, or all logits, `[rows, vocabulary]`. */
export type Following = "next" | "logits";

const made = new WeakMap<Decoder, CompiledDecoder>();

/**
 * Scoring and one-token decoding of a decoder as TensorFlow graphs in one session, which holds its weights and the keys
 * and values of a generation. Recorded when first needed, and freed with the decoder. Weights that the decoder has been
 * given since (by training, say) are taken over before each use.
 */
export class CompiledDecoder {
  readonly #decoder: Decoder;
  readonly #session: GraphSession;
  /** What each variable of the session holds, to know when the decoder has other weights. */
  readonly #held = new Map<string, object>();
  #cacheIsFree: Promise<void> = Promise.resolve();

  private constructor(decoder: Decoder) {
    this.#decoder = decoder;
    this.#session = new GraphSession(prune(shareEqualNodes(sessionGraph(decoder))));
  }

  /** Whether a decoder can be compiled here. */
  static isPossible({ config }: Decoder): boolean {
    return tf.getBackend() === "tensorflow" && config.contextLength >= SHORTEST_CONTEXT;
  }

  /**
   * The one of a decoder, with its weights of now.
   * @throws KitError that names what cannot be recorded faithfully
   */
  static of(decoder: Decoder): CompiledDecoder {
    let compiled = made.get(decoder);
    if (compiled === undefined) {
      const fresh = new CompiledDecoder(decoder);
      compiled = fresh;
      made.set(decoder, compiled);
      decoder.whenDisposed(() => {
        made.delete(decoder);
        fresh.#session.dispose();
      });
    }
    compiled.#takeOverWeights();
    return compiled;
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
    const { weights, adapter } = this.#decoder;
    for (const [name, variable] of [...weights, ...(adapter?.parameters ?? [])]) {
      if (this.#held.get(name) === variable.dataId) continue;
      tf.tidy(() => this.#session.run({ [name]: variable }, [`assign ${name}`]));
      this.#held.set(name, variable.dataId);
    }
  }
}

const prefix = (graph: string, name: string): string => `${graph}/${name}`;

function prefixed(graph: string, feeds: Feeds): Feeds {
  return Object.fromEntries(Object.entries(feeds).map(([name, value]) => [prefix(graph, name), value]));
}

/** Paddings of `Pad` that add slots to keys or values. */
function roomAfter(slots: number): TensorFlow.Tensor2D {
  return tf.tensor2d([0, 0, 0, 0, 0, slots, 0, 0], [4, 2], "int32");
}

/** All graphs over the same variables. */
function sessionGraph(decoder: Decoder): Graph {
  const builder = new GraphBuilder();
  for (const [name, { shape }] of [...decoder.weights, ...(decoder.adapter?.parameters ?? [])]) {
    const given = builder.placeholder(name, { dtype: "float32", shape });
    const assigned = builder.variable(name, shape).update("AssignVariableOp", given);
    builder.outputs.set(`assign ${name}`, builder.done([assigned]));
  }
  add(builder, "scoring", recordScoring(decoder));
  const prompt = add(builder, "prompt", recordPrompt(decoder));
  add(builder, "token", recordToken(decoder));
  addCache(builder, decoder, prompt);
  return builder.finish();
}

/** Adds a recording; its placeholders and outputs are called "graph/name". @returns its outputs */
function add(builder: GraphBuilder, graph: string, recording: Graph): ReadonlyMap<string, Edge> {
  const placeholders = recording.nodes.filter(({ op }) => op === "Placeholder");
  const given = placeholders.map((node): [string, Edge] => {
    const name = node.name ?? "";
    return [name, builder.placeholder(prefix(graph, name), typeOf({ node, index: 0 }))];
  });
  const outputs = splice(builder, recording, Object.fromEntries(given));
  for (const [name, edge] of outputs) builder.outputs.set(prefix(graph, name), edge);
  return outputs;
}

/** Rows of the keys and values are made, and kept, and slots are added; what follows a prompt waits for its own. */
function addCache(builder: GraphBuilder, decoder: Decoder, prompt: ReadonlyMap<string, Edge>): void {
  const { keyValueHeads, headWidth } = headShape(decoder.config);
  const shape = [-1, keyValueHeads, -1, headWidth];
  const names = Array.from({ length: decoder.config.layers }, (_, layer) => cacheNames(layer)).flat();
  const caches = names.map((name) => builder.variable(name, shape, true));
  const T = typeAttribute("float32");
  const promptEdge = (name: string): Edge => {
    const edge = prompt.get(name);
    if (edge === undefined) throw new Error(`the recording has no ${name}`);
    return edge;
  };

  const written = names.map((name) => promptEdge(name).node);
  for (const following of ["next", "logits"]) {
    const edge = promptEdge(following);
    const type = typeOf(edge);
    const attributes = { T: typeAttribute(type.dtype) };
    const node = builder.node("Identity", [edge], { attributes, control: written, outputs: [type] });
    builder.outputs.set(prefix("prompt", following), { node, index: 0 });
  }

  const dims = builder.placeholder(prefix("cache", "shape"), { dtype: "int32", shape: [4] });
  // Equal tensors would become one, in whose memory all variables would be written; what is hidden may be any number.
  const made = caches.map((cache, index) => {
    const types = { T, index_type: typeAttribute("int32") };
    const empty = builder.edge("Fill", [dims, builder.scalar(index)], { dtype: "float32", shape }, types);
    return cache.update("AssignVariableOp", empty);
  });
  builder.outputs.set(prefix("cache", "made"), builder.done(made));

  const room = builder.placeholder(prefix("cache", "room"), { dtype: "int32", shape: [4, 2] });
  const rows = builder.placeholder(prefix("cache", "kept"), { dtype: "int32", shape: [-1] });
  const axis = builder.integer(0);
  const types = {
    Tparams: T,
    Tindices: typeAttribute("int32"),
    Taxis: typeAttribute("int32"),
    batch_dims: { kind: "int", value: 0 },
  } as const;
  const kept = caches.map((cache) => {
    const chosen = builder.edge("GatherV2", [cache.read(), rows, axis], { dtype: "float32", shape }, types);
    const wider = { T, Tpaddings: typeAttribute("int32") };
    return cache.update(
      "AssignVariableOp",
      builder.edge("Pad", [chosen, room], { dtype: "float32", shape }, wider),
    );
  });
  builder.outputs.set(prefix("cache", "kept"), builder.done(kept));
}
