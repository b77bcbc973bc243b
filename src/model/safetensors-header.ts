import { KitError } from "../support/errors.js";

/** Bytes of one value of each stored type. */
export const DTYPE_BYTES = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, U8: 1, BOOL: 1 } as const;

/** Name of a stored type, as the format spells it. */
export type StoredType = keyof typeof DTYPE_BYTES;

/** A tensor as the header describes it; `begin` and `end` count bytes from the start of the data. */
export interface HeaderEntry {
  readonly name: string;
  readonly dtype: StoredType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** A checked header: the entries tile the data without gap or overlap, in this order. */
export interface Header {
  readonly entries: readonly HeaderEntry[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** The format's own limit for the header. */
export const MAX_HEADER_BYTES = 100_000_000;

const CURE = "copy or download the file again, or take an earlier checkpoint";

/** An error about the content of a file. */
export function corrupt(file: string, problem: string): KitError {
  return new KitError(problem, CURE, { file });
}

/**
 * Reads and checks a header before anything is allocated for the tensors.
 * @param dataBytes bytes of the file after the header
 * @throws KitError on anything that does not fit the format or the file
 */
export function parseHeader(file: string, bytes: Uint8Array, dataBytes: number): Header {
  const fields = parseFields(file, bytes);
  const { __metadata__: rawMetadata, ...tensors } = fields;
  const entries = Object.entries(tensors).map(([name, value]) => parseEntry(file, name, value));
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let position = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== position) {
      const what = begin < position ? "overlaps the tensor before it" : "leaves a gap before it";
      throw corrupt(file, `tensor "${name}" starts at byte ${begin} of the data and ${what}`);
    }
    position = end;
  }
  if (position !== dataBytes) {
    throw corrupt(
      file,
      `the tensors need ${position} bytes of data and the file has ${dataBytes} (cut off or overwritten)`,
    );
  }
  return { entries, metadata: parseMetadata(file, rawMetadata) };
}

function parseFields(file: string, bytes: Uint8Array): Record<string, unknown> {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    value = JSON.parse(text);
  } catch {
    throw corrupt(file, "the header of the safetensors file is not JSON");
  }
  if (!isRecord(value)) throw corrupt(file, "the header of the safetensors file is not a JSON object");
  const repeated = repeatedKey(text);
  if (repeated !== undefined) throw corrupt(file, `the header names the tensor "${repeated}" twice`);
  // Own fields only: a tensor called "__proto__" must not change the object.
  return Object.assign(Object.create(null) as Record<string, unknown>, value);
}

function parseEntry(file: string, name: string, value: unknown): HeaderEntry {
  const say = (problem: string): KitError => corrupt(file, `tensor "${name}" ${problem}`);
  if (!isRecord(value)) throw say("has no description in the header");
  const { dtype, shape, data_offsets: offsets } = value;
  if (!isStoredType(dtype)) {
    throw say(`has the type ${JSON.stringify(dtype)}, known are ${Object.keys(DTYPE_BYTES).join(", ")}`);
  }
  if (!isSizes(shape)) throw say(`has the shape ${JSON.stringify(shape)}, a list of sizes is needed`);
  if (!isSizes(offsets) || offsets.length !== 2) {
    throw say(`has the offsets ${JSON.stringify(offsets)}, two byte positions are needed`);
  }
  const [begin = 0, end = 0] = offsets;
  const bytes = shape.reduce((product, size) => product * size, DTYPE_BYTES[dtype]);
  if (!Number.isSafeInteger(bytes) || end - begin !== bytes) {
    throw say(`of shape [${shape.join(", ")}] and type ${dtype} needs ${bytes} bytes and has ${end - begin}`);
  }
  return { name, dtype, shape, begin, end };
}

function parseMetadata(file: string, value: unknown): Record<string, string> {
  if (value === undefined) return {};
  if (!isRecord(value) || Object.values(value).some((item) => typeof item !== "string")) {
    throw corrupt(file, "the metadata in the header are not texts by name");
  }
  return value as Record<string, string>;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isStoredType(value: unknown): value is StoredType {
  return typeof value === "string" && Object.hasOwn(DTYPE_BYTES, value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

/** The first key that stands twice in the outermost object of valid JSON; `JSON.parse` silently takes the last. */
function repeatedKey(json: string): string | undefined {
  const seen = new Set<string>();
  let depth = 0;
  // Strings with escapes, or one of the characters that give JSON its structure.
  for (const match of json.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g)) {
    const [token, colon] = match;
    if (token === "{" || token === "[") depth++;
    else if (token === "}" || token === "]") depth--;
    else if (depth === 1 && colon !== undefined) {
      const key = JSON.parse(token.slice(0, token.length - colon.length)) as string;
      if (seen.has(key)) return key;
      seen.add(key);
    }
  }
  return undefined;
}
