import { createWriteStream, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { openPromise, type Entry } from "yauzl";
import { messageOf, systemErrorCode } from "../../support/errors.js";
import { KitError } from "../../support/errors.js";
import { fileError } from "../../support/files.js";
import type { Progress } from "./progress.js";

/**
 * Unpacks chosen members of a zip archive (a wheel is one).
 * @param members exact names, or beginnings of names
 * @returns names of what was unpacked
 * @throws KitError when the archive is damaged or the disk is full
 */
export async function unpack(
  archive: string,
  members: readonly string[],
  folder: string,
  progress?: Progress,
): Promise<string[]> {
  const unpacked: string[] = [];
  let bytes = 0;
  try {
    const zip = await openPromise(archive);
    for await (const entry of zip.eachEntry()) {
      if (!isWanted(entry, members)) continue;
      const path = join(folder, entry.fileName);
      mkdirSync(dirname(path), { recursive: true });
      const stream = await zip.openReadStreamPromise(entry);
      stream.on("data", (chunk: Uint8Array) => progress?.update((bytes += chunk.length)));
      await pipeline(stream, createWriteStream(path));
      unpacked.push(entry.fileName);
    }
  } catch (error) {
    if (systemErrorCode(error) !== undefined) throw fileError(folder, "written", error);
    throw new KitError(
      `the archive is damaged (${messageOf(error)})`,
      "delete it and run `npx ift-kit setup` again",
      { file: archive },
      { cause: error },
    );
  } finally {
    progress?.stop();
  }
  return unpacked;
}

/** yauzl refuses absolute names and names with ".." before they come here. */
function isWanted(entry: Entry, members: readonly string[]): boolean {
  return !entry.fileName.endsWith("/") && members.some((member) => entry.fileName.startsWith(member));
}
