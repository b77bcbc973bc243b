import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { KitError } from "../../../src/support/errors.js";
import { decodeEvent, encodeEvent, type LogEvent } from "../../../src/train/track/tensorboard/event.js";
import {
  crc32c,
  frameRecord,
  maskedCrc32c,
  readRecords,
} from "../../../src/train/track/tensorboard/record.js";
import { TensorBoardFiles } from "../../../src/train/track/tensorboard/tensorboard.js";
import { madeUpRecords } from "./records.js";

const golden = JSON.parse(
  readFileSync(new URL("../../parity/golden/tensorboard.json", import.meta.url), "utf8"),
) as {
  readonly events: readonly LogEvent[];
  readonly file: string;
  readonly checksums: readonly { readonly text: string; readonly masked: number }[];
};
const root = mkdtempSync(join(tmpdir(), "ift-kit-tensorboard-"));
after(() => rmSync(root, { recursive: true, force: true }));

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

test("checksums are those of RFC 3720 and of TensorBoard", () => {
  assert.equal(crc32c(bytesOf("123456789")), 0xe3069283);
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
  for (const { text, masked } of golden.checksums) assert.equal(maskedCrc32c(bytesOf(text)), masked);
});

test("events are byte for byte those of TensorBoard's own writer, and are read back", () => {
  const file = Buffer.concat(golden.events.map((event) => frameRecord(encodeEvent(event))));
  assert.equal(file.toString("base64"), golden.file);
  assert.deepEqual(readRecords(Buffer.from(golden.file, "base64")).map(decodeEvent), golden.events);
  // A last record that was cut off is left out; a changed byte is noticed, in the data and in the length.
  assert.equal(readRecords(file.subarray(0, -3)).length, golden.events.length - 1);
  for (const place of [0, 20]) {
    const changed = Uint8Array.from(file);
    changed[place] = (changed[place] ?? 0) ^ 1;
    assert.throws(() => readRecords(changed), /another checksum/);
  }
});

/** What TensorBoard shows: the points of all files in the order of their names, without those that a later start took back. */
function curvesOf(folder: string): Map<string, Map<number, number>> {
  const curves = new Map<string, Map<number, number>>();
  for (const name of readdirSync(folder).sort()) {
    for (const event of readRecords(readFileSync(join(folder, name))).map(decodeEvent)) {
      if (event.session_log?.status === 1) {
        for (const curve of curves.values())
          for (const step of curve.keys()) if (step >= event.step) curve.delete(step);
      }
      for (const { tag, simple_value } of event.summary?.value ?? []) {
        const curve = curves.get(tag) ?? new Map<number, number>();
        curves.set(tag, curve.set(event.step, simple_value));
      }
    }
  }
  return curves;
}

test("the curves of a run that was resumed: what was taken back does not count", async () => {
  const folder = join(root, "resumed");
  const records = madeUpRecords(12);
  let clock = 1_700_000_000_000;
  const now = (): number => (clock += 500);
  const first = new TensorBoardFiles(folder, now);
  first.start([]);
  // Other numbers from step 7 on, which the resumed run takes again.
  for (const record of records.slice(0, 9)) first.step(record.step > 6 ? { ...record, loss: 99 } : record);
  const second = new TensorBoardFiles(folder, now);
  second.start(records.slice(0, 6));
  for (const record of records.slice(6, 8)) second.step(record);
  await second.end();
  const curves = curvesOf(folder);
  const loss = curves.get("train/loss");
  assert.deepEqual(
    [...(loss ?? [])],
    records.slice(0, 8).map(({ step, loss: value }) => [step, Math.fround(value)]),
  );
  assert.deepEqual([...(curves.get("validation loss/Word analogy (a→b)")?.keys() ?? [])], [3, 6]);
  assert.deepEqual(
    [...curves.keys()].filter((tag) => tag.startsWith("train/")).sort(),
    ["bits per byte", "epochs", "gradient norm", "learning rate", "loss", "supervised tokens"].map(
      (tag) => `train/${tag}`,
    ),
  );
  assert.equal(readdirSync(folder).length, 2);

  // Tracking that begins with a resumed run has its earlier steps too.
  const late = join(root, "late");
  new TensorBoardFiles(late, now).start(records.slice(0, 6));
  assert.equal(curvesOf(late).get("train/loss")?.size, 6);
});

test("a folder that cannot be made is an error", () => {
  const [file = ""] = readdirSync(join(root, "resumed"));
  const folder = join(root, "resumed", file, "below");
  assert.throws(
    () => new TensorBoardFiles(folder).start([]),
    (error) => error instanceof KitError && error.location.file === folder,
  );
});
