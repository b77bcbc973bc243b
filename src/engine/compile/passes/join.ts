import type { Graph } from "../graph.js";

/**
 * Two graphs in one session. They have no node in common; variables of equal names are the same variables.
 * @throws RangeError when both have a placeholder or an output of the same name
 */
export function joined(one: Graph, other: Graph): Graph {
  const fed = ({ nodes }: Graph): string[] =>
    nodes.flatMap(({ op, name }) => (op === "Placeholder" && name !== undefined ? [name] : []));
  for (const [kind, names, others] of [
    ["placeholder", fed(one), fed(other)],
    ["output", [...one.outputs.keys()], [...other.outputs.keys()]],
  ] as const) {
    const shared = names.find((name) => others.includes(name));
    if (shared !== undefined) throw new RangeError(`both graphs have the ${kind} ${shared}`);
  }
  return { nodes: [...one.nodes, ...other.nodes], outputs: new Map([...one.outputs, ...other.outputs]) };
}
