import type { TensorFlow } from "../engine/tensorflow.js";
import { fromFloat32, type WeightType } from "./half.js";
import type { StoredParameter } from "./hugging-face/names.js";
import { joinParts, partOf } from "./hugging-face/parts.js";
import type { ParameterSpec } from "./parameters.js";
import type { StoredTensor } from "./safetensors.js";
import { corrupt } from "./safetensors-header.js";
import type { WeightsFolder } from "./weights.js";
import { valuesOf } from "./write-weights.js";

/** Where a parameter is in a checkpoint. */
export type StoredIn = (spec: Pick<ParameterSpec, "name" | "shape">) => StoredParameter;

/** The tensors of a checkpoint; their values are made when they are asked for. */
export function storedTensors(
  model: { weight(name: string): TensorFlow.Tensor },
  specs: readonly ParameterSpec[],
  storedIn: StoredIn,
  type: WeightType,
): Map<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  for (const spec of specs) {
    const weight = model.weight(spec.name);
    const { parts, transposed } = storedIn(spec);
    for (const part of parts) {
      tensors.set(part.name, {
        dtype: type,
        shape: part.shape,
        get data(): Float32Array | Uint16Array {
          return fromFloat32(type, partOf(valuesOf(weight, spec.name), spec.shape, part.columns, transposed));
        },
      });
    }
  }
  return tensors;
}

/**
 * The values of a parameter.
 * @throws KitError when one of them is not a finite number
 */
export function readParameter(
  weights: WeightsFolder,
  { shape }: ParameterSpec,
  { parts, transposed }: StoredParameter,
): Float32Array {
  const read = parts.map(({ name, columns }) => ({ columns, values: weights.read(name) }));
  return joinParts(read, shape, transposed);
}

/**
 * Checks that every parameter is there in its shape, and nothing else is.
 * @param ignored whether a tensor can be left out: it holds no parameter
 * @throws KitError that names the tensor
 */
export function checkTensors(
  weights: WeightsFolder,
  specs: readonly ParameterSpec[],
  storedIn: StoredIn,
  ignored: (name: string) => boolean,
): void {
  const left = new Set(weights.names);
  for (const spec of specs) {
    for (const { name, shape } of storedIn(spec).parts) {
      weights.check(name, shape);
      left.delete(name);
    }
  }
  const unknown = [...left].find((name) => !ignored(name));
  if (unknown === undefined) return;
  throw corrupt(
    weights.path,
    `the tensor "${unknown}" is no parameter of the model that config.json describes`,
  );
}
