import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { KitError } from "../../src/support/errors.js";
import { readJsonFile, readTextFile, writeFileAtomic } from "../../src/support/files.js";
import { hashJson } from "../../src/support/hash.js";
import { jsonErrorOffset } from "../../src/support/json-error.js";
import { duration, progressBar } from "../../src/support/progress.js";
import { Random } from "../../src/support/random.js";

const folder = mkdtempSync(join(tmpdir(), "ift-kit-support-"));
after(() => rmSync(folder, { recursive: true, force: true }));

test("an error is one line with place and cure", () => {
  const error = new KitError("the value\nis wrong", "mend it", { file: "a.json", line: 3, field: "x.y" });
  assert.equal(error.message, 'a.json:3, field "x.y": the value is wrong. To mend it: mend it.');
});

test("the same seed gives the same numbers, a state goes on, streams of other labels differ", () => {
  const random = new Random(7);
  const begin = [random.nextWord(), random.nextWord()];
  const rest = new Random(random.state);
  assert.deepEqual([random.next(), random.normal()], [rest.next(), rest.normal()]);
  const again = new Random(7);
  assert.deepEqual([again.nextWord(), again.nextWord()], begin);
  assert.notEqual(Random.derive(7, "a").nextWord(), Random.derive(7, "b").nextWord());
});

test("the generator is xoshiro128**: the reference's first words for the state 1, 2, 3, 4", () => {
  // From the public-domain C code of Blackman and Vigna, worked out for this state.
  const random = new Random([1, 2, 3, 4]);
  assert.deepEqual([random.nextWord(), random.nextWord(), random.nextWord()], [11520, 0, 5927040]);
});

test("uniform and normal numbers have the right moments; a shuffle is a fair permutation", () => {
  const random = new Random(11);
  const uniform = Array.from({ length: 20_000 }, () => random.next());
  const normal = Array.from({ length: 20_000 }, () => random.normal());
  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  assert.ok(Math.abs(mean(uniform) - 0.5) < 0.01);
  assert.ok(Math.abs(mean(normal)) < 0.03);
  assert.ok(Math.abs(mean(normal.map((value) => value * value)) - 1) < 0.05);
  const firsts = new Map([0, 1, 2, 3].map((item) => [item, 0]));
  for (let round = 0; round < 8000; round++) {
    const [first = 0] = random.shuffled([0, 1, 2, 3]);
    firsts.set(first, (firsts.get(first) ?? 0) + 1);
  }
  for (const count of firsts.values()) assert.ok(Math.abs(count - 2000) < 200, String(count));
  assert.throws(() => random.integer(0), RangeError);
});

test("hashes do not depend on the order of keys, and do on values", () => {
  assert.equal(hashJson({ a: 1, b: [{ c: 2, d: undefined }] }), hashJson({ b: [{ c: 2 }], a: 1 }));
  assert.notEqual(hashJson({ a: 1 }), hashJson({ a: 2 }));
  assert.notEqual(hashJson([1, 2]), hashJson([2, 1]));
});

test("a file is written whole or not at all", () => {
  const path = join(folder, "deep", "file.txt");
  writeFileAtomic(path, "first");
  writeFileAtomic(path, "second");
  assert.equal(readFileSync(path, "utf8"), "second");
  const blocked = join(folder, "blocked");
  mkdirSync(join(blocked, "inside"), { recursive: true });
  assert.throws(() => writeFileAtomic(blocked, "x"), KitError);
  assert.ok(existsSync(join(blocked, "inside")), "what was there stays");
  assert.deepEqual(
    readdirSync(folder, { recursive: true }).filter((name) => String(name).endsWith(".part")),
    [],
  );
});

test("bad files are one line each", () => {
  const bad = join(folder, "bad.json");
  writeFileSync(bad, '{"a": 1,\n "b": }');
  assert.throws(() => readJsonFile(bad), /bad\.json:2: not valid JSON/);
  writeFileSync(bad, Uint8Array.from([0x7b, 0xff, 0x7d]));
  assert.throws(() => readTextFile(bad), /not valid UTF-8/);
  assert.throws(() => readJsonFile(join(folder, "none.json")), /none\.json: no such file/);
});

test("the place where a text stops being JSON is the one that JSON.parse stops at", () => {
  const good = JSON.stringify({ a: [1, -2.5e3, 'x\u00e9"', true, null, {}, []], b: { c: "" } });
  assert.equal(jsonErrorOffset(good), undefined);
  assert.equal(jsonErrorOffset(` ${good}\n`), undefined);
  for (const [text, offset] of [
    ["", 0],
    ["[1,]", 3],
    ['{"a" 1}', 5],
    ["[1] 2", 4],
    ["nul", 0],
    ['["a', 1],
    ["{", 1],
  ] as const) {
    assert.equal(jsonErrorOffset(text), offset, text);
  }
  const random = new Random(3);
  for (let round = 0; round < 3000; round++) {
    const at = random.integer(good.length);
    const text =
      good.slice(0, at) + random.choice(["", "}", ",", '"', "1", "\\"]) + good.slice(at + random.integer(2));
    let valid = true;
    try {
      JSON.parse(text);
    } catch {
      valid = false;
    }
    assert.equal(jsonErrorOffset(text) === undefined, valid, text);
  }
});

test("progress: lines where there is no terminal, the last state at the end", () => {
  const written: string[] = [];
  const bar = progressBar("work", { write: (text) => written.push(text) });
  bar.update(0, "step 0");
  bar.update(0.5, "step 5");
  assert.deepEqual(written, [], "not more often than every ten seconds");
  bar.stop();
  assert.equal(written.length, 1);
  assert.match(written.join(""), /^work: 50% \| step 5 \| .* left\n$/);
  bar.stop();
  assert.equal(written.length, 1);
});

test("progress: a bar that is redrawn in a terminal", () => {
  const written: string[] = [];
  const terminal = {
    isTTY: true,
    write: (text: string) => written.push(text),
    cursorTo: () => undefined,
    clearLine: () => undefined,
  };
  const bar = progressBar("work", {
    ...terminal,
    moveCursor: () => undefined,
    columns: 120,
    on: () => undefined,
  } as never);
  bar.update(0.25, "step 2");
  bar.update(1, "step 8");
  bar.stop();
  const text = written.join("");
  assert.ok(text.includes("work") && text.includes("100%") && text.includes("step 8"), text);
});

test("durations read well", () => {
  assert.deepEqual([4, 65, 3725].map(duration), ["4 s", "1:05", "1:02:05"]);
});
