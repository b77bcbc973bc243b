import { execFileSync } from "node:child_process";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { Template } from "../data/template.js";
import type { Tokenizer } from "../data/tokenizer.js";
import type { EngineInfo } from "../engine/start.js";
import { readJsonFile } from "../support/files.js";
import { hashJson } from "../support/hash.js";
import { TRAINING_RULES } from "../train/config.js";
import type { RunManifest } from "./result.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** What a run was made of. */
export interface ManifestParts {
  /** Hash of the code that decides the result: see `decidingSources`. */
  readonly sourceHash: string;
  readonly engine: EngineInfo;
  /** How rows became text: a template, or what stands for it where rows are made otherwise. */
  readonly template: Pick<Template, "name" | "hash">;
  readonly tokenizer: Tokenizer;
  readonly decoder: { readonly parameterCount: number };
  /** The examples trained on, in order. */
  readonly trainingData: unknown;
  readonly testData: unknown;
  /** `TRAINING_RULES` where it is left out. */
  readonly rules?: Readonly<Record<string, string>>;
}

/** Everything that is needed to say where a number came from. */
export function buildManifest(parts: ManifestParts): RunManifest {
  const { version, dependencies } = packageFile();
  return {
    kitVersion: version,
    commit: commitOfCheckout(),
    sourceHash: parts.sourceHash,
    node: process.versions.node,
    dependencies,
    engine: {
      backend: parts.engine.backend,
      tensorflowVersion: parts.engine.tensorflowVersion ?? null,
      device: parts.engine.device,
      threads: parts.engine.threads,
    },
    processor: cpus()[0]?.model ?? "unknown",
    trainingDataHash: hashJson(parts.trainingData),
    testDataHash: hashJson(parts.testData),
    template: { name: parts.template.name, hash: parts.template.hash },
    tokenizerHash: parts.tokenizer.hash,
    parameterCount: parts.decoder.parameterCount,
    rules: { ...(parts.rules ?? TRAINING_RULES) },
  };
}

const packageSchema = z.object({ version: z.string(), dependencies: z.record(z.string(), z.string()) });

function packageFile(): z.infer<typeof packageSchema> {
  return packageSchema.parse(readJsonFile(`${ROOT}package.json`));
}

function commitOfCheckout(): string {
  const git = (...args: string[]): string =>
    execFileSync("git", ["-C", ROOT, ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  try {
    return git("rev-parse", "HEAD") + (git("status", "--porcelain", "--", "src") === "" ? "" : "+changes");
  } catch {
    return "unknown";
  }
}
