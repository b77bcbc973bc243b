import { createRequire } from "node:module";
import { join } from "node:path";
import type { MimeBundle } from "../kernel-bridge.js";

/** The parts of tslab 1.0.22 that the launcher uses, as they are (tslab's own declarations name its TypeScript fork). */
export interface Tslab {
  readonly converter: ConverterModule;
  readonly executor: ExecutorModule;
  readonly jupyter: JupyterModule;
  /** Requires a package that tslab itself depends on. */
  readonly require: NodeJS.Require;
}

export interface ConverterModule {
  createConverter(options: { isJS: boolean; isBrowser: boolean }): Converter;
}

/** Turns a cell into JavaScript, with the declarations of the cells before it in scope. */
export interface Converter {
  convert(previousDeclarations: string, source: string): ConvertResult;
  close(): void;
}

export interface ConvertResult {
  output?: string;
  hasToplevelAwait?: boolean;
  readonly diagnostics: readonly unknown[];
  /** JavaScript of the project's own files that the cell imports and that are new or changed. */
  sideOutputs?: SideOutput[];
}

export interface SideOutput {
  /** Absolute path, ending in .js, where the file would be if it were written. */
  readonly path: string;
  /** CommonJS. */
  data: string;
}

export interface ExecutorModule {
  createExecutor(
    rootDirectory: string,
    converters: { readonly node: Converter; readonly browser: Converter; close(): void },
    console: { log(...values: unknown[]): void; error(...values: unknown[]): void },
  ): Executor;
}

export interface Executor {
  /** Runs one cell. Resolves to false when it failed; what failed went to the `error` of the given console. */
  execute(source: string): Promise<boolean>;
  interrupt(): void;
  close(): void;
}

export interface DisplayMessage {
  readonly data: MimeBundle;
  readonly metadata: Readonly<Record<string, never>>;
  readonly transient: { readonly display_id?: string };
}

export interface JupyterModule {
  readonly JupyterHandlerImpl: new (executor: Executor, isJs: boolean) => JupyterHandler;
  readonly ZmqServer: new (handler: JupyterHandler, connectionFile: string) => ZmqServer;
  /** Where tslab's own `display` writes to: the running cell. */
  lastWriteDisplayData: ((message: DisplayMessage, update: boolean) => void) | null;
}

export interface JupyterHandler {
  handleKernel(): { language_info: { version: string }; banner: string };
  close(): void;
}

/** Jupyter's wire protocol over five sockets. Its `init` makes the output socket and assigns it to `this.iopub`. */
export interface ZmqServer {
  readonly connInfo: { readonly key: string };
  init(): Promise<void>;
  handleShellMessage(socket: MessageSocket, ...frames: Buffer[]): Promise<void>;
  handleExecute(shell: MessageSocket, message: ExecuteMessage): Promise<void>;
  close(): void;
}

export interface MessageSocket {
  send(parts: readonly unknown[]): unknown;
  bind(address: string): Promise<void>;
  close(): void;
}

export interface ExecuteMessage {
  readonly content: { readonly code: string; readonly silent?: boolean; readonly stop_on_error?: boolean };
  createReply(): ReplyMessage;
}

export interface ReplyMessage {
  readonly header: { msg_type: string };
  content: object;
  signAndSend(key: string, socket: MessageSocket): void;
}

/**
 * Loads tslab from the project's node_modules.
 * @param prepare runs before tslab's modules are loaded, to put another compiler in place of its own
 */
export function loadTslab(projectRoot: string, prepare: (tslabRequire: NodeJS.Require) => void): Tslab {
  const projectRequire = createRequire(join(projectRoot, "package.json"));
  const tslabRequire = createRequire(projectRequire.resolve("tslab/dist/main.js"));
  prepare(tslabRequire);
  return {
    converter: tslabRequire("./converter.js") as ConverterModule,
    executor: tslabRequire("./executor.js") as ExecutorModule,
    jupyter: tslabRequire("./jupyter.js") as JupyterModule,
    require: tslabRequire,
  };
}
