import Module from "node:module";
import { dirname, join } from "node:path";
import type * as TypeScript from "typescript";
import { CellDiagnostics } from "./cell-diagnostics.js";
import { cellCompilerOptions } from "./compiler-options.js";
import type { CellTimeFileWatcher } from "./file-watching.js";
import { renameReservedNames } from "./reserved-names.js";

/** Parts of the compiler that it exports without declaring them, and that tslab's completion and inspection need. */
interface UndeclaredTypeScript {
  readonly nullTransformationContext: TypeScript.TransformationContext;
  getTouchingPropertyName(file: TypeScript.SourceFile, position: number): TypeScript.Node | undefined;
  readonly Completions: {
    getCompletionsAtPosition(...parameters: unknown[]): TypeScript.CompletionInfo | undefined;
  };
}

type FullTypeScript = typeof TypeScript & UndeclaredTypeScript;

/**
 * Puts the project's own TypeScript in the place of the 5.0.4 fork that tslab brings, with the functions that only the
 * fork has. Must run before tslab's modules are loaded.
 */
export function substituteTypeScript(
  tslabRequire: NodeJS.Require,
  compiler: typeof TypeScript,
  watcher: CellTimeFileWatcher,
  projectRoot: string,
  packageName: string,
): void {
  const ts = compiler as FullTypeScript;
  const diagnostics = new CellDiagnostics(ts, watcher);
  const forkPath = tslabRequire.resolve("@tslab/typescript-for-tslab");
  const substitute = new Module(forkPath);
  substitute.filename = forkPath;
  substitute.loaded = true;
  substitute.exports = Object.defineProperties(
    {},
    {
      ...Object.getOwnPropertyDescriptors(ts),
      ...valueDescriptors({
        sys: watchingSystem(ts, watcher),
        transpileModule: (code: string, options: TypeScript.TranspileOptions) =>
          ts.transpileModule(renameReservedNames(ts, code), options),
        createWatchCompilerHost: watchHostFactory(ts, projectRoot, packageName),
        getDefaultTypeRoots: defaultTypeRoots,
        getNullTransformationContext: () => ts.nullTransformationContext,
        getPreEmitDiagnosticsOfFiles: diagnostics.of.bind(diagnostics),
        getQuickInfoAtPosition: (
          file: TypeScript.SourceFile,
          checker: TypeScript.TypeChecker,
          _cancellation: unknown,
          position: number,
        ) => quickInfo(ts, file, checker, position),
        Completions: completions(ts, projectRoot),
      }),
    },
  );
  tslabRequire.cache[forkPath] = substitute;
}

function valueDescriptors(values: Readonly<Record<string, unknown>>): PropertyDescriptorMap {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, { enumerable: true, value }]),
  );
}

function watchingSystem(ts: FullTypeScript, watcher: CellTimeFileWatcher): TypeScript.System {
  return Object.assign(Object.create(ts.sys) as TypeScript.System, {
    watchFile: watcher.watchFile.bind(watcher),
    watchDirectory: watcher.watchDirectory.bind(watcher),
  });
}

/** The compiler host of the cells, with the project's options. */
function watchHostFactory(
  ts: FullTypeScript,
  projectRoot: string,
  packageName: string,
): (files: string[], options: TypeScript.CompilerOptions, system: TypeScript.System) => unknown {
  return (files, options, system, ...rest: never[]) =>
    ts.createWatchCompilerHost(
      files,
      cellCompilerOptions(ts, options, projectRoot, packageName),
      withoutInvalidationTimer(system),
      ...rest,
    );
}

/**
 * tslab holds one timer and throws "Unexpected pending rebuildTimer" at a second one, for good. The compiler has two:
 * the rebuild, which tslab fires itself at each cell, and the forgetting of failed imports (a cell imported a file that
 * did not exist). Each rebuild forgets them anyway, so that timer is dropped.
 */
function withoutInvalidationTimer(system: TypeScript.System): TypeScript.System {
  const dropped = Symbol("timer that is never needed");
  return Object.assign(Object.create(system) as TypeScript.System, {
    setTimeout: (callback: (...values: unknown[]) => void, milliseconds: number, label: unknown): unknown =>
      label === "timerToInvalidateFailedLookupResolutions"
        ? dropped
        : system.setTimeout?.(callback, milliseconds, label),
    clearTimeout: (timer: unknown): void => {
      if (timer !== dropped) system.clearTimeout?.(timer);
    },
  });
}

function defaultTypeRoots(directory: string): string[] {
  const parent = dirname(directory);
  const own = join(directory, "node_modules/@types");
  return parent === directory ? [own] : [own, ...defaultTypeRoots(parent)];
}

function quickInfo(
  ts: FullTypeScript,
  file: TypeScript.SourceFile,
  checker: TypeScript.TypeChecker,
  position: number,
): TypeScript.QuickInfo | undefined {
  const node = ts.getTouchingPropertyName(file, position);
  if (node === undefined || node === file) return undefined;
  const symbol = checker.getSymbolAtLocation(node);
  const type = checker.typeToString(
    checker.getTypeAtLocation(node),
    node,
    ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.UseFullyQualifiedType,
  );
  return {
    kind: ts.ScriptElementKind.unknown,
    kindModifiers: "",
    textSpan: { start: node.getStart(file), length: node.getWidth(file) },
    displayParts: [{ kind: "text", text: symbol === undefined ? type : `${symbol.getName()}: ${type}` }],
    documentation: symbol?.getDocumentationComment(checker) ?? [],
    tags: symbol?.getJsDocTags(checker) ?? [],
  };
}

/** The fork's completion entry point, by the one of the current compiler, which takes two more parameters. */
function completions(ts: FullTypeScript, projectRoot: string): object {
  const getCompletionsAtPositionForTslab = (
    _host: unknown,
    program: TypeScript.Program,
    log: unknown,
    file: unknown,
    position: unknown,
    preferences: unknown,
    triggerCharacter: unknown,
    kind: unknown,
    cancellation: unknown,
  ): TypeScript.CompletionInfo | undefined => {
    const host = {
      getCompilationSettings: () => program.getCompilerOptions(),
      getCurrentDirectory: () => projectRoot,
      fileExists: (path: string) => ts.sys.fileExists(path),
      readFile: (path: string) => ts.sys.readFile(path),
    };
    return ts.Completions.getCompletionsAtPosition(
      host,
      program,
      log,
      file,
      position,
      preferences,
      triggerCharacter,
      kind,
      cancellation,
      undefined,
      false,
    );
  };
  return { ...ts.Completions, getCompletionsAtPositionForTslab };
}
