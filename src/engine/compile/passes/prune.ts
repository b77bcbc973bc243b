import type { Graph, GraphNode } from "../graph.js";

/** Leaves out the nodes on which no output depends. Placeholders stay: whoever runs the graph feeds all of them. */
export function prune(graph: Graph): Graph {
  const needed = new Set<GraphNode>();
  const waiting = [...graph.outputs.values()].map(({ node }) => node);
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (needed.has(node)) continue;
    needed.add(node);
    waiting.push(...node.inputs.map((input) => input.node), ...node.control);
  }
  return {
    nodes: graph.nodes.filter((node) => needed.has(node) || node.op === "Placeholder"),
    outputs: graph.outputs,
  };
}
