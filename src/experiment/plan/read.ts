import { existsSync, readdirSync } from "node:fs";
import { basename, extname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { KitError, messageOf } from "../../support/errors.js";
import { readJsonFile } from "../../support/files.js";
import { type CheckedPlan, parsePlan } from "./plan.js";

const SHIPPED = fileURLToPath(new URL("../plans/", import.meta.url));

/** The names of the plans that ship with the kit. */
export function shippedPlans(): string[] {
  return readdirSync(SHIPPED)
    .filter((file) => /(?<!\.d)\.[jt]s$/.test(file))
    .map((file) => basename(file, extname(file)))
    .sort();
}

/**
 * Reads a plan. A TypeScript or JavaScript file is the user's own code and is imported; a JSON file is data.
 * @param given the path of a file, or the name of a plan that ships
 * @throws KitError when it is not there, does not load, or is not a plan
 */
export async function readPlan(
  given: string,
): Promise<{ readonly plan: CheckedPlan; readonly file: string }> {
  const file = fileOf(given);
  const value = file.endsWith(".json") ? readJsonFile(file) : await importDefault(file);
  return { plan: parsePlan(value, file), file };
}

function fileOf(given: string): string {
  if (existsSync(given)) return given;
  const shipped = [".ts", ".js"].map((ending) => join(SHIPPED, given + ending)).find(existsSync);
  if (shipped !== undefined && shippedPlans().includes(given)) return shipped;
  throw new KitError(
    "there is no such file, nor a plan of that name",
    `give the path of a plan, or one of ${shippedPlans().join(", ")}`,
    { file: given },
  );
}

async function importDefault(file: string): Promise<unknown> {
  if (!/\.[cm]?[jt]s$/.test(file)) {
    throw new KitError("a plan is a .ts, .js or .json file", "rename the file", { file });
  }
  const address = pathToFileURL(resolve(file)).href;
  let loaded: { readonly default?: unknown };
  try {
    loaded = (
      file.endsWith("ts")
        ? await (await import("tsx/esm/api")).tsImport(address, import.meta.url)
        : await import(address)
    ) as { readonly default?: unknown };
  } catch (error) {
    throw new KitError(
      `the plan does not load (${messageOf(error)})`,
      "mend the file",
      { file },
      { cause: error },
    );
  }
  const value = loaded.default;
  // Outside of a package of ES modules a plan in TypeScript is loaded as CommonJS, whose exports are the default.
  const isCommonJs = typeof value === "object" && value !== null && "__esModule" in value;
  const inner = isCommonJs ? (value as { readonly default?: unknown }).default : value;
  if (inner !== undefined) return inner;
  throw new KitError(
    "the file has no default export",
    "write `export default { ... } satisfies ExperimentPlan`",
    {
      file,
    },
  );
}
