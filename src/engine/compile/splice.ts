import type { Edge, Graph, GraphBuilder, GraphNode } from "./graph.js";

/**
 * Adds a recorded graph to the one that is being built.
 * @param given what stands for its placeholders, by their names
 * @returns its outputs, as edges of the graph that is being built
 */
export function splice(
  builder: GraphBuilder,
  graph: Graph,
  given: Readonly<Record<string, Edge>>,
): ReadonlyMap<string, Edge> {
  const copies = new Map<GraphNode, GraphNode>();
  const edgeOf = (edge: Edge): Edge => {
    const { op, name } = edge.node;
    if (op === "Placeholder") {
      const stand = given[name ?? ""];
      if (stand === undefined) throw new Error(`nothing is given for the placeholder ${name ?? ""}`);
      return stand;
    }
    const copy = copies.get(edge.node);
    if (copy === undefined) throw new Error(`${op} is used before it is made`);
    return { node: copy, index: edge.index };
  };
  for (const node of graph.nodes) {
    if (node.op === "Placeholder") continue;
    const control = node.control.map((before) => copies.get(before) ?? before);
    copies.set(node, builder.push({ ...node, inputs: node.inputs.map(edgeOf), control }));
  }
  return new Map([...graph.outputs].map(([name, edge]) => [name, edgeOf(edge)]));
}
