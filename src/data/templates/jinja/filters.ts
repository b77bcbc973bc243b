import type { Random } from "../../../support/random.js";
import type { RuntimeValue } from "./library.js";
import { itemsOf, pythonText, runtimeList, toRuntime } from "./python-values.js";

/** What a filter has besides its operand and its arguments. */
export interface FilterContext {
  readonly named: ReadonlyMap<string, RuntimeValue>;
  readonly random: Random;
}

/** A Jinja filter. */
export type Filter = (
  operand: RuntimeValue,
  args: readonly RuntimeValue[],
  context: FilterContext,
) => RuntimeValue;

/** Filters that behave as in Python's Jinja, and PromptSource's own. */
const FILTERS: ReadonlyMap<string, Filter> = new Map<string, Filter>([
  ["join", (operand, [separator]) => toRuntime(listOf(operand).map(pythonText).join(textOf(separator)))],
  ["int", (operand, [fallback]) => toRuntime(integer(operand) ?? fallback?.value ?? 0)],
  ["string", onText((text) => text)],
  ["lower", onText((text) => text.toLowerCase())],
  ["upper", onText((text) => text.toUpperCase())],
  ["trim", (operand, [characters]) => toRuntime(trimmed(pythonText(operand), characters))],
  ["capitalize", onText((text) => text.charAt(0).toUpperCase() + text.slice(1).toLowerCase())],
  [
    "replace",
    (operand, [old, replacement]) =>
      toRuntime(pythonText(operand).replaceAll(textOf(old), () => textOf(replacement))),
  ],
  ["length", (operand) => toRuntime(listOf(operand).length)],
  ["list", (operand) => runtimeList(listOf(operand))],
  ["first", (operand) => listOf(operand)[0] ?? toRuntime(undefined)],
  ["last", (operand) => listOf(operand).at(-1) ?? toRuntime(undefined)],
  ["map", mapped],
  ["reject", rejected],
  [
    "choice",
    (operand, _, { random }) => {
      const items = listOf(operand);
      if (items.length === 0) throw new Error("choice has nothing to choose from");
      return random.choice(items);
    },
  ],
  ["most_frequent", (operand) => runtimeList(mostFrequent(listOf(operand)))],
]);

/** A filter by its name; undefined for those of the library. */
export function filterOf(name: string): Filter | undefined {
  return FILTERS.get(name);
}

function onText(change: (text: string) => string): Filter {
  return (operand) => toRuntime(change(pythonText(operand)));
}

/** Python's `strip`: white space, or the given characters. */
function trimmed(text: string, characters: RuntimeValue | undefined): string {
  if (characters === undefined) return text.trim();
  const gone = new Set(pythonText(characters));
  const letters = Array.from(text);
  const first = letters.findIndex((letter) => !gone.has(letter));
  return first < 0
    ? ""
    : letters.slice(first, letters.findLastIndex((letter) => !gone.has(letter)) + 1).join("");
}

function listOf(value: RuntimeValue): readonly RuntimeValue[] {
  const items = value.type === "UndefinedValue" ? [] : itemsOf(value);
  if (items === undefined) throw new Error(`a ${value.type} is no list`);
  return items;
}

function textOf(value: RuntimeValue | undefined): string {
  return value === undefined ? "" : pythonText(value);
}

/** Jinja's `int`: whole numbers, the whole part of others, and of texts that hold a number. */
function integer({ value }: RuntimeValue): number | undefined {
  if (typeof value === "number" || typeof value === "boolean") return Math.trunc(Number(value));
  if (typeof value !== "string" || value.trim() === "") return undefined;
  const number = Number(value.replaceAll("_", ""));
  return Number.isFinite(number) ? Math.trunc(number) : undefined;
}

/** `map("lower")` and `map(attribute="text")`. */
function mapped(
  operand: RuntimeValue,
  [name, ...rest]: readonly RuntimeValue[],
  context: FilterContext,
): RuntimeValue {
  const attribute = context.named.get("attribute");
  if (attribute !== undefined) {
    const key = pythonText(attribute);
    return runtimeList(
      listOf(operand).map(
        ({ value }) =>
          (value instanceof Map ? (value as ReadonlyMap<string, RuntimeValue>).get(key) : undefined) ??
          toRuntime(undefined),
      ),
    );
  }
  const filter = FILTERS.get(textOf(name));
  if (filter === undefined) throw new Error(`there is no filter "${textOf(name)}" to map with`);
  return runtimeList(listOf(operand).map((item) => filter(item, rest, { ...context, named: new Map() })));
}

/** `reject("equalto", value)` and the other comparisons that templates reject by. */
function rejected(operand: RuntimeValue, [name, other]: readonly RuntimeValue[]): RuntimeValue {
  const tests: Readonly<Record<string, (item: RuntimeValue) => boolean>> = {
    equalto: (item) => item.value === other?.value,
    eq: (item) => item.value === other?.value,
    "==": (item) => item.value === other?.value,
    in: (item) => other !== undefined && listOf(other).some(({ value }) => value === item.value),
    none: (item) => item.type === "NullValue",
  };
  const test = tests[textOf(name)];
  if (test === undefined) throw new Error(`there is no test "${textOf(name)}" to reject by`);
  return runtimeList(listOf(operand).filter((item) => !test(item)));
}

/** The items that occur most often, each once, in the order in which they first occur. */
function mostFrequent(items: readonly RuntimeValue[]): RuntimeValue[] {
  const counts = new Map<unknown, { readonly item: RuntimeValue; count: number }>();
  for (const item of items) {
    const entry = counts.get(item.value);
    if (entry === undefined) counts.set(item.value, { item, count: 1 });
    else entry.count++;
  }
  const most = Math.max(0, ...[...counts.values()].map(({ count }) => count));
  return [...counts.values()].filter(({ count }) => count === most).map(({ item }) => item);
}
