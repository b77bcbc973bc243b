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
/** Ops that put values elsewhere and change none; the inputs that hold the values are the first so many. */
const MOVES: ReadonlyMap<string, number> = new Map([
  ...["Reshape", "Transpose", "Slice", "Unpack", "Squeeze", "ExpandDims"].map((op): [string, number] => [
    op,
    1,
  ]),
  ["Pack", Infinity],
  ["ConcatV2", -1],
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
    if (PRODUCTS.has(node.op) && isFloat32(node)) return lowered(node, builder, node.inputs.length);
    if (node.op === "BiasAdd" && isRoundedProduct(node.inputs[0])) {
      return lowered(node, builder, node.inputs.length);
    }
    const values = MOVES.get(node.op);
    if (values !== undefined && isFloat32(node)) {
      const count = values < 0 ? node.inputs.length + values : Math.min(values, node.inputs.length);
      if (node.inputs.slice(0, count).some((edge) => narrow(edge) !== undefined)) {
        return lowered(node, builder, count);
      }
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

/** The same op on bfloat16, with its results widened. @param count how many of the inputs, from the first, hold values */
function lowered(node: GraphNode, builder: GraphBuilder, count: number): readonly Edge[] {
  const inputs = node.inputs.map((edge, index) => (index < count ? rounded(edge, builder) : edge));
  const outputs = node.outputs.map((type): OutputType => ({ ...type, dtype: "bfloat16" }));
  const attributes = { ...node.attributes, T: typeAttribute("bfloat16") };
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
