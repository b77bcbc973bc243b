import { add, reshape } from "../engine/ops/kernels.js";
import { NO_ATTRIBUTES, rawOps } from "../engine/ops/raw-ops.js";
import { tf, type TensorFlow } from "../engine/tensorflow.js";
import { floatsOf } from "./adam.js";
import type { OptimizerConfig } from "./optimizers/config.js";
import type { GroupState } from "./optimizers/group-state.js";
import { updateRule } from "./optimizers/index.js";
import { sizeOf, type SavedOptimizer, type Slots, type UpdateRule } from "./optimizers/rule.js";
import { createGroupState } from "./optimizers/rule-state.js";
import { AVERAGE_SLOT, WeightAverage, type WeightChoice } from "./weight-average.js";

type Vector = TensorFlow.Tensor1D;

/** Parameters smaller than this are joined into one vector: then a step takes a handful of kernels, not a thousand. */
const LARGE = 2 ** 20;

/** Parameters that are updated together, as one flat vector. */
interface Group {
  readonly names: readonly string[];
  readonly variables: readonly TensorFlow.Variable[];
  readonly sizes: readonly number[];
  /** Number of values that are kept for each parameter, by what they are. */
  readonly slotSizes: Readonly<Record<string, readonly number[]>>;
  readonly state: GroupState;
  readonly average: WeightAverage | undefined;
  gradient: Vector | undefined;
}

/** What an optimizer is told besides its configuration. */
export interface OptimizerOptions {
  /** To go on from a checkpoint. */
  readonly saved?: SavedOptimizer | undefined;
  /** Keeps an exponential moving average of the weights with this decay. */
  readonly averageDecay?: number | undefined;
}

/**
 * An optimizer with clipping by the norm over all parameters. Gradients are added up over the passes of a step, then
 * `step` updates the parameters. The optimizer owns the parameters while it lives: values that others assign in between
 * are overwritten.
 */
export class Optimizer {
  readonly #config: OptimizerConfig;
  readonly #groups: readonly Group[];
  #count: number;

  /** @param parameters what is trained, with their values now */
  constructor(
    parameters: ReadonlyMap<string, TensorFlow.Variable>,
    config: OptimizerConfig,
    options: OptimizerOptions = {},
  ) {
    this.#config = config;
    this.#count = options.saved?.count ?? 0;
    const rule = updateRule(config);
    this.#groups = groupsOf(parameters, rule).map((entries) => makeGroup(entries, config, rule, options));
  }

  /** Steps taken. */
  get count(): number {
    return this.#count;
  }

  /** Adds to the gradient of the step. @param gradients by the names of the variables (not of the parameters) */
  accumulate(gradients: Readonly<Record<string, TensorFlow.Tensor>>): void {
    for (const group of this.#groups) {
      const parts = group.variables.map((variable) => {
        const gradient = gradients[variable.name];
        if (gradient === undefined)
          throw new Error(`the loss does not depend on the parameter ${variable.name}`);
        return reshape(gradient, [-1]) as Vector;
      });
      const flat = tf.tidy(() => {
        const joined = concatenate(parts);
        return group.gradient === undefined ? joined : (add(group.gradient, joined) as Vector);
      });
      tf.dispose([...parts.filter((part) => part !== flat)]);
      group.gradient?.dispose();
      group.gradient = tf.keep(flat);
    }
  }

  /** Norm of the step's gradient over all parameters, before clipping. */
  gradientNorm(): number {
    const squares = this.#groups.map(({ gradient }) => (gradient === undefined ? 0 : sumOfSquares(gradient)));
    return Math.sqrt(squares.reduce((sum, value) => sum + value, 0));
  }

  /**
   * Clips, updates the parameters and forgets the gradient.
   * @param norm of `gradientNorm()`
   */
  step(learningRate: number, norm: number): void {
    const count = ++this.#count;
    const clip = clipFactor(this.#config, norm);
    for (const group of this.#groups) {
      const { gradient, state, average } = group;
      if (gradient === undefined) throw new Error("step() without a gradient: call accumulate() first");
      tf.tidy(() => {
        const clipped = clip === 1 ? gradient : tf.mul<Vector>(gradient, tf.scalar(clip));
        const parameters = state.apply(clipped, { learningRate, count });
        average?.add(parameters, count);
        assign(group, parameters);
      });
    }
    this.discardGradient();
  }

  /** Gives the variables these weights; a step goes on from the latest, whatever the variables hold. */
  show(weights: WeightChoice): void {
    for (const group of this.#groups) {
      const values = weights === "average" ? group.average?.value() : group.state.parameters();
      if (values === undefined) throw new Error("no average of the weights is kept");
      tf.tidy(() => {
        assign(group, values);
      });
      values.dispose();
    }
  }

  /** The step's gradient by parameter name, copied to JavaScript: for tests and reports. */
  gradients(): Map<string, Float32Array> {
    return new Map(
      this.#groups.flatMap(({ names, sizes, gradient }) =>
        gradient === undefined ? [] : zip(names, cut(floatsOf(gradient), sizes)),
      ),
    );
  }

  /** Forgets the gradient of a step that is not taken. */
  discardGradient(): void {
    for (const group of this.#groups) {
      group.gradient?.dispose();
      group.gradient = undefined;
    }
  }

  /** What is kept for every parameter, copied to JavaScript. */
  slots(): Map<string, Slots> {
    return new Map(
      this.#groups.flatMap(({ names, slotSizes, state, average }) => {
        const whole = { ...state.slots(), ...(average && { [AVERAGE_SLOT]: average.floats() }) };
        const parts = Object.entries(whole).map(
          ([slot, values]) => [slot, cut(values, slotSizes[slot] ?? [])] as const,
        );
        return names.map((name, index): [string, Slots] => [
          name,
          Object.fromEntries(parts.map(([slot, values]) => [slot, values[index] ?? new Float32Array()])),
        ]);
      }),
    );
  }

  dispose(): void {
    this.discardGradient();
    for (const { state, average } of this.#groups) {
      state.dispose();
      average?.dispose();
    }
  }
}

/** What the gradient of a step is multiplied by, as in PyTorch's `clip_grad_norm_`, which adds the same 1e-6. */
export function clipFactor({ clipNorm }: OptimizerConfig, norm: number): number {
  return clipNorm === "off" ? 1 : Math.min(1, clipNorm / (norm + 1e-6));
}

type Entry = readonly [string, TensorFlow.Variable];

/**
 * Small parameters together, large ones alone (joining them would copy them twice a step): those of one shape where the
 * rule needs it, else those that decay and those that do not.
 */
function groupsOf(parameters: ReadonlyMap<string, TensorFlow.Variable>, rule: UpdateRule): Entry[][] {
  const groups = new Map<string, Entry[]>();
  for (const entry of parameters) {
    const [name, { shape, size }] = entry;
    const together = rule.needsShape ? shape.join("x") : `rank ${Math.min(shape.length, 2)}`;
    const key = size >= LARGE ? `alone ${name}` : together;
    groups.set(key, [...(groups.get(key) ?? []), entry]);
  }
  return [...groups.values()];
}

function makeGroup(
  entries: readonly Entry[],
  config: OptimizerConfig,
  rule: UpdateRule,
  { saved, averageDecay }: OptimizerOptions,
): Group {
  const names = entries.map(([name]) => name);
  const variables = entries.map(([, variable]) => variable);
  const sizes = variables.map(({ size }) => size);
  const shapes = variables.map((variable) => rule.slots(variable.shape));
  const slotSizes: Record<string, readonly number[]> = { [AVERAGE_SLOT]: sizes };
  for (const slot of Object.keys(shapes[0] ?? {})) {
    slotSizes[slot] = shapes.map((own) => sizeOf(own[slot] ?? []));
  }
  const start = (slot: string): Float32Array =>
    join(
      names.map(
        (name, index) => saved?.slots.get(name)?.[slot] ?? new Float32Array(slotSizes[slot]?.[index] ?? 0),
      ),
    );
  const state = createGroupState(config, {
    parameters: join(variables.map((variable) => floatsOf(variable))),
    slots: Object.fromEntries(Object.keys(shapes[0] ?? {}).map((slot) => [slot, start(slot)])),
    shape: variables[0]?.shape ?? [],
  });
  const average =
    averageDecay === undefined ? undefined : new WeightAverage(averageDecay, start(AVERAGE_SLOT));
  return { names, variables, sizes, slotSizes, state, average, gradient: undefined };
}

/** Gives the variables their new values from the flat vector. */
function assign({ variables, sizes }: Group, flat: Vector): void {
  const parts = variables.length === 1 ? [flat] : tf.split(flat, [...sizes]);
  variables.forEach((variable, index) => {
    const part = parts[index];
    if (part !== undefined) variable.assign(variable.rank === 1 ? part : reshape(part, variable.shape));
  });
}

function concatenate(parts: readonly Vector[]): Vector {
  const [first, ...others] = parts;
  return first !== undefined && others.length === 0 ? first : tf.concat1d([...parts]);
}

function sumOfSquares(vector: Vector): number {
  return tf.tidy(() => {
    const raw = rawOps();
    if (raw === undefined) return tf.sum(tf.square(vector)).dataSync()[0] ?? NaN;
    return 2 * (raw.executeSingleOutput("L2Loss", NO_ATTRIBUTES, [vector]).dataSync()[0] ?? NaN);
  });
}

function join(parts: readonly Float32Array[]): Float32Array {
  const result = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let start = 0;
  for (const part of parts) {
    result.set(part, start);
    start += part.length;
  }
  return result;
}

function cut(values: Float32Array, sizes: readonly number[]): Float32Array[] {
  let start = 0;
  return sizes.map((size) => values.slice(start, (start += size)));
}

function zip(names: readonly string[], parts: readonly Float32Array[]): [string, Float32Array][] {
  return names.map((name, index) => [name, parts[index] ?? new Float32Array()]);
}
