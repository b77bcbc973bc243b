import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { compareFormats } from "../../src/data/compare/index.js";
import { readExamples } from "../../src/data/read/index.js";
import { iftDefinition, sftPlain } from "../../src/data/templates/index.js";
import { comparisonFrame, showFrame } from "../../src/notebook/data-frame.js";
import { trainByteLevelBpe } from "../../src/tokenizer/byte-level-bpe.js";

const samples = join(import.meta.dirname, "../../datasets/samples/super-natural-instructions");

test("a comparison becomes a danfojs table, which is shown with dashes for what was not measured", async (context) => {
  const { examples } = await readExamples(samples);
  const tokenizer = trainByteLevelBpe(
    examples.map(({ input }) => input),
    { vocabularySize: 300 },
  );
  const policy = { maxTokens: 2000, overlong: "drop", lossOn: "response" } as const;
  const comparison = compareFormats(examples, { sft: sftPlain, ift: iftDefinition }, tokenizer, policy);
  const frame = comparisonFrame(comparison);
  assert.deepEqual(frame.shape, [8, 18]);
  const ift = frame.query(frame.column("format").values.map((format) => format === "ift"));
  assert.deepEqual(ift.column("rows").values, [4, 6, 3, 13]);
  assert.equal(ift.column("total tokens").values.at(-1), comparison.total.formats[1]?.totalTokens);
  const print = context.mock.method(console, "log", () => undefined);
  showFrame(frame, ["task type", { name: "self-BLEU", digits: 2 }]);
  const text = String(print.mock.calls[0]?.arguments[0]);
  assert.match(text, /^task type +self-BLEU\nQuestion Answering +–/);
  assert.match(text, /\(all\) +0\.\d\d/);
});
