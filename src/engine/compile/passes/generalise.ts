import { KitError } from "../../../support/errors.js";
import {
  type Edge,
  edgeOf,
  type Graph,
  GraphBuilder,
  type GraphNode,
  type OutputType,
  typeAttribute,
  typeOf,
  type Values,
} from "../graph.js";
import { type Formula, fitFormula, type Sizes } from "./size-formula.js";

/** A computation recorded with inputs of certain sizes. */
export interface SizedGraph {
  readonly graph: Graph;
  readonly sizes: Sizes;
}

/** The part of an int32 constant that may be a shape, an order of axes or the like. */
const MAX_SIZES = 16;

/**
 * Makes one graph for every size out of recordings of the same computation at several sizes. What is the same in all of
 * them is so at every size. What differs must be explained:
 *
 * - an integer of a shape is `a + b * (product of sizes)` and is computed from the sizes that are fed;
 * - a vector whose length differs counts up in equal steps, or holds one number, and is made anew;
 * - a constant whose shape differs (a mask, a table) is the leading part of the one in the last recording.
 *
 * Recordings of equal sizes and other data show in the same way whether something would be frozen that must not be.
 * @param recordings the last one has the largest sizes
 * @returns the graph; it has an int32 placeholder for every size
 * @throws KitError that names the op for a difference that is not explained
 */
export function generalise(recordings: readonly SizedGraph[]): Graph {
  const last = recordings.at(-1);
  if (last === undefined) throw new RangeError("nothing was recorded");
  for (const { graph } of recordings) checkSameOps(graph, last.graph);
  const builder = new GraphBuilder();
  const sizes = new Map(
    Object.keys(last.sizes).map((name) => [name, builder.placeholder(name, { dtype: "int32", shape: [] })]),
  );
  const users = usersOf(last.graph);
  const nodes = new Map<GraphNode, GraphNode>();
  last.graph.nodes.forEach((node, position) => {
    const variants = recordings.map(({ graph }) => graph.nodes[position] ?? node);
    const made =
      node.op === "Const"
        ? generalConstant(builder, sizes, recordings, variants, users.get(node) ?? "an output")
        : builder.push({
            ...node,
            inputs: node.inputs.map((input) => replaced(nodes, input)),
            control: node.control.map((before) => replaced(nodes, edgeOf(before)).node),
            outputs: node.outputs.map((_, index) => generalType(variants, index, recordings)),
          });
    nodes.set(node, made);
  });
  for (const [name, edge] of last.graph.outputs) builder.outputs.set(name, replaced(nodes, edge));
  return builder.finish();
}

function replaced(nodes: ReadonlyMap<GraphNode, GraphNode>, { node, index }: Edge): Edge {
  const made = nodes.get(node);
  if (made === undefined) throw new Error(`${node.op} is used before it is made`);
  return edgeOf(made, index);
}

function checkSameOps(one: Graph, other: Graph): void {
  const positions = new Map([...one.nodes, ...other.nodes].map((node) => [node, 0]));
  one.nodes.forEach((node, index) => positions.set(node, index));
  other.nodes.forEach((node, index) => positions.set(node, index));
  const wiring = ({ op, attributes, inputs, control, name }: GraphNode): string =>
    JSON.stringify([
      op,
      name,
      op === "Const" ? "" : attributes,
      inputs.map(({ node, index }) => [positions.get(node), index]),
      control.map((node) => positions.get(node)),
    ]);
  const count = Math.max(one.nodes.length, other.nodes.length);
  for (let index = 0; index < count; index++) {
    const [a, b] = [one.nodes[index], other.nodes[index]];
    if (a !== undefined && b !== undefined && wiring(a) === wiring(b)) continue;
    throw new KitError(
      `the computation takes another path at another size or with other data (${a?.op ?? "nothing"} here, ` +
        `${b?.op ?? "nothing"} there), so one graph cannot stand for both`,
      "make it the same ops whatever the data, or train without compiling (compile: false, --eager)",
    );
  }
}

/** The op that takes each constant, for messages. */
function usersOf(graph: Graph): Map<GraphNode, string> {
  const users = new Map<GraphNode, string>();
  for (const { op, inputs } of graph.nodes) for (const { node } of inputs) users.set(node, `the op ${op}`);
  return users;
}

function generalType(
  variants: readonly GraphNode[],
  index: number,
  recordings: readonly SizedGraph[],
): OutputType {
  const [first, ...others] = variants.map((node) => typeOf(edgeOf(node, index)));
  if (first === undefined) throw new RangeError("no recording");
  if (others.some(({ shape }) => shape.length !== first.shape.length)) {
    throw new KitError(
      `a result of the op ${variants[0]?.op ?? ""} has another number of axes at another size`,
      "train without compiling (compile: false, --eager)",
    );
  }
  const shape = first.shape.map((size, axis) =>
    others.every((other) => other.shape[axis] === size) ? size : -1,
  );
  if (!shape.includes(-1)) return { dtype: first.dtype, shape };
  const allSizes = recordings.map(({ sizes }) => sizes);
  const shapes = variants.map((node) => typeOf(edgeOf(node, index)).shape);
  const varies = columns(shapes).flatMap(
    (column) => fitFormula(column, allSizes)?.product ?? Object.keys(allSizes[0] ?? {}),
  );
  return { dtype: first.dtype, shape, varies: [...new Set(varies)] };
}

function generalConstant(
  builder: GraphBuilder,
  sizes: ReadonlyMap<string, Edge>,
  recordings: readonly SizedGraph[],
  variants: readonly GraphNode[],
  user: string,
): GraphNode {
  const last = variants.at(-1);
  if (last === undefined) throw new RangeError("no recording");
  const type = typeOf(edgeOf(last));
  const values = variants.map(valueOf);
  const lastValues = valueOf(last);
  const shapes = variants.map((node) => typeOf(edgeOf(node)).shape);
  const sameShape = shapes.every((shape) => shape.join() === type.shape.join());
  if (sameShape && values.every((value) => value === lastValues || sameValues(value, lastValues))) {
    return builder.push(last);
  }
  const allSizes = recordings.map((recording) => recording.sizes);
  if (sameShape && type.dtype === "int32" && lastValues.length <= MAX_SIZES) {
    const formulas = columns(values).map((column) => fitFormula(column, allSizes));
    if (formulas.every((formula) => formula !== undefined)) {
      return vectorNode(builder, formulas, sizes, type.shape).node;
    }
  }
  const axes = columns(shapes).map((column) => fitFormula(column, allSizes));
  if (!sameShape && axes.every((formula) => formula !== undefined)) {
    const counting = progressionNode(builder, values, axes, sizes);
    if (counting !== undefined) return counting;
  }
  const isPrefix = variants.every((node) => isLeadingPart(node, last));
  if (!sameShape && isPrefix && axes.every((formula) => formula !== undefined)) {
    return leadingPart(builder, last, axes, sizes);
  }
  throw new KitError(
    `${user} is given a number from JavaScript that changes with the size or the data (${describe(variants)}), so it would ` +
      "be frozen: a random draw, or a value worked out from the batch",
    "compute it with tensors from the inputs, or train without compiling (compile: false, --eager)",
  );
}

function describe(variants: readonly GraphNode[]): string {
  const parts = variants.map((node) => {
    const value = valueOf(node);
    return value.length === 1 ? String(value[0]) : `shape [${typeOf(edgeOf(node)).shape.join(", ")}]`;
  });
  return [...new Set(parts)].slice(0, 3).join(", then ");
}

function valueOf({ value }: GraphNode): Values {
  if (value === undefined) throw new Error("a constant without values");
  return value;
}

function sameValues(a: Values, b: Values): boolean {
  return a.length === b.length && a.every((value, index) => Object.is(value, b[index]));
}

/** Rows of equal length as columns. */
function columns(rows: readonly ArrayLike<number>[]): number[][] {
  return Array.from({ length: rows[0]?.length ?? 0 }, (_, index) => rows.map((row) => row[index] ?? NaN));
}

/** An int32 constant of formulas, in any shape. */
function vectorNode(
  builder: GraphBuilder,
  formulas: readonly Formula[],
  sizes: ReadonlyMap<string, Edge>,
  shape: readonly number[],
): Edge {
  const scalars = formulas.map((formula) => scalarEdge(builder, formula, sizes));
  const [first] = scalars;
  if (shape.length === 0 && first !== undefined) return first;
  const attributes = {
    T: typeAttribute("int32"),
    N: { kind: "int", value: scalars.length },
    axis: { kind: "int", value: 0 },
  } as const;
  const vector = builder.edge("Pack", scalars, { dtype: "int32", shape: [scalars.length] }, attributes);
  if (shape.length === 1) return vector;
  const shapeEdge = builder.constant(Int32Array.from(shape), [shape.length]);
  const types = { T: typeAttribute("int32"), Tshape: typeAttribute("int32") };
  return builder.edge("Reshape", [vector, shapeEdge], { dtype: "int32", shape }, types);
}

function scalarEdge(
  builder: GraphBuilder,
  { constant, factor, product }: Formula,
  sizes: ReadonlyMap<string, Edge>,
): Edge {
  const type: OutputType = { dtype: "int32", shape: [] };
  const T = typeAttribute("int32");
  let result: Edge | undefined;
  for (const name of product) {
    const size = sizes.get(name);
    if (size === undefined) throw new RangeError(`no size ${name}`);
    result = result === undefined ? size : builder.edge("Mul", [result, size], type, { T });
  }
  if (result === undefined) return builder.integer(constant);
  if (factor !== 1) result = builder.edge("Mul", [result, builder.integer(factor)], type, { T });
  return constant === 0 ? result : builder.edge("AddV2", [result, builder.integer(constant)], type, { T });
}

/** `start, start + step, ...` of any length, when all vectors are that; floats only with step 0. */
function progressionNode(
  builder: GraphBuilder,
  vectors: readonly Values[],
  [length, ...otherAxes]: readonly Formula[],
  sizes: ReadonlyMap<string, Edge>,
): GraphNode | undefined {
  const [first] = vectors;
  const [start, second] = first ?? [];
  if (length === undefined || otherAxes.length > 0 || start === undefined || second === undefined)
    return undefined;
  const step = second - start;
  const counts = vectors.every((vector) => vector.every((value, index) => value === start + step * index));
  const integers = first instanceof Int32Array;
  if (!counts || !(integers || (first instanceof Float32Array && step === 0))) return undefined;
  const count = vectorNode(builder, [length], sizes, []);
  const dtype = integers ? "int32" : "float32";
  const type: OutputType = { dtype, shape: [-1] };
  const T = typeAttribute(dtype);
  if (step === 0) {
    const value = integers ? builder.integer(start) : builder.scalar(start);
    const dims = vectorNode(builder, [length], sizes, [1]);
    return builder.edge("Fill", [dims, value], type, { T, index_type: typeAttribute("int32") }).node;
  }
  const range = [builder.integer(0), count, builder.integer(1)];
  const places = builder.edge("Range", range, type, { Tidx: typeAttribute("int32") });
  const scaled = builder.edge("Mul", [places, builder.integer(step)], type, { T });
  return builder.edge("AddV2", [scaled, builder.integer(start)], type, { T }).node;
}

/** Whether the values of a constant stand at the beginning, along every axis, of a larger one. */
function isLeadingPart(part: GraphNode, whole: GraphNode): boolean {
  const { shape } = typeOf(edgeOf(part));
  const { shape: outer } = typeOf(edgeOf(whole));
  if (shape.length !== outer.length || shape.some((size, axis) => size > (outer[axis] ?? 0))) return false;
  const values = valueOf(part);
  const wholeValues = valueOf(whole);
  return values.every((value, index) => {
    let rest = index;
    let place = 0;
    let stride = 1;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const size = shape[axis] ?? 1;
      place += (rest % size) * stride;
      rest = Math.floor(rest / size);
      stride *= outer[axis] ?? 1;
    }
    return Object.is(value, wholeValues[place]);
  });
}

function leadingPart(
  builder: GraphBuilder,
  whole: GraphNode,
  axes: readonly Formula[],
  sizes: ReadonlyMap<string, Edge>,
): GraphNode {
  const { dtype } = typeOf(edgeOf(whole));
  const source = edgeOf(builder.push(whole));
  const begin = builder.constant(new Int32Array(axes.length), [axes.length]);
  const size = vectorNode(builder, axes, sizes, [axes.length]);
  const shape = axes.map(({ product, constant }) => (product.length === 0 ? constant : -1));
  const attributes = { T: typeAttribute(dtype), Index: typeAttribute("int32") };
  return builder.edge("Slice", [source, begin, size], { dtype, shape }, attributes).node;
}
