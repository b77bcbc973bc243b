import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { KitError } from "../../support/errors.js";
import { fileError } from "../../support/files.js";
import { LIBRARIES, WHEEL_MEMBERS, type NativeVariant } from "./catalog.js";
import { openConnection } from "./connection.js";
import { download } from "./download.js";
import { addressOf } from "./package-index.js";
import { transferProgress } from "./progress.js";
import { pipSettings } from "./python.js";
import { complaintOf, runProgram } from "./run-program.js";
import { unpack } from "./unpack.js";

const READY_FILE = "READY.json";

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

/**
 * Downloads a variant, checks its hash and unpacks what is needed of it. The caller holds the lock of the cache.
 * @param python an interpreter whose pip knows the package index
 * @throws KitError without network, with a wrong hash, or on a full disk; what was downloaded stays for the next time
 */
export async function installLibrary(
  cache: string,
  variant: NativeVariant,
  python: string,
  say: (line: string) => void,
): Promise<void> {
  const { wheel } = variant;
  const archive = join(cache, "downloads", wheel.file);
  makeFolder(dirname(archive));
  requireSpace(cache, variant, archive);
  if (!existsSync(archive)) {
    const settings = await pipSettings(python);
    const connection = openConnection(settings);
    try {
      const address = await addressOf(wheel, settings, connection);
      const begun = existsSync(`${archive}.part`);
      const megabytes = Math.round(wheel.size / 1e6);
      say(
        `TensorFlow ${variant.version}: ${begun ? "going on with the download" : "downloading"} (${megabytes} MB)`,
      );
      const progress = transferProgress("TensorFlow", wheel.size);
      await download({ ...wheel, address, target: archive, connection, progress });
    } finally {
      await connection.close();
    }
  }
  const final = dirname(libraryFolderOf(cache, variant));
  const temporary = `${final}.unpacking`;
  rmSync(temporary, { recursive: true, force: true });
  say(`TensorFlow ${variant.version}: unpacking`);
  await unpack(archive, WHEEL_MEMBERS, temporary);
  if (variant.gpu) await installCuda(temporary, cache, python, say);
  writeReadyFile(temporary);
  rmSync(final, { recursive: true, force: true });
  renameSync(temporary, final);
  rmSync(archive, { force: true });
}

/** The CUDA libraries, where TensorFlow's own wheel would have them. Nobody of the project has run this. */
async function installCuda(
  folder: string,
  cache: string,
  python: string,
  say: (line: string) => void,
): Promise<void> {
  say("CUDA libraries: fetching them with pip (about 3 GB)");
  const list = fileURLToPath(new URL("../../../src/engine/install/native/cuda.txt", import.meta.url));
  const argv = [
    "-m",
    "pip",
    "install",
    "--no-deps",
    "--require-hashes",
    "--only-binary",
    ":all:",
    "--no-compile",
  ];
  const env = { PIP_CACHE_DIR: join(cache, "pip"), PIP_DISABLE_PIP_VERSION_CHECK: "1" };
  const result = await runProgram(python, [...argv, "--target", folder, "-r", list], { env });
  if (result.code === 0) return;
  throw new KitError(
    `pip cannot install the CUDA libraries (${complaintOf(result)})`,
    "check the network and the disk and run `npx ift-kit setup` again, or set IFT_KIT_NATIVE=cpu",
  );
}

function writeReadyFile(folder: string): void {
  const sizes = LIBRARIES.map((library) => {
    const path = join(folder, "tensorflow", library);
    if (existsSync(path)) return [library, statSync(path).size] as const;
    throw new KitError(
      `the TensorFlow wheel holds no ${library}`,
      "report this; IFT_KIT_BACKEND=wasm works without",
    );
  });
  try {
    writeFileSync(join(folder, READY_FILE), JSON.stringify(Object.fromEntries(sizes), null, 2));
  } catch (error) {
    throw fileError(folder, "written", error);
  }
}

function requireSpace(cache: string, variant: NativeVariant, archive: string): void {
  const { bavail, bsize } = statfsSync(cache);
  const had = [archive, `${archive}.part`]
    .filter((file) => existsSync(file))
    .map((file) => statSync(file).size);
  const needed = variant.unpackedSize + variant.wheel.size - Math.max(0, ...had);
  if (bavail * bsize >= needed) return;
  const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
  throw new KitError(
    `no space left for TensorFlow: it needs ${gigabytes(needed)}, ${gigabytes(bavail * bsize)} are free`,
    "free some space, or set IFT_KIT_CACHE to a folder on another disk",
    { file: cache },
  );
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
