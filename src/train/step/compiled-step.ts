import { fuseRegions } from "../../engine/compile/passes/fuse.js";
import { prune } from "../../engine/compile/passes/prune.js";
import { shareEqualNodes } from "../../engine/compile/passes/share.js";
import type { Graph } from "../../engine/compile/graph.js";
import { type Feeds, GraphSession } from "../../engine/compile/session.js";
import { tf, type TensorFlow } from "../../engine/tensorflow.js";
import { correctedForKernel, floatsOf } from "../adam.js";
import type { BatchArrays } from "../batch.js";
import type { OptimizerConfig } from "../config.js";
import { batchTensors, type TrainableModel } from "../loss.js";
import type { Moments } from "../optimizer.js";
import { fillUp, type ShapePlan } from "./batch-shapes.js";
import { recordLoss } from "./record-loss.js";
import { addOptimizer, FETCH, fetchAssign, fetchValue, variableNames } from "./training-graph.js";
import type { SavedOptimizer, StepMeasure, TrainingStep } from "./training-step.js";

/**
 * A step that is recorded once from the eager one and then run as one TensorFlow graph, for batches of every size.
 * Parameters, moments and the gradient are variables of the session; native engine only.
 */
export class CompiledStep implements TrainingStep {
  readonly #model: TrainableModel;
  readonly #config: OptimizerConfig;
  readonly #session: GraphSession;
  readonly #plan: ShapePlan;
  #count: number;

  /**
   * @param plan what the batches of the run can be like
   * @throws KitError that names what cannot be recorded faithfully
   */
  constructor(model: TrainableModel, config: OptimizerConfig, plan: ShapePlan, saved?: SavedOptimizer) {
    this.#model = model;
    this.#config = config;
    this.#plan = plan;
    this.#count = saved?.count ?? 0;
    const shapesOf = (variables: TrainableModel["parameters"]): Map<string, readonly number[]> =>
      new Map([...variables].map(([name, { shape }]) => [name, shape]));
    const shapes = shapesOf(model.parameters);
    const frozen = shapesOf(model.frozen ?? new Map());
    const graph = addOptimizer(recordLoss(model, plan), shapes, frozen, config);
    this.#session = new GraphSession(lower(graph, plan));
    this.#initialise(saved);
  }

  measure(batches: readonly BatchArrays[]): StepMeasure {
    const supervised = batches.reduce((sum, { targets }) => sum + targets.length, 0);
    return tf.tidy(() => {
      const share = tf.scalar(1 / supervised);
      const losses = batches.map((given, index) => {
        const arrays = fillUp(given, this.#plan);
        const feeds: Feeds = {
          ...batchTensors(arrays),
          share,
          batch: tf.scalar(arrays.batch, "int32"),
          time: tf.scalar(arrays.time, "int32"),
          targetCount: tf.scalar(arrays.targets.length, "int32"),
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
    const { beta1, beta2, epsilon, weightDecay, clipNorm } = this.#config;
    const count = ++this.#count;
    const clip = clipNorm === "off" ? 1 : Math.min(1, clipNorm / (gradientNorm + 1e-6));
    const corrected = correctedForKernel({ learningRate, beta1, beta2, epsilon, count });
    tf.tidy(() => {
      const feeds = {
        rate: tf.scalar(corrected.learningRate),
        epsilon: tf.scalar(corrected.epsilon),
        ...(weightDecay === 0 ? {} : { keep: tf.scalar(1 - learningRate * weightDecay) }),
      };
      if (clip === 1) this.#session.run(feeds, [FETCH.update]);
      else this.#session.run({ ...feeds, clip: tf.scalar(clip) }, [FETCH.clippedUpdate]);
    });
  }

  /** The next step's first batch replaces the gradient. */
  discard(): void {
    return undefined;
  }

  synchronise(): void {
    for (const [name, variable] of this.#model.parameters) {
      tf.tidy(() => variable.assign(this.#value(name)));
    }
  }

  moments(): Map<string, Moments> {
    const floats = (variable: string): Float32Array => tf.tidy(() => floatsOf(this.#value(variable)));
    return new Map(
      [...this.#model.parameters.keys()].map((name) => {
        const { first, second } = variableNames(name);
        return [name, { first: floats(first), second: floats(second) }];
      }),
    );
  }

  dispose(): void {
    this.#session.dispose();
  }

  #initialise(saved: SavedOptimizer | undefined): void {
    for (const [name, variable] of this.#model.frozen ?? []) this.#assign(name, variable);
    for (const [name, variable] of this.#model.parameters) {
      const names = variableNames(name);
      tf.tidy(() => {
        const moment = (values: Float32Array | undefined): TensorFlow.Tensor =>
          values === undefined ? tf.zeros(variable.shape) : tf.tensor(values.slice(), variable.shape);
        const { first, second } = saved?.moments.get(name) ?? {};
        this.#assign(names.parameter, variable);
        this.#assign(names.first, moment(first));
        this.#assign(names.second, moment(second));
      });
    }
  }

  #assign(variable: string, value: TensorFlow.Tensor): void {
    this.#session.run({ [variable]: value }, [fetchAssign(variable)]);
  }

  #value(variable: string): TensorFlow.Tensor {
    const [value] = this.#session.run({}, [fetchValue(variable)]);
    if (value === undefined) throw new Error(`the session gave no value of ${variable}`);
    return value;
  }

  #numbers(feeds: Feeds, fetch: string): number[] {
    return this.#session.run(feeds, [fetch]).flatMap((tensor) => Array.from(tensor.dataSync()));
  }
}

/** The passes from what was recorded to what is run. */
function lower(graph: Graph, { fuse }: ShapePlan): Graph {
  const small = prune(shareEqualNodes(graph));
  // The number of targets is another in nearly every batch.
  return fuse ? fuseRegions(small, ["targetCount"]) : small;
}
