import { rmSync } from "node:fs";
import { join } from "node:path";
import type { TensorFlow } from "../engine/tensorflow.js";
import { writeFileAtomic } from "../support/files.js";
import type { WeightType } from "./half.js";
import { type StoredTensor, writeSafetensors } from "./safetensors.js";
import { INDEX_FILE, WEIGHTS_FILE } from "./weights.js";

/** Types of weights as `config.json` calls them. */
export const TORCH_TYPES: Readonly<Record<WeightType, string>> = {
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
};

/** The float32 values of a weight; not a copy on every backend. */
export function valuesOf(weight: TensorFlow.Tensor, name: string): Float32Array {
  const values = weight.dataSync();
  if (values instanceof Float32Array) return values;
  throw new Error(`the parameter ${name} is not float32`);
}

/** `transformers` wants to know that the tensors are PyTorch's. */
const METADATA = { format: "pt" };

/**
 * Writes tensors into `model.safetensors`, or into several files with an index, and removes what an earlier save with
 * another number of files left behind.
 * @param maxFileBytes most bytes of one file; default: one file
 * @throws KitError when the folder cannot be written
 */
export function writeWeights(
  directory: string,
  tensors: ReadonlyMap<string, StoredTensor>,
  maxFileBytes = Infinity,
): void {
  const files: Map<string, StoredTensor>[] = [];
  let bytes = Infinity;
  let total = 0;
  for (const [name, tensor] of tensors) {
    const own = tensor.shape.reduce((product, size) => product * size, tensor.dtype === "F32" ? 4 : 2);
    if (bytes + own > maxFileBytes || files.length === 0) {
      files.push(new Map());
      bytes = 0;
    }
    files.at(-1)?.set(name, tensor);
    bytes += own;
    total += own;
  }
  const [only] = files;
  if (files.length === 1 && only !== undefined) {
    writeSafetensors(join(directory, WEIGHTS_FILE), only, METADATA);
    rmSync(join(directory, INDEX_FILE), { force: true });
    return;
  }
  const map: Record<string, string> = {};
  const digits = (value: number): string => String(value).padStart(5, "0");
  files.forEach((part, index) => {
    const file = `model-${digits(index + 1)}-of-${digits(files.length)}.safetensors`;
    writeSafetensors(join(directory, file), part, METADATA);
    for (const name of part.keys()) map[name] = file;
  });
  writeJson(join(directory, INDEX_FILE), { metadata: { total_size: total }, weight_map: map });
  rmSync(join(directory, WEIGHTS_FILE), { force: true });
}

/** Writes a config file whole or not at all. */
export function writeJson(file: string, value: unknown): void {
  writeFileAtomic(file, `${JSON.stringify(value, null, 2)}\n`);
}
