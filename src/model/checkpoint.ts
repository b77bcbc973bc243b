import { join } from "node:path";
import type { TensorFlow } from "../engine/tensorflow.js";
import { KitError } from "../support/errors.js";
import { readJsonFile, writeFileAtomic } from "../support/files.js";
import { type DecoderConfig, parseDecoderConfig } from "./config.js";
import { Decoder } from "./decoder.js";
import { parameterSpecs } from "./parameters.js";
import { readSafetensors, type StoredTensor, writeSafetensors } from "./safetensors.js";
import { corrupt, type Header } from "./safetensors-header.js";

/** Names of the files of a model folder. */
export const CONFIG_FILE = "config.json";
export const WEIGHTS_FILE = "model.safetensors";

/** Says what the config is of; other kinds of models will have other names. */
const ARCHITECTURE = "ift-kit-decoder";

/**
 * Writes `config.json` and `model.safetensors` into a folder, which is made when it is not there. Each file is written
 * whole or not at all.
 * @throws KitError when the folder cannot be written
 */
export function saveDecoder(directory: string, decoder: Decoder): void {
  const tensors = new Map<string, StoredTensor>();
  for (const [name, parameter] of decoder.parameters) {
    tensors.set(name, { dtype: "F32", shape: parameter.shape, data: valuesOf(parameter) });
  }
  writeSafetensors(join(directory, WEIGHTS_FILE), tensors, { format: ARCHITECTURE });
  const config = JSON.stringify({ architecture: ARCHITECTURE, ...decoder.config }, null, 2);
  writeFileAtomic(join(directory, CONFIG_FILE), `${config}\n`);
}

function valuesOf(parameter: TensorFlow.Variable): Float32Array {
  const values = parameter.dataSync();
  if (values instanceof Float32Array) return values;
  throw new Error(`the parameter ${parameter.name} is not float32`);
}

/**
 * Reads a decoder that `saveDecoder` wrote. Config and header are checked against each other before memory is taken.
 * @throws KitError when a file is missing, cut off or corrupt, or the two do not fit together
 */
export function loadDecoder(directory: string): Decoder {
  const config = loadDecoderConfig(directory);
  const file = join(directory, WEIGHTS_FILE);
  const { tensors } = readSafetensors(file, (header) => checkHeader(file, header, config));
  const values = new Map([...tensors].map(([name, tensor]) => [name, finiteValues(file, name, tensor)]));
  return Decoder.fromValues(config, ({ name }) => values.get(name) ?? new Float32Array());
}

/**
 * The config of a saved decoder.
 * @throws KitError when it is missing or wrong
 */
export function loadDecoderConfig(directory: string): DecoderConfig {
  const file = join(directory, CONFIG_FILE);
  const value = readJsonFile(file);
  if (typeof value !== "object" || value === null || !("architecture" in value)) {
    throw new KitError("this is not the config of a model of ift-kit", "give the folder of a saved model", {
      file,
      field: "architecture",
    });
  }
  const { architecture, ...config } = value;
  if (architecture !== ARCHITECTURE) {
    throw new KitError(
      `the architecture is ${JSON.stringify(architecture)}, known is "${ARCHITECTURE}"`,
      "give the folder of a model that ift-kit saved",
      { file, field: "architecture" },
    );
  }
  return parseDecoderConfig(config, { file });
}

function checkHeader(file: string, { entries }: Header, config: DecoderConfig): void {
  const stored = new Map(entries.map((entry) => [entry.name, entry]));
  for (const { name, shape } of parameterSpecs(config)) {
    const entry = stored.get(name);
    stored.delete(name);
    const wanted = `F32 [${shape.join(", ")}]`;
    if (entry === undefined) throw corrupt(file, `the parameter "${name}" (${wanted}) is missing`);
    const found = `${entry.dtype} [${entry.shape.join(", ")}]`;
    if (found !== wanted)
      throw corrupt(file, `the parameter "${name}" is ${found}, ${CONFIG_FILE} says ${wanted}`);
  }
  const [unknown] = stored.keys();
  if (unknown !== undefined) {
    throw corrupt(file, `the tensor "${unknown}" is no parameter of the model that ${CONFIG_FILE} describes`);
  }
}

function finiteValues(file: string, name: string, { data }: StoredTensor): Float32Array {
  if (!(data instanceof Float32Array)) throw new Error(`the header of ${name} was not checked`);
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw corrupt(file, `value ${bad} of the parameter "${name}" is ${data[bad] ?? ""}`);
  return data;
}
