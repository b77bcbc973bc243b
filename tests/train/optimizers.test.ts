import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";
import { GraphBuilder } from "../../src/engine/compile/graph.js";
import { fuseRegions } from "../../src/engine/compile/passes/fuse.js";
import { prune } from "../../src/engine/compile/passes/prune.js";
import { GraphSession } from "../../src/engine/compile/session.js";
import { startEngine, type BackendName } from "../../src/engine/start.js";
import { tf } from "../../src/engine/tensorflow.js";
import { floatsOf } from "../../src/train/adam.js";
import type { Budget } from "../../src/train/config.js";
import { Optimizer } from "../../src/train/optimizer.js";
import { relativeStep } from "../../src/train/optimizers/adafactor.js";
import type { OptimizerConfig } from "../../src/train/optimizers/config.js";
import type { Slots } from "../../src/train/optimizers/rule.js";
import { updateRule } from "../../src/train/optimizers/index.js";
import type { StableSchedule } from "../../src/train/schedule-config.js";
import { scheduleFactor } from "../../src/train/schedule.js";
import { updateNumbers } from "../../src/train/step/parameter-update.js";
import {
  addOptimizer,
  AVERAGE_SHARE,
  FETCH,
  fetchAssign,
  fetchValue,
  gradientOutput,
  slotVariable,
  stepNumber,
} from "../../src/train/step/training-graph.js";
import { averageShare } from "../../src/train/weight-average.js";

type Values = Readonly<Record<string, readonly number[]>>;
interface Golden {
  readonly steps: number;
  readonly averageDecay: number;
  readonly shapes: Readonly<Record<string, number[]>>;
  readonly cases: Readonly<
    Record<
      string,
      { readonly config: OptimizerConfig; readonly parameters: Values; readonly average: Values }
    >
  >;
  readonly schedules: readonly {
    readonly config: Pick<StableSchedule, "decayShape" | "finalFraction"> & {
      readonly warmupSteps: number;
      readonly decaySteps: number;
    };
    readonly factors: readonly number[];
  }[];
}

const golden = JSON.parse(
  readFileSync(new URL("../parity/golden/optimizers.json", import.meta.url), "utf8"),
) as Golden;
const shapes = Object.entries(golden.shapes);

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);
const startOf = (phase: number, shape: readonly number[]): Float32Array =>
  Float32Array.from(
    { length: sizeOf(shape) },
    (_, index) => (Math.sin(1.3 * index + phase) * (1 + phase)) / 2,
  );
const gradientOf = (phase: number, shape: readonly number[], step: number): Float32Array =>
  Float32Array.from(
    { length: sizeOf(shape) },
    (_, index) => Math.cos(0.9 * index + phase + step * (1 + 0.1 * index)) * 0.5 ** phase,
  );
const rateOf = ({ learningRate }: OptimizerConfig, step: number): number =>
  typeof learningRate === "number" ? learningRate * (1 - step / 20) : relativeStep(learningRate, step + 1);

interface Result {
  readonly parameters: ReadonlyMap<string, Float32Array>;
  readonly average: ReadonlyMap<string, Float32Array>;
}

/**
 * The steps of the golden file, eagerly; after `breakAt` steps with a new optimizer made from what the first kept, or from
 * nothing.
 */
function eagerSteps(config: OptimizerConfig, breakAt?: number, keeps = true): Result {
  const variables = new Map(
    shapes.map(([name, shape], phase) => [
      name,
      tf.tidy(() => tf.variable(tf.tensor(startOf(phase, shape), shape))),
    ]),
  );
  const averageDecay = golden.averageDecay;
  let optimizer = new Optimizer(variables, config, { averageDecay });
  for (let step = 0; step < golden.steps; step++) {
    if (step === breakAt) {
      const saved = { count: optimizer.count, slots: keeps ? optimizer.slots() : new Map<string, Slots>() };
      optimizer.dispose();
      optimizer = new Optimizer(variables, config, { averageDecay, saved });
    }
    tf.tidy(() => {
      const gradients = shapes.map(
        ([name, shape], phase) =>
          [variables.get(name)?.name ?? "", tf.tensor(gradientOf(phase, shape, step), shape)] as const,
      );
      optimizer.accumulate(Object.fromEntries(gradients));
    });
    optimizer.step(rateOf(config, step), optimizer.gradientNorm());
  }
  const values = (): Map<string, Float32Array> =>
    new Map([...variables].map(([name, variable]) => [name, floatsOf(variable)]));
  const parameters = values();
  optimizer.show("average");
  const average = values();
  optimizer.show("latest");
  assert.deepEqual(values(), parameters);
  optimizer.dispose();
  tf.dispose([...variables.values()]);
  return { parameters, average };
}

/** The steps of the golden file in a session whose "loss" has the gradients that are fed. */
function compiledSteps(optimizer: OptimizerConfig, fuse: boolean): Result {
  const weightAverage = { decay: golden.averageDecay, use: "latest" } as const;
  const builder = new GraphBuilder();
  builder.outputs.set("loss", builder.scalar(0));
  for (const [name, shape] of shapes) {
    const fed = builder.placeholder(`fed ${name}`.replace(" ", "/"), { dtype: "float32", shape });
    builder.outputs.set(gradientOutput(name), fed);
  }
  const graph = addOptimizer(builder.finish(), new Map(shapes), new Map(), { optimizer, weightAverage });
  const session = new GraphSession(fuse ? fuseRegions(prune(graph), []) : prune(graph));
  const assign = (name: string, values: Float32Array, shape: number[]): void => {
    tf.tidy(() => session.run({ [name]: tf.tensor(values, shape) }, [fetchAssign(name)]));
  };
  shapes.forEach(([name, shape], phase) => {
    assign(name, startOf(phase, shape), shape);
    const slots = { ...updateRule(optimizer).slots(shape), average: shape };
    for (const [slot, own] of Object.entries(slots)) {
      assign(slotVariable(slot, name), new Float32Array(sizeOf(own)), [...own]);
    }
  });
  for (let step = 0; step < golden.steps; step++) {
    tf.tidy(() => {
      const fed = shapes.map(
        ([name, shape], phase) => [`fed/${name}`, tf.tensor(gradientOf(phase, shape, step), shape)] as const,
      );
      session.run(Object.fromEntries(fed), [FETCH.firstBatch]);
      const numbers = Object.entries(
        updateNumbers(optimizer, { learningRate: rateOf(optimizer, step), count: step + 1 }),
      ).map(([name, value]) => [stepNumber(name), tf.scalar(value)] as const);
      const share = tf.scalar(averageShare(golden.averageDecay, step + 1));
      session.run({ ...Object.fromEntries(numbers), [AVERAGE_SHARE]: share }, [FETCH.update]);
    });
  }
  const values = (place: (name: string) => string): Map<string, Float32Array> =>
    new Map(
      shapes.map(([name]) => [
        name,
        tf.tidy(() => floatsOf(session.run({}, [fetchValue(place(name))])[0] ?? tf.zeros([0]))),
      ]),
    );
  const result = {
    parameters: values((name) => name),
    average: values((name) => slotVariable("average", name)),
  };
  session.dispose();
  return result;
}

/** Largest difference, as a share of the value or of 1 where that is more. */
function worst(made: ReadonlyMap<string, Float32Array>, wanted: Values): number {
  return Math.max(
    ...shapes.flatMap(([name]) =>
      (wanted[name] ?? [NaN]).map((value, index) => {
        const own = made.get(name)?.[index] ?? NaN;
        return Math.abs(own - value) / Math.max(1, Math.abs(value));
      }),
    ),
  );
}

/** XLA takes seconds for the regions of a case. */
const FUSED = ["Lion", "Adafactor with a first moment, a low threshold and another decay"];

before(async () => {
  await startEngine({ backend: "tensorflow" });
});

for (const [name, { config, parameters, average }] of Object.entries(golden.cases)) {
  test(`${name}: ten steps are those of the reference, on every backend and compiled`, async (context) => {
    const check = (way: string, result: Result): void => {
      const [weights, averages] = [worst(result.parameters, parameters), worst(result.average, average)];
      context.diagnostic(`${way}: ${weights.toExponential(1)}, average ${averages.toExponential(1)}`);
      assert.ok(weights < 1e-6, `${way}: ${weights}`);
      assert.ok(averages < 1e-6, `${way}: average ${averages}`);
    };
    for (const backend of ["cpu", "wasm", "tensorflow"] as const satisfies readonly BackendName[]) {
      await startEngine({ backend });
      check(backend, eagerSteps(config));
    }
    check("compiled", compiledSteps(config, false));
    if (FUSED.includes(name)) check("compiled, fused", compiledSteps(config, true));
    const whole = eagerSteps(config);
    assert.deepEqual(eagerSteps(config, 4), whole, "made again in the middle");
    // The control: made again without what was kept.
    const forgetful = eagerSteps(config, 4, false);
    assert.notDeepEqual(forgetful.average, whole.average);
    if (Object.keys(updateRule(config).slots([2, 2])).length > 0) {
      assert.notDeepEqual(forgetful.parameters, whole.parameters);
    }
  });
}

/** What is changed, and whether the reference has steps without it. */
const CONTROLS: readonly (readonly [name: string, change: Partial<Record<string, unknown>>])[] = [
  ["AdamW", { weightDecay: 0 }],
  ["AdamW", { beta2: 0.981 }],
  ["AdamW", { clipNorm: 1 }],
  ["Adafactor with a learning rate", { weightDecay: 0 }],
  ["Adafactor with a learning rate", { clipThreshold: 0.9 }],
  ["Adafactor with a learning rate", { decayRate: 0.81 }],
  ["Adafactor with a learning rate", { scaleParameter: true }],
  ["Adafactor with a learning rate", { beta1: 0.1 }],
  ["Adafactor with relative steps", { learningRate: "relative-warmup" }],
  ["Adafactor with relative steps and warm-up", { learningRate: "relative" }],
  ["Adafactor with a first moment, a low threshold and another decay", { epsilonSquare: 1e-30 }],
  ["Adafactor with a first moment, a low threshold and another decay", { epsilonScale: 1e-3 }],
  ["SGD", { momentum: 0.01 }],
  ["SGD with momentum", { nesterov: true }],
  ["SGD with momentum", { weightDecay: 0 }],
  ["SGD with Nesterov's momentum", { nesterov: false }],
  ["Lion", { weightDecay: 0 }],
  ["Lion", { beta1: 0.5 }],
  ["Lion", { beta2: 0.9 }],
  ["Lion without decay", { weightDecay: 0.01 }],
];

test("controls: each option shows in the weights", () => {
  for (const [name, change] of CONTROLS) {
    const reference = golden.cases[name];
    assert.ok(reference, name);
    const config = { ...reference.config, ...change };
    const difference = worst(eagerSteps(config).parameters, reference.parameters);
    assert.ok(difference > 1e-5, `${name} with ${JSON.stringify(change)}: ${difference}`);
  }
});

test("vectors and single values do not decay, whatever the optimizer", () => {
  for (const [name, { config }] of Object.entries(golden.cases)) {
    const decayed = eagerSteps({ ...config, weightDecay: 0.5 }).parameters;
    const kept = eagerSteps({ ...config, weightDecay: 0 }).parameters;
    for (const [parameter, shape] of shapes) {
      const same = decayed.get(parameter)?.every((value, index) => value === kept.get(parameter)?.[index]);
      assert.equal(same, shape.length < 2, `${name}: ${parameter}`);
    }
  }
});

test("warm-up-stable-decay is the schedule of transformers", () => {
  const budget: Budget = { unit: "steps", amount: 20 };
  for (const { config, factors } of golden.schedules) {
    const schedule: StableSchedule = { kind: "warmup-stable-decay", ...config };
    const worst = (other: StableSchedule): number =>
      Math.max(...factors.map((factor, step) => Math.abs(scheduleFactor(other, budget, step, 1) - factor)));
    assert.ok(worst(schedule) < 1e-12, JSON.stringify(config));
    // Controls: another length of the decay shows, and so does another shape.
    assert.ok(worst({ ...schedule, decaySteps: config.decaySteps - 1 }) > 1e-3);
    const decayShape = config.decayShape === "linear" ? "cosine" : "linear";
    assert.ok(worst({ ...schedule, decayShape }) > 1e-3);
    // The same in shares of a budget of tokens.
    const tokens: Budget = { unit: "total-tokens", amount: 640 };
    const { decayShape: shape, finalFraction, warmupSteps, decaySteps } = config;
    const shares: StableSchedule = {
      kind: "warmup-stable-decay",
      warmupFraction: warmupSteps / 20,
      decayFraction: decaySteps / 20,
      decayShape: shape,
      finalFraction,
    };
    factors.forEach((factor, step) => {
      assert.ok(Math.abs(scheduleFactor(shares, tokens, step * 32, 32) - factor) < 1e-12);
    });
  }
});

/** Kernels that TensorFlow is asked to run meanwhile. */
function kernelsOf(body: () => void): number {
  const backend = tf.backend() as unknown as { binding: { executeOp(...request: unknown[]): unknown } };
  const { binding } = backend;
  let kernels = 0;
  // The methods cannot be replaced; they are not enumerable either.
  const executeOp = (...request: unknown[]): unknown => {
    kernels++;
    return binding.executeOp(...request);
  };
  backend.binding = Object.create(binding, { executeOp: { value: executeOp } }) as typeof binding;
  try {
    body();
  } finally {
    backend.binding = binding;
  }
  return kernels;
}

test("an update is few kernels: layers are updated together", async (context) => {
  await startEngine({ backend: "tensorflow" });
  // GPT-2's block twelve times, 148 parameters in all.
  const block = [[8], [8], [8, 24], [24], [8, 8], [8], [8], [8], [8, 32], [32], [32, 8], [8]];
  const layers = Array.from({ length: 12 }, () => block).flat();
  const variables = new Map(
    [...layers, [50, 8], [16, 8], [8], [8]].map((shape, index) => [
      `p${index}`,
      tf.tidy(() => tf.variable(tf.zeros(shape))),
    ]),
  );
  const gradients = Object.fromEntries(
    [...variables.values()].map((variable) => [variable.name, tf.ones(variable.shape)]),
  );
  const limits = { AdamW: 12, "SGD with momentum": 15, Lion: 25, "Adafactor with a learning rate": 300 };
  for (const [name, limit] of Object.entries(limits)) {
    const config = golden.cases[name]?.config;
    assert.ok(config, name);
    const optimizer = new Optimizer(variables, config);
    optimizer.accumulate(gradients);
    optimizer.step(0.1, 1); // Constants are uploaded.
    optimizer.accumulate(gradients);
    const kernels = kernelsOf(() => {
      optimizer.step(0.1, 1);
    });
    // One for each matrix: the variables get their shapes back.
    const matrices = [...variables.values()].filter(({ rank }) => rank > 1).length;
    context.diagnostic(
      `${name}: ${kernels} kernels for ${variables.size} parameters, ${matrices} of them reshaped`,
    );
    assert.ok(kernels - matrices < limit, `${name}: ${kernels}`);
    optimizer.dispose();
  }
  tf.dispose([...variables.values(), ...Object.values(gradients)]);
});
