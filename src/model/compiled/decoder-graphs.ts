import { type Edge, type Graph, GraphBuilder, typeAttribute, typeOf } from "../../engine/compile/graph.js";
import { prune } from "../../engine/compile/passes/prune.js";
import { shareEqualNodes } from "../../engine/compile/passes/share.js";
import type { Feeds } from "../../engine/compile/session.js";
import { splice } from "../../engine/compile/splice.js";
import { headShape } from "../config.js";
import type { Decoder } from "../decoder.js";
import { cacheNames, recordPrompt, recordScoring, recordToken } from "./record-decoder.js";

/** The name of a placeholder or an output of one of the graphs. */
export const prefix = (graph: string, name: string): string => `${graph}/${name}`;

/** The same feeds by the names of a graph. */
export function prefixed(graph: string, feeds: Feeds): Feeds {
  return Object.fromEntries(Object.entries(feeds).map(([name, value]) => [prefix(graph, name), value]));
}

/**
 * Scoring and one-token decoding of a decoder as graphs over the same variables: those of its weights by their names,
 * and its keys and values. They can be joined to any graph that gives the weights their values, such as a training
 * step's.
 *
 *     scoring, prompt, token    as recorded, see `recordScoring`, `recordPrompt`, `recordToken`
 *     cache                     makes room for keys and values ("made"), keeps some of their rows ("kept")
 *
 * @throws KitError that names what cannot be recorded faithfully
 */
export function decoderGraphs(decoder: Decoder): Graph {
  const builder = new GraphBuilder();
  add(builder, "scoring", recordScoring(decoder));
  const prompt = add(builder, "prompt", recordPrompt(decoder));
  add(builder, "token", recordToken(decoder));
  addCache(builder, decoder, prompt);
  return prune(shareEqualNodes(builder.finish()));
}

/** The outputs that give each weight, and each parameter of an adapter, the value that is fed under its name. */
export function weightAssignments({ weights, adapter }: Decoder): Graph {
  const builder = new GraphBuilder();
  for (const [name, { shape }] of [...weights, ...(adapter?.parameters ?? [])]) {
    const given = builder.placeholder(name, { dtype: "float32", shape });
    const assigned = builder.variable(name, shape).update("AssignVariableOp", given);
    builder.outputs.set(assignment(name), builder.done([assigned]));
  }
  return builder.finish();
}

/** What to fetch so that a weight is assigned. */
export const assignment = (name: string): string => `assign ${name}`;

/** Adds a recording; its placeholders and outputs are called "graph/name". @returns its outputs */
function add(builder: GraphBuilder, graph: string, recording: Graph): ReadonlyMap<string, Edge> {
  const placeholders = recording.nodes.filter(({ op }) => op === "Placeholder");
  const given = placeholders.map((node): [string, Edge] => {
    const name = node.name ?? "";
    return [name, builder.placeholder(prefix(graph, name), typeOf({ node, index: 0 }))];
  });
  const outputs = splice(builder, recording, Object.fromEntries(given));
  for (const [name, edge] of outputs) builder.outputs.set(prefix(graph, name), edge);
  return outputs;
}

/** Rows of the keys and values are made, and kept, and slots are added; what follows a prompt waits for its own. */
function addCache(builder: GraphBuilder, decoder: Decoder, prompt: ReadonlyMap<string, Edge>): void {
  const { keyValueHeads, headWidth } = headShape(decoder.config);
  const shape = [-1, keyValueHeads, -1, headWidth];
  const names = Array.from({ length: decoder.config.layers }, (_, layer) => cacheNames(layer)).flat();
  const caches = names.map((name) => builder.variable(name, shape, true));
  const T = typeAttribute("float32");
  const promptEdge = (name: string): Edge => {
    const edge = prompt.get(name);
    if (edge === undefined) throw new Error(`the recording has no ${name}`);
    return edge;
  };

  const written = names.map((name) => promptEdge(name).node);
  for (const following of ["next", "logits"]) {
    const edge = promptEdge(following);
    const type = typeOf(edge);
    const attributes = { T: typeAttribute(type.dtype) };
    const node = builder.node("Identity", [edge], { attributes, control: written, outputs: [type] });
    builder.outputs.set(prefix("prompt", following), { node, index: 0 });
  }

  const dims = builder.placeholder(prefix("cache", "shape"), { dtype: "int32", shape: [4] });
  // Equal tensors would become one, in whose memory all variables would be written; what is hidden may be any number.
  const made = caches.map((cache, index) => {
    const types = { T, index_type: typeAttribute("int32") };
    const empty = builder.edge("Fill", [dims, builder.scalar(index)], { dtype: "float32", shape }, types);
    return cache.update("AssignVariableOp", empty);
  });
  builder.outputs.set(prefix("cache", "made"), builder.done(made));

  const room = builder.placeholder(prefix("cache", "room"), { dtype: "int32", shape: [4, 2] });
  const rows = builder.placeholder(prefix("cache", "kept"), { dtype: "int32", shape: [-1] });
  const axis = builder.integer(0);
  const types = {
    Tparams: T,
    Tindices: typeAttribute("int32"),
    Taxis: typeAttribute("int32"),
    batch_dims: { kind: "int", value: 0 },
  } as const;
  const kept = caches.map((cache) => {
    const chosen = builder.edge("GatherV2", [cache.read(), rows, axis], { dtype: "float32", shape }, types);
    const wider = { T, Tpaddings: typeAttribute("int32") };
    return cache.update(
      "AssignVariableOp",
      builder.edge("Pad", [chosen, room], { dtype: "float32", shape }, wider),
    );
  });
  builder.outputs.set(prefix("cache", "kept"), builder.done(kept));
}
