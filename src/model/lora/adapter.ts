import { dropoutMask } from "../../engine/ops/dropout.js";
import { tf, type TensorFlow } from "../../engine/tensorflow.js";
import { Random } from "../../support/random.js";
import type { LinearUpdate, LinearUpdates } from "../layers.js";
import {
  type AdaptableConfig,
  chooseTargets,
  type LoraConfig,
  type LoraTarget,
  parseLoraConfig,
} from "./config.js";

type Variable = TensorFlow.Variable;

/** The two matrices of an adapted layer. */
export interface LoraPair {
  readonly target: LoraTarget;
  /** `[in, rank]`; PEFT's `lora_A`, transposed. */
  readonly down: Variable;
  /** `[rank, columns]`; PEFT's `lora_B`, transposed. */
  readonly up: Variable;
}

/** Values of a matrix by the name of its parameter, e.g. from a file. */
export type LoraValues = (name: string, shape: readonly [number, number]) => Float32Array;

/** Low-rank updates of some linear layers of a model: all that is trained while the model stays as it is. */
export class LoraAdapter {
  readonly config: LoraConfig;
  /** `layers.0.attention.query.lora.down`, `….up` and so on. */
  readonly parameters: ReadonlyMap<string, Variable>;
  readonly pairs: readonly LoraPair[];

  private constructor(config: LoraConfig, pairs: readonly LoraPair[]) {
    this.config = config;
    this.pairs = pairs;
    this.parameters = new Map(
      pairs.flatMap(({ target: { name }, down, up }) => [
        [downName(name), down],
        [upName(name), up],
      ]),
    );
  }

  /**
   * An adapter that changes nothing yet: the first matrix is uniform in ±1 / sqrt(in) as PEFT starts it, the second zero.
   * @throws KitError when the config or a target is wrong
   */
  static create(model: AdaptableConfig, config: LoraConfig): LoraAdapter {
    const { seed } = config;
    return LoraAdapter.fromValues(model, config, (name, [rows, columns]) => {
      const values = new Float32Array(rows * columns);
      if (name.endsWith(UP)) return values;
      const random = Random.derive(seed, name);
      const limit = 1 / Math.sqrt(rows);
      return values.map(() => limit * (2 * random.next() - 1));
    });
  }

  /** An adapter with given values. @throws KitError when the config or a target is wrong */
  static fromValues(model: AdaptableConfig, config: LoraConfig, valuesOf: LoraValues): LoraAdapter {
    const checked = parseLoraConfig(config);
    const targets = chooseTargets(model, checked);
    const made: Variable[] = [];
    const variable = (name: string, rows: number, columns: number): Variable => {
      const value = tf.tensor2d(valuesOf(name, [rows, columns]), [rows, columns]);
      const result = tf.variable(value, true);
      value.dispose();
      made.push(result);
      return result;
    };
    try {
      const { rank } = checked;
      const pairs = targets.map((target): LoraPair => {
        const [begin, end] = target.columns;
        const down = variable(downName(target.name), target.inputs, rank);
        return { target, down, up: variable(upName(target.name), rank, end - begin) };
      });
      return new LoraAdapter(checked, pairs);
    } catch (error) {
      for (const each of made) each.dispose();
      throw error;
    }
  }

  /** What an update is multiplied by. */
  get scale(): number {
    return this.config.alpha / this.config.rank;
  }

  /** Number of trained numbers. */
  get parameterCount(): number {
    return [...this.parameters.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /**
   * The updates as the forward pass takes them.
   * @param dropoutSeed int32 `[2]`, another one for each pass; without it there is no dropout
   */
  updates(dropoutSeed: TensorFlow.Tensor | undefined): LinearUpdates {
    const { dropout, seed } = this.config;
    const byLayer = new Map<string, LinearUpdate[]>();
    this.pairs.forEach(({ target, down, up }, index) => {
      const update: LinearUpdate = {
        ...{ down, up, scale: this.scale, columns: target.columns },
        mask: (rows) =>
          dropoutSeed === undefined || dropout === 0
            ? undefined
            : dropoutMask([rows, target.inputs], dropout, dropoutSeed, (seed % 65_536) * 16_384 + index),
      };
      byLayer.set(target.layer, [...(byLayer.get(target.layer) ?? []), update]);
    });
    return byLayer;
  }

  dispose(): void {
    for (const parameter of this.parameters.values()) parameter.dispose();
  }
}

const UP = ".lora.up";

/** Name of an adapted layer's first matrix. */
export function downName(target: string): string {
  return `${target}.lora.down`;
}

/** Name of an adapted layer's second matrix. */
export function upName(target: string): string {
  return `${target}${UP}`;
}
