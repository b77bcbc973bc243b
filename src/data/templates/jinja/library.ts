import * as library from "@huggingface/jinja";

/** A value while a template runs. */
export interface RuntimeValue {
  /** "StringValue", "IntegerValue", "ArrayValue", ... */
  readonly type: string;
  readonly value: unknown;
  readonly builtins: ReadonlyMap<string, RuntimeValue>;
}

/** A node of the syntax tree; its other fields depend on the type. */
export interface SyntaxNode {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** The variables of a template. */
export interface JinjaEnvironment {
  /** Declares a variable; functions get the values of their arguments. */
  set(name: string, value: unknown): RuntimeValue;
  setVariable(name: string, value: RuntimeValue): RuntimeValue;
}

/** What the library's interpreter does, step by step; private in its declarations. */
export interface JinjaInterpreter {
  run(program: SyntaxNode): RuntimeValue;
  evaluate(node: SyntaxNode | undefined, environment: JinjaEnvironment): RuntimeValue;
  evaluateBlock(statements: readonly SyntaxNode[], environment: JinjaEnvironment): RuntimeValue;
  evaluateBinaryExpression(node: SyntaxNode, environment: JinjaEnvironment): RuntimeValue;
  evaluateMemberExpression(node: SyntaxNode, environment: JinjaEnvironment): RuntimeValue;
  evaluateSliceExpression(
    object: RuntimeValue,
    slice: SyntaxNode,
    environment: JinjaEnvironment,
  ): RuntimeValue;
  evaluateArguments(
    nodes: readonly SyntaxNode[],
    environment: JinjaEnvironment,
  ): [RuntimeValue[], Map<string, RuntimeValue>];
  applyFilter(operand: RuntimeValue, filter: SyntaxNode, environment: JinjaEnvironment): RuntimeValue;
}

/** The library's declarations import without file endings, which this module resolution does not follow. */
const { Environment, Interpreter, parse, tokenize } = library as unknown as {
  readonly Environment: new () => JinjaEnvironment;
  readonly Interpreter: new (environment: JinjaEnvironment) => JinjaInterpreter;
  readonly parse: (tokens: readonly unknown[]) => SyntaxNode;
  readonly tokenize: (
    source: string,
    options: { readonly lstrip_blocks: boolean; readonly trim_blocks: boolean },
  ) => readonly unknown[];
};

export { Environment, Interpreter, parse, tokenize };
