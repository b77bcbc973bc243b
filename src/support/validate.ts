import { z } from "zod";
import { KitError, type ErrorLocation } from "./errors.js";

/**
 * Checks a value from outside (a JSON file, a notebook cell) against a schema of `z.strictObject`s.
 * @param what such as "the training configuration", for the message
 * @param location where the value is; a `field` there is put before the names of the fields in it
 * @throws KitError that names the first wrong field, what it holds, and what it may hold; for a field that does not
 *   exist, the fields that do
 */
export function validate<Value>(
  schema: z.ZodType<Value>,
  value: unknown,
  what: string,
  location: ErrorLocation = {},
): Value {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = nearest(value, result.error.issues[0]);
  if (issue === undefined)
    throw new KitError(`${what} is not valid`, "compare it with the documentation", location);
  throw errorOf(schema, value, what, location, issue);
}

/**
 * For an object that fits no alternative of a union, the first problem of the alternative that it is nearest to: one
 * that has its literals, with the fewest problems.
 */
function nearest(value: unknown, issue: z.core.$ZodIssue | undefined): z.core.$ZodIssue | undefined {
  if (issue?.code !== "invalid_union" || issue.errors.length === 0) return issue;
  const given = valueAt(value, issue.path);
  if (typeof given !== "object" || given === null) return issue;
  const wrongLiterals = (issues: readonly z.core.$ZodIssue[]): number =>
    issues.filter(({ code }) => code === "invalid_value" || code === "invalid_type").length;
  const [best] = [...issue.errors].sort((a, b) => wrongLiterals(a) - wrongLiterals(b) || a.length - b.length);
  const inner = best?.[0];
  return inner === undefined ? issue : nearest(value, { ...inner, path: [...issue.path, ...inner.path] });
}

function errorOf(
  schema: z.ZodType,
  value: unknown,
  what: string,
  location: ErrorLocation,
  issue: z.core.$ZodIssue,
): KitError {
  if (issue.code === "unrecognized_keys") {
    const unknown = issue.keys[0] ?? "";
    const allowed = fieldsAt(schema, value, issue.path);
    return new KitError(`${what} has no such field`, `remove it or use one of ${allowed.join(", ")}`, {
      ...location,
      field: dotted(location.field, [...issue.path, unknown]),
    });
  }
  const given = valueAt(value, issue.path);
  const field = dotted(location.field, issue.path);
  const expected = expectationOf(issue);
  return new KitError(
    given === undefined ? `${what} lacks this field` : `${what} has the value ${shown(given)} here`,
    expected,
    field === "" ? location : { ...location, field },
  );
}

function dotted(prefix: string | undefined, path: readonly PropertyKey[]): string {
  return [...(prefix === undefined ? [] : [prefix]), ...path].join(".");
}

/** Types as a reader calls them. */
const KINDS: Readonly<Record<string, string>> = {
  int: "a whole number",
  number: "a number",
  string: "a text",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
};

/** What the field may hold, as an imperative. */
function expectationOf(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_value")
    return `give one of ${issue.values.map((item) => JSON.stringify(item)).join(", ")}`;
  if (issue.code === "invalid_union") {
    const parts = issue.errors.flatMap((errors) => errors.slice(0, 1)).map(expectationOf);
    if (parts.length > 0) return [...new Set(parts)].join(", or ");
    if ("options" in issue && Array.isArray(issue.options)) {
      return `give one of ${issue.options.map((item) => JSON.stringify(item)).join(", ")}`;
    }
  }
  if (issue.code === "invalid_type")
    return `give ${KINDS[issue.expected] ?? `a value of type ${issue.expected}`}`;
  if (issue.code === "too_small")
    return `give ${issue.inclusive === true ? "at least" : "more than"} ${issue.minimum}`;
  if (issue.code === "too_big")
    return `give ${issue.inclusive === true ? "at most" : "less than"} ${issue.maximum}`;
  return issue.message;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, key) =>
      typeof at === "object" && at !== null ? (at as Record<PropertyKey, unknown>)[key] : undefined,
    value,
  );
}

/** The names of the fields that the schema allows at a path; in a union, those of the alternative that was chosen. */
function fieldsAt(schema: unknown, value: unknown, path: readonly PropertyKey[]): string[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodReadonly || schema instanceof z.ZodDefault) {
    return fieldsAt(schema.unwrap(), value, path);
  }
  if (schema instanceof z.ZodUnion) {
    const options = schema.options as readonly unknown[];
    const chosen = options.filter((option) => matchesLiterals(option, value));
    return [
      ...new Set((chosen.length > 0 ? chosen : options).flatMap((option) => fieldsAt(option, value, path))),
    ];
  }
  const [key, ...rest] = path;
  if (schema instanceof z.ZodObject) {
    const shape = schema.shape as Readonly<Record<PropertyKey, unknown>>;
    return key === undefined ? Object.keys(shape) : fieldsAt(shape[key], valueAt(value, [key]), rest);
  }
  if (schema instanceof z.ZodArray && key !== undefined)
    return fieldsAt(schema.element, valueAt(value, [key]), rest);
  return [];
}

function matchesLiterals(option: unknown, value: unknown): boolean {
  if (!(option instanceof z.ZodObject)) return false;
  return Object.entries(option.shape as Readonly<Record<string, unknown>>).every(([name, field]) => {
    const inner: unknown = field instanceof z.ZodOptional ? field.unwrap() : field;
    const chooses = inner instanceof z.ZodLiteral || inner instanceof z.ZodEnum;
    return !chooses || (field as z.ZodType).safeParse(valueAt(value, [name])).success;
  });
}

/** A value as short text: it may be huge. */
function shown(value: unknown): string {
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "[...]" : "{...}";
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
