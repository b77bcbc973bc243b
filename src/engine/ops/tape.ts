import { tf, type TensorFlow } from "../tensorflow.js";
import { add } from "./kernels.js";
import type { Operation } from "./operation.js";

type Tensor = TensorFlow.Tensor;

/** One op that was run, as the backward pass needs it. */
interface TapeNode {
  readonly inputs: readonly (number | undefined)[];
  /** For each input whether it depends on a parameter. */
  readonly wanted: readonly boolean[];
  readonly output: number;
  /** Indices into the tape's saved tensors. */
  readonly saved: readonly number[];
  readonly backward: (gradient: Tensor, saved: readonly Tensor[]) => readonly (Tensor | undefined)[];
}

/** A network as a function of a tape and its parameters. */
export type Network = (tape: Tape) => Tensor;

/**
 * Runs a chain of operations and differentiates it, as one node of TF.js' own tape. TF.js frees nothing during backprop
 * and records each kernel; here a saved tensor and a gradient are freed as soon as nothing needs them any more, and the
 * ops' temporaries at the end of each op. What depends on no parameter (the frozen part of a network) is not recorded, and
 * without a gradient being taken nothing is.
 */
export class Tape {
  /** Whether a gradient is being taken. */
  readonly recording: boolean;
  /** Ids of the parameters and of what depends on them. */
  readonly #dependent: Set<number>;
  readonly #nodes: TapeNode[] = [];
  readonly #saved: Tensor[] = [];
  readonly #savedIndex = new Map<number, number>();

  private constructor(recording: boolean, parameters: readonly Tensor[]) {
    this.recording = recording;
    this.#dependent = new Set(parameters.map(({ id }) => id));
  }

  /**
   * Runs a network; `tf.grads` and `tf.variableGrads` see a function of the parameters.
   * @param parameters all that a gradient is wanted for
   */
  static run(parameters: readonly Tensor[], network: Network): Tensor {
    const engine = tf.engine() as unknown as { isTapeOn(): boolean };
    if (!engine.isTapeOn()) return Tape.forward(network);
    const tape = new Tape(true, parameters);
    const run = tf.customGrad((...values: (Tensor | TensorFlow.GradSaveFunc)[]) => {
      const save = values[parameters.length] as TensorFlow.GradSaveFunc;
      const value = network(tape);
      save(tape.#saved);
      const output = value.id;
      return {
        value,
        gradFunc: (gradient: Tensor, kept: Tensor[]) => tape.#backward(output, gradient, kept, parameters),
      };
    });
    return run(...parameters);
  }

  /** Runs a network without recording. */
  static forward(network: Network): Tensor {
    return tf.tidy(() => network(new Tape(false, [])));
  }

  /** Runs one op. */
  apply<Inputs extends readonly (Tensor | undefined)[], Options>(
    operation: Operation<Inputs, Options>,
    inputs: Inputs,
    options: Options,
  ): Tensor {
    const wanted = inputs.map((input) => input !== undefined && this.#dependent.has(input.id));
    if (!wanted.includes(true)) return tf.tidy(() => operation.forward(inputs, options).output);
    const [output, ...saved] = tf.tidy(() => {
      const result = operation.forward(inputs, options);
      return [result.output, ...result.saved];
    }) as [Tensor, ...Tensor[]];
    this.#dependent.add(output.id);
    this.#nodes.push({
      inputs: inputs.map((input) => input?.id),
      wanted,
      output: output.id,
      saved: saved.map((tensor) => this.#indexOf(tensor)),
      backward: (gradient, kept) => operation.backward(gradient, kept, options, wanted),
    });
    return output;
  }

  /** Frees what `body` leaves behind but its result and what the backward pass needs. */
  scope(body: () => Tensor): Tensor {
    return this.recording ? body() : tf.tidy(body);
  }

  #indexOf(tensor: Tensor): number {
    const known = this.#savedIndex.get(tensor.id);
    if (known !== undefined) return known;
    this.#savedIndex.set(tensor.id, this.#saved.length);
    return this.#saved.push(tensor) - 1;
  }

  #backward(
    output: number,
    gradient: Tensor,
    kept: readonly Tensor[],
    parameters: readonly Tensor[],
  ): Tensor[] {
    const gradients = new Map<number, Tensor>([[output, gradient.clone()]]);
    const uses = new Uint32Array(kept.length);
    for (const node of this.#nodes) for (const index of node.saved) uses[index] = (uses[index] ?? 0) + 1;
    for (const node of this.#nodes.reverse()) {
      const arriving = gradients.get(node.output);
      if (arriving !== undefined) {
        gradients.delete(node.output);
        const needed = node.saved.flatMap((index) => kept[index] ?? []);
        const leaving = tf.tidy(() => node.backward(arriving, needed) as Tensor[]);
        const passedOn = leaving.map((part, index) => node.wanted[index] === true && part === arriving);
        leaving.forEach((part: Tensor | undefined, index) => {
          if (node.wanted[index] === true) collect(gradients, node.inputs[index], part);
          else if (part !== arriving) part?.dispose();
        });
        if (!passedOn.includes(true)) arriving.dispose();
      }
      for (const index of node.saved) {
        const left = (uses[index] ?? 0) - 1;
        uses[index] = left;
        if (left === 0) kept[index]?.dispose();
      }
    }
    return parameters.map((parameter) => {
      const own = gradients.get(parameter.id);
      gradients.delete(parameter.id);
      return own ?? tf.zerosLike(parameter);
    });
  }
}

function collect(gradients: Map<number, Tensor>, input: number | undefined, part: Tensor | undefined): void {
  if (input === undefined || part === undefined) return;
  const sofar = gradients.get(input);
  if (sofar === undefined) {
    gradients.set(input, part);
    return;
  }
  gradients.set(input, add(sofar, part));
  sofar.dispose();
  part.dispose();
}
