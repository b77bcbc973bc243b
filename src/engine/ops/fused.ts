import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { bindingFolder } from "../native.js";
import { tf, type TensorFlow } from "../tensorflow.js";
import { constant } from "./constants.js";
import { type OpAttribute, type RawOps, rawOps } from "./raw-ops.js";

/** The compiled library of fused ops (native/fused.cc), beside the binding of TensorFlow.js. */
export const FUSED_FILE = "ift_kit_fused.node";

let registered: boolean | undefined;
let switchedOff = false;

/**
 * The raw ops when the fused ones of the kit are among them: the native backend on a processor, with the compiled
 * library. Else undefined, and an op takes its formula of TensorFlow's own kernels (a GPU, a machine without a
 * compiler, wasm, cpu).
 */
export function fusedOps(): RawOps | undefined {
  const raw = rawOps();
  if (raw === undefined || raw.isUsingGpuDevice || switchedOff) return undefined;
  registered ??= register();
  return registered ? raw : undefined;
}

/** Runs a body without the fused ops, to compare. */
export function withoutFusedOps<Result>(body: () => Result): Result {
  const before = switchedOff;
  switchedOff = true;
  try {
    return body();
  } finally {
    switchedOff = before;
  }
}

function register(): boolean {
  const folder = bindingFolder();
  if (folder === undefined) return false;
  const file = join(folder, FUSED_FILE);
  if (!existsSync(file)) return false;
  const library = createRequire(import.meta.url)(file) as { readonly register: () => string };
  const problem = library.register();
  if (problem !== "") throw new Error(`the fused ops cannot be registered: ${problem}`);
  return true;
}

const attributeLists = new Map<string, readonly OpAttribute[]>();

/** A list of attributes, made once for its key. */
function listOf(key: string, build: () => OpAttribute[]): readonly OpAttribute[] {
  let list = attributeLists.get(key);
  if (list === undefined) {
    list = build();
    attributeLists.set(key, list);
  }
  return list;
}

/** Attributes of the normalization: whether the mean is taken off (LayerNorm) or not (RMSNorm). */
export function normAttributes(raw: RawOps, centred: boolean, epsilon?: number): readonly OpAttribute[] {
  const { TF_ATTR_BOOL, TF_ATTR_FLOAT } = raw.binding;
  return listOf(`norm:${centred},${epsilon ?? ""}`, () => [
    { name: "centred", type: TF_ATTR_BOOL, value: centred },
    ...(epsilon === undefined ? [] : [{ name: "epsilon", type: TF_ATTR_FLOAT, value: epsilon }]),
  ]);
}

/** Attributes of the way from rows to heads. */
export function headAttributes(raw: RawOps, heads: number, time: number): readonly OpAttribute[] {
  const type = raw.binding.TF_ATTR_INT;
  return listOf(`heads:${heads},${time}`, () => [
    { name: "heads", type, value: heads },
    { name: "time", type, value: time },
  ]);
}

/** Stands for an input that is left out: float32 `[0]`. */
export function absent(): TensorFlow.Tensor {
  return constant("absent", () => tf.zeros([0]));
}
