import { tf, type TensorFlow } from "../tensorflow.js";
import { add } from "./kernels.js";
import type { Operation } from "./operation.js";
import { secondPass } from "./second-pass.js";

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

/** A part that is not recorded now, but when the backward pass runs it again: its inputs, and the parameters it uses. */
interface UnrecordedPart {
  readonly inputs: ReadonlySet<number>;
  readonly parameters: Set<number>;
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
  readonly #parameters: ReadonlySet<number>;
  /** Ids of the parameters and of what depends on them. */
  readonly #dependent: Set<number>;
  #record: TapeRecord = new TapeRecord();
  #unrecorded: UnrecordedPart | undefined;
  readonly #held: Tensor[] = [];

  private constructor(recording: boolean, parameters: readonly Tensor[]) {
    this.recording = recording;
    this.#parameters = new Set(parameters.map(({ id }) => id));
    this.#dependent = new Set(this.#parameters);
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
      const record = tape.#record;
      save(record.saved);
      return {
        value,
        gradFunc: (gradient: Tensor, kept: Tensor[]) => {
          const gradients = backpropagate(record.nodes, kept, value.id, gradient);
          tf.dispose(tape.#held);
          return parameters.map((parameter) => gradients.get(parameter.id) ?? tf.zerosLike(parameter));
        },
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
    if (this.#unrecorded !== undefined) this.#noteUse(inputs, this.#unrecorded);
    if (this.#unrecorded !== undefined || !wanted.includes(true)) {
      return tf.tidy(() => operation.forward(inputs, options).output);
    }
    const [output, ...saved] = tf.tidy(() => {
      const result = operation.forward(inputs, options);
      return [result.output, ...result.saved];
    }) as [Tensor, ...Tensor[]];
    this.#dependent.add(output.id);
    this.#record.nodes.push({
      inputs: inputs.map((input) => input?.id),
      wanted,
      output: output.id,
      saved: saved.map((tensor) => this.#record.indexOf(tensor)),
      backward: (gradient, kept) => operation.backward(gradient, kept, options, wanted),
    });
    return output;
  }

  /** Frees what `body` leaves behind but its result and what the backward pass needs. */
  scope(body: () => Tensor): Tensor {
    return this.recording ? body() : tf.tidy(body);
  }

  /**
   * Runs a part of the network of which only inputs and output are kept: the backward pass runs it again. It costs a second
   * forward pass and saves what the part's ops would keep (Chen et al. 2016, "Training deep nets with sublinear memory cost").
   * @param inputs all that the part reads besides parameters and tensors that are held, each once; several parts may share
   *   one, whose gradient is then the sum of theirs
   * @param body gives the same whenever it is run: random numbers too
   */
  recompute<const Inputs extends readonly Tensor[]>(
    inputs: Inputs,
    body: (inputs: Inputs) => Tensor,
  ): Tensor {
    if (!this.recording) return this.scope(() => body(inputs));
    const used = new Set<number>();
    this.#unrecorded = { inputs: new Set(inputs.map(({ id }) => id)), parameters: used };
    let output: Tensor;
    try {
      output = tf.tidy(() => body(inputs));
    } finally {
      this.#unrecorded = undefined;
    }
    const parameters = [...used];
    const dependent = inputs.map(({ id }) => this.#dependent.has(id));
    if (!dependent.includes(true) && parameters.length === 0) return output;
    this.#dependent.add(output.id);
    this.#record.nodes.push({
      inputs: [...inputs.map(({ id }) => id), ...parameters],
      wanted: [...dependent, ...parameters.map(() => true)],
      output: output.id,
      saved: inputs.map((input) => this.#record.indexOf(input)),
      backward: (gradient, kept) => {
        kept.forEach(({ id }, index) => {
          if (dependent[index] === true) this.#dependent.add(id);
        });
        // As many as the inputs, in their order.
        const gradients = this.#runAgain(() => body(kept as unknown as Inputs), gradient);
        return [...kept.map(({ id }) => id), ...parameters].map((id) => gradients.get(id));
      },
    });
    return output;
  }

  /** Keeps tensors that a recomputed part reads until the backward pass has ended. */
  hold(tensors: readonly (Tensor | undefined)[]): void {
    // Constants are kept already, by their owner.
    for (const tensor of tensors) {
      if (tensor !== undefined && !tensor.kept) this.#held.push(tf.keep(tensor));
    }
  }

  #noteUse(inputs: readonly (Tensor | undefined)[], part: UnrecordedPart): void {
    for (const tensor of inputs) {
      if (tensor === undefined || part.inputs.has(tensor.id)) continue;
      if (this.#parameters.has(tensor.id)) part.parameters.add(tensor.id);
      else if (this.#dependent.has(tensor.id))
        throw new Error("a recomputed part reads a result that is not its input");
    }
  }

  /** Records a part, and differentiates it. @returns gradients by the ids of inputs and parameters */
  #runAgain(body: () => Tensor, gradient: Tensor): Map<number, Tensor> {
    const outer = this.#record;
    const record = new TapeRecord();
    this.#record = record;
    try {
      const { id } = secondPass(gradient, body);
      // Clones, because what was saved is disposed after its use: a parameter must not be.
      const kept = record.saved.map((tensor) => tensor.clone());
      return backpropagate(record.nodes, kept, id, gradient);
    } finally {
      this.#record = outer;
    }
  }
}

/** What the backward pass needs of the ops that were run, in their order. */
class TapeRecord {
  readonly nodes: TapeNode[] = [];
  readonly saved: Tensor[] = [];
  readonly #index = new Map<number, number>();

  /** The place of a tensor among those that are saved, each of them once. */
  indexOf(tensor: Tensor): number {
    const known = this.#index.get(tensor.id);
    if (known !== undefined) return known;
    this.#index.set(tensor.id, this.saved.length);
    return this.saved.push(tensor) - 1;
  }
}

/**
 * The backward pass over recorded ops.
 * @param output id of the result
 * @param kept the saved tensors, which are disposed when nothing needs them any more
 * @returns gradients by id, of what no op has made: parameters and inputs
 */
function backpropagate(
  nodes: readonly TapeNode[],
  kept: readonly Tensor[],
  output: number,
  gradient: Tensor,
): Map<number, Tensor> {
  const gradients = new Map<number, Tensor>([[output, gradient.clone()]]);
  const uses = new Uint32Array(kept.length);
  for (const node of nodes) for (const index of node.saved) uses[index] = (uses[index] ?? 0) + 1;
  for (const node of nodes.toReversed()) {
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
  return gradients;
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
