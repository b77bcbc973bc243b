import type { StoredTensor } from "./safetensors.js";

/** Types in which the weights of a model may be stored; in memory they are always float32. */
export const WEIGHT_TYPES = ["F32", "F16", "BF16"] as const;

/** A type of stored weights. */
export type WeightType = (typeof WEIGHT_TYPES)[number];

/** Whether a stored tensor can be a weight. */
export function isWeightType(dtype: string): dtype is WeightType {
  return (WEIGHT_TYPES as readonly string[]).includes(dtype);
}

/** float32 values of stored weights, exactly: each value of the two short types is one of float32 too. */
export function toFloat32(dtype: WeightType, data: StoredTensor["data"]): Float32Array {
  if (dtype === "F32" && data instanceof Float32Array) return data;
  if (dtype !== "F32" && data instanceof Uint16Array)
    return dtype === "BF16" ? fromBf16(data) : fromF16(data);
  throw new Error(`${data.constructor.name} does not hold ${dtype}`);
}

/** Values to store, rounded to the nearest one of the type (ties to even). Too large for F16 becomes infinite. */
export function fromFloat32(dtype: WeightType, values: Float32Array): Float32Array | Uint16Array {
  if (dtype === "F32") return values;
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(bits, dtype === "BF16" ? toBf16 : toF16);
}

function fromBf16(data: Uint16Array): Float32Array {
  const bits = new Uint32Array(data.length);
  for (let index = 0; index < data.length; index++) bits[index] = (data[index] ?? 0) << 16;
  return new Float32Array(bits.buffer);
}

function toBf16(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40; // Not a number stays one.
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

let halves: Float32Array | undefined;

/** The value of each of the 65,536 patterns, made at first use. */
function halfTable(): Float32Array {
  halves ??= Float32Array.from({ length: 65_536 }, (_, bits) => {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >>> 10) & 0x1f;
    const fraction = bits & 0x3ff;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
  return halves;
}

function fromF16(data: Uint16Array): Float32Array {
  const table = halfTable();
  const values = new Float32Array(data.length);
  for (let index = 0; index < data.length; index++) values[index] = table[data[index] ?? 0] ?? NaN;
  return values;
}

function toF16(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // 65,520 and more round to infinity.
  if (magnitude >= 0x38800000)
    return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  // Below 2^-14 the patterns count multiples of 2^-24.
  const exponent = magnitude >>> 23;
  if (exponent < 102) return sign;
  const fraction = (magnitude & 0x7fffff) | 0x800000;
  const shift = 126 - exponent;
  const half = 1 << (shift - 1);
  const kept = fraction >>> shift;
  const rest = fraction & ((1 << shift) - 1);
  return sign | (kept + (rest > half || (rest === half && (kept & 1) === 1) ? 1 : 0));
}
