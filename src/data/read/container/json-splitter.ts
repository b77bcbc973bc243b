import { KitError } from "../../../support/errors.js";
import { DEEPEST_NESTING, LARGEST_RECORD } from "./record.js";

/** A piece of a JSON text: an element of the list that is taken apart, or a member of the object around it. */
export interface JsonPart {
  readonly kind: "element" | "member";
  /** Its name, where it stands in an object. */
  readonly key: string | undefined;
  /** Line where it begins, counted from 1. */
  readonly line: number;
  readonly bytes: Uint8Array;
}

export interface SplitOptions {
  /**
   * The member of the outer object whose elements are wanted one by one (a list, or an object with a name for each); left
   * out, the text itself is a list and its elements are wanted.
   */
  readonly within?: string;
  /** Whether the bytes of the other members are wanted; those that are not are passed over without being kept. */
  readonly members: boolean;
}

const CODES = { quote: 0x22, backslash: 0x5c, newline: 0x0a, comma: 0x2c, colon: 0x3a } as const;
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

type Expected = "value" | "value or end" | "key" | "key or end" | "colon" | "comma or end" | "nothing";

/**
 * Takes a JSON text apart while its bytes come in, block by block, without holding more than one element: it follows
 * quotes and brackets, and leaves the inside of each element to a parser. What it does not see, such as a misspelt number
 * in an element, that parser finds; what it does see, such as a missing comma between elements or an end that does not
 * come, makes the rest of the file meaningless and is an error.
 */
export class JsonSplitter {
  readonly #file: string;
  readonly #options: SplitOptions;
  /** The list and objects that are open around the current part: at most the outer object and the list within. */
  readonly #open: ("list" | "object")[] = [];
  #expected: Expected = "value";
  #line = 1;
  #offset = 0;
  #key: string | undefined;
  /** The value or key that is being read. */
  #reading: "no" | "key" | "value" = "no";
  #shape: "string" | "scalar" | "nested" = "scalar";
  #depth = 0;
  #inString = false;
  #escaped = false;
  #keep = false;
  #firstLine = 1;
  #kept: Uint8Array[] = [];
  #keptBytes = 0;
  #entered: "list" | "object" | undefined;
  readonly #names = new Set<string>();

  constructor(file: string, options: SplitOptions) {
    this.#file = file;
    this.#options = options;
  }

  /** What the member `within` is, where it was found and can be taken apart. */
  get entered(): "list" | "object" | undefined {
    return this.#entered;
  }

  /**
   * The parts that are complete with these bytes.
   * @throws KitError where the text cannot be JSON
   */
  push(block: Uint8Array): JsonPart[] {
    const parts: JsonPart[] = [];
    let start = 0;
    for (let at = 0; at < block.length; at++) {
      const byte = block[at] ?? 0;
      if (byte === CODES.newline) this.#line++;
      if (this.#reading === "no") {
        if (isSpace(byte) || (this.#open.length === 0 && isMark(byte, this.#offset + at))) continue;
        start = at;
        this.#between(byte);
      } else if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === CODES.backslash) this.#escaped = true;
        else if (byte === CODES.quote) {
          this.#inString = false;
          if (this.#shape === "string") this.#finish(block.subarray(start, at + 1), parts);
        }
      } else if (this.#shape === "scalar") {
        if (!isScalarEnd(byte)) continue;
        this.#finish(block.subarray(start, at), parts);
        if (!isSpace(byte)) this.#between(byte);
      } else if (this.#nested(byte)) this.#finish(block.subarray(start, at + 1), parts);
    }
    if (this.#reading !== "no") this.#keepBytes(block.subarray(start));
    this.#offset += block.length;
    return parts;
  }

  /** The names of the outer object's members, as far as they were seen. */
  get names(): readonly string[] {
    return [...this.#names];
  }

  /** Whether the end of the text was there. */
  get isComplete(): boolean {
    return this.#expected === "nothing";
  }

  /** @throws KitError when the text breaks off */
  end(): void {
    if (!this.isComplete) throw this.#error("it breaks off");
  }

  /** A byte inside a list or object that is kept whole; true when it closes it. */
  #nested(byte: number): boolean {
    if (byte === CODES.quote) this.#inString = true;
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      this.#depth++;
      if (this.#depth > DEEPEST_NESTING) throw this.#error(`it is nested more than ${DEEPEST_NESTING} deep`);
    } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) this.#depth--;
    return this.#depth === 0;
  }

  /** A byte between parts: punctuation, or the first of a key or value. */
  #between(byte: number): void {
    const container = this.#open.at(-1);
    const closing = container === "list" ? CLOSE_LIST : CLOSE_OBJECT;
    const mayEnd = this.#expected.endsWith("or end");
    if (container !== undefined && mayEnd && byte === closing) {
      this.#open.pop();
      this.#expected = this.#open.length === 0 ? "nothing" : "comma or end";
    } else if (this.#expected === "comma or end" && byte === CODES.comma) {
      this.#expected = container === "list" ? "value" : "key";
    } else if (this.#expected === "colon" && byte === CODES.colon) this.#expected = "value";
    else if (this.#expected.startsWith("key") && byte === CODES.quote) this.#begin("key", "string", true);
    else if (this.#expected.startsWith("value")) this.#beginValue(byte, container);
    else
      throw this.#error(
        this.#expected === "nothing" ? "something follows its end" : "a comma, colon or bracket is missing",
      );
  }

  #beginValue(byte: number, container: "list" | "object" | undefined): void {
    const shape = byte === OPEN_LIST ? "list" : byte === OPEN_OBJECT ? "object" : undefined;
    const { within, members } = this.#options;
    const isOuter = container === undefined;
    if (isOuter && shape !== (within === undefined ? "list" : "object"))
      throw this.#error(within === undefined ? "it is not a list" : "it is not an object");
    const isWithin = this.#open.length === 1 && container === "object" && this.#key === within;
    if (isWithin && this.#entered !== undefined) throw this.#error(`it has "${within ?? ""}" twice`);
    if (shape !== undefined && (isOuter || isWithin)) {
      this.#open.push(shape);
      if (isWithin) this.#entered = shape;
      this.#expected = shape === "list" ? "value or end" : "key or end";
      return;
    }
    if (byte === CODES.quote) this.#begin("value", "string", this.#isElement || members);
    else if (shape !== undefined) this.#begin("value", "nested", this.#isElement || members);
    else if (isScalarStart(byte)) this.#begin("value", "scalar", this.#isElement || members);
    else throw this.#error("a value is missing");
  }

  get #isElement(): boolean {
    return this.#options.within === undefined || this.#open.length === 2;
  }

  #begin(reading: "key" | "value", shape: "string" | "scalar" | "nested", keep: boolean): void {
    this.#reading = reading;
    this.#shape = shape;
    this.#depth = shape === "nested" ? 1 : 0;
    this.#inString = shape === "string";
    this.#keep = keep;
    this.#firstLine = this.#line;
  }

  #finish(last: Uint8Array, parts: JsonPart[]): void {
    this.#keepBytes(last);
    const bytes = Buffer.concat(this.#kept);
    const wasKey = this.#reading === "key";
    this.#kept = [];
    this.#keptBytes = 0;
    this.#reading = "no";
    if (wasKey) {
      this.#key = this.#parseKey(bytes);
      if (this.#open.length === 1) this.#names.add(this.#key);
      this.#expected = "colon";
      return;
    }
    this.#expected = "comma or end";
    if (!this.#keep) return;
    const key = this.#open.at(-1) === "object" ? this.#key : undefined;
    parts.push({ kind: this.#isElement ? "element" : "member", key, line: this.#firstLine, bytes });
  }

  #parseKey(bytes: Buffer): string {
    try {
      return JSON.parse(bytes.toString()) as string;
    } catch {
      throw this.#error("a name of a field is damaged");
    }
  }

  #keepBytes(bytes: Uint8Array): void {
    if (!this.#keep) return;
    this.#kept.push(bytes);
    this.#keptBytes += bytes.length;
    if (this.#keptBytes > LARGEST_RECORD) throw this.#error("one of its values has more than 64 MiB");
  }

  #error(problem: string): KitError {
    return new KitError(
      `not valid JSON: ${problem}`,
      "check the file for a missing bracket, comma or quote, or for a download that was cut off",
      { file: this.#file, line: this.#line },
    );
  }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Whether this is the byte of a byte order mark at this place of the file. */
function isMark(byte: number, offset: number): boolean {
  return byte === BYTE_ORDER_MARK[offset];
}

function isScalarEnd(byte: number): boolean {
  return isSpace(byte) || byte === CODES.comma || byte === CLOSE_LIST || byte === CLOSE_OBJECT;
}

/** The first byte of a number, `true`, `false`, `null`, `NaN` or `Infinity`. */
function isScalarStart(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || byte === 0x2d || [0x74, 0x66, 0x6e, 0x4e, 0x49].includes(byte);
}
