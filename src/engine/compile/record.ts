import { KitError } from "../../support/errors.js";
import { watchSecondPasses } from "../ops/second-pass.js";
import { tf, type TensorFlow } from "../tensorflow.js";
import {
  type Attribute,
  type Attributes,
  type DataType,
  type Edge,
  edgeOf,
  type Graph,
  GraphBuilder,
  type GraphNode,
  typeAttribute,
  typeOf,
  type Values,
} from "./graph.js";
import { completeAttributes } from "./op-table.js";

type Tensor = TensorFlow.Tensor;

/** What is recorded. */
export interface RecordingRequest {
  /** Tensors that will be others in each run, by name. */
  readonly inputs: Readonly<Record<string, Tensor>>;
  /** Tensors that live in the session, by name. */
  readonly variables: ReadonlyMap<string, Tensor>;
  /** Tensors that live in the session too, and have other shapes from run to run, by name. */
  readonly states?: ReadonlyMap<string, Tensor>;
  /** Runs once, eagerly; its results are what can be fetched. */
  readonly body: () => Readonly<Record<string, Tensor>>;
}

/** The parts of the native backend that a recording stands between. */
interface RecordedBackend {
  readonly binding: Readonly<Record<string, unknown>>;
  executeSingleOutput(name: string, attributes: readonly RawAttribute[], inputs: readonly Tensor[]): Tensor;
  executeMultipleOutputs(
    name: string,
    attributes: readonly RawAttribute[],
    inputs: readonly Tensor[],
    outputs: number,
  ): Tensor[];
  createOutputTensor(metadata: unknown): Tensor;
  readSync(dataId: object): Values;
}

interface RawAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

/**
 * Runs a computation eagerly and writes down which TensorFlow ops it consists of. Nothing that it makes is kept alive for
 * the recording. Every tensor that comes from elsewhere becomes a constant, one for each use.
 * @returns a graph whose outputs are those of the body
 * @throws KitError, which names the op, for what would be frozen into the graph without a word: a computed tensor that
 *   is read by JavaScript, an op that goes past the recorder, an op with unknown attributes
 */
export function record(request: RecordingRequest): Graph {
  const backend = tf.backend() as unknown as RecordedBackend;
  const recorder = new Recorder(backend, request);
  const restore = recorder.intercept();
  try {
    tf.tidy(() => recorder.outputs(request.body()));
  } finally {
    restore();
  }
  return recorder.builder.finish();
}

/** What the backward pass computes again, while it does. */
interface SecondPass {
  /** The node without which it cannot begin. */
  readonly after: GraphNode;
  readonly own: Set<GraphNode>;
  /** For each node from before the pass, what stands for its outputs in it. */
  readonly barriers: Map<GraphNode, Map<number, Edge>>;
}

class Recorder {
  readonly builder = new GraphBuilder();
  readonly #backend: RecordedBackend;
  readonly #edges = new Map<object, Edge>();
  /** Whatever TensorFlow computed during the recording. */
  readonly #computed = new Set<object>();
  readonly #constants = new Map<object, Values>();
  readonly #readConstant: (dataId: object) => Values;
  #secondPass: SecondPass | undefined;

  constructor(backend: RecordedBackend, { inputs, variables, states }: RecordingRequest) {
    this.#backend = backend;
    this.#readConstant = backend.readSync.bind(backend);
    for (const [name, tensor] of Object.entries(inputs)) {
      const type = { dtype: dtypeOf(tensor), shape: tensor.shape };
      this.#edges.set(tensor.dataId, this.builder.placeholder(name, type));
    }
    for (const [name, tensor] of variables) {
      this.#edges.set(tensor.dataId, this.builder.variable(name, tensor.shape).read());
    }
    for (const [name, tensor] of states ?? []) {
      this.#edges.set(tensor.dataId, this.builder.variable(name, tensor.shape, true).read());
    }
  }

  /** Puts itself between TF.js and TensorFlow. @returns what takes it away again */
  intercept(): () => void {
    const backend = this.#backend;
    const executeSingleOutput = backend.executeSingleOutput.bind(backend);
    const executeMultipleOutputs = backend.executeMultipleOutputs.bind(backend);
    const createOutputTensor = backend.createOutputTensor.bind(backend);
    const readSync = backend.readSync.bind(backend);
    backend.executeSingleOutput = (name, attributes, inputs) => {
      const output = executeSingleOutput(name, attributes, inputs);
      this.#add(name, attributes, inputs, [output]);
      return output;
    };
    backend.executeMultipleOutputs = (name, attributes, inputs, count) => {
      const outputs = executeMultipleOutputs(name, attributes, inputs, count);
      this.#add(name, attributes, inputs, outputs);
      return outputs;
    };
    backend.createOutputTensor = (metadata) => {
      const output = createOutputTensor(metadata);
      this.#computed.add(output.dataId);
      return output;
    };
    backend.readSync = (dataId) => {
      this.#refuseRead(dataId);
      return readSync(dataId);
    };
    const unwatch = watchSecondPasses({
      begin: (after) => {
        const { node } = this.#edge(after, "the gradient of what is computed again");
        this.#secondPass = { after: node, own: new Set(), barriers: new Map() };
      },
      end: () => {
        this.#secondPass = undefined;
      },
    });
    // The methods are those of the class; the own ones shadow them.
    return () => {
      unwatch();
      for (const name of [
        "executeSingleOutput",
        "executeMultipleOutputs",
        "createOutputTensor",
        "readSync",
      ]) {
        Reflect.deleteProperty(backend, name);
      }
    };
  }

  outputs(outputs: Readonly<Record<string, Tensor>>): void {
    for (const [name, tensor] of Object.entries(outputs)) {
      this.builder.outputs.set(name, this.#edge(tensor, `the output ${name}`));
    }
  }

  #add(
    op: string,
    raw: readonly RawAttribute[],
    inputs: readonly Tensor[],
    outputs: readonly Tensor[],
  ): void {
    const edges = inputs.map((tensor) => this.#behindBarrier(this.#edge(tensor, `an input of the op ${op}`)));
    const given: Attributes = Object.fromEntries(
      raw.map((attribute) => [attribute.name, this.#attribute(op, attribute)]),
    );
    const node = this.builder.node(op, edges, {
      attributes: completeAttributes(op, edges, given),
      outputs: outputs.map((tensor) => ({ dtype: dtypeOf(tensor), shape: tensor.shape })),
    });
    this.#secondPass?.own.add(node);
    outputs.forEach((tensor, index) => this.#edges.set(tensor.dataId, edgeOf(node, index)));
  }

  /**
   * What a second computation reads instead of a result from before it: the same value, but not before the gradient has
   * arrived. So TensorFlow cannot merge it with the first, nor begin it early, either of which would keep in memory what
   * is computed again to save it. Variables and constants are kept anyway.
   */
  #behindBarrier(edge: Edge): Edge {
    const { node, index } = edge;
    const pass = this.#secondPass;
    if (pass === undefined || pass.own.has(node) || node.op === "Const" || node.op === "ReadVariableOp") {
      return edge;
    }
    const known = pass.barriers.get(node) ?? new Map<number, Edge>();
    pass.barriers.set(node, known);
    const type = typeOf(edge);
    const barrier =
      known.get(index) ??
      edgeOf(
        this.builder.node("Identity", [edge], {
          attributes: { T: typeAttribute(type.dtype) },
          control: [pass.after],
          outputs: [type],
        }),
      );
    known.set(index, barrier);
    return barrier;
  }

  #edge(tensor: Tensor, use: string): Edge {
    const known = this.#edges.get(tensor.dataId);
    if (known !== undefined) return known;
    if (this.#computed.has(tensor.dataId)) {
      throw new KitError(
        `${use} was computed past the recorder, so it would be frozen`,
        "train without compiling (compile: false, --eager), or compute it with other ops",
      );
    }
    let value = this.#constants.get(tensor.dataId);
    if (value === undefined) {
      // A copy: TF.js keeps the array of a tensor that was not uploaded yet.
      value = this.#readConstant(tensor.dataId).slice();
      this.#constants.set(tensor.dataId, value);
    }
    return this.builder.constant(value, tensor.shape);
  }

  #refuseRead(dataId: object): void {
    const edge = this.#edges.get(dataId);
    if (edge === undefined && !this.#computed.has(dataId)) return;
    const { node } = edge ?? {};
    const what = node === undefined ? "a computed tensor" : `a result of the op ${node.op}`;
    throw new KitError(
      `${what} is read by JavaScript while it is recorded, so what depends on it would be frozen`,
      "compute with tensors only (tf.gather reads its indices: embeddingLookup does not), or train without compiling " +
        "(compile: false, --eager)",
    );
  }

  #attribute(op: string, { name, type, value }: RawAttribute): Attribute {
    const { binding } = this.#backend;
    if (type === binding.TF_ATTR_BOOL) return { kind: "bool", value: Boolean(value) };
    if (type === binding.TF_ATTR_TYPE) return { kind: "type", value: typeOfCode(op, value) };
    if (type === binding.TF_ATTR_STRING) return { kind: "string", value: String(value) };
    if (type === binding.TF_ATTR_SHAPE) return { kind: "shape", value: value as number[] };
    const kind = type === binding.TF_ATTR_INT ? "int" : "float";
    if (Array.isArray(value) && kind === "int") return { kind: "ints", value: value as number[] };
    if (typeof value === "number") return { kind, value };
    throw new KitError(
      `the op ${op} cannot be recorded: its attribute ${name} has an unknown kind`,
      "train without compiling (compile: false, --eager)",
    );
  }
}

/** TensorFlow's numbers of types. */
const TYPE_CODES: ReadonlyMap<unknown, DataType> = new Map<unknown, DataType>([
  [1, "float32"],
  [3, "int32"],
  [10, "bool"],
]);

function typeOfCode(op: string, code: unknown): DataType {
  const type = TYPE_CODES.get(code);
  if (type !== undefined) return type;
  throw new KitError(
    `the op ${op} cannot be recorded: it works on a type other than float32, int32 and bool`,
    "train without compiling (compile: false, --eager)",
  );
}

function dtypeOf({ dtype }: Tensor): DataType {
  if (dtype === "float32" || dtype === "int32" || dtype === "bool") return dtype;
  throw new KitError(
    `a tensor of type ${dtype} cannot be recorded`,
    "use float32, int32 or bool, or train without compiling (compile: false, --eager)",
  );
}
