import { existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "../../support/files.js";
import { BACKEND_COST } from "../info.js";
import {
  BINDING_FILE,
  bindingFolder,
  MANIFEST_FILE,
  QUIET_FILE,
  readNativeManifest,
  type NativeManifest,
} from "../native.js";
import { compileBinding, findCompiler, planBinding, tryBinding, type BindingPlan } from "./binding.js";
import type { NativeVariant } from "./catalog.js";
import { withLock } from "./lock.js";
import { copyInto, librariesToLoad, libraryFolderOf, libraryIsReady, makeFolder } from "./library-files.js";
import { thisMachine, variantFor } from "./platform.js";

/** How the set-up of the native engine ended. */
export type EngineSetup =
  | { readonly state: "ready"; readonly line: string; readonly changed: boolean }
  | { readonly state: "fallback"; readonly line: string };

/** What the set-up of the engine needs to know. */
export interface EngineSetupOptions {
  readonly cache: string;
  /** Looks for an interpreter with pip; undefined where there is none. */
  readonly findPip: () => Promise<string | undefined>;
  /** Prints a line about what is going on. */
  readonly say: (line: string) => void;
}

const COMPILER_CURE = "install a C++ compiler (on Debian and Ubuntu: apt-get install g++)";
const PYTHON_CURE =
  "install Python 3.10 or later with pip (on Debian and Ubuntu: apt-get install python3-venv)";

/**
 * Makes native TensorFlow ready for this clone: library from the Python wheel into the cache, binding compiled against
 * it, binding copied into node_modules. What is there already is left alone.
 * @returns ready, or the fallback with one line that says what runs instead, its cost and the cure
 * @throws KitError for what another attempt may mend: no network, a wrong hash, a full disk
 */
export async function setUpEngine(options: EngineSetupOptions): Promise<EngineSetup> {
  const choice = variantFor(thisMachine(), process.env.IFT_KIT_NATIVE);
  if ("reason" in choice) return fallback(choice.reason);
  const target = bindingFolder();
  if (target === undefined) return fallback("the npm packages are not installed", "run `npm ci`");
  const { variant } = choice;
  const { cache } = options;
  const plan = planBinding(libraryFolderOf(cache, variant));
  const compiled = join(cache, "bindings", plan.key);
  const ready = (changed: boolean): EngineSetup => ({ state: "ready", changed, line: readyLine(variant) });

  if (libraryIsReady(cache, variant) && cloneHas(target, plan.key)) return ready(false);
  makeFolder(cache);
  return withLock(
    join(cache, "setup.lock"),
    async () => {
      const compiler = existsSync(compiled) ? undefined : await findCompiler();
      if (!existsSync(compiled) && compiler === undefined) {
        return fallback("no C++ compiler was found", COMPILER_CURE);
      }
      if (!libraryIsReady(cache, variant)) {
        const python = await options.findPip();
        if (python === undefined) return fallback("no Python with pip was found", PYTHON_CURE);
        const { installLibrary } = await import("./install-library.js");
        await installLibrary(cache, variant, python, options.say);
      }
      const libraries = librariesToLoad(cache, variant);
      if (compiler !== undefined) {
        options.say("TensorFlow.js binding: compiling (about 15 s)");
        const complaint = await makeBinding({ cache, compiled, plan, libraries, compiler: compiler.program });
        if (complaint !== undefined)
          return fallback(complaint, "run `npx ift-kit setup` again after mending that");
      }
      const manifest: NativeManifest = {
        key: plan.key,
        libraries,
        environment: environmentOf(cache, variant),
      };
      copyInto(target, [join(compiled, QUIET_FILE), join(compiled, BINDING_FILE)]);
      writeFileAtomic(join(target, MANIFEST_FILE), JSON.stringify(manifest, null, 2));
      return ready(true);
    },
    { onWait: (holder) => options.say(`TensorFlow: waiting for the set-up of ${holder}`) },
  );
}

async function makeBinding(order: {
  readonly cache: string;
  /** Folder that appears when the binding is compiled and loads. */
  readonly compiled: string;
  readonly plan: BindingPlan;
  readonly libraries: readonly string[];
  readonly compiler: string;
}): Promise<string | undefined> {
  const { cache, compiled, plan, libraries, compiler } = order;
  makeFolder(join(cache, "bindings"));
  const temporary = mkdtempSync(join(cache, "bindings", "new-"));
  try {
    const complaint = await compileBinding(compiler, plan, temporary);
    if (complaint !== undefined) return `the binding does not compile (${complaint})`;
    const trial = await tryBinding(temporary, libraries);
    if ("problem" in trial) return `the native library does not load (${trial.problem})`;
    renameSync(temporary, compiled);
    return undefined;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function cloneHas(target: string, key: string): boolean {
  return (
    existsSync(join(target, BINDING_FILE)) &&
    existsSync(join(target, QUIET_FILE)) &&
    readNativeManifest(target)?.key === key
  );
}

function environmentOf(cache: string, variant: NativeVariant): Record<string, string> {
  if (!variant.gpu) return {};
  // XLA looks for ptxas and libdevice in a CUDA installation; the wheel of the compiler has both.
  const toolkit = join(libraryFolderOf(cache, variant), "..", "nvidia", "cuda_nvcc");
  return { XLA_FLAGS: `--xla_gpu_cuda_data_dir=${toolkit}` };
}

function readyLine(variant: NativeVariant): string {
  const kind = variant.gpu ? "GPU" : "CPU";
  return `TensorFlow ${variant.version} (${kind})${variant.untested ? ", a build that the project has not tested" : ""}`;
}

function fallback(reason: string, cure?: string): EngineSetup {
  const mend =
    cure === undefined ? "" : ` To get native TensorFlow: ${cure}, then run \`npx ift-kit setup\` again.`;
  return {
    state: "fallback",
    line: `the wasm backend runs, ${BACKEND_COST.wasm}, because ${reason}.${mend}`,
  };
}
