import type * as TypeScript from "typescript";

/**
 * Whether a cell awaits outside of functions, in any of the forms of the language. tslab decides by a compiler
 * diagnostic that is not there for `await (x)`, `await [x]`, `for await` and `await using`.
 */
export function hasTopLevelAwait(ts: typeof TypeScript, source: string): boolean {
  // As a module, or "await" would be an ordinary name.
  const file = ts.createSourceFile("cell.ts", `export {};\n${source}`, ts.ScriptTarget.Latest, true);
  const awaits = (node: TypeScript.Node): boolean => {
    if (ts.isFunctionLike(node) || ts.isClassLike(node) || ts.isTypeNode(node)) return false;
    if (ts.isAwaitExpression(node)) return true;
    if (ts.isForOfStatement(node) && node.awaitModifier !== undefined) return true;
    if (ts.isVariableDeclarationList(node) && isAwaitUsing(ts, node)) return true;
    return ts.forEachChild(node, awaits) ?? false;
  };
  return awaits(file);
}

function isAwaitUsing(ts: typeof TypeScript, node: TypeScript.VariableDeclarationList): boolean {
  const awaitUsing: number = ts.NodeFlags.AwaitUsing;
  return (node.flags & awaitUsing) === awaitUsing;
}
