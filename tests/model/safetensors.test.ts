import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { readSafetensors, type StoredTensor, writeSafetensors } from "../../src/model/safetensors.js";
import { KitError } from "../../src/support/errors.js";
import { Random } from "../../src/support/random.js";

const folder = mkdtempSync(join(tmpdir(), "ift-kit-safetensors-"));
after(() => rmSync(folder, { recursive: true }));

const TENSORS = new Map<string, StoredTensor>([
  ["weights", { dtype: "F32", shape: [2, 3], data: Float32Array.of(1, -2, 3.5, 0, 1e-30, 7) }],
  ["steps", { dtype: "I64", shape: [], data: BigInt64Array.of(-5n) }],
  ["ids", { dtype: "I32", shape: [3], data: Int32Array.of(1, 2, -3) }],
  ["half", { dtype: "BF16", shape: [1], data: Uint16Array.of(0x3f80) }],
  ["nothing", { dtype: "F64", shape: [0, 4], data: new Float64Array(0) }],
  ["__proto__", { dtype: "U8", shape: [1], data: Uint8Array.of(9) }],
]);

function path(name: string): string {
  return join(folder, name);
}

/** A file of a header and some bytes of data, made by hand. */
function handmade(header: unknown, dataBytes: number): string {
  const json = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  writeFileSync(path("handmade"), Buffer.concat([length, json, Buffer.alloc(dataBytes)]));
  return path("handmade");
}

function tensor(begin: number, end: number, shape: readonly number[] = [1], dtype = "F32"): unknown {
  return { dtype, shape, data_offsets: [begin, end] };
}

describe("safetensors", () => {
  it("gives back what was written", () => {
    writeSafetensors(path("a"), TENSORS, { purpose: "test" });
    const { tensors, metadata } = readSafetensors(path("a"));
    assert.deepEqual(tensors, TENSORS);
    assert.deepEqual(metadata, { purpose: "test" });
  });

  it("reads a file of another program, without our hash", () => {
    const file = handmade({ b: tensor(4, 8), a: tensor(0, 4), __metadata__: { format: "pt" } }, 8);
    assert.deepEqual([...readSafetensors(file).tensors.keys()], ["a", "b"]);
  });

  it("leaves no half-written file when it cannot write", () => {
    mkdirSync(path("taken"));
    assert.throws(() => writeSafetensors(path("taken"), TENSORS), KitError);
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.endsWith(".part")),
      [],
    );
  });

  const wrong: readonly [string, unknown, number, RegExp][] = [
    ["an overlap", { a: tensor(0, 4), b: tensor(2, 6) }, 6, /"b".*overlaps/],
    ["a gap", { a: tensor(0, 4), b: tensor(8, 12) }, 12, /"b".*gap/],
    ["offsets past the end", { a: tensor(0, 4_000_000, [1_000_000]) }, 4, /need 4000000 bytes.*has 4 /],
    ["data that no tensor owns", { a: tensor(0, 4) }, 8, /need 4 bytes.*has 8 /],
    ["an absurd shape", { a: tensor(0, 4, [2 ** 40, 2 ** 40]) }, 4, /"a"/],
    ["a shape that is not the size", { a: tensor(0, 4, [2]) }, 4, /needs 8 bytes and has 4/],
    ["a negative size", { a: tensor(0, 4, [-1]) }, 4, /"a" has the shape \[-1\]/],
    ["an offset before its start", { a: tensor(4, 0) }, 4, /"a"/],
    ["a fraction as offset", { a: tensor(0.5, 4) }, 4, /"a" has the offsets/],
    ["an unknown type", { a: tensor(0, 4, [1], "F7") }, 4, /"a" has the type "F7"/],
    ["the name of a method as type", { a: tensor(0, 4, [1], "toString") }, 4, /"a" has the type/],
    [
      "a name that stands twice",
      '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\\u0061":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
      1,
      /"a" twice/,
    ],
    ["no description", { a: 7 }, 4, /"a" has no description/],
    ["a header that is a list", [], 0, /not a JSON object/],
    ["a header that is no JSON", "{", 0, /not JSON/],
    ["metadata that are no texts", { __metadata__: { a: 1 } }, 0, /metadata/],
  ];
  for (const [what, header, dataBytes, message] of wrong) {
    it(`refuses ${what}`, () => {
      const file = handmade(header, dataBytes);
      assert.throws(
        () => readSafetensors(file),
        (error) => error instanceof KitError && error.location.file === file && message.test(error.message),
      );
    });
  }

  it("refuses a header that claims more than the file has, without taking the memory", () => {
    writeFileSync(path("huge"), Buffer.alloc(64, 0xff));
    assert.throws(() => readSafetensors(path("huge")), /claims 18446744073709551615 bytes in a file of 64/);
  });

  it("refuses a missing file, a folder and every truncation", () => {
    assert.throws(() => readSafetensors(path("missing")), KitError);
    assert.throws(() => readSafetensors(folder), KitError);
    writeSafetensors(path("cut"), TENSORS);
    for (let size = readFileSync(path("cut")).length - 1; size >= 0; size--) {
      truncateSync(path("cut"), size);
      assert.throws(() => readSafetensors(path("cut")), KitError, `${size} bytes`);
    }
  });

  it("gives the right data or a clear error for 500 damaged files", () => {
    writeSafetensors(path("whole"), TENSORS, { purpose: "test" });
    const whole = readFileSync(path("whole"));
    const random = new Random(1);
    let errors = 0;
    for (let round = 0; round < 500; round++) {
      writeFileSync(path("damaged"), damage(whole, random));
      try {
        assert.deepEqual(readSafetensors(path("damaged")).tensors, TENSORS, `round ${round}`);
      } catch (error) {
        assert.ok(error instanceof KitError, `round ${round}: ${String(error)}`);
        errors++;
      }
    }
    // Most damages must be found; a few change the name of the hash or nothing at all.
    assert.ok(errors > 450, `${errors} errors`);
  });
});

/** One to three flipped bits, changed bytes, removed, repeated or inserted pieces. */
function damage(whole: Buffer, random: Random): Buffer {
  let bytes = Buffer.from(whole);
  for (let times = 1 + random.integer(3); times > 0; times--) {
    const at = random.integer(bytes.length);
    const length = 1 + random.integer(16);
    const kind = random.integer(5);
    if (kind === 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << random.integer(8));
    else if (kind === 1) bytes[at] = random.integer(256);
    else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    else if (kind === 3) bytes = Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]);
    else bytes = Buffer.concat([bytes.subarray(0, at), Buffer.alloc(length, 0x30), bytes.subarray(at)]);
  }
  return bytes;
}
