import type { DecoderConfig } from "../../src/model/config.js";
import { Decoder } from "../../src/model/decoder.js";
import { parameterSpecs } from "../../src/model/parameters.js";

/** The weights that make_decoder_goldens.py gives its models. */
export function waveDecoder(config: DecoderConfig): Decoder {
  const sorted = parameterSpecs(config)
    .map(({ name }) => name)
    .sort();
  return Decoder.fromValues(config, ({ name, shape }) => {
    const offset = name.endsWith(".gain") ? 1 : 0;
    const phase = sorted.indexOf(name);
    const length = shape.reduce((product, size) => product * size, 1);
    return Float32Array.from({ length }, (_, k) => offset + 0.4 * Math.sin(2.399963 * k + phase));
  });
}
