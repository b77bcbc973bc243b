import assert from "node:assert/strict";
import { before, test, type TestContext } from "node:test";
import { startEngine } from "../../src/engine/start.js";
import { tf } from "../../src/engine/tensorflow.js";
import { Dropout } from "../../src/model/dropout.js";
import { layOut } from "../../src/train/batch.js";
import type { Precision } from "../../src/train/config.js";
import { CompiledStep } from "../../src/train/step/compiled-step.js";
import { assignValues } from "../../src/train/objective.js";
import { EagerStep } from "../../src/train/step/eager-step.js";
import type { StepConfig, TrainingStep } from "../../src/train/step/training-step.js";
import { FAMILIES, type FamilyRules, type FamilyRun } from "./recompute-families.js";

before(async () => {
  await startEngine({ backend: "tensorflow", threads: 1 });
});

const STEPS = 6;
const LEARNING_RATE = 0.05;
/** So far that the start value no longer matters for a number of 24 bits: the parameter is its gradient. */
const FAR = 1e5;
const OPTIMIZER: StepConfig["optimizer"] = {
  kind: "sgd",
  ...{ learningRate: LEARNING_RATE, momentum: 0, nesterov: false, weightDecay: 0 },
  clipNorm: "off",
};

type Kind = "eager" | "compiled" | "fused";

/** How a run is done. */
interface Way {
  readonly kind: Kind;
  readonly precision: Precision;
  readonly activationCheckpointing: boolean;
}

interface Ran {
  readonly losses: readonly number[];
  /** Of the first step, by the name of the parameter. */
  readonly gradients: ReadonlyMap<string, Float32Array>;
}

/** The gradient, and then the losses of some steps on two batches each, of which the second is smaller. */
function run(
  make: (rules: FamilyRules) => FamilyRun,
  rules: FamilyRules,
  { kind, precision, activationCheckpointing }: Way,
): Ran {
  const { objective, rows, dispose } = make(rules);
  const { parameters } = objective.model;
  const valuesOf = (): Map<string, Float32Array> =>
    new Map([...parameters].map(([name, variable]) => [name, variable.dataSync<"float32">().slice()]));
  const start = valuesOf();
  const config: StepConfig = { optimizer: OPTIMIZER, activationCheckpointing };
  const begin = (): TrainingStep =>
    kind === "eager"
      ? new EagerStep(objective, config)
      : new CompiledStep(objective, config, {
          ...{ longestRow: 24, longestDecoderRow: 24, packed: false, timeUnit: 1, precision },
          fuse: kind === "fused",
        });
  const batches = [
    [[0], [1], [2], [3]],
    [[4], [5]],
  ].map((tensorRows) => layOut(rows, tensorRows, "bucketed", objective.needs));
  const first = begin();
  first.update(FAR, first.measure(batches).gradientNorm);
  first.synchronise();
  const gradients = new Map(
    [...valuesOf()].map(([name, values]) => [
      name,
      values.map((value, at) => ((start.get(name)?.[at] ?? NaN) - value) / FAR),
    ]),
  );
  for (const [name, values] of start) assignValues(objective.model, name, values);
  // An eager step goes on from its own latest weights; a compiled one is not recorded again.
  if (kind === "eager") first.dispose();
  const step = kind === "eager" ? begin() : first;
  step.takeOver();
  const losses: number[] = [];
  for (let taken = 0; taken < STEPS; taken++) {
    const { loss, gradientNorm } = step.measure(batches);
    step.update(LEARNING_RATE, gradientNorm);
    losses.push(loss);
  }
  step.dispose();
  dispose();
  return { losses, gradients };
}

const lossesApart = (some: Ran, others: Ran): number =>
  Math.max(...some.losses.map((loss, step) => Math.abs(loss / (others.losses[step] ?? NaN) - 1)));

/** The norm of a parameter's difference, as a part of its own; of the worst parameter. */
function gradientsApart(some: Ran, others: Ran): number {
  const norm = (values: Float32Array): number =>
    Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0));
  assert.deepEqual([...some.gradients.keys()], [...others.gradients.keys()]);
  return Math.max(
    ...[...others.gradients].map(([name, values]) => {
      assert.ok(norm(values) > 0, `${name} has a gradient`);
      const apart = values.map((value, at) => value - (some.gradients.get(name)?.[at] ?? NaN));
      return norm(apart) / norm(values);
    }),
  );
}

/** What a second pass would be that goes on drawing where the forward pass has ended. */
function withOtherMasks<Result>(context: TestContext, body: () => Result): Result {
  const mock = context.mock.method(Dropout.prototype, "repeatable", (part: unknown) => part);
  try {
    return body();
  } finally {
    mock.mock.restore();
  }
}

const RULES = {
  "no dropout": { dropout: 0, adapted: false },
  dropout: { dropout: 0.1, adapted: false },
  "an adapter, both with dropout": { dropout: 0.1, adapted: true },
} as const satisfies Readonly<Record<string, FamilyRules>>;

interface Case {
  readonly kind: Kind;
  readonly precision: Precision;
  readonly rules: keyof typeof RULES;
  /** Largest relative difference of a parameter's gradient, and of a loss. */
  readonly gradient: number;
  readonly loss: number;
  /** Which families; default: all. */
  readonly only?: readonly string[];
}

/**
 * Kernels that are called one by one give the same bits, but for the sums of what several blocks share. In a graph
 * TensorFlow joins kernels of the one computation that it does not join in the other: a few more last bits.
 */
const CASES: readonly Case[] = [
  ...(["no dropout", "dropout", "an adapter, both with dropout"] as const).flatMap(
    (rules) =>
      [
        { kind: "eager", precision: "float32", rules, gradient: 1e-6, loss: 1e-6 },
        { kind: "compiled", precision: "float32", rules, gradient: 5e-6, loss: 1e-6 },
      ] as const,
  ),
  {
    kind: "fused",
    precision: "float32",
    rules: "dropout",
    ...{ gradient: 5e-6, loss: 1e-6 },
    only: ["masked words", "sequence to sequence"],
  },
  {
    kind: "compiled",
    precision: "bfloat16",
    rules: "an adapter, both with dropout",
    ...{ gradient: 1e-2, loss: 1e-3, only: ["classification", "span corruption, T5 1.0"] },
  },
];

for (const [family, make] of Object.entries(FAMILIES)) {
  for (const { kind, precision, rules, gradient, loss, only } of CASES) {
    if (only?.includes(family) === false) continue;
    test(`${family}, ${kind}, ${precision}, ${rules}: with blocks computed again, gradients and losses are the same`, (context) => {
      const once = (activationCheckpointing: boolean): Ran =>
        run(make, RULES[rules], { kind, precision, activationCheckpointing });
      const kept = once(false);
      const tensors = tf.memory().numTensors;
      const again = once(true);
      if (kind === "eager") assert.equal(tf.memory().numTensors, tensors, "nothing is left behind");
      const [gradients, losses] = [gradientsApart(again, kept), lossesApart(again, kept)];
      context.diagnostic(`apart: gradients ${gradients}, losses of ${STEPS} steps ${losses}`);
      assert.ok(gradients < gradient, `gradients: ${gradients}`);
      assert.ok(losses < loss, `losses: ${losses}`);
      if (RULES[rules].dropout === 0) return;
      const control = withOtherMasks(context, () => once(true));
      const [otherGradients, otherLosses] = [gradientsApart(control, kept), lossesApart(control, kept)];
      context.diagnostic(`with other masks: gradients ${otherGradients}, losses ${otherLosses}`);
      assert.ok(otherGradients > 10 * gradient, `control, gradients: ${otherGradients}`);
      assert.ok(otherLosses > loss, `control, losses: ${otherLosses}`);
    });
  }
}
