import { join } from "node:path";
import type * as TypeScript from "typescript";

/** Options of tsconfig.json that decide what a type error is; cells are checked with them as `src` is. */
const CHECKS = [
  "strict",
  "noUncheckedIndexedAccess",
  "exactOptionalPropertyTypes",
  "noImplicitOverride",
  "noImplicitReturns",
  "noFallthroughCasesInSwitch",
] as const;

/**
 * tslab reads no tsconfig.json: its options are hard-wired, with strict off. This lays the project's own over them.
 * @param fromTslab the options tslab passes to the compiler
 * @param packageName cells import `<packageName>/x`, which is the live `src/x.ts`
 * @throws Error when tsconfig.json cannot be read
 */
export function cellCompilerOptions(
  ts: typeof TypeScript,
  fromTslab: TypeScript.CompilerOptions,
  projectRoot: string,
  packageName: string,
): TypeScript.CompilerOptions {
  const project = readProjectOptions(ts, projectRoot);
  // Known to tslab's TypeScript 5.0 fork only; later compilers reject the first.
  const known = Object.entries(fromTslab).filter(
    ([name]) => name !== "noImplicitUseStrict" && name !== "disableTopLevelAwait",
  );
  return {
    ...Object.fromEntries(known),
    ...Object.fromEntries(CHECKS.map((name) => [name, project[name]])),
    lib: project.lib ?? ["lib.esnext.d.ts"],
    types: project.types ?? ["node"],
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    paths: {
      [packageName]: [join(projectRoot, "src/index.ts")],
      [`${packageName}/*`]: [join(projectRoot, "src/*.ts")],
    },
  };
}

function readProjectOptions(ts: typeof TypeScript, projectRoot: string): TypeScript.CompilerOptions {
  const file = ts.readConfigFile(join(projectRoot, "tsconfig.json"), (path) => ts.sys.readFile(path));
  if (file.error !== undefined)
    throw new Error(ts.flattenDiagnosticMessageText(file.error.messageText, "\n"));
  return ts.parseJsonConfigFileContent(file.config, ts.sys, projectRoot).options;
}
