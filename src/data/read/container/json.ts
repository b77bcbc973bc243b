import { DEEPEST_NESTING } from "./record.js";

const [QUOTE, BACKSLASH, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [
  0x22, 0x5c, 0x5b, 0x5d, 0x7b, 0x7d,
];

const decoder = new TextDecoder("utf-8", { fatal: true });

/** What some bytes hold: a value, nothing but white space, or why they hold none. */
export type ParsedJson =
  { readonly value: unknown } | { readonly empty: true } | { readonly problem: "UTF-8" | "JSON" | "nesting" };

/**
 * The JSON value of some bytes (a line, an element of a list). As Python writes it: `NaN` and `Infinity`, which JSON does
 * not have, are read as null; a published Super-NaturalInstructions task has `"URL": [ NaN ]`.
 */
export function parseJsonBytes(bytes: Uint8Array): ParsedJson {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    return { problem: "UTF-8" };
  }
  if (text.trim() === "") return { empty: true };
  if (isNestedTooDeep(bytes)) return { problem: "nesting" };
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return parseWithoutNumbers(text) ?? { problem: "JSON" };
  }
}

/** What is wrong with a record, as a clause. */
export function jsonProblem(what: "line" | "row", problem: "UTF-8" | "JSON" | "nesting"): string {
  return problem === "nesting"
    ? `the ${what} is nested more than ${DEEPEST_NESTING} deep`
    : `the ${what} is not valid ${problem}`;
}

function parseWithoutNumbers(text: string): { readonly value: unknown } | undefined {
  if (!/NaN|Infinity/.test(text)) return undefined;
  try {
    const mended = text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|-?\b(?:NaN|Infinity)\b/gs, (found) =>
      found.startsWith('"') ? found : "null",
    );
    return { value: JSON.parse(mended) as unknown };
  } catch {
    return undefined;
  }
}

function isNestedTooDeep(bytes: Uint8Array): boolean {
  let depth = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at++;
      while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
    } else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      depth++;
      if (depth > DEEPEST_NESTING) return true;
    } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth--;
  }
  return false;
}
