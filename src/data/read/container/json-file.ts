import { KitError } from "../../../support/errors.js";
import { readBytes } from "./bytes.js";
import { jsonProblem, parseJsonBytes } from "./json.js";
import { type JsonPart, JsonSplitter, type SplitOptions } from "./json-splitter.js";
import type { RawRecord } from "./record.js";

/** An element of a list, or of an object that has a name for each. */
export type JsonElement = RawRecord & { readonly key: string | undefined };

/**
 * The elements of a JSON list, one after the other: memory holds one of them. With `within`, of that member of the
 * outermost object, which may also be an object (`{"1": {...}, "2": {...}}`).
 * @throws KitError when the file is missing, or its brackets and commas are damaged: what follows cannot be told apart then
 */
export async function* readJsonElements(path: string, within?: string): AsyncGenerator<JsonElement> {
  let row = 0;
  for await (const { key, line, bytes } of splitFile(path, withinOption(within, false))) {
    row++;
    const parsed = parseJsonBytes(bytes);
    yield "value" in parsed
      ? { key, place: { row }, value: parsed.value }
      : {
          key,
          place: { row, line },
          problem: jsonProblem("row", "empty" in parsed ? "JSON" : parsed.problem),
        };
  }
}

/** What a JSON object holds beside its one long member. */
export interface JsonMembers {
  readonly members: Readonly<Record<string, unknown>>;
  /** What the long member is; undefined where there is none, or where it is neither (it is in `members` then). */
  readonly within: "list" | "object" | undefined;
}

/**
 * The members of a JSON object, without those of the long one, which `readJsonElements` reads.
 * @throws KitError when the file is missing or damaged anywhere between its members
 */
export async function readJsonMembers(path: string, within: string): Promise<JsonMembers> {
  const splitter = new JsonSplitter(path, { within, members: true });
  const members: Record<string, unknown> = {};
  for await (const part of splitWith(splitter, path)) {
    if (part.kind === "element") continue;
    const parsed = parseJsonBytes(part.bytes);
    if (!("value" in parsed)) {
      const problem = jsonProblem("row", "empty" in parsed ? "JSON" : parsed.problem).replace(
        "the row",
        "it",
      );
      throw new KitError(problem, "correct the file, or download it again", {
        file: path,
        line: part.line,
        ...(part.key === undefined ? {} : { field: part.key }),
      });
    }
    if (part.key !== undefined) setMember(members, part.key, parsed.value);
  }
  return { members, within: splitter.entered };
}

/**
 * The names of the members of a JSON object; nothing of the members themselves is kept.
 * @throws KitError when the file is missing or damaged between its members
 */
export async function readMemberNames(path: string): Promise<readonly string[]> {
  // No member has this name, so that none is taken apart.
  const splitter = new JsonSplitter(path, { within: "\0", members: false });
  for await (const part of splitWith(splitter, path)) throw new RangeError(`a part of kind ${part.kind}`);
  return splitter.names;
}

/** Sets a field also where it is named as a setter of objects is (`__proto__`). */
function setMember(members: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(members, key, { value, enumerable: true, writable: true, configurable: true });
}

function withinOption(within: string | undefined, members: boolean): SplitOptions {
  return within === undefined ? { members } : { within, members };
}

function splitFile(path: string, options: SplitOptions): AsyncGenerator<JsonPart> {
  return splitWith(new JsonSplitter(path, options), path);
}

async function* splitWith(splitter: JsonSplitter, path: string): AsyncGenerator<JsonPart> {
  for await (const block of readBytes(path)) yield* splitter.push(block);
  splitter.end();
}
