import assert from "node:assert/strict";
import { test } from "node:test";
import { renderSpans } from "../../src/data/render.js";
import { supervisedBytes } from "../../src/data/supervised-bytes.js";
import { iftDefinition } from "../../src/data/templates/index.js";
import { trainByteLevelBpe } from "../../src/tokenizer/byte-level-bpe.js";

test("bytes of the response, whatever the tokens; with the loss on all tokens those of the prompt too", () => {
  const tokenizer = trainByteLevelBpe(["straße straße", "a b c"], { vocabularySize: 270 });
  const output = "straße → 日本";
  const example = {
    ...{ id: "1", task: "t", taskType: "t", instruction: "Say it.", input: "x", outputs: [output] },
    source: "made up",
  };
  const bytesFor = (lossOn: "response" | "all"): number => {
    const policy = { maxTokens: 200, overlong: "drop", lossOn } as const;
    const outcome = renderSpans(example, iftDefinition, tokenizer, policy);
    assert.ok(outcome.kind === "rendered");
    return supervisedBytes(outcome.spans, tokenizer);
  };
  assert.equal(bytesFor("response"), Buffer.byteLength(output));
  assert.notEqual(bytesFor("response"), output.length, "bytes, not characters");
  assert.ok(bytesFor("all") > bytesFor("response") + "Say it.".length);
});
