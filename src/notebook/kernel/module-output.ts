import { dirname, join, relative, sep } from "node:path";
import type * as TypeScript from "typescript";

interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Fits the CommonJS that tslab emits to the project: `require("<package>/x")` becomes the project's own `src/x.js`
 * (which tslab holds in memory, compiled from the live `src/x.ts`), and `import.meta`, which CommonJS lacks, becomes
 * an object with `url`, `filename` and `dirname`.
 * @param path absolute path of the module; cells count as a file in the project root
 */
export function fitModuleOutput(
  ts: typeof TypeScript,
  code: string,
  path: string,
  projectRoot: string,
  packageName: string,
): string {
  if (!code.includes(packageName) && !code.includes("import.meta")) return code;
  const file = ts.createSourceFile(path, code, ts.ScriptTarget.Latest, false, ts.ScriptKind.JS);
  const replacements: Replacement[] = [];
  const visit = (node: TypeScript.Node): void => {
    if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword) {
      replacements.push({ start: node.getStart(file), end: node.end, text: importMetaOf(path) });
    } else if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
      const argument = node.arguments[0];
      if (node.expression.text === "require" && argument !== undefined && ts.isStringLiteral(argument)) {
        const text = ownModule(argument.text, path, projectRoot, packageName);
        if (text !== undefined)
          replacements.push({ start: argument.getStart(file), end: argument.end, text });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return replacements.reduceRight(
    (result, { start, end, text }) => result.slice(0, start) + text + result.slice(end),
    code,
  );
}

/** The modules that an emitted module requires by a relative path, as absolute paths ending in .js. */
export function relativeRequires(code: string, path: string): string[] {
  return [...code.matchAll(/\brequire\((["'])(\.{1,2}\/[^"']+)\1\)/g)].map((match) => {
    const target = join(dirname(path), match[2] ?? "");
    return /\.[cm]?js(on)?$/.test(target) ? target : `${target}.js`;
  });
}

function ownModule(
  specifier: string,
  path: string,
  projectRoot: string,
  packageName: string,
): string | undefined {
  if (specifier !== packageName && !specifier.startsWith(`${packageName}/`)) return undefined;
  const name = specifier === packageName ? "index" : specifier.slice(packageName.length + 1);
  const target = join(projectRoot, "src", name.endsWith(".js") ? name : `${name}.js`);
  const fromHere = relative(dirname(path), target).split(sep).join("/");
  return JSON.stringify(fromHere.startsWith(".") ? fromHere : `./${fromHere}`);
}

function importMetaOf(path: string): string {
  const filename = JSON.stringify(path);
  return `({ url: require("node:url").pathToFileURL(${filename}).href, filename: ${filename}, dirname: ${JSON.stringify(dirname(path))} })`;
}
