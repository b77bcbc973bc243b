import type { Random } from "../../../support/random.js";
import { type JinjaEnvironment, Interpreter, type RuntimeValue, type SyntaxNode } from "./library.js";
import { filterOf } from "./filters.js";
import { itemsOf, pythonText, runtimeFunction, runtimeList, toRuntime } from "./python-values.js";

/** Statements that write nothing; any other that gives None writes "None". */
const SILENT: ReadonlySet<string> = new Set(["Set", "Macro", "Comment", "If", "For", "Break", "Continue"]);

/** A node that stands for a value that was computed already. */
const KNOWN_VALUE = "KnownValue";

/**
 * Jinja as PromptSource's templates need it: values print and compare as in Python, mappings may have whole numbers as keys,
 * lists and texts have the methods that the templates call, and there are PromptSource's filters (`promptsource/templates.py`
 * of bigscience-workshop/promptsource, Apache-2.0). The library has what chat templates need.
 */
export class PythonInterpreter extends Interpreter {
  readonly #random: Random;

  /** @param random where the filter `choice` draws from */
  constructor(environment: JinjaEnvironment, random: Random) {
    super(environment);
    this.#random = random;
    environment.setVariable("zip", runtimeFunction(zip));
  }

  override evaluate(node: SyntaxNode | undefined, environment: JinjaEnvironment): RuntimeValue {
    switch (node?.type) {
      case "ObjectLiteral":
        return this.#evaluateMapping(node, environment);
      case "For":
        return super.evaluate(this.#withItems(node, environment), environment);
      case KNOWN_VALUE:
        return node.known as RuntimeValue;
      default:
        return super.evaluate(node, environment);
    }
  }

  /** A loop over a text goes through its characters; the library knows lists and mappings only. */
  #withItems(node: SyntaxNode, environment: JinjaEnvironment): SyntaxNode {
    const iterable = node.iterable as SyntaxNode;
    if (iterable.type === "SelectExpression") return node;
    const value = this.evaluate(iterable, environment);
    const known = typeof value.value === "string" ? runtimeList(itemsOf(value) ?? []) : value;
    return { ...node, iterable: { type: KNOWN_VALUE, known } };
  }

  #evaluateMapping(node: SyntaxNode, environment: JinjaEnvironment): RuntimeValue {
    const mapping = new Map<string, RuntimeValue>();
    for (const [key, value] of node.value as ReadonlyMap<SyntaxNode, SyntaxNode>) {
      mapping.set(mappingKey(this.evaluate(key, environment).value), this.evaluate(value, environment));
    }
    const object = toRuntime({});
    for (const [key, value] of mapping) (object.value as Map<string, RuntimeValue>).set(key, value);
    return object;
  }

  override evaluateBlock(statements: readonly SyntaxNode[], environment: JinjaEnvironment): RuntimeValue {
    let text = "";
    for (const statement of statements) {
      const value = this.evaluate(statement, environment);
      if (value.type !== "NullValue" || !SILENT.has(statement.type)) text += pythonText(value);
    }
    return toRuntime(text);
  }

  override evaluateBinaryExpression(node: SyntaxNode, environment: JinjaEnvironment): RuntimeValue {
    const { value: operator } = node.operator as { readonly value: string };
    if (operator !== "==" && operator !== "!=") return super.evaluateBinaryExpression(node, environment);
    const left = this.evaluate(node.left as SyntaxNode, environment);
    const right = this.evaluate(node.right as SyntaxNode, environment);
    return toRuntime(equal(left, right) === (operator === "=="));
  }

  override evaluateMemberExpression(node: SyntaxNode, environment: JinjaEnvironment): RuntimeValue {
    const object = this.evaluate(node.object as SyntaxNode, environment);
    const property = node.property as SyntaxNode;
    if (object.type === "UndefinedValue") throw new Error("a field of an undefined value is read");
    if (property.type === "SliceExpression")
      return this.evaluateSliceExpression(object, property, environment);
    const key =
      node.computed === true
        ? this.evaluate(property, environment).value
        : (property as { readonly value?: unknown }).value;
    return memberOf(object, typeof key === "boolean" ? Number(key) : key) ?? toRuntime(undefined);
  }

  override applyFilter(
    operand: RuntimeValue,
    filter: SyntaxNode,
    environment: JinjaEnvironment,
  ): RuntimeValue {
    const called = filter.type === "CallExpression";
    const { value: name } = (called ? filter.callee : filter) as { readonly value: string };
    const apply = filterOf(name);
    if (apply === undefined) return super.applyFilter(operand, filter, environment);
    const [args, named] = called
      ? this.evaluateArguments(filter.args as readonly SyntaxNode[], environment)
      : [[], new Map<string, RuntimeValue>()];
    return apply(operand, args, { named, random: this.#random });
  }
}

function memberOf(object: RuntimeValue, key: unknown): RuntimeValue | undefined {
  const { value, builtins } = object;
  if (value instanceof Map) {
    return (value as ReadonlyMap<string, RuntimeValue>).get(mappingKey(key)) ?? builtins.get(String(key));
  }
  if (typeof key === "number") return itemsOf(object)?.at(key);
  return methodOf(object, String(key)) ?? builtins.get(String(key));
}

/** The library's mappings have texts as keys; 1 and "1" are two keys in Python. */
function mappingKey(key: unknown): string {
  return typeof key === "string" ? key : `${String(key)} (no text)`;
}

/** Methods of Python's lists and texts that the library has not. */
function methodOf(object: RuntimeValue, name: string): RuntimeValue | undefined {
  const { value } = object;
  if (name === "join" && typeof value === "string") {
    return runtimeFunction(([list]) =>
      toRuntime((list === undefined ? [] : (itemsOf(list) ?? [])).map(pythonText).join(value)),
    );
  }
  if (name === "index") {
    return runtimeFunction(([wanted]) => {
      const index = wanted === undefined ? -1 : indexOf(object, wanted);
      if (index < 0) throw new Error("index() does not find the value");
      return toRuntime(index);
    });
  }
  return undefined;
}

function indexOf(object: RuntimeValue, wanted: RuntimeValue): number {
  if (typeof object.value === "string") return object.value.indexOf(pythonText(wanted));
  return (itemsOf(object) ?? []).findIndex((item) => equal(item, wanted));
}

/** Python's `==`: numbers and truth values compare by value, other types never equal each other. */
function equal(left: RuntimeValue, right: RuntimeValue): boolean {
  const plain = ({ value }: RuntimeValue): unknown => (typeof value === "boolean" ? Number(value) : value);
  const [a, b] = [plain(left), plain(right)];
  if (Array.isArray(a) && Array.isArray(b)) {
    const [x, y] = [a as RuntimeValue[], b as RuntimeValue[]];
    return x.length === y.length && x.every((item, index) => equal(item, y[index] ?? toRuntime(undefined)));
  }
  if (a === undefined || b === undefined) return left.type === right.type;
  return a === b;
}

/** Python's `zip`: pairs up to the end of the shortest. */
function zip(lists: readonly RuntimeValue[]): RuntimeValue {
  const columns = lists.map((list) => itemsOf(list) ?? []);
  const length = columns.length === 0 ? 0 : Math.min(...columns.map((column) => column.length));
  return runtimeList(
    Array.from({ length }, (_, row) => runtimeList(columns.flatMap((column) => column.slice(row, row + 1)))),
  );
}
