import { gunzipSync, gzipSync } from "node:zlib";
import { parquetMetadata } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";
import type { ContainerName } from "../../src/data/read/container/index.js";
import type { ReadResult } from "../../src/data/read/index.js";
import { KitError } from "../../src/support/errors.js";
import type { Random } from "../../src/support/random.js";

/** A good file, before it is damaged. */
export interface Original {
  readonly name: string;
  readonly bytes: Buffer;
  /** Whether a record may hold several rows, so that there are at least as many rows as records. */
  readonly isNested: boolean;
}

const ROWS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  alpaca: { instruction: "Say hello.", input: "to Bob", output: "Hello, Bob." },
  history: { instruction: "Add.", input: "1 1", output: "2", system: "Brief.", history: [["Hi", "Hello"]] },
  dolly: { instruction: "Who?", context: "Ann wrote it.", response: "Ann", category: "closed_qa" },
  eval: { dataset: "vicuna", instruction: "Tell a joke.", output: "No.", generator: "m" },
  ifeval: { key: 7, prompt: "No commas.", instruction_id_list: ["a:b"], kwargs: [{ n: 1 }] },
  bench: { question_id: 81, category: "writing", turns: ["Write.", "Rewrite."] },
  flan: { inputs: "Is it so?", targets: "yes", task_source: "T0", task_name: "q", template_type: "zs_opt" },
  p3: { inputs_pretokenized: "Good? Great!", targets_pretokenized: "good", answer_choices: ["good", "bad"] },
  rendered: { prompt: "Good or bad? Great!\n", completion: "good<|endoftext|>" },
  pairs: { question: "2+2?", answer: "4" },
  chat: {
    conversations: [
      { from: "human", value: "Hi é" },
      { from: "gpt", value: "Hello" },
      { from: "human", value: "Bye" },
      { from: "gpt", value: "Bye" },
    ],
    tools: "[]",
  },
  messages: {
    messages: [
      { role: "user", content: [{ type: "text", text: "Hi" }], loss_weight: 0 },
      { role: "assistant", content: "Hello 😀", loss_weight: 1 },
    ],
  },
  flat: {
    Task: "task9_add",
    Categories: ["Arithmetic"],
    Definition: ["Add."],
    "Positive Examples": [{ input: "1 1", output: "2" }],
    Instance: { input: "2 2", output: ["4", "four"] },
  },
};

const NESTED_ROWS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  seed: {
    id: "s",
    instruction: "Sort.",
    is_classification: false,
    instances: [{ input: "b a", output: "a b" }],
  },
  unnatural: {
    instruction: "Translate.",
    instances: [{ input: "cat", instruction_with_input: "-", constraints: "None.", output: "chat" }],
    reformulations: [{ instruction: "Say {INPUT} in French." }],
  },
};

const OBJECTS: Readonly<Record<string, object>> = {
  "task1_x.json": {
    Definition: ["Add."],
    Categories: ["Arithmetic"],
    "Positive Examples": [{ input: "1 1", output: "2" }],
    Instances: [1, 2, 3].map((id) => ({ id: `${id}`, input: "é", output: ["4"] })),
    "Instance License": ["MIT"],
  },
  "subtask1_x.json": {
    Definition: "Add.",
    Examples: { "Positive Examples": [{ input: "1 1", output: "2", reason: "-" }], "Negative Examples": [] },
    Instances: [1, 2, 3].map(() => ({ input: "é", output: ["4"] })),
  },
  "rhymes.json": {
    metadata: { num_examples: 2 },
    examples: {
      "1": { input: "cat", output: "hat", other_rhymes: ["mat"] },
      "2": { cause: "a", effect: "b" },
    },
  },
  "bbh.json": {
    canary: "no training",
    examples: [1, 2, 3].map((n) => ({ input: `Is it ${n}?`, target: "Yes" })),
  },
};

/** Good files of every format, in every container that holds them. */
export function originals(): readonly Original[] {
  const files: Original[] = [];
  const add = (name: string, bytes: string | Uint8Array, isNested = false): void => {
    files.push({ name, bytes: Buffer.from(bytes as Uint8Array), isNested });
  };
  for (const [kind, row] of [...Object.entries(ROWS), ...Object.entries(NESTED_ROWS)]) {
    const isNested = kind in NESTED_ROWS;
    const rows = [1, 2, 3].map((n) =>
      "id" in row ? { ...row, id: `s${n}` } : "key" in row ? { ...row, key: n } : row,
    );
    const numbered = rows.map((item, n) => ("question_id" in item ? { ...item, question_id: n } : item));
    const lines = numbered.map((item) => JSON.stringify(item)).join("\n");
    add(`${kind}.jsonl`, `${lines}\n`, isNested);
    add(`${kind}.json`, JSON.stringify(numbered, undefined, 1), isNested);
    add(`${kind}.jsonl.gz`, gzipSync(lines), isNested);
    const columns = Object.keys(row);
    add(
      `${kind}.parquet`,
      new Uint8Array(
        parquetWriteBuffer({
          columnData: columns.map((name) => {
            const data = numbered.map((item) => item[name]);
            const isText = data.every((cell) => typeof cell === "string");
            return { name, data, type: isText ? ("STRING" as const) : ("JSON" as const) };
          }),
        }),
      ),
      isNested,
    );
    if (!Object.values(row).every((value) => typeof value === "string")) continue;
    for (const [ending, delimiter] of [
      ["csv", ","],
      ["tsv", "\t"],
    ] as const) {
      const cells = [columns, ...numbered.map((item) => Object.values(item).map(String))];
      const table = cells.map((line) => line.map((cell) => `"${cell}"`).join(delimiter)).join("\r\n");
      add(`${kind}.${ending}`, table, isNested);
    }
  }
  for (const [name, object] of Object.entries(OBJECTS)) add(name, JSON.stringify(object, undefined, 1));
  add("cot.tsv", 'Is "it\\nso?\tyes\tBecause.\nAnd 2?\tno\tIt is.\nAnd 3?\tno\tIt is.\n');
  add("text.txt", "One two\nthree.\n\nFour é.\n\n\nFive.\n");
  return files;
}

const SNIPPETS = [
  "null",
  "[]",
  "{}",
  "1e999",
  '""',
  "NaN",
  "\\ud800",
  "\u0000",
  '"x"',
  "\ufeff",
  "\r\n",
  "\n",
  ",",
  "\t",
  '"',
  '{"input":',
  '"__proto__": 1,',
  "[".repeat(300),
  `${"[".repeat(5_000)}${"]".repeat(5_000)}`,
  '{"a":'.repeat(2_000),
] as const;

const VALUES = [
  "null",
  "7",
  "true",
  '""',
  '" "',
  "[]",
  "{}",
  "[[]]",
  '"\\ud83d"',
  "[1]",
  '{"a": 1}',
  "-0.0",
  "nul",
];

/** One to three random changes of a file's bytes. */
export function damage({ bytes: original }: Original, random: Random): Buffer {
  let bytes = original;
  for (let left = 1 + random.integer(3); left > 0; left--) {
    const at = random.integer(Math.max(1, bytes.length));
    const to = Math.min(bytes.length, at + 1 + random.integer(20));
    const splice = (...middle: readonly Uint8Array[]): Buffer =>
      Buffer.concat([bytes.subarray(0, at), ...middle, bytes.subarray(to)]);
    const changes: (() => Buffer)[] = [
      () => bytes.subarray(0, at),
      () => splice(),
      () => Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)]),
      () => splice(Buffer.from([random.integer(256)])),
      () => Buffer.concat([bytes.subarray(0, at), Buffer.from([0xc3, 0x28, 0xff]), bytes.subarray(at)]),
      () => splice(bytes.subarray(at, to), Buffer.from(random.choice(SNIPPETS))),
      () => replaceValue(bytes, random),
      () => replaceValue(bytes, random),
      () =>
        swapByte(
          bytes,
          random.choice([",", "\t", ":", '"', "\n"]),
          random.choice([";", "'", " ", "\n", ","]),
        ),
      () => (random.integer(40) === 0 ? splice(Buffer.alloc(300_000, "x")) : splice(bytes.subarray(at, to))),
    ];
    bytes = random.choice(changes)();
  }
  return bytes;
}

/** Puts a value of another type where a JSON value stood. */
function replaceValue(bytes: Buffer, random: Random): Buffer {
  const values = [...bytes.toString("latin1").matchAll(/(?<=: ?)("[^"]*"|\[[^\]]*\]|\d+|true|false)/g)];
  if (values.length === 0) return bytes;
  const value = random.choice(values);
  const end = value.index + value[0].length;
  return Buffer.concat([
    bytes.subarray(0, value.index),
    Buffer.from(random.choice(VALUES)),
    bytes.subarray(end),
  ]);
}

/** Another delimiter, everywhere. */
function swapByte(bytes: Buffer, from: string, to: string): Buffer {
  const code = from.charCodeAt(0);
  return Buffer.from(bytes.map((byte) => (byte === code ? to.charCodeAt(0) : byte)));
}

/**
 * How many records there are in some bytes, counted in another way than the readers do; undefined where nobody can say,
 * because quotes or brackets do not pair.
 */
export function countRecords(
  bytes: Buffer,
  container: ContainerName | "json-object" | "text",
): number | undefined {
  if (container === "parquet") return countParquet(bytes);
  let text: string;
  try {
    text = new TextDecoder().decode(bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes);
  } catch {
    return undefined;
  }
  if (container === "json-lines") return text.split("\n").filter((line) => line.trim() !== "").length;
  if (container === "csv" || container === "tsv") return countTable(text, container === "csv" ? "," : "\t");
  if (container === "text")
    return text.includes("\ufffd")
      ? undefined
      : text.split(/\n(?:\s*\n)+/).filter((part) => part.trim() !== "").length;
  return container === "json-list" ? countList(text) : countMembers(text);
}

/** Elements of a list: with all texts emptied and inner brackets taken away, what is left between commas. */
function countList(text: string): number | undefined {
  let bare = text.replace(/"(?:[^"\\]|\\[^])*"/g, "0").trim();
  if (bare.includes('"') || !bare.startsWith("[") || !bare.endsWith("]")) return undefined;
  bare = bare.slice(1, -1);
  for (let before = ""; before !== bare;) {
    before = bare;
    bare = bare.replace(/\[[^[\]{}]*\]|\{[^[\]{}]*\}/g, "0");
  }
  if (/[[\]{}]/.test(bare)) return undefined;
  return bare.trim() === "" ? 0 : bare.split(",").length;
}

function countMembers(text: string): number | undefined {
  try {
    const value = JSON.parse(text) as Readonly<Record<string, unknown>>;
    const rows = value.Instances ?? value.examples;
    return typeof rows === "object" && rows !== null ? Object.keys(rows).length : undefined;
  } catch {
    return undefined;
  }
}

function countTable(text: string, delimiter: string): number | undefined {
  const cell = `(?:"(?:[^"]|"")*"|[^"${delimiter}\\n]*)`;
  const line = new RegExp(`${cell}(?:${delimiter}${cell})*(?:\\n|$)`, "y");
  let rows = 0;
  const body = text.replace(/\r\n/g, "\n");
  while (line.lastIndex < body.length) {
    const at = line.lastIndex;
    const found = line.exec(body)?.[0];
    if (found === undefined || found === "") return undefined;
    line.lastIndex = at + found.length;
    if (found !== "\n") rows++;
  }
  return rows - 1;
}

function countParquet(bytes: Buffer): number | undefined {
  try {
    return Number(parquetMetadata(new Uint8Array(bytes).buffer).num_rows);
  } catch {
    return undefined;
  }
}

/** What a reader did with a file. */
export type Outcome = { readonly result: ReadResult } | { readonly error: unknown };

/**
 * What is wrong with what a reader did, or undefined: an error must be one line that names the file, and a result must
 * account for every record of the file.
 */
export function fault(
  outcome: Outcome,
  name: string,
  records: number | undefined,
  isNested: boolean,
): string | undefined {
  if ("error" in outcome) {
    const { error } = outcome;
    if (!(error instanceof KitError)) return `not an error for users: ${String(error)}`;
    const isClear =
      !error.message.includes("\n") &&
      error.message.includes(name) &&
      error.message.includes("To mend it: ") &&
      error.message.length < 2_000;
    return isClear ? undefined : `not a clear line: ${error.message.slice(0, 300)}`;
  }
  const { ledger, examples } = outcome.result;
  const dropped = Object.values(ledger.dropped).reduce((sum, rows) => sum + rows, 0);
  if (ledger.rowsIn !== ledger.kept + dropped) return "rows in are not rows kept and dropped";
  if (ledger.examples !== examples.length || ledger.kept > ledger.examples) return "examples are missing";
  if (examples.some(({ outputs, evaluationOnly }) => outputs.length === 0 && evaluationOnly !== true))
    return "an example has no reference";
  // Where the file breaks off, or cannot be told apart, what follows is one row of the ledger.
  if (records === undefined || ledger.dropped["unreadable-file"] !== undefined) return undefined;
  const fits = isNested ? ledger.rowsIn >= records : ledger.rowsIn === records;
  return fits ? undefined : `${records} records, but ${ledger.rowsIn} rows in the ledger`;
}
