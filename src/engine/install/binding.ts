import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { sha256 } from "../../support/hash.js";
import { BINDING_FILE, QUIET_FILE } from "../native.js";
import { LIBRARIES } from "./catalog.js";
import { complaintOf, runProgram } from "./run-program.js";

/** Everything that the compiled binding depends on. */
export interface BindingPlan {
  /** Changes when a source, a flag or the place of the library changes. */
  readonly key: string;
  /** Arguments of the compiler for each output file, without the output itself. */
  readonly outputs: ReadonlyMap<string, readonly string[]>;
}

const FLAGS = ["-O2", "-fPIC", "-shared", "-std=c++17", "-DNAPI_VERSION=8"];
const COMPILERS = ["c++", "g++", "clang++"];

const require = createRequire(import.meta.url);

/** The first C++ compiler that runs: `CXX`, else from the PATH; with the first line of its version. */
export async function findCompiler(
  environment: NodeJS.ProcessEnv = process.env,
): Promise<{ readonly program: string; readonly version: string } | undefined> {
  const chosen = environment.CXX;
  for (const program of chosen === undefined || chosen === "" ? COMPILERS : [chosen]) {
    const result = await runProgram(program, ["--version"]);
    if (result.code === 0) return { program, version: result.stdout.split("\n")[0]?.trim() ?? "" };
  }
  return undefined;
}

/**
 * How to compile the binding of TensorFlow.js, and the kit's own small addon, against a native library.
 * @param libraryFolder holds the libraries of `LIBRARIES` and the folder `include`
 */
export function planBinding(libraryFolder: string): BindingPlan {
  const packageFolder = dirname(require.resolve("@tensorflow/tfjs-node-gpu/package.json"));
  const sources = join(packageFolder, "binding");
  const nodeHeaders = join(dirname(require.resolve("node-api-headers/package.json")), "include");
  const quiet = ownSource("quiet.cc");
  const copiedTensors = ownSource("copied_tensors.h");
  const outputs = new Map([
    [
      BINDING_FILE,
      [
        ...FLAGS,
        `-I${nodeHeaders}`,
        `-I${join(libraryFolder, "include")}`,
        `-I${packageFolder}`,
        "-include",
        copiedTensors,
        join(sources, "tfjs_backend.cc"),
        join(sources, "tfjs_binding.cc"),
        `-L${libraryFolder}`,
        ...LIBRARIES.toReversed().map((library) => `-l:${library}`),
        `-Wl,-rpath,${libraryFolder}`,
      ],
    ],
    [QUIET_FILE, [...FLAGS, `-I${nodeHeaders}`, quiet, "-ldl"]],
  ]);
  const sourceFiles = [
    ...readdirSync(sources)
      .toSorted()
      .map((name) => join(sources, name)),
    quiet,
    copiedTensors,
  ];
  const key = sha256(
    JSON.stringify([
      process.arch,
      libraryFolder,
      FLAGS,
      (require("node-api-headers/package.json") as { version: string }).version,
      sourceFiles.map((file) => sha256(readFileSync(file))),
    ]),
  ).slice(0, 16);
  return { key, outputs };
}

function ownSource(name: string): string {
  return fileURLToPath(new URL(`../../../src/engine/install/native/${name}`, import.meta.url));
}

/**
 * Compiles both files into a folder (about 10 s).
 * @returns undefined when it went well, else what the compiler complained about
 */
export async function compileBinding(
  compiler: string,
  plan: BindingPlan,
  folder: string,
): Promise<string | undefined> {
  const results = await Promise.all(
    [...plan.outputs].map(([output, argv]) => runProgram(compiler, [...argv, "-o", join(folder, output)])),
  );
  const failed = results.find((result) => result.code !== 0);
  return failed === undefined ? undefined : complaintOf(failed);
}

/**
 * Loads the compiled files in a process of their own: a library that does not fit the machine may end the process.
 * @returns the version of TensorFlow, or the problem
 */
export async function tryBinding(
  folder: string,
  libraries: readonly string[],
): Promise<{ readonly version: string } | { readonly problem: string }> {
  const script = `
    const [quiet, binding, ...libraries] = process.argv.slice(1);
    const problem = require(quiet).load(libraries);
    if (problem !== "") throw new Error(problem);
    process.stdout.write(require(binding).TF_Version);`;
  const argv = ["-e", script, join(folder, QUIET_FILE), join(folder, BINDING_FILE), ...libraries];
  const result = await runProgram(process.execPath, argv, {
    env: { TF_CPP_MIN_LOG_LEVEL: "2", NODE_OPTIONS: "" },
  });
  if (result.code === 0 && result.stdout !== "") return { version: result.stdout };
  return {
    problem: result.signal === undefined ? complaintOf(result) : `the process ends with ${result.signal}`,
  };
}
