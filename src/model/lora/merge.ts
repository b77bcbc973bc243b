import { Decoder } from "../decoder.js";
import { Bert } from "../bert/bert.js";
import type { LanguageModel } from "../load.js";
import { T5 } from "../t5/t5.js";
import type { ValuesOf } from "../weighted-model.js";
import type { LoraAdapter, LoraPair } from "./adapter.js";

/**
 * A model whose weights have the updates of an adapter in them: it computes what `model.withAdapter(adapter)` does up
 * to rounding, at no cost. The given model stays as it is, bit for bit.
 */
export function mergeAdapter<Model extends LanguageModel | Bert>(model: Model, adapter: LoraAdapter): Model;
export function mergeAdapter(model: LanguageModel | Bert, adapter: LoraAdapter): LanguageModel | Bert {
  return shifted(model, adapter, 1);
}

/**
 * Takes the updates of an adapter out of merged weights again, e.g. of a merged folder whose base is lost. Each weight is
 * what it was before within one rounding of the merged weight; for the exact ones keep the base.
 */
export function unmergeAdapter<Model extends LanguageModel | Bert>(model: Model, adapter: LoraAdapter): Model;
export function unmergeAdapter(model: LanguageModel | Bert, adapter: LoraAdapter): LanguageModel | Bert {
  return shifted(model, adapter, -1);
}

/** A copy with `weight + sign * scale * down up`; sums in float64, rounded once. */
function shifted(model: LanguageModel | Bert, adapter: LoraAdapter, sign: 1 | -1): LanguageModel | Bert {
  const valuesOf: ValuesOf = ({ name }) => {
    const values = model.weight(name).dataSync<"float32">().slice();
    for (const pair of adapter.pairs) {
      if (name === `${pair.target.layer}.weight`) addUpdate(values, pair, sign * adapter.scale);
    }
    return values;
  };
  if (model instanceof Bert) return Bert.fromValues(model.config, valuesOf);
  return model instanceof T5
    ? T5.fromValues(model.config, valuesOf)
    : Decoder.fromValues(model.config, valuesOf);
}

function addUpdate(values: Float32Array, { target, down, up }: LoraPair, factor: number): void {
  const { inputs, outputs, columns } = target;
  const [begin, end] = columns;
  const width = end - begin;
  const [, rank = 0] = down.shape;
  const [downValues, upValues] = [down, up].map((matrix) => matrix.dataSync<"float32">());
  if (downValues === undefined || upValues === undefined)
    throw new Error("an adapted layer has two matrices");
  const update = new Float64Array(width);
  for (let row = 0; row < inputs; row++) {
    update.fill(0);
    for (let inner = 0; inner < rank; inner++) {
      const weight = downValues[row * rank + inner] ?? NaN;
      for (let column = 0; column < width; column++) {
        update[column] = (update[column] ?? 0) + weight * (upValues[inner * width + column] ?? NaN);
      }
    }
    for (let column = 0; column < width; column++) {
      const place = row * outputs + begin + column;
      values[place] = (values[place] ?? NaN) + factor * (update[column] ?? NaN);
    }
  }
}
