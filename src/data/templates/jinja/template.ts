import { KitError, messageOf } from "../../../support/errors.js";
import { Random } from "../../../support/random.js";
import {
  Environment,
  Interpreter,
  type JinjaEnvironment,
  parse,
  type SyntaxNode,
  tokenize,
} from "./library.js";
import { PythonInterpreter } from "./python-interpreter.js";

/**
 * How the source is read: as Python's `transformers` reads chat templates (a block takes the white space before it and the
 * line's end behind it along), or as plain Jinja, with the Python values and the filters of PromptSource.
 */
export type JinjaDialect = "chat" | "promptsource";

/** A Jinja template: text in which nothing but Jinja runs. */
export class JinjaTemplate {
  readonly #program: SyntaxNode;
  readonly #name: string;
  readonly #dialect: JinjaDialect;

  /**
   * @param name for messages, such as `chat template "llama3"`
   * @throws KitError for a source that is not Jinja
   */
  constructor(name: string, source: string, dialect: JinjaDialect) {
    this.#name = name;
    this.#dialect = dialect;
    try {
      this.#program = parse(
        tokenize(source, { lstrip_blocks: dialect === "chat", trim_blocks: dialect === "chat" }),
      );
    } catch (error) {
      throw this.#failure("is not valid Jinja", error);
    }
  }

  /**
   * The text for some variables.
   * @param random where PromptSource's filter `choice` draws from
   * @throws KitError when the template raises an exception or uses what Jinja has and the library has not
   */
  render(variables: Readonly<Record<string, unknown>>, random = new Random(0)): string {
    try {
      const environment = environmentWith({ ...GLOBALS, ...variables });
      const interpreter =
        this.#dialect === "chat" ? new Interpreter(environment) : new PythonInterpreter(environment, random);
      const { value } = interpreter.run(this.#program);
      return typeof value === "string" ? value : String(value);
    } catch (error) {
      throw this.#failure("cannot be rendered", error);
    }
  }

  /** Names of the variables that the template reads and does not set itself. */
  variables(): ReadonlySet<string> {
    const read = new Set<string>();
    const own = new Set<string>([...Object.keys(GLOBALS), "namespace", "loop", "zip"]);
    collectNames(this.#program, read, own);
    return new Set([...read].filter((name) => !own.has(name)));
  }

  #failure(what: string, error: unknown): KitError {
    return new KitError(
      `${this.#name} ${what} (${messageOf(error)})`,
      "correct the template, or leave out what it has no place for",
      {},
      { cause: error },
    );
  }
}

const GLOBALS: Readonly<Record<string, unknown>> = {
  true: true,
  false: false,
  none: null,
  True: true,
  False: false,
  None: null,
  range: (start: number, stop?: number, step = 1): number[] => {
    const [from, to] = stop === undefined ? [0, start] : [start, stop];
    const length = Math.max(0, Math.ceil((to - from) / step));
    return Array.from({ length }, (_, index) => from + index * step);
  },
  raise_exception: (message: unknown): never => {
    throw new Error(String(message));
  },
  strftime_now: (): never => {
    throw new Error("it writes today's date: rows would differ from day to day; set the date as a variable");
  },
};

function environmentWith(variables: Readonly<Record<string, unknown>>): JinjaEnvironment {
  const environment = new Environment();
  for (const [name, value] of Object.entries(variables)) environment.set(name, value);
  return environment;
}

/** Walks a syntax tree: `read` gets the names of variables, `own` those that the template sets. */
function collectNames(node: unknown, read: Set<string>, own: Set<string>): void {
  if (Array.isArray(node)) {
    for (const part of node) collectNames(part, read, own);
    return;
  }
  if (node instanceof Map) {
    for (const [key, value] of node) collectNames([key, value], read, own);
    return;
  }
  if (typeof node !== "object" || node === null) return;
  const fields = node as Readonly<Record<string, unknown>>;
  switch (fields.type) {
    case "Identifier":
      read.add(String(fields.value));
      return;
    case "Set":
      setNames(fields.assignee, own);
      collectNames([fields.value, fields.body], read, own);
      return;
    case "For":
      setNames(fields.loopvar, own);
      collectNames([fields.iterable, fields.body, fields.defaultBlock], read, own);
      return;
    case "Macro":
      setNames([fields.name, fields.args], own);
      collectNames(fields.body, read, own);
      return;
    case "MemberExpression":
      collectNames([fields.object, fields.computed === true ? fields.property : undefined], read, own);
      return;
    case "FilterExpression":
      collectNames([fields.operand, argumentsOf(fields.filter)], read, own);
      return;
    case "TestExpression":
      collectNames(fields.operand, read, own);
      return;
    case "KeywordArgumentExpression":
      collectNames(fields.value, read, own);
      return;
    default:
      for (const [name, value] of Object.entries(fields)) {
        if (name !== "type" && name !== "operator") collectNames(value, read, own);
      }
  }
}

function argumentsOf(filter: unknown): unknown {
  return typeof filter === "object" && filter !== null && "args" in filter ? filter.args : undefined;
}

function setNames(target: unknown, own: Set<string>): void {
  const names = new Set<string>();
  collectNames(target, names, own);
  for (const name of names) own.add(name);
}
