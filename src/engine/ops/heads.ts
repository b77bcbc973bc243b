import type { TensorFlow } from "../tensorflow.js";
import { absent, fusedOps, headAttributes } from "./fused.js";
import { reshape, scale, stack, transpose, unstack } from "./kernels.js";
import { NO_ATTRIBUTES } from "./raw-ops.js";
import { rotate, rotateGradient, type RotaryAngles } from "./rotary.js";

type Tensor = TensorFlow.Tensor;

/** What attention mixes, each `[batch, heads, time, headWidth]`; the query holds the factor `1 / sqrt(headWidth)`. */
export interface Heads {
  readonly scaledQuery: Tensor;
  readonly key: Tensor;
  readonly value: Tensor;
}

/** Order of the axes that takes `[batch, time, heads, headWidth]` to `[batch, heads, time, headWidth]` and back. */
const SWAPPED = [0, 2, 1, 3];

/**
 * `[batch * time, 3 * width]` -> scaled (and turned) query, (turned) key and value, each
 * `[batch, heads, time, headWidth]`.
 */
export function splitHeads(
  joint: Tensor,
  time: number,
  heads: number,
  rotary: RotaryAngles | undefined,
): Heads {
  const [scaledQuery, key, value] = splitParts(joint, time, heads, rotary);
  if (scaledQuery === undefined || key === undefined || value === undefined)
    throw new Error("splitHeads: a part is missing");
  return { scaledQuery, key, value };
}

function splitParts(
  joint: Tensor,
  time: number,
  heads: number,
  rotary: RotaryAngles | undefined,
): (Tensor | undefined)[] {
  const fused = fusedOps();
  if (fused !== undefined) {
    const inputs = [joint, rotary?.cosines ?? absent(), rotary?.sines ?? absent()];
    return fused.executeMultipleOutputs("IftKitSplitHeads", headAttributes(fused, heads, time), inputs, 3);
  }
  const [rows = 0, columns = 0] = joint.shape;
  const headWidth = columns / 3 / heads;
  const batch = rows / time;
  const turned =
    rotary === undefined ? joint : rotate(reshape(joint, [batch, time, columns]), rotary, headWidth);
  const parted = transpose(reshape(turned, [batch, time, 3, heads, headWidth]), [2, 0, 3, 1, 4]);
  const [query, key, value] = unstack(parted, 3);
  if (query === undefined || rotary !== undefined) return [query, key, value];
  // Rotary angles hold the factor already.
  return [scale(query, 1 / Math.sqrt(headWidth)), key, value];
}

/** The gradient of `splitHeads` with respect to `joint`, from those of its parts. */
export function splitHeadsGradient(
  { scaledQuery, key, value }: Heads,
  rotary: RotaryAngles | undefined,
): Tensor {
  const fused = fusedOps();
  if (fused !== undefined) {
    const inputs = [scaledQuery, key, value, rotary?.cosines ?? absent(), rotary?.sines ?? absent()];
    return fused.executeSingleOutput("IftKitSplitHeadsGradient", NO_ATTRIBUTES, inputs);
  }
  const [batch = 0, heads = 0, time = 0, headWidth = 0] = key.shape;
  const columns = 3 * heads * headWidth;
  const query = rotary === undefined ? scale(scaledQuery, 1 / Math.sqrt(headWidth)) : scaledQuery;
  const joined = transpose(stack([query, key, value]), [1, 3, 0, 2, 4]);
  if (rotary === undefined) return reshape(joined, [batch * time, columns]);
  const turned = rotateGradient(reshape(joined, [batch, time, columns]), rotary, headWidth);
  return reshape(turned, [batch * time, columns]);
}

/** `[batch, heads, time, headWidth]` -> `[batch * time, width]` */
export function joinHeads(x: Tensor): Tensor {
  const fused = fusedOps();
  if (fused !== undefined) return fused.executeSingleOutput("IftKitJoinHeads", NO_ATTRIBUTES, [x]);
  const [batch = 0, heads = 0, time = 0, headWidth = 0] = x.shape;
  return reshape(transpose(x, SWAPPED), [batch * time, heads * headWidth]);
}

/** `[batch * time, width]` -> `[batch, heads, time, headWidth]`: the gradient of `joinHeads`. */
export function partHeads(x: Tensor, time: number, heads: number): Tensor {
  const fused = fusedOps();
  if (fused !== undefined) {
    return fused.executeSingleOutput("IftKitPartHeads", headAttributes(fused, heads, time), [x]);
  }
  const [rows = 0, width = 0] = x.shape;
  return transpose(reshape(x, [rows / time, time, heads, width / heads]), SWAPPED);
}
