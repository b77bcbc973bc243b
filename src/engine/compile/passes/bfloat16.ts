import {
  type DataType,
  type Edge,
  edgeOf,
  type Graph,
  type GraphBuilder,
  type GraphNode,
  type OutputType,
  typeAttribute,
  typeOf,
} from "../graph.js";
import { rebuild } from "./rebuild.js";

const PRODUCTS = new Set(["MatMul", "BatchMatMulV2"]);
/** Where an op that puts values elsewhere, and changes none, has them. */
interface Move {
  /** The inputs that hold the values, as for `Array.slice`. */
  readonly values: readonly [start: number, end?: number];
  /** Name of the attribute with their type. */
  readonly type?: string;
}

const FIRST: Move = { values: [0, 1] };
const MOVES: ReadonlyMap<string, Move> = new Map<string, Move>([
  ...["Reshape", "Transpose", "Slice", "Unpack", "Squeeze", "ExpandDims"].map((op): [string, Move] => [
    op,
    FIRST,
  ]),
  ["Pack", { values: [0] }],
  ["ConcatV2", { values: [0, -1] }],
  ["GatherV2", { ...FIRST, type: "Tparams" }],
  // The kit puts rows into different places with it (`placeRows`); sums are another op.
  ["ScatterNd", { values: [1, 2] }],
]);

/**
 * Computes matrix products in bfloat16, and leaves everything else (norms, softmax, cross entropy, sums of gradients, the
 * optimizer) in float32: inputs of a product are rounded to bfloat16, and its result is widened again. Variables stay
 * float32, so each pass rounds them anew. It is what PyTorch's `autocast` does, to these rules:
 *
 * - the bias of a linear layer is added before the result is rounded, in the same kernel;
 * - a value that is only moved between two products (heads split and joined) stays bfloat16 on the way, because rounding
 *   it again would change nothing;
 * - values that are joined with such ones are rounded with them.
 */
export function useBfloat16(graph: Graph): Graph {
  return rebuild(graph, (node, builder) => {
    if (PRODUCTS.has(node.op) && isFloat32(node)) return lowered(node, builder, node.inputs);
    if (node.op === "BiasAdd" && isRoundedProduct(node.inputs[0])) return lowered(node, builder, node.inputs);
    const move = MOVES.get(node.op);
    if (move !== undefined && isFloat32(node)) {
      const values = node.inputs.slice(...move.values);
      if (values.some((edge) => narrow(edge) !== undefined)) return lowered(node, builder, values, move.type);
    }
    return builder.push(node);
  });
}

function isFloat32(node: GraphNode): boolean {
  return node.outputs.every(({ dtype }) => dtype === "float32");
}

/** What was widened to give this edge, or undefined when it is no bfloat16 value. */
function narrow({ node }: Edge): Edge | undefined {
  const [source] = node.inputs;
  return node.op === "Cast" && source !== undefined && typeOf(source).dtype === "bfloat16"
    ? source
    : undefined;
}

function isRoundedProduct(edge: Edge | undefined): boolean {
  return edge !== undefined && narrow(edge)?.node.op === "MatMul";
}

/**
 * The same op on bfloat16, with its results widened.
 * @param values the inputs that hold values
 * @param type name of the attribute with their type
 */
function lowered(
  node: GraphNode,
  builder: GraphBuilder,
  values: readonly Edge[],
  type = "T",
): readonly Edge[] {
  const inputs = node.inputs.map((edge) => (values.includes(edge) ? rounded(edge, builder) : edge));
  const outputs = node.outputs.map((output): OutputType => ({ ...output, dtype: "bfloat16" }));
  const attributes = { ...node.attributes, [type]: typeAttribute("bfloat16") };
  const made = builder.push({ ...node, inputs, attributes, outputs });
  return outputs.map((_, index) => cast(edgeOf(made, index), "float32", builder));
}

function rounded(edge: Edge, builder: GraphBuilder): Edge {
  return narrow(edge) ?? cast(edge, "bfloat16", builder);
}

function cast(edge: Edge, to: DataType, builder: GraphBuilder): Edge {
  const type = typeOf(edge);
  const attributes = { SrcT: typeAttribute(type.dtype), DstT: typeAttribute(to) };
  return builder.edge("Cast", [edge], { ...type, dtype: to }, attributes);
}
