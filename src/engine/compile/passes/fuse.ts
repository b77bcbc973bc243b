import { sha256 } from "../../../support/hash.js";
import { hasOutputName } from "../emit.js";
import {
  type Edge,
  edgeOf,
  type Graph,
  GraphBuilder,
  type GraphFunction,
  type GraphNode,
  placeholderNode,
  typeOf,
} from "../graph.js";

/** A call costs about 4.5 microseconds, a pass over large scores several milliseconds: so regions begin at two ops. */
const SMALLEST_REGION = 2;
/** Ops that XLA runs in one pass over memory with their neighbours. Products of matrices and softmax are faster outside. */
const FUSIBLE = new Set(
  (
    "Add AddV2 Sub Mul RealDiv Maximum Minimum Square Sqrt Rsqrt Exp Log Neg Sign Tanh Sigmoid TanhGrad SigmoidGrad BiasAdd Cast " +
    "Sum Mean Max"
  ).split(" "),
);
const REDUCTIONS = new Set(["Sum", "Mean", "Max"]);

/**
 * Joins elementwise ops that follow on one another into regions that XLA compiles, each into a pass or two over memory.
 * Equal regions are one function, so that all layers share a compilation; one is made for each set of shapes.
 * @param sizes leave out what has a shape that depends on one of these: each value of theirs would be compiled
 */
export function fuseRegions(graph: Graph, sizes: readonly string[]): Graph {
  const regions = findRegions(graph, sizes);
  const unitOf = new Map<GraphNode, Unit>();
  const units: Unit[] = [];
  for (const nodes of [...regions, ...graph.nodes.map((node) => [node])]) {
    if (nodes.some((node) => unitOf.has(node))) continue;
    const unit = { nodes, fused: nodes.length > 1 };
    for (const node of nodes) unitOf.set(node, unit);
    units.push(unit);
  }
  const outside = usesOutside(graph, unitOf);
  const builder = new GraphBuilder();
  const edges = new Map<GraphNode, Edge[]>();
  const replaced = ({ node, index }: Edge): Edge => {
    const edge = edges.get(node)?.[index];
    if (edge === undefined) throw new Error(`${node.op} is used before it is made`);
    return edge;
  };
  const made = new Map<GraphNode, GraphNode>();
  for (const unit of inOrder(units, unitOf)) {
    const [node] = unit.nodes;
    if (node === undefined) continue;
    if (unit.fused) {
      const { body, inputs } = functionOf(unit, outside);
      const call = builder.push(callNode(body, inputs.map(replaced)));
      body.results.forEach((_, index) => {
        const source = outside.get(unit)?.[index];
        if (source !== undefined) edges.set(source, [edgeOf(call, index)]);
      });
      for (const member of unit.nodes) made.set(member, call);
    } else {
      const control = node.control.map((before) => made.get(before) ?? before);
      const copy = builder.push({ ...node, inputs: node.inputs.map(replaced), control });
      made.set(node, copy);
      edges.set(
        node,
        copy.outputs.map((_, index) => edgeOf(copy, index)),
      );
    }
  }
  for (const [name, edge] of graph.outputs) builder.outputs.set(name, replaced(edge));
  return builder.finish();
}

/** Nodes that become one node. */
interface Unit {
  readonly nodes: readonly GraphNode[];
  readonly fused: boolean;
}

/**
 * Connected fusible nodes of equal depth. The depth of a node is at least that of its inputs, and larger where one of the
 * two is not fusible: so a path that leaves a region has grown deeper and never comes back, and no region waits for itself.
 */
function findRegions({ nodes }: Graph, sizes: readonly string[]): GraphNode[][] {
  const fusible = new Set(nodes.filter((node) => isFusible(node, sizes)));
  const depths = new Map<GraphNode, number>();
  const step = (one: GraphNode, other: GraphNode): number => (fusible.has(one) && fusible.has(other) ? 0 : 1);
  for (const node of nodes) {
    const before = waitsFor(node).map((other) =>
      other.op === "Const" ? 0 : (depths.get(other) ?? 0) + step(other, node),
    );
    depths.set(node, Math.max(0, ...before));
  }
  // What is too small for a region waits for those that use it, and joins theirs.
  const latest = new Map<GraphNode, number>();
  const regionOf = regionsOfDepth(nodes, fusible, depths);
  for (const node of nodes.toReversed()) {
    const region = regionOf.get(node);
    const depth = depths.get(node) ?? 0;
    const limit = latest.get(node) ?? depth;
    if (region !== undefined && region.length < SMALLEST_REGION && limit > depth) depths.set(node, limit);
    const own = depths.get(node) ?? 0;
    for (const other of waitsFor(node)) {
      latest.set(other, Math.min(latest.get(other) ?? Infinity, own - step(other, node)));
    }
  }
  const regions = new Set(regionsOfDepth(nodes, fusible, depths).values());
  return [...regions].filter(({ length }) => length >= SMALLEST_REGION);
}

/** The nodes that run before one. */
function waitsFor({ inputs, control }: GraphNode): GraphNode[] {
  return [...inputs.map(({ node }) => node), ...control];
}

function regionsOfDepth(
  nodes: readonly GraphNode[],
  fusible: ReadonlySet<GraphNode>,
  depths: ReadonlyMap<GraphNode, number>,
): Map<GraphNode, GraphNode[]> {
  const regionOf = new Map<GraphNode, GraphNode[]>();
  for (const node of nodes) {
    if (!fusible.has(node)) continue;
    const joined = node.inputs.flatMap((input) =>
      depths.get(input.node) === depths.get(node) ? (regionOf.get(input.node) ?? []) : [],
    );
    const region = [...new Set([...joined, node])];
    for (const member of region) regionOf.set(member, region);
  }
  return regionOf;
}

function isFusible(node: GraphNode, sizes: readonly string[]): boolean {
  if (!FUSIBLE.has(node.op) || !hasOutputName(node.op) || node.control.length > 0) return false;
  const types = [...node.inputs.map(typeOf), ...node.outputs];
  if (types.some(({ varies = [] }) => varies.some((name) => sizes.includes(name)))) return false;
  const [output] = node.outputs;
  if (output?.dtype !== "float32" && output?.dtype !== "bfloat16") return false;
  if (!REDUCTIONS.has(node.op)) return true;
  const [source, axes] = node.inputs;
  // Sums over the first axes are faster outside: they run over memory in its own order there.
  const last = source === undefined ? -1 : typeOf(source).shape.length - 1;
  return axes?.node.value?.length === 1 && axes.node.value[0] === last;
}

/** For each region, the nodes whose result is used by others. */
function usesOutside(graph: Graph, unitOf: ReadonlyMap<GraphNode, Unit>): Map<Unit, GraphNode[]> {
  const uses = new Map<Unit, Set<GraphNode>>();
  const use = (node: GraphNode, user: Unit | undefined): void => {
    const unit = unitOf.get(node);
    if (unit === undefined || !unit.fused || unit === user) return;
    const known = uses.get(unit) ?? new Set();
    uses.set(unit, known.add(node));
  };
  for (const node of graph.nodes) for (const input of node.inputs) use(input.node, unitOf.get(node));
  for (const { node } of graph.outputs.values()) use(node, undefined);
  return new Map([...uses].map(([unit, used]) => [unit, unit.nodes.filter((node) => used.has(node))]));
}

/** Units in an order in which they could run. */
function inOrder(units: readonly Unit[], unitOf: ReadonlyMap<GraphNode, Unit>): Unit[] {
  const needs = new Map<Unit, Set<Unit>>();
  const followers = new Map<Unit, Unit[]>();
  for (const unit of units) {
    const before = new Set<Unit>();
    for (const node of unit.nodes) {
      for (const other of waitsFor(node)) {
        const needed = unitOf.get(other);
        if (needed !== undefined && needed !== unit) before.add(needed);
      }
    }
    needs.set(unit, before);
    for (const needed of before) followers.set(needed, [...(followers.get(needed) ?? []), unit]);
  }
  const ready = units.filter((unit) => needs.get(unit)?.size === 0);
  for (const unit of ready) {
    for (const follower of followers.get(unit) ?? []) {
      const left = needs.get(follower);
      left?.delete(unit);
      if (left?.size === 0) ready.push(follower);
    }
  }
  if (ready.length !== units.length) throw new Error("the regions wait for one another");
  return ready;
}

function functionOf(
  unit: Unit,
  outside: ReadonlyMap<Unit, readonly GraphNode[]>,
): { readonly body: GraphFunction; readonly inputs: readonly Edge[] } {
  const inside = new Map<GraphNode, GraphNode>();
  const inputs: Edge[] = [];
  const parameters: GraphNode[] = [];
  const nodes: GraphNode[] = [];
  const parameterOf = (edge: Edge): Edge => {
    const { node, index } = edge;
    if (node.op === "Const" && (node.value?.length ?? 0) <= 1) {
      const copy = inside.get(node) ?? node;
      if (!inside.has(node)) nodes.push(copy);
      inside.set(node, copy);
      return edgeOf(copy);
    }
    let place = inputs.findIndex((input) => input.node === node && input.index === index);
    if (place < 0) {
      place = inputs.push(edge) - 1;
      parameters.push(placeholderNode(`p${place}`, typeOf(edge)));
    }
    const parameter = parameters[place];
    if (parameter === undefined) throw new RangeError("no parameter");
    return edgeOf(parameter);
  };
  for (const node of unit.nodes) {
    const copy = {
      ...node,
      inputs: node.inputs.map((edge) => {
        const own = unit.nodes.includes(edge.node) ? inside.get(edge.node) : undefined;
        return own === undefined ? parameterOf(edge) : edgeOf(own, edge.index);
      }),
    };
    inside.set(node, copy);
    nodes.push(copy);
  }
  const results = (outside.get(unit) ?? []).map((node) => edgeOf(inside.get(node) ?? node));
  return { body: { key: keyOf(parameters, nodes, results), parameters, nodes, results }, inputs };
}

function keyOf(
  parameters: readonly GraphNode[],
  nodes: readonly GraphNode[],
  results: readonly Edge[],
): string {
  const numbers = new Map([...parameters, ...nodes].map((node, index) => [node, index]));
  const text = JSON.stringify([
    parameters.map((node) => typeOf(edgeOf(node)).dtype),
    nodes.map((node) => [
      node.op,
      node.attributes,
      node.inputs.map((input) => numbers.get(input.node)),
      node.value === undefined ? "" : Array.from(node.value),
      node.value === undefined ? "" : typeOf(edgeOf(node)).shape,
    ]),
    results.map((edge) => numbers.get(edge.node)),
  ]);
  return `region_${sha256(text).slice(0, 16)}`;
}

function callNode(body: GraphFunction, inputs: readonly Edge[]): GraphNode {
  return {
    op: "PartitionedCall",
    attributes: { _XlaMustCompile: { kind: "bool", value: true } },
    inputs,
    control: [],
    outputs: body.results.map(typeOf),
    body,
  };
}
