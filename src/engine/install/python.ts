import { existsSync } from "node:fs";
import { messageOf } from "../../support/errors.js";
import { atLeast } from "./platform.js";
import { complaintOf, runProgram } from "./run-program.js";

/** The oldest Python that the pinned notebook packages support. */
export const OLDEST_PYTHON = "3.10";

/** A Python interpreter of the user's machine. */
export interface Python {
  readonly program: string;
  /** Like "3.11.7". */
  readonly version: string;
}

/** Where pip gets packages from, as the user has configured it (arguments, environment, configuration files). */
export interface PipSettings {
  /** Addresses of package indexes, the first one first. */
  readonly indexes: readonly string[];
  /** Folders that hold wheels. */
  readonly folders: readonly string[];
  /** File with certificates, or undefined. */
  readonly certificates: string | undefined;
  /** Address of a proxy, or undefined. */
  readonly proxy: string | undefined;
}

const CANDIDATES = ["python3", "python", "python3.13", "python3.12", "python3.11", "python3.10"];

// pip's own option parser knows the built-in index and merges the environment with all configuration files.
const ASK_PIP = `
import json
from pip._internal.commands import create_command
options, _ = create_command("download").parse_args([])
print(json.dumps({
    "indexes": [] if options.no_index else [options.index_url, *options.extra_index_urls],
    "folders": options.find_links,
    "certificates": options.cert,
    "proxy": options.proxy,
}))
`;

/** The first interpreter that is new enough: `IFT_KIT_PYTHON`, else from the PATH. Undefined when there is none. */
export async function findPython(environment: NodeJS.ProcessEnv = process.env): Promise<Python | undefined> {
  const chosen = environment.IFT_KIT_PYTHON;
  for (const program of chosen === undefined || chosen === "" ? CANDIDATES : [chosen]) {
    const version = await pythonVersion(program);
    if (version !== undefined && atLeast(version, OLDEST_PYTHON)) return { program, version };
  }
  return undefined;
}

/** The version of an interpreter, or undefined when it does not run. */
export async function pythonVersion(program: string): Promise<string | undefined> {
  const result = await runProgram(program, ["-c", "import platform; print(platform.python_version())"]);
  return result.code === 0 ? result.stdout.trim() : undefined;
}

/**
 * Asks the pip of an interpreter where it would look for packages.
 * @throws Error when that Python has no pip, with pip's own words
 */
export async function pipSettings(program: string): Promise<PipSettings> {
  const result = await runProgram(program, ["-c", ASK_PIP]);
  if (result.code !== 0) throw new Error(`pip does not answer (${complaintOf(result)})`);
  try {
    return readSettings(JSON.parse(result.stdout));
  } catch (error) {
    throw new Error(`the answer of pip is not understood (${messageOf(error)})`);
  }
}

function readSettings(value: unknown): PipSettings {
  const fields = value as Record<string, unknown>;
  const texts = (field: unknown): string[] =>
    Array.isArray(field) ? field.filter((item): item is string => typeof item === "string") : [];
  const text = (field: unknown): string | undefined =>
    typeof field === "string" && field !== "" ? field : undefined;
  const certificates = text(fields.certificates);
  return {
    indexes: texts(fields.indexes),
    folders: texts(fields.folders).filter((folder) => existsSync(folder)),
    certificates: certificates !== undefined && existsSync(certificates) ? certificates : undefined,
    proxy: text(fields.proxy),
  };
}
