import { z } from "zod";
import { KitError, type ErrorLocation } from "./errors.js";

/**
 * Checks a value from outside (a JSON file, a notebook cell) against a schema of `z.strictObject`s.
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
  const issue = result.error.issues[0];
  if (issue === undefined)
    throw new KitError(`${what} is not valid`, "compare it with the documentation", location);
  throw errorOf(schema, value, what, location, issue);
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
      field: [...issue.path, unknown].join("."),
    });
  }
  const given = valueAt(value, issue.path);
  const field = issue.path.length === 0 ? location.field : issue.path.join(".");
  const expected = expectationOf(issue);
  return new KitError(
    given === undefined ? `${what} lacks this field` : `${what} has the value ${JSON.stringify(given)} here`,
    expected,
    field === undefined ? location : { ...location, field },
  );
}

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
  if (issue.code === "invalid_type") return `give a value of type ${issue.expected}`;
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
  return Object.entries(option.shape as Readonly<Record<string, unknown>>).every(
    ([name, field]) =>
      !(field instanceof z.ZodLiteral) || (field.values as Set<unknown>).has(valueAt(value, [name])),
  );
}
