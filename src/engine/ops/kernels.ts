import { tf, type TensorFlow } from "../tensorflow.js";
import { integerConstant, integersConstant, scalarConstant } from "./constants.js";
import { floatType, integerAttribute, NO_ATTRIBUTES, rawOps, trueAttributes } from "./raw-ops.js";

/**
 * The primitive kernels that the ops are written with. Each calls the raw TensorFlow op where the native backend runs
 * (4-5 microseconds a call) and the TF.js function elsewhere (10-18 microseconds on the native backend). They are not
 * differentiable by themselves: the gradients are those of the ops.
 */
type Tensor = TensorFlow.Tensor;

/** Matrix product of `[a, b]` and `[b, c]`, either of them transposed first. */
export function matmul(a: Tensor, b: Tensor, transposeA = false, transposeB = false): Tensor {
  const raw = rawOps();
  if (raw === undefined) return tf.matMul(a, b, transposeA, transposeB);
  const names = transposeA
    ? transposeB
      ? ["transpose_a", "transpose_b"]
      : ["transpose_a"]
    : transposeB
      ? ["transpose_b"]
      : [];
  return raw.executeSingleOutput("MatMul", trueAttributes(raw, ...names), [a, b]);
}

/** Matrix products of the last two axes; the leading axes are equal. */
export function batchMatmul(a: Tensor, b: Tensor, transposeA = false, transposeB = false): Tensor {
  const raw = rawOps();
  if (raw === undefined) return tf.matMul(a, b, transposeA, transposeB);
  const names = transposeA ? (transposeB ? ["adj_x", "adj_y"] : ["adj_x"]) : transposeB ? ["adj_y"] : [];
  return raw.executeSingleOutput("BatchMatMulV2", trueAttributes(raw, ...names), [a, b]);
}

function binary(name: string, portable: (a: Tensor, b: Tensor) => Tensor): (a: Tensor, b: Tensor) => Tensor {
  return (a, b) => {
    const raw = rawOps();
    return raw === undefined ? portable(a, b) : raw.executeSingleOutput(name, NO_ATTRIBUTES, [a, b]);
  };
}

function unary(name: string, portable: (x: Tensor) => Tensor): (x: Tensor) => Tensor {
  return (x) => {
    const raw = rawOps();
    return raw === undefined ? portable(x) : raw.executeSingleOutput(name, NO_ATTRIBUTES, [x]);
  };
}

/** Elementwise with broadcasting, as in TensorFlow. */
export const add = binary("AddV2", (a, b) => tf.add(a, b));
export const subtract = binary("Sub", (a, b) => tf.sub(a, b));
export const multiply = binary("Mul", (a, b) => tf.mul(a, b));
export const divide = binary("RealDiv", (a, b) => tf.div(a, b));
export const square = unary("Square", (x) => tf.square(x));
export const tanh = unary("Tanh", (x) => tf.tanh(x));
export const sigmoid = unary("Sigmoid", (x) => tf.sigmoid(x));
export const relu = unary("Relu", (x) => tf.relu(x));
export const rsqrt = unary("Rsqrt", (x) => tf.rsqrt(x));
export const exp = unary("Exp", (x) => tf.exp(x));
/** The error function. */
export const erf = unary("Erf", (x) => tf.erf(x));
export const log = unary("Log", (x) => tf.log(x));
export const negate = unary("Neg", (x) => tf.neg(x));
/** Softmax over the last axis. */
export const softmax = unary("Softmax", (x) => tf.softmax(x));

/** `x + value`, `x * value` with a number that is uploaded once. */
export function addScalar(x: Tensor, value: number): Tensor {
  return add(x, scalarConstant(value));
}

/** `x * value`, see `addScalar`. */
export function scale(x: Tensor, value: number): Tensor {
  return multiply(x, scalarConstant(value));
}

/** Gradient of tanh in terms of its result: `gradient * (1 - y^2)`, one pass. */
export function tanhGradient(y: Tensor, gradient: Tensor): Tensor {
  const raw = rawOps();
  if (raw !== undefined) return raw.executeSingleOutput("TanhGrad", NO_ATTRIBUTES, [y, gradient]);
  return tf.mul(gradient, tf.sub(1, tf.square(y)));
}

/** Gradient of relu in terms of its argument or its result: `gradient` where that is above 0, else 0. */
export function reluGradient(x: Tensor, gradient: Tensor): Tensor {
  const raw = rawOps();
  if (raw !== undefined) return raw.executeSingleOutput("ReluGrad", NO_ATTRIBUTES, [gradient, x]);
  return tf.mul(gradient, tf.cast(tf.greater(x, 0), "float32"));
}

/** Gradient of the sigmoid in terms of its result: `gradient * y * (1 - y)`, one pass. */
export function sigmoidGradient(y: Tensor, gradient: Tensor): Tensor {
  const raw = rawOps();
  if (raw !== undefined) return raw.executeSingleOutput("SigmoidGrad", NO_ATTRIBUTES, [y, gradient]);
  return tf.mul(gradient, tf.mul(y, tf.sub(1, y)));
}

/** Sum over some axes. */
export function sum(x: Tensor, axes: readonly number[], keepAxes = false): Tensor {
  return reduce("Sum", x, axes, keepAxes);
}

/** Mean over some axes. */
export function mean(x: Tensor, axes: readonly number[], keepAxes = false): Tensor {
  return reduce("Mean", x, axes, keepAxes);
}

/** Largest value over some axes. */
export function maximum(x: Tensor, axes: readonly number[], keepAxes = false): Tensor {
  return reduce("Max", x, axes, keepAxes);
}

function reduce(name: "Sum" | "Mean" | "Max", x: Tensor, axes: readonly number[], keepAxes: boolean): Tensor {
  const raw = rawOps();
  if (raw === undefined) return { Sum: tf.sum, Mean: tf.mean, Max: tf.max }[name](x, [...axes], keepAxes);
  const attributes = keepAxes ? trueAttributes(raw, "keep_dims") : NO_ATTRIBUTES;
  return raw.executeSingleOutput(name, attributes, [x, integersConstant(axes)]);
}

/** The same values in another shape. */
export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  const raw = rawOps();
  if (raw === undefined) return tf.reshape(x, [...shape]);
  return raw.executeSingleOutput("Reshape", NO_ATTRIBUTES, [x, integersConstant(shape)]);
}

/** Axes in another order. */
export function transpose(x: Tensor, order: readonly number[]): Tensor {
  const raw = rawOps();
  if (raw === undefined) return tf.transpose(x, [...order]);
  return raw.executeSingleOutput("Transpose", NO_ATTRIBUTES, [x, integersConstant(order)]);
}

/** Splits along the first axis, which disappears. */
export function unstack(x: Tensor, count: number): Tensor[] {
  const raw = rawOps();
  if (raw === undefined) return tf.unstack(x, 0);
  return raw.executeMultipleOutputs("Unpack", [integerAttribute(raw, "num", count)], [x], count);
}

/** Joins along a new first axis. */
export function stack(parts: readonly Tensor[]): Tensor {
  const raw = rawOps();
  if (raw === undefined) return tf.stack([...parts], 0);
  // The type of a list of tensors is not inferred.
  return raw.executeSingleOutput(
    "Pack",
    [integerAttribute(raw, "N", parts.length), floatType(raw, "T")],
    parts,
  );
}

/** Joins along an axis. */
export function concatenate(parts: readonly Tensor[], axis: number): Tensor {
  const raw = rawOps();
  if (raw === undefined) return tf.concat([...parts], axis);
  return raw.executeSingleOutput(
    "ConcatV2",
    [integerAttribute(raw, "N", parts.length), floatType(raw, "T")],
    [...parts, integerConstant(axis)],
  );
}

/** Columns of `[..., columns]` by index, in the order given. */
export function gatherColumns(x: Tensor, columns: readonly number[]): Tensor {
  const axis = x.rank - 1;
  const raw = rawOps();
  if (raw === undefined) return tf.gather(x, integersConstant(columns), axis);
  return raw.executeSingleOutput("GatherV2", NO_ATTRIBUTES, [
    x,
    integersConstant(columns),
    integerConstant(axis),
  ]);
}

/** Rows of a matrix `[rows, width]` by int32 index of any shape `[...]` -> `[..., width]`. */
export function gatherRows(table: Tensor, indices: Tensor): Tensor {
  const raw = rawOps();
  if (raw === undefined) return tf.gather(table, indices);
  return raw.executeSingleOutput("GatherV2", NO_ATTRIBUTES, [table, indices, integerConstant(0)]);
}

/** The opposite of `gatherRows`: rows `[n, width]` summed into a zero matrix `[size, width]` at int32 `indices [n]`. */
export function scatterRows(rows: Tensor, indices: Tensor, size: number): Tensor {
  const raw = rawOps();
  if (raw === undefined) {
    return tf.scatterND(tf.reshape(indices, [-1, 1]), rows, [size, ...rows.shape.slice(1)]);
  }
  return raw.executeSingleOutput("UnsortedSegmentSum", NO_ATTRIBUTES, [rows, indices, integerConstant(size)]);
}

/**
 * As `scatterRows`, for indices that differ from each other: rows are put into their places and nothing is summed, which
 * a pass over a recorded graph can tell from the op.
 */
export function placeRows(rows: Tensor, indices: Tensor, size: number): Tensor {
  const raw = rawOps();
  if (raw === undefined) return scatterRows(rows, indices, size);
  const shape = integersConstant([size, ...rows.shape.slice(1)]);
  return raw.executeSingleOutput("ScatterNd", NO_ATTRIBUTES, [reshape(indices, [-1, 1]), rows, shape]);
}

/** A part of a tensor: `size` values from `begin` along each axis. */
export function slice(x: Tensor, begin: readonly number[], size: readonly number[]): Tensor {
  const raw = rawOps();
  if (raw === undefined) return tf.slice(x, [...begin], [...size]);
  return raw.executeSingleOutput("Slice", NO_ATTRIBUTES, [
    x,
    integersConstant(begin),
    integersConstant(size),
  ]);
}

/** Values of a flat tensor `[n]` at int32 indices `[m]`. */
export function gatherValues(x: Tensor, indices: Tensor): Tensor {
  const raw = rawOps();
  if (raw === undefined) return tf.gather(x, indices);
  return raw.executeSingleOutput("GatherV2", NO_ATTRIBUTES, [x, indices, integerConstant(0)]);
}

/** Zeros after the last row: `[rows, width]` -> `[size, width]`. */
export function padRows(x: Tensor, size: number): Tensor {
  const [rows = 0] = x.shape;
  const raw = rawOps();
  if (raw === undefined)
    return tf.pad(x as TensorFlow.Tensor2D, [
      [0, size - rows],
      [0, 0],
    ]);
  const paddings = integersConstant([0, size - rows, 0, 0]);
  return tf.tidy(() => raw.executeSingleOutput("Pad", NO_ATTRIBUTES, [x, reshape(paddings, [2, 2])]));
}
