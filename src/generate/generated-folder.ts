import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Example } from "../data/example.js";
import { readExamples } from "../data/read/index.js";
import { KitError } from "../support/errors.js";
import { readJsonFile } from "../support/files.js";
import { GENERATION_FILES } from "./generate-data.js";
import type { GenerationLedger } from "./pipeline/ledger.js";

/** What a run of `generateData` left in its folder. */
export interface GeneratedFolder {
  readonly method: string;
  readonly teacher: string;
  readonly rows: readonly Example[];
  readonly ledger: GenerationLedger;
}

const lineSchema = z.object({
  proposed: z.number(),
  kept: z.number(),
  rejected: z.record(z.string(), z.number()),
});
const manifestSchema = z.looseObject({
  identity: z.looseObject({ method: z.string(), teacher: z.string() }),
  ledger: z.object({ tasks: lineSchema, instances: lineSchema, paraphrases: lineSchema }).optional(),
});

/**
 * Reads the rows and the ledger of a run of `ift-kit generate-data`.
 * @returns undefined where the path is no such folder
 * @throws KitError when the run has not written its rows yet, or they are damaged
 */
export async function readGeneratedFolder(path: string): Promise<GeneratedFolder | undefined> {
  const file = join(path, GENERATION_FILES.manifest);
  if (!existsSync(file)) return undefined;
  const manifest = manifestSchema.safeParse(readJsonFile(file)).data;
  if (manifest === undefined) return undefined;
  const { identity, ledger } = manifest;
  if (ledger === undefined) {
    throw new KitError(
      "the run was stopped before it wrote its rows",
      "give the same command of generate-data again; it goes on",
      { file },
    );
  }
  const rows = join(path, GENERATION_FILES.rows);
  const kept = ledger.tasks.kept === 0 ? [] : (await readExamples(rows)).examples;
  return { method: identity.method, teacher: identity.teacher, rows: kept, ledger };
}
