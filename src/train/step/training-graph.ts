import {
  type Edge,
  type Graph,
  GraphBuilder,
  type OutputType,
  typeAttribute,
  type Variable,
} from "../../engine/compile/graph.js";
import { updateRule } from "../optimizers/index.js";
import { AVERAGE_SLOT } from "../weight-average.js";
import {
  averageUpdate,
  type ParameterVariables,
  parameterUpdate,
  updateNumbers,
} from "./parameter-update.js";
import type { StepConfig } from "./training-step.js";

const SCALAR: OutputType = { dtype: "float32", shape: [] };
const T = typeAttribute("float32");

/** The name of the variable of what is kept for a parameter. */
export const slotVariable = (slot: string, parameter: string): string => `${slot}/${parameter}`;

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
  /** A step of the optimizer. */
  update: "update",
  /** Parameters and their averages change places, where there are averages. */
  swap: "swap",
} as const;

/** Reads a variable; sets it from the placeholder of the same name. */
export const fetchValue = (variable: string): string => `value of ${variable}`;
export const fetchAssign = (variable: string): string => `assign ${variable}`;

/** What the gradient is multiplied by, fed where the configuration clips. */
export const CLIP = "step/clip";
/** Share of the new weights in their average, fed where there is one. */
export const AVERAGE_SHARE = "step/averageShare";
/** The placeholder of a number of `updateNumbers`. */
export const stepNumber = (name: string): string => `step/${name}`;

/**
 * Adds to a recorded loss and its gradient what a training step is besides: the sum of the gradients over the batches of
 * a step, their norm, and the optimizer. Parameters, what is kept for them and the gradient are variables of the session.
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
  config: StepConfig,
): Graph {
  const builder = new GraphBuilder();
  for (const node of recorded.nodes) builder.push(node);
  const outputOf = (name: string): Edge => {
    const edge = recorded.outputs.get(name);
    if (edge === undefined) throw new Error(`the recording has no ${name}`);
    return edge;
  };
  const parameters = [...shapes].map(([name, shape]) => trainedParameter(builder, name, shape, config));
  const loss = outputOf("loss");
  const accumulate = (op: "AssignVariableOp" | "AssignAddVariableOp"): Edge => {
    const updates = parameters.map(({ value, gradient }) =>
      gradient.update(op, outputOf(gradientOutput(value.name))),
    );
    const node = builder.node("Identity", [loss], { attributes: { T }, control: updates, outputs: [SCALAR] });
    return { node, index: 0 };
  };
  builder.outputs.set(FETCH.firstBatch, accumulate("AssignVariableOp"));
  builder.outputs.set(FETCH.nextBatch, accumulate("AssignAddVariableOp"));
  builder.outputs.set(FETCH.squares, squares(builder, parameters));
  builder.outputs.set(FETCH.update, updates(builder, parameters, config));
  if (config.weightAverage !== undefined) builder.outputs.set(FETCH.swap, swap(builder, parameters));
  const assignable = (variable: Variable): void => {
    const { name, shape } = variable;
    const given = builder.placeholder(name, { dtype: "float32", shape });
    builder.outputs.set(fetchAssign(name), builder.done([variable.update("AssignVariableOp", given)]));
  };
  for (const { value, slots, average } of parameters) {
    for (const variable of [value, ...Object.values(slots), ...(average === undefined ? [] : [average])]) {
      builder.outputs.set(fetchValue(variable.name), variable.read());
      assignable(variable);
    }
  }
  for (const [name, shape] of frozen) assignable(builder.variable(name, shape));
  return builder.finish();
}

interface TrainedParameter extends ParameterVariables {
  readonly gradient: Variable;
  readonly average: Variable | undefined;
}

function trainedParameter(
  builder: GraphBuilder,
  name: string,
  shape: readonly number[],
  { optimizer, weightAverage }: StepConfig,
): TrainedParameter {
  const variable = (slot: string, own = shape): Variable => builder.variable(slotVariable(slot, name), own);
  const slots = Object.entries(updateRule(optimizer).slots(shape));
  return {
    // The same variable as the recording's: a shared name is one variable, however many handles there are.
    value: builder.variable(name, shape),
    gradient: variable("gradient"),
    slots: Object.fromEntries(slots.map(([slot, own]) => [slot, variable(slot, own)])),
    average: weightAverage === undefined ? undefined : variable(AVERAGE_SLOT),
  };
}

/** No number is copied: the two variables take each other's memory. */
function swap(builder: GraphBuilder, parameters: readonly TrainedParameter[]): Edge {
  const assigned = parameters.flatMap(({ value, average }) => {
    if (average === undefined) return [];
    const [latest, averaged] = [value.read(), average.read()];
    return [
      value.update("AssignVariableOp", averaged, [latest.node]),
      average.update("AssignVariableOp", latest, [averaged.node]),
    ];
  });
  return builder.done(assigned);
}

function squares(builder: GraphBuilder, parameters: readonly TrainedParameter[]): Edge {
  const halves = parameters.map(({ gradient }) => builder.edge("L2Loss", [gradient.read()], SCALAR, { T }));
  const N = { kind: "int", value: halves.length } as const;
  const axis = { kind: "int", value: 0 } as const;
  return builder.edge("Pack", halves, { dtype: "float32", shape: [halves.length] }, { T, N, axis });
}

function updates(builder: GraphBuilder, parameters: readonly TrainedParameter[], config: StepConfig): Edge {
  const { optimizer, weightAverage } = config;
  const numbers = Object.keys(updateNumbers(optimizer, { learningRate: 1, count: 1 })).map(
    (name) => [name, builder.placeholder(stepNumber(name), SCALAR)] as const,
  );
  const clip = optimizer.clipNorm === "off" ? undefined : builder.placeholder(CLIP, SCALAR);
  const share = weightAverage === undefined ? undefined : builder.placeholder(AVERAGE_SHARE, SCALAR);
  const update = parameterUpdate(builder, optimizer, Object.fromEntries(numbers));
  const nodes = parameters.flatMap((parameter) => {
    const { value, gradient, average } = parameter;
    const type: OutputType = { dtype: "float32", shape: value.shape };
    const whole = gradient.read();
    const clipped = clip === undefined ? whole : builder.edge("Mul", [whole, clip], type, { T });
    const updated = update(parameter, clipped);
    if (average === undefined || share === undefined) return updated;
    return [...updated, averageUpdate(builder, value, average, share, updated)];
  });
  return builder.done(nodes);
}
