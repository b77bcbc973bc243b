import { tf, type TensorFlow } from "../tensorflow.js";

/** An attribute of a TensorFlow op, as the native binding takes it. */
export interface OpAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: boolean | number | readonly number[];
}

/** The part of the tfjs-node backend that runs any eager TensorFlow op by name. */
export interface RawOps {
  readonly binding: {
    readonly TF_ATTR_BOOL: number;
    readonly TF_ATTR_INT: number;
    readonly TF_ATTR_TYPE: number;
    readonly TF_FLOAT: number;
  };
  executeSingleOutput(
    name: string,
    attributes: readonly OpAttribute[],
    inputs: readonly TensorFlow.Tensor[],
  ): TensorFlow.Tensor;
  executeMultipleOutputs(
    name: string,
    attributes: readonly OpAttribute[],
    inputs: readonly TensorFlow.Tensor[],
    outputs: number,
  ): TensorFlow.Tensor[];
}

/** No attributes: eager TensorFlow infers the types from the inputs, and each attribute given costs about a microsecond. */
export const NO_ATTRIBUTES: readonly OpAttribute[] = [];

/** The native backend when it is the one in use, else undefined (wasm and cpu take the portable path). */
export function rawOps(): RawOps | undefined {
  return tf.getBackend() === "tensorflow" ? (tf.backend() as unknown as RawOps) : undefined;
}

const booleanAttributes = new Map<string, readonly OpAttribute[]>();

/** Boolean attributes of an op, made once for each set of names that are true. */
export function trueAttributes(raw: RawOps, ...names: readonly string[]): readonly OpAttribute[] {
  if (names.length === 0) return NO_ATTRIBUTES;
  const key = names.join(",");
  let attributes = booleanAttributes.get(key);
  if (attributes === undefined) {
    attributes = names.map((name) => ({ name, type: raw.binding.TF_ATTR_BOOL, value: true }));
    booleanAttributes.set(key, attributes);
  }
  return attributes;
}

/** An integer attribute, e.g. a number of parts. */
export function integerAttribute(raw: RawOps, name: string, value: number): OpAttribute {
  return { name, type: raw.binding.TF_ATTR_INT, value };
}

/** A type attribute that says float32. */
export function floatType(raw: RawOps, name: string): OpAttribute {
  return { name, type: raw.binding.TF_ATTR_TYPE, value: raw.binding.TF_FLOAT };
}
