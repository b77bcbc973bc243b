import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { KitError } from "../support/errors.js";
import { readJsonFile } from "../support/files.js";
import { isWeightType, toFloat32 } from "./half.js";
import { SafetensorsFile } from "./safetensors.js";
import { corrupt, type HeaderEntry } from "./safetensors-header.js";

/** The file of the weights, or the index of several, as `transformers` names them. */
export const WEIGHTS_FILE = "model.safetensors";
export const INDEX_FILE = "model.safetensors.index.json";

/** A stored tensor and the file that it is in. */
interface Place {
  readonly file: SafetensorsFile;
  readonly entry: HeaderEntry;
}

const indexSchema = z.looseObject({ weight_map: z.record(z.string(), z.string()) });

/** The weights of a model folder, in one safetensors file or several, read one tensor at a time. */
export class WeightsFolder {
  readonly #files: readonly SafetensorsFile[];
  readonly #places: ReadonlyMap<string, Place>;
  /** Path of the file, or of the index of several: named where no single tensor is meant. */
  readonly path: string;

  private constructor(path: string, files: readonly SafetensorsFile[]) {
    this.path = path;
    this.#files = files;
    this.#places = new Map(
      files.flatMap((file) => file.header.entries.map((entry) => [entry.name, { file, entry }])),
    );
  }

  /**
   * Opens the weights of a folder and checks all headers, and the hash of files that the kit wrote.
   * @throws KitError when there are none, when they are there only as a pickle file, or when a file is corrupt
   */
  static open(directory: string): WeightsFolder {
    const single = join(directory, WEIGHTS_FILE);
    const index = join(directory, INDEX_FILE);
    const sharded = !existsSync(single) && existsSync(index);
    if (!sharded && !existsSync(single)) refusePickles(directory);
    const names = sharded ? shardNames(index) : [WEIGHTS_FILE];
    const files: SafetensorsFile[] = [];
    try {
      for (const name of names) files.push(SafetensorsFile.open(join(directory, name)));
      const folder = new WeightsFolder(sharded ? index : single, files);
      if (sharded) folder.#checkIndex(index);
      for (const file of files) file.verify();
      return folder;
    } catch (error) {
      for (const file of files) file.close();
      throw error;
    }
  }

  /** Names of all tensors. */
  get names(): readonly string[] {
    return [...this.#places.keys()];
  }

  /**
   * Checks that a tensor is there, of this shape, and of a type that can be a weight.
   * @throws KitError that names the tensor and what `config.json` wants
   */
  check(name: string, shape: readonly number[]): void {
    const place = this.#places.get(name);
    const wanted = `F32, F16 or BF16 [${shape.join(", ")}]`;
    if (place === undefined) throw corrupt(this.path, `the parameter "${name}" (${wanted}) is missing`);
    const { entry, file } = place;
    if (isWeightType(entry.dtype) && entry.shape.join() === shape.join()) return;
    const found = `${entry.dtype} [${entry.shape.join(", ")}]`;
    throw corrupt(file.path, `the parameter "${name}" is ${found}, config.json says ${wanted}`);
  }

  /**
   * The values of a tensor, in float32.
   * @throws KitError when one of them is not a finite number
   */
  read(name: string): Float32Array {
    const place = this.#places.get(name);
    if (place === undefined) throw corrupt(this.path, `the tensor "${name}" is missing`);
    const { dtype, data } = place.file.read(place.entry);
    if (!isWeightType(dtype)) throw corrupt(place.file.path, `the tensor "${name}" is ${dtype}, no weight`);
    const values = toFloat32(dtype, data);
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad < 0) return values;
    throw corrupt(place.file.path, `value ${bad} of the parameter "${name}" is ${values[bad] ?? ""}`);
  }

  close(): void {
    for (const file of this.#files) file.close();
  }

  /** Every tensor is in the file that the index names, and in no other. */
  #checkIndex(index: string): void {
    const { weight_map: map } = readIndex(index);
    for (const [name, shard] of Object.entries(map)) {
      const place = this.#places.get(name);
      if (place?.file.path !== join(dirname(index), shard)) {
        throw corrupt(index, `the tensor "${name}" is not in ${shard}, where the index has it`);
      }
    }
    const count = this.#files.reduce((sum, { header }) => sum + header.entries.length, 0);
    if (count !== Object.keys(map).length) {
      throw corrupt(index, `the files hold ${count} tensors, the index ${Object.keys(map).length}`);
    }
  }
}

function readIndex(file: string): z.infer<typeof indexSchema> {
  const result = indexSchema.safeParse(readJsonFile(file));
  if (result.success) return result.data;
  throw new KitError("this is not an index of safetensors files", "download the file again", {
    file,
    field: "weight_map",
  });
}

/** The files of an index, each a plain name in the same folder. */
function shardNames(index: string): string[] {
  const names = [...new Set(Object.values(readIndex(index).weight_map))].sort();
  const bad = names.find((name) => !/^[\w-][\w.-]*\.safetensors$/.test(name));
  if (bad === undefined) return names;
  throw new KitError(
    `the index names the file ${JSON.stringify(bad)}, which is no safetensors file of this folder`,
    "do not use this model: a name that leads out of its folder is no accident",
    { file: index, field: "weight_map" },
  );
}

/** Formats that run code when they are opened. */
const PICKLE = /\.(bin|pt|pth|ckpt|pkl|pickle)$/;

function refusePickles(directory: string): void {
  const names = existsSync(directory) ? readdirSync(directory) : [];
  const pickle = names.find((name) => PICKLE.test(name) && name !== "training_args.bin");
  if (pickle === undefined) return;
  throw new KitError(
    "this folder has its weights as a pickle file only, and opening one runs whatever code is in it",
    "get the model as safetensors, or convert it where you trust it: model.save_pretrained(folder, safe_serialization=True) in Python",
    { file: join(directory, pickle) },
  );
}
