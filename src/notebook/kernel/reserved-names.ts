import type * as TypeScript from "typescript";

/** What the CommonJS wrapper around a module declares; an ES module may declare these names itself. */
const WRAPPER_NAMES: ReadonlySet<string> = new Set([
  "require",
  "exports",
  "module",
  "__filename",
  "__dirname",
]);

/**
 * Renames what an ES module calls `require`, `__dirname` and so on (`const require = createRequire(import.meta.url)`),
 * so that it can be turned into CommonJS, whose wrapper has declared these names already.
 * @param code JavaScript with `import` and `export`
 */
export function renameReservedNames(ts: typeof TypeScript, code: string): string {
  const file = ts.createSourceFile("module.js", code, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS);
  const declared = declaredWrapperNames(ts, file);
  if (declared.size === 0) return code;
  const pieces: string[] = [];
  let done = 0;
  const visit = (node: TypeScript.Node): void => {
    if (ts.isIdentifier(node) && declared.has(node.text)) {
      pieces.push(code.slice(done, node.getStart(file)), renamed(ts, node));
      done = node.end;
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return pieces.join("") + code.slice(done);
}

function declaredWrapperNames(ts: typeof TypeScript, file: TypeScript.SourceFile): ReadonlySet<string> {
  const names = new Set<string>();
  const addBinding = (name: TypeScript.BindingName): void => {
    if (ts.isIdentifier(name)) names.add(name.text);
    else for (const element of name.elements) if (ts.isBindingElement(element)) addBinding(element.name);
  };
  for (const statement of file.statements) {
    if (ts.isVariableStatement(statement)) {
      for (const declaration of statement.declarationList.declarations) addBinding(declaration.name);
    } else if (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) {
      if (statement.name !== undefined) names.add(statement.name.text);
    }
  }
  return new Set([...names].filter((name) => WRAPPER_NAMES.has(name)));
}

function renamed(ts: typeof TypeScript, name: TypeScript.Identifier): string {
  const own = `own_${name.text}`;
  const { parent } = name;
  const isPropertyName =
    (ts.isPropertyAccessExpression(parent) && parent.name === name) ||
    (ts.isBindingElement(parent) && parent.propertyName === name) ||
    ((ts.isPropertyAssignment(parent) ||
      ts.isMethodDeclaration(parent) ||
      ts.isPropertyDeclaration(parent)) &&
      parent.name === name);
  if (isPropertyName) return name.text;
  if (ts.isShorthandPropertyAssignment(parent)) return `${name.text}: ${own}`;
  if (
    ts.isBindingElement(parent) &&
    parent.propertyName === undefined &&
    ts.isObjectBindingPattern(parent.parent)
  ) {
    return `${name.text}: ${own}`;
  }
  if (ts.isExportSpecifier(parent)) return parent.propertyName === undefined ? `${own} as ${name.text}` : own;
  return own;
}
