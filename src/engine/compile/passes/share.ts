import { sha256 } from "../../../support/hash.js";
import { type Graph, type GraphNode, typeOf } from "../graph.js";
import { rebuild } from "./rebuild.js";

/** Ops whose result is another each time, or that do something besides it. */
const STATEFUL =
  /^(Placeholder|VarHandleOp|ReadVariableOp|Assign.*|Resource.*|Stateless.*|Inplace.*|PartitionedCall)$/;

/** Computes once what is computed in the same way from the same inputs: constants, and chains of ops on sizes. */
export function shareEqualNodes(graph: Graph): Graph {
  const numbers = new Map<GraphNode, number>();
  const known = new Map<string, GraphNode>();
  return rebuild(graph, (node, builder) => {
    const key = STATEFUL.test(node.op) || node.control.length > 0 ? undefined : keyOf(node, numbers);
    const equal = key === undefined ? undefined : known.get(key);
    if (equal !== undefined) return equal;
    if (key !== undefined) known.set(key, node);
    numbers.set(node, numbers.size);
    return builder.push(node);
  });
}

function keyOf(node: GraphNode, numbers: ReadonlyMap<GraphNode, number>): string {
  const inputs = node.inputs.map((input) => `${numbers.get(input.node) ?? "?"}:${input.index}`);
  const { value } = node;
  const content =
    value === undefined
      ? ""
      : value.length <= 16
        ? value.join(",")
        : sha256(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  const type = value === undefined ? "" : JSON.stringify(typeOf({ node, index: 0 }));
  return [node.op, JSON.stringify(node.attributes), inputs.join(" "), type, content].join("|");
}
