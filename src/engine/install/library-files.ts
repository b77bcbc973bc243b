import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { basename, join } from "node:path";
import { fileError } from "../../support/files.js";
import { LIBRARIES, type NativeVariant } from "./catalog.js";

/** Written last into the folder of an unpacked library: names and sizes. */
export const READY_FILE = "READY.json";

/** Where a variant lives in the cache. */
export function libraryFolderOf(cache: string, variant: NativeVariant): string {
  return join(cache, "tensorflow", variant.name, "tensorflow");
}

/** True when the unpacked library is whole: the stamp is written last and names the sizes. */
export function libraryIsReady(cache: string, variant: NativeVariant): boolean {
  const folder = libraryFolderOf(cache, variant);
  try {
    const sizes = JSON.parse(readFileSync(join(folder, "..", READY_FILE), "utf8")) as Record<string, number>;
    return LIBRARIES.every((library) => statSync(join(folder, library)).size === sizes[library]);
  } catch {
    return false;
  }
}

/** The files to load before the binding: CUDA first where it is there, so that TensorFlow finds it by name. */
export function librariesToLoad(cache: string, variant: NativeVariant): string[] {
  const folder = libraryFolderOf(cache, variant);
  const cuda = join(folder, "..", "nvidia");
  const cudaLibraries = existsSync(cuda)
    ? readdirSync(cuda)
        .map((part) => join(cuda, part, "lib"))
        .filter((part) => existsSync(part))
        .flatMap((part) => readdirSync(part).map((file) => join(part, file)))
        .filter((file) => /\.so(\.\d+)*$/.test(file))
    : [];
  return [...cudaLibraries, join(folder, LIBRARIES[0])];
}

/** Copies finished files into a folder, each by rename, so that a reader sees the old or the new one. */
export function copyInto(folder: string, files: readonly string[]): void {
  makeFolder(folder);
  for (const file of files) {
    const target = join(folder, basename(file));
    const temporary = `${target}.${process.pid}.part`;
    try {
      cpSync(file, temporary);
      renameSync(temporary, target);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw fileError(target, "written", error);
    }
  }
}

/** Makes a folder with all folders above it. @throws KitError when that is not possible */
export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw fileError(folder, "written", error);
  }
}
