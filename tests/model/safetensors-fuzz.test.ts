import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { readSafetensors } from "../../src/model/safetensors.js";
import { KitError } from "../../src/support/errors.js";
import { Random } from "../../src/support/random.js";

const folder = mkdtempSync(join(tmpdir(), "ift-kit-fuzz-"));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, "fuzzed.safetensors");

const ROUNDS = 2500;
const DATA_BYTES = 40;
const HEADER = {
  __metadata__: { format: "pt", note: 'a "quoted" {text}' },
  "model.embed_tokens.weight": { dtype: "F32", shape: [2, 3], data_offsets: [0, 24] },
  "model.norm.weight": { dtype: "BF16", shape: [4], data_offsets: [24, 32] },
  scale: { dtype: "F64", shape: [], data_offsets: [32, 40] },
};

/** Numbers, words and structure that a careless reader trips over. */
const HOSTILE = [
  ...[
    "-1",
    "1e308",
    "9007199254740993",
    "18446744073709551615",
    "0.5",
    "null",
    "[]",
    "{}",
    '""',
    "4294967296",
  ],
  ...[
    '"F32"',
    '"F8"',
    '"I64"',
    "__proto__",
    "constructor",
    "../../etc/passwd",
    "\\u0000",
    '"shape"',
    ",,",
    "[[[[",
  ],
  ...['"data_offsets"', '"__metadata__"', "\ud800", "}", "{", ":", "\\"],
];

type Mutation = (text: string, random: Random) => string;

/** Each changes a valid header in its own way. */
const MUTATIONS: Readonly<Record<string, Mutation>> = {
  "another number": (text, random) => {
    const places = [...text.matchAll(/\d+/g)];
    if (places.length === 0) return text;
    const { 0: digits, index } = random.choice(places);
    const value = random.choice(["0", "1", "7", String(random.integer(2 ** 31)), ...HOSTILE]);
    return text.slice(0, index) + value + text.slice(index + digits.length);
  },
  "a hostile piece": (text, random) => {
    const place = random.integer(text.length + 1);
    return text.slice(0, place) + random.choice(HOSTILE) + text.slice(place + random.integer(6));
  },
  "a cut": (text, random) => text.slice(0, random.integer(text.length)),
  "a part twice": (text, random) => {
    const from = random.integer(text.length);
    const to = from + random.integer(text.length - from + 1);
    return text.slice(0, to) + text.slice(from);
  },
  "another character": (text, random) => {
    const place = random.integer(text.length);
    return text.slice(0, place) + String.fromCharCode(random.integer(128)) + text.slice(place + 1);
  },
};

/** Writes a mutated file: the header, at times its length, at times the data. */
function writeMutant(round: number): void {
  const random = Random.derive(1, `round ${round}`);
  let text = JSON.stringify(HEADER);
  for (let count = 1 + random.integer(2); count > 0; count--) {
    text = random.choice(Object.values(MUTATIONS))(text === "" ? "{}" : text, random);
  }
  const header = Buffer.from(text);
  const length = Buffer.alloc(8);
  const claimed = random.integer(8) > 0 ? header.length : random.integer(2 ** 40);
  length.writeBigUInt64LE(BigInt(claimed));
  const data = Buffer.alloc(random.integer(6) > 0 ? DATA_BYTES : random.integer(2 * DATA_BYTES));
  writeFileSync(file, Buffer.concat([length, header, data]));
}

describe("safetensors: fuzzed headers", () => {
  it(`${ROUNDS} mutants are refused with one clear line or hold no more than the file`, () => {
    let refused = 0;
    for (let round = 0; round < ROUNDS; round++) {
      writeMutant(round);
      const before = process.memoryUsage().arrayBuffers;
      try {
        const { tensors } = readSafetensors(file);
        const bytes = [...tensors.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
        assert.ok(bytes <= statSync(file).size, `round ${round}: ${bytes} bytes`);
      } catch (error) {
        assert.ok(error instanceof KitError, `round ${round}: ${String(error)}`);
        assert.equal(error.location.file, file);
        assert.ok(!error.message.includes("\n"), `round ${round}: more than one line`);
        assert.ok(error.message.length < 2000, `round ${round}: ${error.message.length} characters`);
        refused++;
      }
      const taken = process.memoryUsage().arrayBuffers - before;
      assert.ok(taken < 1e6, `round ${round}: ${taken} bytes were taken`);
    }
    assert.ok(refused > ROUNDS / 2, `only ${refused} mutants were refused: they are too tame`);
    assert.ok(refused < ROUNDS, "a mutant that is still valid is read");
  });
});
