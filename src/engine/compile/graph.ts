/** Element types of a graph; "resource" is the handle of a variable. */
export type DataType = "float32" | "int32" | "bool" | "bfloat16" | "resource";

/** An attribute of an op. */
export type Attribute =
  | { readonly kind: "int" | "float"; readonly value: number }
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "type"; readonly value: DataType }
  | { readonly kind: "ints"; readonly value: readonly number[] }
  | { readonly kind: "shape"; readonly value: readonly number[] | "any" };

export type Attributes = Readonly<Record<string, Attribute>>;

/** Values of a constant, row by row; booleans are bytes. */
export type Values = Float32Array | Int32Array | Uint8Array;

/** What an output of a node holds. An axis of -1 differs from run to run. */
export interface OutputType {
  readonly dtype: DataType;
  readonly shape: readonly number[];
  /** The sizes that its axes of -1 depend on. */
  readonly varies?: readonly string[];
}

/** One output of a node, as the input of another. */
export interface Edge {
  readonly node: GraphNode;
  readonly index: number;
}

/** One TensorFlow op. Nodes never change; a pass makes new ones. */
export interface GraphNode {
  readonly op: string;
  /** All that the op needs: types too, which a graph does not infer. */
  readonly attributes: Attributes;
  readonly inputs: readonly Edge[];
  /** Nodes that run before it, without giving it a value. */
  readonly control: readonly GraphNode[];
  readonly outputs: readonly OutputType[];
  /** Of a `Const`. */
  readonly value?: Values;
  /** Of a `Placeholder`: what is fed there. Of a `VarHandleOp`: the variable. Of a `PartitionedCall`: unused. */
  readonly name?: string;
  /** Of a `PartitionedCall`: what it calls. */
  readonly body?: GraphFunction;
}

/** A part of a graph that is compiled as one: its parameters are `Placeholder` nodes, in the order of the inputs. */
export interface GraphFunction {
  /** Equal for equal bodies, so that TensorFlow compiles one for all layers. */
  readonly key: string;
  readonly parameters: readonly GraphNode[];
  readonly nodes: readonly GraphNode[];
  readonly results: readonly Edge[];
}

/** A graph: nodes in an order in which they could run, and the outputs that can be fetched by name. */
export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly outputs: ReadonlyMap<string, Edge>;
}

/** What `GraphBuilder.node` may be told besides op and inputs. */
export interface NodeOptions {
  readonly attributes?: Attributes;
  readonly control?: readonly GraphNode[];
  readonly outputs?: readonly OutputType[];
}

/** Makes a graph node by node. */
export class GraphBuilder {
  readonly nodes: GraphNode[] = [];
  readonly outputs = new Map<string, Edge>();

  /** Adds a node that is there already, e.g. one of another graph. */
  push<Node extends GraphNode>(node: Node): Node {
    this.nodes.push(node);
    return node;
  }

  /** Adds an op. */
  node(op: string, inputs: readonly Edge[], options: NodeOptions = {}): GraphNode {
    const { attributes = {}, control = [], outputs = [] } = options;
    return this.push({ op, attributes, inputs, control, outputs });
  }

  /** Adds an op whose one output has a given type. */
  edge(op: string, inputs: readonly Edge[], type: OutputType, attributes: Attributes = {}): Edge {
    return edgeOf(this.node(op, inputs, { attributes, outputs: [type] }));
  }

  /** What is fed under a name. */
  placeholder(name: string, type: OutputType): Edge {
    return edgeOf(this.push(placeholderNode(name, type)));
  }

  /** Values that never change. */
  constant(value: Values, shape: readonly number[], control: readonly GraphNode[] = []): Edge {
    return edgeOf(this.push(constantNode(value, shape, control)));
  }

  /** A float32 number. */
  scalar(value: number): Edge {
    return this.constant(Float32Array.of(value), []);
  }

  /** An int32 number. */
  integer(value: number): Edge {
    return this.constant(Int32Array.of(value), []);
  }

  /** A float32 variable of the session. @param resizable whether it may be given a value of another shape */
  variable(name: string, shape: readonly number[], resizable = false): Variable {
    return new Variable(this, name, shape, resizable);
  }

  /** Something to fetch whose value means nothing: it is there when all of these have run. */
  done(nodes: readonly GraphNode[]): Edge {
    return this.constant(Int32Array.of(1), [], nodes);
  }

  finish(): Graph {
    return { nodes: this.nodes, outputs: this.outputs };
  }
}

/** A variable of the session that is being built. */
export class Variable {
  readonly name: string;
  readonly shape: readonly number[];
  readonly handle: Edge;
  readonly #builder: GraphBuilder;

  constructor(builder: GraphBuilder, name: string, shape: readonly number[], resizable: boolean) {
    this.name = name;
    this.shape = shape;
    this.#builder = builder;
    this.handle = edgeOf(builder.push(variableNode(name, resizable ? "any" : shape)));
  }

  /** Its value, after the given nodes have run. */
  read(control: readonly GraphNode[] = []): Edge {
    const node = this.#builder.node("ReadVariableOp", [this.handle], {
      attributes: { dtype: typeAttribute("float32") },
      control,
      outputs: [{ dtype: "float32", shape: this.shape }],
    });
    return edgeOf(node);
  }

  /** Gives it a value, or adds one, after the given nodes have run. */
  update(
    op: "AssignVariableOp" | "AssignAddVariableOp",
    value: Edge,
    control: readonly GraphNode[] = [],
  ): GraphNode {
    const attributes = { dtype: typeAttribute("float32") };
    return this.#builder.node(op, [this.handle, value], { attributes, control });
  }
}

/** An output of a node, the first by default. */
export function edgeOf(node: GraphNode, index = 0): Edge {
  return { node, index };
}

/** What an edge carries. */
export function typeOf({ node, index }: Edge): OutputType {
  const type = node.outputs[index];
  if (type === undefined) throw new RangeError(`${node.op} has no output ${index}`);
  return type;
}

/** A type as an attribute. */
export function typeAttribute(value: DataType): Attribute {
  return { kind: "type", value };
}

/** What is fed under a name. */
export function placeholderNode(name: string, type: OutputType): GraphNode {
  return {
    op: "Placeholder",
    attributes: { dtype: typeAttribute(type.dtype) },
    inputs: [],
    control: [],
    outputs: [type],
    name,
  };
}

/** Values that never change, row by row. */
export function constantNode(
  value: Values,
  shape: readonly number[],
  control: readonly GraphNode[] = [],
): GraphNode {
  const dtype =
    value instanceof Float32Array ? "float32" : value instanceof Int32Array ? "int32" : ("bool" as const);
  const attributes = { dtype: typeAttribute(dtype) };
  return { op: "Const", attributes, inputs: [], control, outputs: [{ dtype, shape }], value };
}

/** The handle of a float32 variable of the session; equal names are one variable. */
export function variableNode(name: string, shape: readonly number[] | "any"): GraphNode {
  return {
    op: "VarHandleOp",
    attributes: {
      dtype: typeAttribute("float32"),
      shape: { kind: "shape", value: shape },
      shared_name: { kind: "string", value: name },
    },
    inputs: [],
    control: [],
    outputs: [{ dtype: "resource", shape: [] }],
    name,
  };
}
