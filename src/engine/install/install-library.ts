import { existsSync, renameSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { KitError } from "../../support/errors.js";
import { fileError } from "../../support/files.js";
import { LIBRARIES, WHEEL_MEMBERS, type NativeVariant } from "./catalog.js";
import { openConnection } from "./connection.js";
import { download } from "./download.js";
import { libraryFolderOf, makeFolder, READY_FILE } from "./library-files.js";
import { addressOf } from "./package-index.js";
import { transferProgress } from "./progress.js";
import { pipSettings } from "./python.js";
import { complaintOf, runProgram } from "./run-program.js";
import { unpack } from "./unpack.js";

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
