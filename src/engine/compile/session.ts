import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KitError, messageOf } from "../../support/errors.js";
import { tf, type TensorFlow } from "../tensorflow.js";
import { emitSavedModel, feedName, SAVED_MODEL_TAG } from "./emit.js";
import type { Graph } from "./graph.js";

/** The parts of the native backend that run a graph. */
interface GraphBackend {
  readonly binding: {
    loadSavedModel(path: string, tags: string): number;
    deleteSavedModel(session: number): void;
    runSavedModel(
      session: number,
      tensors: readonly number[],
      feeds: string,
      fetches: string,
    ): { readonly id: number }[];
  };
  getInputTensorIds(tensors: readonly TensorFlow.Tensor[]): number[];
  createOutputTensor(output: { readonly id: number }): TensorFlow.Tensor;
}

/** What is given to a run, by the name of its placeholder. */
export type Feeds = Readonly<Record<string, TensorFlow.Tensor>>;

/** A graph in a TensorFlow session of its own, with its variables. */
export class GraphSession {
  readonly #backend: GraphBackend;
  readonly #session: number;
  readonly #fetches: ReadonlyMap<string, string>;
  #open = true;

  /**
   * Gives a graph to TensorFlow. It goes through a file, which is removed again at once; its folder has a new name each
   * time, because TensorFlow.js would take an earlier graph of the same folder.
   * @throws KitError when the temporary folder cannot be written
   */
  constructor(graph: Graph) {
    this.#backend = tf.backend() as unknown as GraphBackend;
    const { bytes, fetches } = emitSavedModel(graph);
    this.#fetches = fetches;
    const folder = temporaryFolder();
    try {
      writeFileSync(join(folder, "saved_model.pb"), bytes);
      this.#session = this.#backend.binding.loadSavedModel(folder, SAVED_MODEL_TAG);
    } catch (error) {
      throw new KitError(
        `the compiled graph cannot be loaded (${messageOf(error).split("\n")[0] ?? ""})`,
        "free space in the temporary folder, or train without compiling (compile: false, --eager)",
        { file: folder },
        { cause: error },
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /**
   * Runs what the fetched outputs depend on.
   * @param fetches names of outputs of the graph
   * @returns their values, which the caller (or a `tf.tidy` around it) disposes
   */
  run(feeds: Feeds, fetches: readonly string[]): TensorFlow.Tensor[] {
    if (!this.#open) throw new Error("the session was closed");
    const ids = this.#backend.getInputTensorIds(Object.values(feeds));
    const names = Object.keys(feeds).map((name) => `${feedName(name)}:0`);
    const places = fetches.map((name) => {
      const place = this.#fetches.get(name);
      if (place === undefined) throw new Error(`the graph has no output ${name}`);
      return place;
    });
    const outputs = this.#backend.binding.runSavedModel(
      this.#session,
      ids,
      names.join(","),
      places.join(","),
    );
    return outputs.map((output) => this.#backend.createOutputTensor(output));
  }

  /** Frees the session and its variables. */
  dispose(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#backend.binding.deleteSavedModel(this.#session);
  }
}

function temporaryFolder(): string {
  try {
    return mkdtempSync(join(tmpdir(), "ift-kit-graph-"));
  } catch (error) {
    throw new KitError(
      `no temporary folder can be made (${messageOf(error)})`,
      "free space there, set TMPDIR to another folder, or train without compiling (compile: false, --eager)",
      { file: tmpdir() },
      { cause: error },
    );
  }
}
