import { Bert } from "../../src/model/bert/bert.js";
import type { BertConfig } from "../../src/model/bert/config.js";
import { bertParameterSpecs } from "../../src/model/bert/parameters.js";
import type { DecoderConfig } from "../../src/model/config.js";
import { Decoder } from "../../src/model/decoder.js";
import { type ParameterSpec, parameterSpecs } from "../../src/model/parameters.js";
import type { T5Config } from "../../src/model/t5/config.js";
import { t5ParameterSpecs } from "../../src/model/t5/parameters.js";
import { T5 } from "../../src/model/t5/t5.js";
import type { ValuesOf } from "../../src/model/weighted-model.js";

/** The weights that make_decoder_goldens.py gives its models. */
export function waveDecoder(config: DecoderConfig): Decoder {
  return Decoder.fromValues(
    config,
    waveValues(parameterSpecs(config), () => 0.4),
  );
}

/** The weights that make_t5_goldens.py gives its models. */
export function waveT5(config: T5Config): T5 {
  return T5.fromValues(
    config,
    waveValues(t5ParameterSpecs(config), (name) =>
      name.endsWith(".gain") ? 0.4 : name === "embedding.token" ? 1 : 0.3,
    ),
  );
}

/** The weights that make_bert_goldens.py gives its models. */
export function waveBert(config: BertConfig): Bert {
  return Bert.fromValues(
    config,
    waveValues(bertParameterSpecs(config), () => 0.4),
  );
}

function waveValues(specs: readonly ParameterSpec[], amplitudeOf: (name: string) => number): ValuesOf {
  const sorted = specs.map(({ name }) => name).sort();
  return ({ name, shape }) => {
    const offset = name.endsWith(".gain") ? 1 : 0;
    const phase = sorted.indexOf(name);
    const length = shape.reduce((product, size) => product * size, 1);
    return Float32Array.from(
      { length },
      (_, k) => offset + amplitudeOf(name) * Math.sin(2.399963 * k + phase),
    );
  };
}
