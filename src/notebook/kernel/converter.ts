import { join } from "node:path";
import type * as TypeScript from "typescript";
import { ChangedModules } from "./changed-modules.js";
import type { CellTimeFileWatcher } from "./file-watching.js";
import { fitModuleOutput } from "./module-output.js";
import { hasTopLevelAwait } from "./top-level-await.js";
import type { Converter } from "./tslab.js";

/** What the repairs of the converter need to know about the project. */
export interface ConverterContext {
  readonly ts: typeof TypeScript;
  readonly projectRoot: string;
  readonly packageName: string;
  readonly watcher: CellTimeFileWatcher;
}

/** tslab's converter from cell to JavaScript, with the repairs around it. */
export function repairConverter(converter: Converter, context: ConverterContext): Converter {
  const { ts, projectRoot, packageName, watcher } = context;
  const changedModules = new ChangedModules();
  const cellPath = join(projectRoot, "__cell__.js");
  const convert: Converter["convert"] = (previousDeclarations, source) => {
    watcher.check();
    const result = converter.convert(previousDeclarations, source);
    result.hasToplevelAwait = result.hasToplevelAwait === true || hasTopLevelAwait(ts, source);
    if (result.output !== undefined) {
      result.output = fitModuleOutput(ts, result.output, cellPath, projectRoot, packageName);
    }
    if (result.sideOutputs !== undefined) {
      for (const output of result.sideOutputs) {
        output.data = fitModuleOutput(ts, output.data, output.path, projectRoot, packageName);
      }
      result.sideOutputs = changedModules.withImporters(result.sideOutputs);
    }
    return result;
  };
  // The rest stays bound to the original object's closures (inspect, complete, addModule, close).
  return { ...converter, convert };
}
