import { type Edge, type Graph, GraphBuilder, type GraphNode } from "../graph.js";

/** What becomes of a node: edges that stand for its outputs. */
export type Visit = (node: GraphNode, builder: GraphBuilder) => readonly Edge[] | GraphNode;

/**
 * Makes a graph anew, node by node in order: the frame of every pass.
 * @param visit is given each node with its inputs already replaced; what it returns stands for the node's outputs
 */
export function rebuild(graph: Graph, visit: Visit): Graph {
  const builder = new GraphBuilder();
  const edges = new Map<GraphNode, readonly Edge[]>();
  const nodes = new Map<GraphNode, GraphNode>();
  const replaced = ({ node, index }: Edge): Edge => {
    const edge = edges.get(node)?.[index];
    if (edge === undefined) throw new Error(`${node.op} is used before it is made`);
    return edge;
  };
  for (const node of graph.nodes) {
    const inputs = node.inputs.map(replaced);
    const control = node.control.map((before) => nodes.get(before) ?? before);
    const same =
      inputs.every((edge, index) => edge.node === node.inputs[index]?.node) &&
      control.every((before, index) => before === node.control[index]);
    const visited = visit(same ? node : { ...node, inputs, control }, builder);
    const made = "op" in visited ? visited.outputs.map((_, index) => ({ node: visited, index })) : visited;
    edges.set(node, made);
    const last = "op" in visited ? visited : made[0]?.node;
    if (last !== undefined) nodes.set(node, last);
  }
  for (const [name, edge] of graph.outputs) builder.outputs.set(name, replaced(edge));
  return builder.finish();
}
