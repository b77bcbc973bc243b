import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type * as TypeScript from "typescript";
import { installKernelBridge } from "../kernel-bridge.js";
import { repairConverter } from "./converter.js";
import { CellFailures } from "./failures.js";
import { CellTimeFileWatcher } from "./file-watching.js";
import { CellInterrupts } from "./interrupts.js";
import { endWithParent, settle, workUnderWay } from "./lifetime.js";
import { createServer, displayThrough } from "./server.js";
import { CellStreams } from "./streams.js";
import { type Executor, loadTslab, type Tslab } from "./tslab.js";
import { substituteTypeScript } from "./typescript.js";

/**
 * Starts the notebook kernel: tslab as it is published, with this project's TypeScript in it and its defects repaired
 * around it, one file each.
 * @param argv `--config-path FILE`, the connection file that Jupyter writes
 */
export async function startKernel(argv: readonly string[]): Promise<void> {
  const connectionFile = argv[argv.indexOf("--config-path") + 1];
  if (!argv.includes("--config-path") || connectionFile === undefined) {
    throw new Error("the kernel is started by Jupyter, with --config-path FILE");
  }
  const projectRoot = findProjectRoot();
  // tslab's rootDir is its working directory; below notebooks/ it could import nothing from src/.
  process.chdir(projectRoot);

  const failures = new CellFailures();
  const { tslab, executor } = createExecutor(projectRoot, failures);
  const interrupts = new CellInterrupts(() => executor.interrupt());
  const handler = new tslab.jupyter.JupyterHandlerImpl(executor, false);
  const parts = { executor, failures, interrupts, streams: new CellStreams() };
  const server = createServer(tslab, handler, connectionFile, parts);

  failures.listen();
  interrupts.listen();
  endWithParent();
  await server.init();
  const idleWork = workUnderWay();
  installKernelBridge({
    display: displayThrough(tslab),
    interruptSignal: () => interrupts.signal(),
    settle: (limitMilliseconds) => settle(idleWork, limitMilliseconds),
  });
}

/** The clone that holds this file; IFT_KIT_PROJECT names another folder with package.json, tsconfig.json and src. */
function findProjectRoot(): string {
  return (
    process.env.IFT_KIT_PROJECT ?? fileURLToPath(new URL("../../../", import.meta.url)).replace(/\/$/, "")
  );
}

function createExecutor(projectRoot: string, failures: CellFailures): { tslab: Tslab; executor: Executor } {
  const projectRequire = createRequire(join(projectRoot, "package.json"));
  const ts = projectRequire("typescript") as typeof TypeScript;
  const packageName = readPackageName(join(projectRoot, "package.json"));
  const watcher = new CellTimeFileWatcher(ts, join(projectRoot, "src"));
  const tslab = loadTslab(projectRoot, (tslabRequire) =>
    substituteTypeScript(tslabRequire, ts, watcher, projectRoot, packageName),
  );
  const converter = repairConverter(tslab.converter.createConverter({ isJS: false, isBrowser: false }), {
    ts,
    projectRoot,
    packageName,
    watcher,
  });
  const executor = tslab.executor.createExecutor(
    projectRoot,
    { node: converter, browser: converter, close: () => converter.close() },
    { log: (...values) => console.log(...values), error: (...values) => failures.report(...values) },
  );
  return { tslab, executor };
}

function readPackageName(path: string): string {
  const content = JSON.parse(readFileSync(path, "utf8")) as { readonly name: string };
  return content.name;
}
