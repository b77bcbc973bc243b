import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Example } from "../../data/example.js";
import type { Tokenizer } from "../../data/tokenizer.js";
import { loadDecoderConfig } from "../../model/checkpoint.js";
import { WEIGHTS_FILE } from "../../model/weights.js";
import { KitError } from "../../support/errors.js";
import { fileError } from "../../support/files.js";
import { sha256 } from "../../support/hash.js";
import { trainByteLevelBpe } from "../../tokenizer/byte-level-bpe.js";
import { loadTokenizer } from "../../tokenizer/load.js";
import { PRETRAIN_FILES, readPretrainPlan } from "../pretrain/plan.js";
import { documentText, heldOutDocuments } from "../pretrain/rows.js";
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
  // Random weights of a model's shape need its tokenizer alone; the shape goes into the key with the result's code.
  const files =
    start.kind === "checkpoint" ? [WEIGHTS_FILE, PRETRAIN_FILES.plan] : ["tokenizer.json", "config.json"];
  return sha256(files.map((file) => hashOf(join(modelFolder(start.folder), file))).join("\n"));
}

function hashOf(path: string): string {
  try {
    return existsSync(path) || path.endsWith(WEIGHTS_FILE) ? sha256(readFileSync(path)) : "";
  } catch (error) {
    throw fileError(path, "read", error);
  }
}

/**
 * Held-out documents of the text that a base model was pre-trained on; none for a random start.
 * @throws KitError when the folder does not say which text that was
 */
export function pretrainingTexts(start: MiniStart, documents: number): string[] {
  if (start.kind !== "checkpoint" || documents === 0) return [];
  const path = join(modelFolder(start.folder), PRETRAIN_FILES.plan);
  if (!existsSync(path)) {
    throw new KitError(
      "the model's folder does not say what it was pre-trained on",
      "set evaluation.pretrainingDocuments to 0",
      { file: path },
    );
  }
  const { worldSeed } = readPretrainPlan(path);
  return heldOutDocuments(worldSeed, documents).map(({ sentences }) => documentText(sentences));
}

/** The model's own tokenizer; with random weights one of the words in the rows, and of the tags of all cells. */
export function tokenizerOf(start: MiniStart, rows: readonly Example[], tags: readonly string[]): Tokenizer {
  if (start.kind !== "random") return loadTokenizer(modelFolder(start.folder));
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
  switch (start.kind) {
    case "random":
      return { kind: "random", decoder: start.decoder };
    case "checkpoint":
      return { kind: "checkpoint", folder: modelFolder(start.folder) };
    case "random-like": {
      return { kind: "random", decoder: loadDecoderConfig(modelFolder(start.folder)) };
    }
  }
}
