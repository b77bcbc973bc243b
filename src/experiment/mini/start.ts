import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Example } from "../../data/example.js";
import type { Tokenizer } from "../../data/tokenizer.js";
import { WEIGHTS_FILE } from "../../model/weights.js";
import { fileError } from "../../support/files.js";
import { sha256 } from "../../support/hash.js";
import { trainByteLevelBpe } from "../../tokenizer/byte-level-bpe.js";
import { loadTokenizer } from "../../tokenizer/load.js";
import type { ArmStart } from "../run-arm.js";
import type { MiniStart } from "./settings.js";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** Where a model's folder is: relative paths are those of the kit, so that a run is the same run in every clone. */
export function modelFolder(folder: string): string {
  return resolve(ROOT, folder);
}

/**
 * What tells one start from another.
 * @throws KitError when the model's weights cannot be read
 */
export function startHash(start: MiniStart): string {
  if (start.kind === "random") return "random";
  const path = join(modelFolder(start.folder), WEIGHTS_FILE);
  try {
    return sha256(readFileSync(path));
  } catch (error) {
    throw fileError(path, "read", error);
  }
}

/** The model's own tokenizer; with random weights one of the words in the rows, and of the tags of all cells. */
export function tokenizerOf(start: MiniStart, rows: readonly Example[], tags: readonly string[]): Tokenizer {
  if (start.kind === "checkpoint") return loadTokenizer(modelFolder(start.folder));
  const texts = rows.flatMap(({ instruction = "", input, outputs }) => [
    ` ${instruction}`,
    ` ${input}`,
    ...outputs.map((output) => ` ${output}`),
  ]);
  // Twice, because a pair that occurs once is not merged.
  const named = tags.map((tag) => ` ${tag}`);
  return trainByteLevelBpe([...texts, ...named, ...named], {
    vocabularySize: start.vocabularySize,
    bos: false,
  });
}

/** The start as `runArm` wants it. */
export function armStart(start: MiniStart): ArmStart {
  return start.kind === "random"
    ? { kind: "random", decoder: start.decoder }
    : { kind: "checkpoint", folder: modelFolder(start.folder) };
}
