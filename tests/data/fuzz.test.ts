import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readExamples } from "../../src/data/read/index.js";
import { containerOf } from "../../src/data/read/sample.js";
import { Random } from "../../src/support/random.js";
import { temporaryFolder } from "./fixtures.js";
import { countRecords, damage, fault, type Original, originals, type Outcome } from "./fuzz.js";

const CASES = 10_000;
const SEED = 20_261_125;

async function readOutcome(path: string, onMalformed: "error" | "skip"): Promise<Outcome> {
  try {
    return { result: await readExamples(path, { onMalformed }) };
  } catch (error) {
    return { error };
  }
}

/** What the records of a file are: the containers do not tell a table without header, nor an object written in one line. */
async function countedAs(path: string, format: string): Promise<Parameters<typeof countRecords>[1]> {
  if (format === "flan-cot") return "json-lines";
  return OBJECT_FORMATS.has(format) ? "json-object" : containerOf(path);
}

const OBJECT_FORMATS = new Set([
  "super-natural-instructions",
  "natural-instructions-v1",
  "instruction-induction",
  "big-bench-hard",
]);

/** Reads damaged bytes and judges what came of it. */
async function judge(
  folder: string,
  { name, isNested }: Original,
  bytes: Buffer,
  onMalformed: "error" | "skip",
): Promise<{ readonly outcome: Outcome; readonly wrong: string | undefined }> {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  const outcome = await readOutcome(path, onMalformed);
  if ("error" in outcome) return { outcome, wrong: fault(outcome, name, undefined, isNested) };
  const records = countRecords(bytes, await countedAs(path, outcome.result.format));
  return { outcome, wrong: fault(outcome, name, records, isNested) };
}

test("the good files are read whole, and counted alike in both ways", async (context) => {
  const folder = temporaryFolder(context);
  for (const original of originals()) {
    const { outcome, wrong } = await judge(folder, original, original.bytes, "error");
    assert.equal(wrong, undefined, original.name);
    assert.ok("result" in outcome, `${original.name}: ${"error" in outcome ? String(outcome.error) : ""}`);
    const { format } = outcome.result;
    const path = join(folder, original.name);
    assert.ok(countRecords(original.bytes, await countedAs(path, format)) !== undefined, original.name);
  }
});

test(
  `${CASES} damaged files: a clear error, or a ledger that accounts for every record`,
  { timeout: 300_000 },
  async (context) => {
    const folder = temporaryFolder(context);
    const random = new Random(SEED);
    const files = originals();
    const seen = { error: 0, clean: 0, skipped: 0 };
    for (let round = 0; round < CASES; round++) {
      const original = files[round % files.length];
      assert.ok(original !== undefined);
      const bytes = damage(original, random);
      const onMalformed = round % 4 === 0 ? "error" : "skip";
      const { outcome, wrong } = await judge(folder, original, bytes, onMalformed);
      assert.equal(wrong, undefined, `round ${round}, ${original.name}, ${onMalformed}: ${wrong ?? ""}`);
      if ("error" in outcome) seen.error++;
      else if (Object.keys(outcome.result.ledger.dropped).length === 0) seen.clean++;
      else seen.skipped++;
      if (onMalformed === "error" && "result" in outcome)
        assert.deepEqual(outcome.result.ledger.dropped, {}, `round ${round}: dropped without being asked to`);
    }
    assert.ok(Math.min(seen.error, seen.clean, seen.skipped) > CASES / 20, JSON.stringify(seen));
  },
);

test("control: a silent loss is seen in every container", async (context) => {
  const folder = temporaryFolder(context);
  let losses = 0;
  for (const original of originals()) {
    const { outcome } = await judge(folder, original, original.bytes, "skip");
    assert.ok("result" in outcome);
    const { result } = outcome;
    const { ledger } = result;
    const path = join(folder, original.name);
    const records = countRecords(original.bytes, await countedAs(path, result.format));
    const judgeAs = (changed: Partial<typeof ledger>, examples = result.examples): string | undefined =>
      fault(
        { result: { ...result, examples, ledger: { ...ledger, ...changed } } },
        original.name,
        records,
        original.isNested,
      );
    assert.equal(judgeAs({}), undefined);
    // A reader that passes over its last row without booking it.
    const fewer = { rowsIn: ledger.rowsIn - 1, kept: ledger.kept - 1 };
    assert.match(judgeAs(fewer) ?? "", /records, but \d rows/, original.name);
    // One that books the row as kept and gives no example, and one that books it twice.
    assert.equal(judgeAs({}, result.examples.slice(1)), "examples are missing");
    assert.equal(judgeAs({ dropped: { malformed: 1 } }), "rows in are not rows kept and dropped");
    losses++;
  }
  assert.ok(losses > 60, String(losses));
  assert.match(
    fault({ error: new TypeError("x is undefined") }, "a.json", 1, false) ?? "",
    /not an error for users/,
  );
});
