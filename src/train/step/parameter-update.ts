import {
  type Edge,
  type Graph,
  type GraphBuilder,
  type GraphNode,
  typeAttribute,
  type Variable,
} from "../../engine/compile/graph.js";
import { record } from "../../engine/compile/record.js";
import { splice } from "../../engine/compile/splice.js";
import { tf } from "../../engine/tensorflow.js";
import { correctedForKernel } from "../adam.js";
import type { AdamWConfig, OptimizerConfig } from "../optimizers/config.js";
import { isAdamW, updateRule } from "../optimizers/index.js";
import { decays, slotOf, type StepNumbers, type UpdateRule } from "../optimizers/rule.js";
import { numberTensors } from "../optimizers/rule-state.js";
import { movedAverage } from "../weight-average.js";

const T = typeAttribute("float32");

/** A parameter and what is kept for it, as variables of the session. */
export interface ParameterVariables {
  readonly value: Variable;
  readonly slots: Readonly<Record<string, Variable>>;
}

/** What is fed to the update of a step. */
export function updateNumbers(config: OptimizerConfig, step: StepNumbers): Readonly<Record<string, number>> {
  if (!isAdamW(config)) return updateRule(config).numbers(step);
  const { learningRate, epsilon } = correctedForKernel(config, step);
  const keep = 1 - step.learningRate * config.weightDecay;
  return { rate: learningRate, epsilon, ...(config.weightDecay === 0 ? {} : { keep }) };
}

/** Adds the update of one parameter to a graph. */
export type ParameterUpdate = (parameter: ParameterVariables, gradient: Edge) => readonly GraphNode[];

/**
 * The update of the configured optimizer: TensorFlow's fused kernel for AdamW, a recording of the rule for the others.
 * @param numbers `updateNumbers`, as edges
 */
export function parameterUpdate(
  builder: GraphBuilder,
  config: OptimizerConfig,
  numbers: Readonly<Record<string, Edge>>,
): ParameterUpdate {
  return isAdamW(config)
    ? fusedAdam(builder, config, numbers)
    : recordedUpdate(builder, updateRule(config), numbers);
}

function fusedAdam(
  builder: GraphBuilder,
  { beta1, beta2 }: AdamWConfig,
  { rate, epsilon, keep }: Readonly<Record<string, Edge>>,
): ParameterUpdate {
  if (rate === undefined || epsilon === undefined) throw new Error("AdamW lacks its numbers");
  // 0 for the powers of the betas: the corrections are in the learning rate and in epsilon, see `NativeAdamState`.
  const power = builder.scalar(0);
  const betas = [builder.scalar(beta1), builder.scalar(beta2)];
  return ({ value, slots: { first, second } }, gradient) => {
    if (first === undefined || second === undefined) throw new Error("AdamW lacks its moments");
    const type = { dtype: "float32", shape: value.shape } as const;
    const control =
      keep !== undefined && decays(value.shape)
        ? [value.update("AssignVariableOp", builder.edge("Mul", [value.read(), keep], type, { T }))]
        : [];
    const handles = [value.handle, first.handle, second.handle];
    const inputs = [...handles, power, power, rate, ...betas, epsilon, gradient];
    return [builder.node("ResourceApplyAdam", inputs, { attributes: { T }, control })];
  };
}

function recordedUpdate(
  builder: GraphBuilder,
  rule: UpdateRule,
  numbers: Readonly<Record<string, Edge>>,
): ParameterUpdate {
  return ({ value, slots }, gradient) => {
    const results = splice(builder, recordRule(rule, value, slots), { ...numbers, gradient });
    return [...results].map(([name, edge]) =>
      (name === "parameter" ? value : slotOf(slots, name)).update("AssignVariableOp", edge),
    );
  };
}

/** What the rule does with a parameter, found by running it once on zeros. Outputs: parameter, and each slot. */
function recordRule(
  rule: UpdateRule,
  { name, shape }: Variable,
  slots: Readonly<Record<string, Variable>>,
): Graph {
  const [parameter, gradient] = [tf.zeros([...shape]), tf.zeros([...shape])];
  const kept = Object.fromEntries(
    Object.entries(slots).map(([slot, variable]) => [slot, tf.zeros([...variable.shape])]),
  );
  const scalars = numberTensors(rule, { learningRate: 1, count: 1 });
  const keptVariables = Object.entries(slots).map(
    ([slot, variable]) => [variable.name, slotOf(kept, slot)] as const,
  );
  try {
    return record({
      inputs: { ...scalars, gradient },
      variables: new Map([[name, parameter], ...keptVariables]),
      body: () => {
        const updated = rule.apply({ parameter, gradient, slots: kept }, scalars, shape);
        return { ...updated.slots, parameter: updated.parameter };
      },
    });
  } finally {
    tf.dispose([parameter, gradient, ...Object.values(kept), ...Object.values(scalars)]);
  }
}

/**
 * Adds what moves the average of a parameter after its update.
 * @param updates after which the parameter has its new value
 */
export function averageUpdate(
  builder: GraphBuilder,
  value: Variable,
  average: Variable,
  share: Edge,
  updates: readonly GraphNode[],
): GraphNode {
  const tensors = {
    before: tf.zeros([...value.shape]),
    parameter: tf.zeros([...value.shape]),
    share: tf.scalar(0),
  };
  const { before, parameter, share: part } = tensors;
  try {
    const graph = record({
      inputs: tensors,
      variables: new Map(),
      body: () => ({ after: movedAverage(before, parameter, part) }),
    });
    const given = { before: average.read(), parameter: value.read(updates), share };
    const after = splice(builder, graph, given).get("after");
    if (after === undefined) throw new Error("nothing was recorded");
    return average.update("AssignVariableOp", after);
  } finally {
    tf.dispose([before, parameter, part]);
  }
}
