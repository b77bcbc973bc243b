import { Environment, type RuntimeValue } from "./library.js";

/** A plain value as the interpreter has it. */
export function toRuntime(value: unknown): RuntimeValue {
  return new Environment().set("value", value);
}

/** A function for templates that gets and gives the interpreter's own values. */
export function runtimeFunction(call: (args: readonly RuntimeValue[]) => RuntimeValue): RuntimeValue {
  return new FunctionValue(call);
}

/** The library does not export its classes; an instance of each tells them. */
const FunctionValue = toRuntime(() => null).constructor as new (
  call: (args: readonly RuntimeValue[]) => RuntimeValue,
) => RuntimeValue;
const ArrayValue = toRuntime([]).constructor as new (items: readonly RuntimeValue[]) => RuntimeValue;

/** A list of the interpreter's own values. */
export function runtimeList(items: readonly RuntimeValue[]): RuntimeValue {
  return new ArrayValue(items);
}

/** The items of a list or the characters of a text; the keys of a mapping. Undefined for what cannot be gone through. */
export function itemsOf({ type, value }: RuntimeValue): readonly RuntimeValue[] | undefined {
  if (Array.isArray(value)) return value as readonly RuntimeValue[];
  if (typeof value === "string") return Array.from(value, toRuntime);
  if (type === "ObjectValue") return [...(value as ReadonlyMap<string, RuntimeValue>).keys()].map(toRuntime);
  return undefined;
}

/** Python's `str(value)`: what `{{ value }}` writes. */
export function pythonText(value: RuntimeValue): string {
  if (value.type === "UndefinedValue") return "";
  return typeof value.value === "string" ? value.value : pythonRepr(value);
}

/** Python's `repr(value)`. */
export function pythonRepr({ type, value }: RuntimeValue): string {
  if (type === "NullValue") return "None";
  if (type === "UndefinedValue") return "Undefined";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return quoted(value);
  if (typeof value === "number") return type === "FloatValue" ? pythonFloat(value) : String(value);
  if (Array.isArray(value)) return `[${(value as RuntimeValue[]).map(pythonRepr).join(", ")}]`;
  if (value instanceof Map) {
    const entries = [...(value as ReadonlyMap<string, RuntimeValue>)];
    return `{${entries.map(([key, item]) => `${quoted(key)}: ${pythonRepr(item)}`).join(", ")}}`;
  }
  throw new Error(`${type} has no text`);
}

function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escapes: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\" };
  const inside = text.replace(/[\n\r\t\\]/g, (found) => escapes[found] ?? found);
  return quote + (quote === "'" ? inside.replaceAll("'", "\\'") : inside) + quote;
}

function pythonFloat(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e16) return value.toFixed(1);
  return String(value).replace(/e([+-])(\d)$/, "e$10$2");
}
