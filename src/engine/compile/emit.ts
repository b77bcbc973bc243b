import type { Attribute, DataType, Edge, Graph, GraphFunction, GraphNode, Values } from "./graph.js";
import { typeOf } from "./graph.js";
import { type AttrValue, type FunctionDef, messages, type NodeDef, type TensorShape } from "./protobuf.js";

/** A graph as TensorFlow reads it. */
export interface EmittedGraph {
  /** A `saved_model.pb` with the tag "serve". */
  readonly bytes: Uint8Array;
  /** What to fetch for each output, as "node:index". */
  readonly fetches: ReadonlyMap<string, string>;
}

export const SAVED_MODEL_TAG = "serve";
/** The version of the ops' definitions that the attributes are meant for: TensorFlow 2.21's. */
const PRODUCER = 1987;

const TYPE_NUMBERS: Readonly<Record<DataType, number>> = {
  float32: 1,
  int32: 3,
  bool: 10,
  bfloat16: 14,
  resource: 20,
};

/** Writes a graph as a SavedModel. */
export function emitSavedModel(graph: Graph): EmittedGraph {
  const m = messages();
  const names = namesOf(graph.nodes, "n");
  const nameOf = ({ node, index }: Edge): string => `${names.get(node) ?? missing(node)}:${index}`;
  const graphDef = new m.GraphDef();
  graphDef.setNodeList(
    graph.nodes.map((node) => {
      const before = node.control.map((other) => `^${names.get(other) ?? missing(other)}`);
      return nodeDef(names.get(node) ?? missing(node), node, [...node.inputs.map(nameOf), ...before]);
    }),
  );
  const versions = new m.VersionDef();
  versions.setProducer(PRODUCER);
  graphDef.setVersions(versions);
  const library = new m.FunctionDefLibrary();
  library.setFunctionList(functionsOf(graph).map(functionDef));
  graphDef.setLibrary(library);
  const info = new m.MetaGraphDef.MetaInfoDef();
  info.addTags(SAVED_MODEL_TAG);
  const metaGraph = new m.MetaGraphDef();
  metaGraph.setMetaInfoDef(info);
  metaGraph.setGraphDef(graphDef);
  const model = new m.SavedModel();
  model.setSavedModelSchemaVersion(1);
  model.addMetaGraphs(metaGraph);
  return {
    bytes: model.serializeBinary(),
    fetches: new Map([...graph.outputs].map(([name, edge]) => [name, nameOf(edge)])),
  };
}

/** An empty input name would abort the process inside TensorFlow, where nothing can be caught. */
function missing(node: GraphNode): never {
  throw new Error(`the graph uses a node that it does not have: ${node.op}`);
}

function namesOf(nodes: readonly GraphNode[], prefix: string): Map<GraphNode, string> {
  return new Map(
    nodes.map((node, index) => [
      node,
      node.op === "Placeholder" ? placeholderName(node) : `${prefix}${index}_${node.op}`,
    ]),
  );
}

/** The name under which a placeholder is fed. */
export function feedName(name: string): string {
  return `feed_${name}`;
}

function placeholderName({ name }: GraphNode): string {
  if (name === undefined) throw new Error("a placeholder without a name");
  return feedName(name);
}

function nodeDef(name: string, node: GraphNode, inputs: readonly string[]): NodeDef {
  const m = messages();
  const definition = new m.NodeDef();
  definition.setName(name);
  definition.setOp(node.op);
  definition.setInputList(inputs);
  const attributes = definition.getAttrMap();
  for (const [key, attribute] of Object.entries(node.attributes)) {
    attributes.set(key, attributeValue(attribute));
  }
  if (node.value !== undefined) attributes.set("value", tensorValue(node, node.value));
  if (node.body !== undefined) {
    const types = (edges: readonly Edge[]): AttrValue => typeList(edges.map((edge) => typeOf(edge).dtype));
    attributes.set("Tin", types(node.inputs));
    attributes.set("Tout", types(node.body.results));
    const called = new m.NameAttrList();
    called.setName(node.body.key);
    const value = new m.AttrValue();
    value.setFunc(called);
    attributes.set("f", value);
  }
  return definition;
}

function attributeValue(attribute: Attribute): AttrValue {
  const m = messages();
  const value = new m.AttrValue();
  switch (attribute.kind) {
    case "int":
      value.setI(attribute.value);
      break;
    case "float":
      value.setF(attribute.value);
      break;
    case "bool":
      value.setB(attribute.value);
      break;
    case "string":
      value.setS(new TextEncoder().encode(attribute.value));
      break;
    case "type":
      value.setType(TYPE_NUMBERS[attribute.value]);
      break;
    case "shape":
      value.setShape(shapeMessage(attribute.value));
      break;
    case "ints": {
      const list = new m.AttrValue.ListValue();
      list.setIList(attribute.value);
      value.setList(list);
      break;
    }
  }
  return value;
}

function typeList(types: readonly DataType[]): AttrValue {
  const m = messages();
  const list = new m.AttrValue.ListValue();
  list.setTypeList(types.map((type) => TYPE_NUMBERS[type]));
  const value = new m.AttrValue();
  value.setList(list);
  return value;
}

function tensorValue(node: GraphNode, values: Values): AttrValue {
  const m = messages();
  const { dtype, shape } = typeOf({ node, index: 0 });
  const tensor = new m.Tensor();
  tensor.setDtype(TYPE_NUMBERS[dtype]);
  tensor.setTensorShape(shapeMessage(shape));
  tensor.setTensorContent(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  const value = new m.AttrValue();
  value.setTensor(tensor);
  return value;
}

function shapeMessage(shape: readonly number[] | "any"): TensorShape {
  const message = new (messages().TensorShape)();
  if (shape === "any") message.setUnknownRank(true);
  else for (const size of shape) message.addDim().setSize(size);
  return message;
}

function functionsOf({ nodes }: Graph): GraphFunction[] {
  const functions = new Map(nodes.flatMap(({ body }) => (body === undefined ? [] : [[body.key, body]])));
  return [...functions.values()];
}

function functionDef({ key, parameters, nodes, results }: GraphFunction): FunctionDef {
  const m = messages();
  const argument = (name: string, type: DataType): InstanceType<typeof m.OpDef.ArgDef> => {
    const definition = new m.OpDef.ArgDef();
    definition.setName(name);
    definition.setType(TYPE_NUMBERS[type]);
    return definition;
  };
  const names = namesOf(nodes, "f");
  parameters.forEach((parameter, index) => names.set(parameter, `p${index}`));
  const nameOf = ({ node, index }: Edge): string => {
    const name = names.get(node) ?? missing(node);
    return parameters.includes(node) ? name : `${name}:${outputName(node.op)}:${index}`;
  };
  const signature = new m.OpDef();
  signature.setName(key);
  signature.setInputArgList(
    parameters.map((node, index) => argument(`p${index}`, typeOf({ node, index: 0 }).dtype)),
  );
  signature.setOutputArgList(results.map((edge, index) => argument(`r${index}`, typeOf(edge).dtype)));
  const definition = new m.FunctionDef();
  definition.setSignature(signature);
  definition.setNodeDefList(
    nodes.map((node) => nodeDef(names.get(node) ?? missing(node), node, node.inputs.map(nameOf))),
  );
  results.forEach((edge, index) => definition.getRetMap().set(`r${index}`, nameOf(edge)));
  definition.getAttrMap().set("_XlaMustCompile", attributeValue({ kind: "bool", value: true }));
  return definition;
}

/** What TensorFlow calls the output of an op: in a function an edge is "node:output:index". */
const OUTPUT_NAMES: ReadonlyMap<string, string> = new Map([
  ...["AddV2", "Sub", "Mul", "RealDiv", "Maximum", "Minimum", "TanhGrad", "SigmoidGrad"].map(
    (op): [string, string] => [op, "z"],
  ),
  ...["Square", "Sqrt", "Rsqrt", "Exp", "Log", "Neg", "Sign", "Tanh", "Sigmoid", "Cast"].map(
    (op): [string, string] => [op, "y"],
  ),
  ...["Sum", "Mean", "Max", "Reshape", "BiasAdd", "BiasAddGrad", "Const"].map((op): [string, string] => [
    op,
    "output",
  ]),
]);

/** Whether an op may stand in a function. */
export function hasOutputName(op: string): boolean {
  return OUTPUT_NAMES.has(op);
}

function outputName(op: string): string {
  const name = OUTPUT_NAMES.get(op);
  if (name === undefined) throw new Error(`no name is known for the output of ${op}`);
  return name;
}
