import { useBfloat16 } from "../../engine/compile/passes/bfloat16.js";
import { fuseRegions } from "../../engine/compile/passes/fuse.js";
import { prune } from "../../engine/compile/passes/prune.js";
import { shareEqualNodes } from "../../engine/compile/passes/share.js";
import { joined } from "../../engine/compile/passes/join.js";
import type { Graph } from "../../engine/compile/graph.js";
import { type Feeds, GraphSession } from "../../engine/compile/session.js";
import { tf, type TensorFlow } from "../../engine/tensorflow.js";
import { CompiledDecoder } from "../../model/compiled/compiled-decoder.js";
import { decoderGraphs } from "../../model/compiled/decoder-graphs.js";
import { Decoder } from "../../model/decoder.js";
import { floatsOf } from "../adam.js";
import type { BatchArrays } from "../batch.js";
import { dropoutSeed, termCounts } from "../loss.js";
import { lossOptions } from "../loss-options.js";
import { batchTensors, type Objective, type Trainable } from "../objective.js";
import { clipFactor } from "../optimizer.js";
import { updateRule } from "../optimizers/index.js";
import type { SavedOptimizer, Slots } from "../optimizers/rule.js";
import { AVERAGE_SLOT, averageShare, type WeightChoice } from "../weight-average.js";
import { fillUp, type ShapePlan } from "./batch-shapes.js";
import { updateNumbers } from "./parameter-update.js";
import {
  recordLoss,
  recordSums,
  shareName,
  sizesOf,
  sumOutput,
  validationInput,
  withNames,
} from "./record-loss.js";
import {
  addOptimizer,
  AVERAGE_SHARE,
  CLIP,
  FETCH,
  fetchAssign,
  fetchValue,
  slotVariable,
  stepNumber,
} from "./training-graph.js";
import type { StepConfig, StepMeasure, TrainingStep } from "./training-step.js";

/**
 * A step that is recorded once from the eager one and then run as one TensorFlow graph, for batches of every size.
 * Parameters, what the optimizer keeps and the gradient are variables of the session; native engine only. The same
 * session measures validation losses, and scores and decodes with a decoder, where the plan says so.
 */
export class CompiledStep implements TrainingStep {
  readonly #model: Trainable;
  readonly #config: StepConfig;
  readonly #session: GraphSession;
  readonly #plan: ShapePlan;
  readonly #release: () => void;
  #count: number;
  /** Which weights are in the parameters' own variables of the session; the other ones are in the averages'. */
  #shown: WeightChoice = "latest";

  /**
   * @param plan what the batches of the run can be like
   * @throws KitError that names what cannot be recorded faithfully
   */
  constructor(objective: Objective, config: StepConfig, plan: ShapePlan, saved?: SavedOptimizer) {
    const { model } = objective;
    this.#model = model;
    this.#config = config;
    this.#plan = plan;
    this.#count = saved?.count ?? 0;
    const shapesOf = (variables: Trainable["parameters"]): Map<string, readonly number[]> =>
      new Map([...variables].map(([name, { shape }]) => [name, shape]));
    const shapes = shapesOf(model.parameters);
    const frozen = shapesOf(model.frozen ?? new Map());
    const graph = addOptimizer(
      recordLoss(objective, plan, lossOptions(config, objective)),
      shapes,
      frozen,
      config,
    );
    const answers = plan.answers === true && model instanceof Decoder;
    this.#session = new GraphSession(
      [
        ...(plan.validates === true ? [lowerSums(recordSums(objective, plan))] : []),
        ...(answers ? [decoderGraphs(model)] : []),
      ].reduce(joined, lower(graph, plan)),
    );
    this.#release = answers ? CompiledDecoder.within(model, this.#session) : () => undefined;
    this.#initialise(saved);
  }

  measure(batches: readonly BatchArrays[]): StepMeasure {
    this.#show("latest");
    const counts = termCounts(batches);
    return tf.tidy(() => {
      const shares = counts.map((count, term): [string, TensorFlow.Tensor] => [
        shareName(term),
        tf.scalar(1 / count),
      ]);
      const losses = batches.map((given, index) => {
        const arrays = fillUp(given, this.#plan);
        const feeds: Feeds = {
          ...batchTensors(arrays),
          ...(this.#model.hasDropout === true ? { dropoutSeed: dropoutSeed(this.#count, index) } : {}),
          ...Object.fromEntries(shares),
          ...this.#sizes(arrays),
        };
        return this.#numbers(feeds, index === 0 ? FETCH.firstBatch : FETCH.nextBatch)[0] ?? NaN;
      });
      const halves = this.#numbers({}, FETCH.squares);
      return {
        loss: losses.reduce((sum, loss) => sum + loss, 0),
        gradientNorm: Math.sqrt(2 * halves.reduce((sum, half) => sum + half, 0)),
      };
    });
  }

  update(learningRate: number, gradientNorm: number): void {
    const { optimizer, weightAverage } = this.#config;
    const count = ++this.#count;
    const numbers = Object.entries(updateNumbers(optimizer, { learningRate, count }));
    tf.tidy(() => {
      const feeds = {
        ...Object.fromEntries(numbers.map(([name, value]) => [stepNumber(name), tf.scalar(value)])),
        ...(optimizer.clipNorm === "off" ? {} : { [CLIP]: tf.scalar(clipFactor(optimizer, gradientNorm)) }),
        ...(weightAverage && { [AVERAGE_SHARE]: tf.scalar(averageShare(weightAverage.decay, count)) }),
      };
      this.#do(feeds, FETCH.update);
    });
  }

  /** The next step's first batch replaces the gradient. */
  discard(): void {
    return undefined;
  }

  synchronise(weights: WeightChoice = "latest"): void {
    this.#show(weights);
    for (const [name, variable] of this.#model.parameters) {
      tf.tidy(() => variable.assign(this.#value(name)));
    }
  }

  takeOver(): void {
    for (const [name, variable] of this.#model.parameters) this.#assign(name, variable);
  }

  /** In float32, whatever the precision of the training. */
  lossSums(arrays: BatchArrays): number[] {
    const filled = fillUp(arrays, this.#plan);
    const terms = termCounts([arrays]).map((_, term) => sumOutput(term));
    return tf.tidy(() => {
      const feeds = withNames<TensorFlow.Tensor>(validationInput, {
        ...batchTensors(filled),
        ...this.#sizes(filled),
      });
      return this.#session.run(feeds, terms).map((sum) => sum.dataSync()[0] ?? NaN);
    });
  }

  slots(): Map<string, Slots> {
    const floats = (variable: string): Float32Array => tf.tidy(() => floatsOf(this.#value(variable)));
    this.#show("latest");
    return new Map(
      [...this.#model.parameters].map(([name, { shape }]) => [
        name,
        Object.fromEntries(
          Object.keys(this.#slotShapes(shape)).map((slot) => [slot, floats(slotVariable(slot, name))]),
        ),
      ]),
    );
  }

  dispose(): void {
    this.#release();
    this.#session.dispose();
  }

  #show(weights: WeightChoice): void {
    if (weights !== this.#shown) this.#do({}, FETCH.swap);
    this.#shown = weights;
  }

  #initialise(saved: SavedOptimizer | undefined): void {
    for (const [name, variable] of this.#model.frozen ?? []) this.#assign(name, variable);
    for (const [name, variable] of this.#model.parameters) {
      this.#assign(name, variable);
      for (const [slot, shape] of Object.entries(this.#slotShapes(variable.shape))) {
        const values = saved?.slots.get(name)?.[slot];
        const start = values === undefined ? tf.zeros([...shape]) : tf.tensor(values.slice(), [...shape]);
        this.#assign(slotVariable(slot, name), start);
        start.dispose();
      }
    }
  }

  /** Shapes of what is kept for a parameter of a shape. */
  #slotShapes(shape: readonly number[]): Readonly<Record<string, readonly number[]>> {
    const { optimizer, weightAverage } = this.#config;
    return { ...updateRule(optimizer).slots(shape), ...(weightAverage && { [AVERAGE_SLOT]: shape }) };
  }

  #assign(variable: string, value: TensorFlow.Tensor): void {
    this.#do({ [variable]: value }, fetchAssign(variable));
  }

  /** Runs what has no value. */
  #do(feeds: Feeds, fetch: string): void {
    tf.dispose(this.#session.run(feeds, [fetch]));
  }

  #value(variable: string): TensorFlow.Tensor {
    const [value] = this.#session.run({}, [fetchValue(variable)]);
    if (value === undefined) throw new Error(`the session gave no value of ${variable}`);
    return value;
  }

  #sizes(arrays: BatchArrays): Record<string, TensorFlow.Tensor> {
    return Object.fromEntries(
      Object.entries(sizesOf(arrays, this.#plan)).map(([name, size]) => [name, tf.scalar(size, "int32")]),
    );
  }

  #numbers(feeds: Feeds, fetch: string): number[] {
    return this.#session.run(feeds, [fetch]).flatMap((tensor) => Array.from(tensor.dataSync()));
  }
}

/** The passes from what was recorded to what is run. */
function lower(graph: Graph, { fuse, precision }: ShapePlan): Graph {
  const chosen = precision === "bfloat16" ? useBfloat16(graph) : graph;
  const small = prune(shareEqualNodes(chosen));
  // The numbers of targets are others in nearly every batch.
  return fuse ? fuseRegions(small, ["targetCount", "labelCount"]) : small;
}

/**
 * The passes for the terms of a validation's loss. No regions: its batches have other shapes than the training's, and
 * compiling regions for them takes longer than they save.
 */
function lowerSums(graph: Graph): Graph {
  return prune(shareEqualNodes(graph));
}
