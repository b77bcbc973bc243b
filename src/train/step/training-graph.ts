import type { Variable } from "../../engine/compile/graph.js";
import {
  type Edge,
  type Graph,
  GraphBuilder,
  type GraphNode,
  type OutputType,
  typeAttribute,
} from "../../engine/compile/graph.js";
import type { OptimizerConfig } from "../config.js";

const SCALAR: OutputType = { dtype: "float32", shape: [] };
const T = typeAttribute("float32");

/** Names of the variables of a parameter, and of what is fetched for it. */
export const variableNames = (
  name: string,
): Record<"parameter" | "first" | "second" | "gradient", string> => ({
  parameter: name,
  first: `first/${name}`,
  second: `second/${name}`,
  gradient: `gradient/${name}`,
});

/** The name of the recorded gradient of a parameter. */
export const gradientOutput = (name: string): string => `gradient of ${name}`;

/** What a run of the training graph fetches. */
export const FETCH = {
  /** The loss of the first batch of a step, whose gradient replaces what was there. */
  firstBatch: "first batch",
  /** The loss of another batch, whose gradient is added. */
  nextBatch: "next batch",
  /** Half the sum of squares of the gradient, for each parameter. */
  squares: "squares",
  /** A step of AdamW, without and with clipping. */
  update: "update",
  clippedUpdate: "clipped update",
} as const;

/** Reads a variable; sets it from the placeholder of the same name. */
export const fetchValue = (variable: string): string => `value of ${variable}`;
export const fetchAssign = (variable: string): string => `assign ${variable}`;

/**
 * Adds to a recorded loss and its gradient what a training step is besides: the sum of the gradients over the batches of
 * a step, their norm, and AdamW. Parameters, moments and the gradient are variables of the session.
 *
 *     measure: ids, ... -> loss, gradient -> gradient variables       update: gradient variables -> parameters, moments
 *
 * @param recorded has the output "loss" and one `gradientOutput` for each parameter
 * @param shapes of the parameters
 * @param frozen shapes of the variables that are read only
 */
export function addOptimizer(
  recorded: Graph,
  shapes: ReadonlyMap<string, readonly number[]>,
  frozen: ReadonlyMap<string, readonly number[]>,
  config: OptimizerConfig,
): Graph {
  const builder = new GraphBuilder();
  for (const node of recorded.nodes) builder.push(node);
  const outputOf = (name: string): Edge => {
    const edge = recorded.outputs.get(name);
    if (edge === undefined) throw new Error(`the recording has no ${name}`);
    return edge;
  };
  const parameters = [...shapes].map(([name, shape]) => new TrainedParameter(builder, name, shape));
  const loss = outputOf("loss");
  const accumulate = (op: "AssignVariableOp" | "AssignAddVariableOp"): Edge => {
    const updates = parameters.map(({ name, gradient }) =>
      gradient.update(op, outputOf(gradientOutput(name))),
    );
    const node = builder.node("Identity", [loss], { attributes: { T }, control: updates, outputs: [SCALAR] });
    return { node, index: 0 };
  };
  builder.outputs.set(FETCH.firstBatch, accumulate("AssignVariableOp"));
  builder.outputs.set(FETCH.nextBatch, accumulate("AssignAddVariableOp"));
  builder.outputs.set(FETCH.squares, squares(builder, parameters));
  const settings = settingsOf(builder, config);
  const factor = builder.placeholder("clip", SCALAR);
  builder.outputs.set(
    FETCH.update,
    builder.done(parameters.map((parameter) => parameter.update(settings, undefined))),
  );
  builder.outputs.set(
    FETCH.clippedUpdate,
    builder.done(parameters.map((parameter) => parameter.update(settings, factor))),
  );
  const assignable = (variable: Variable): void => {
    const { name, shape } = variable;
    const given = builder.placeholder(name, { dtype: "float32", shape });
    builder.outputs.set(fetchAssign(name), builder.done([variable.update("AssignVariableOp", given)]));
  };
  for (const parameter of parameters) {
    for (const variable of [parameter.value, parameter.first, parameter.second]) {
      builder.outputs.set(fetchValue(variable.name), variable.read());
      assignable(variable);
    }
  }
  for (const [name, shape] of frozen) assignable(builder.variable(name, shape));
  return builder.finish();
}

function squares(builder: GraphBuilder, parameters: readonly TrainedParameter[]): Edge {
  const halves = parameters.map(({ gradient }) => builder.edge("L2Loss", [gradient.read()], SCALAR, { T }));
  const N = { kind: "int", value: halves.length } as const;
  const axis = { kind: "int", value: 0 } as const;
  return builder.edge("Pack", halves, { dtype: "float32", shape: [halves.length] }, { T, N, axis });
}

/** The numbers of a step of AdamW, as edges. */
interface AdamSettings {
  /** 0, for the powers of the betas: the corrections are in the learning rate and in epsilon, see `NativeAdamState`. */
  readonly power: Edge;
  readonly rate: Edge;
  readonly beta1: Edge;
  readonly beta2: Edge;
  readonly epsilon: Edge;
  /** What matrices are multiplied by first; undefined without weight decay. */
  readonly keep: Edge | undefined;
}

function settingsOf(builder: GraphBuilder, config: OptimizerConfig): AdamSettings {
  return {
    power: builder.scalar(0),
    rate: builder.placeholder("rate", SCALAR),
    beta1: builder.scalar(config.beta1),
    beta2: builder.scalar(config.beta2),
    epsilon: builder.placeholder("epsilon", SCALAR),
    keep: config.weightDecay === 0 ? undefined : builder.placeholder("keep", SCALAR),
  };
}

class TrainedParameter {
  readonly name: string;
  readonly value: Variable;
  readonly first: Variable;
  readonly second: Variable;
  readonly gradient: Variable;
  readonly #builder: GraphBuilder;

  constructor(builder: GraphBuilder, name: string, shape: readonly number[]) {
    const names = variableNames(name);
    this.name = name;
    this.#builder = builder;
    // The same variable as the recording's: a shared name is one variable, however many handles there are.
    this.value = builder.variable(names.parameter, shape);
    this.first = builder.variable(names.first, shape);
    this.second = builder.variable(names.second, shape);
    this.gradient = builder.variable(names.gradient, shape);
  }

  update(settings: AdamSettings, factor: Edge | undefined): GraphNode {
    const builder = this.#builder;
    const type: OutputType = { dtype: "float32", shape: this.value.shape };
    const product = (a: Edge, b: Edge): Edge => builder.edge("Mul", [a, b], type, { T });
    const decays = this.value.shape.length >= 2 && settings.keep !== undefined;
    const control = decays
      ? [this.value.update("AssignVariableOp", product(this.value.read(), settings.keep))]
      : [];
    const gradient = this.gradient.read();
    const clipped = factor === undefined ? gradient : product(gradient, factor);
    const { power, rate, beta1, beta2, epsilon } = settings;
    const handles = [this.value.handle, this.first.handle, this.second.handle];
    return builder.node(
      "ResourceApplyAdam",
      [...handles, power, power, rate, beta1, beta2, epsilon, clipped],
      { attributes: { T }, control },
    );
  }
}
