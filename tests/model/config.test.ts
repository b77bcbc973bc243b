import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseDecoderConfig } from "../../src/model/config.js";
import { KitError } from "../../src/support/errors.js";
import { FAMILIES, GPT2, LLAMA, PALM, QWEN2 } from "./models.js";

/** The field that an error names. */
function fieldOf(value: unknown): string | undefined {
  try {
    parseDecoderConfig(value, { file: "config.json" });
  } catch (error) {
    assert.ok(error instanceof KitError, String(error));
    assert.equal(error.location.file, "config.json");
    return error.location.field;
  }
  return undefined;
}

describe("parseDecoderConfig", () => {
  it("takes a right config as it is", () => {
    for (const config of Object.values(FAMILIES)) {
      assert.deepEqual(parseDecoderConfig(structuredClone(config)), config);
    }
  });

  const wrong: readonly [string, unknown, string][] = [
    ["a missing field", { ...GPT2, width: undefined }, "width"],
    ["a field of another type", { ...GPT2, layers: "3" }, "layers"],
    ["a fraction", { ...GPT2, feedForwardWidth: 2.5 }, "feedForwardWidth"],
    ["zero", { ...GPT2, vocabularySize: 0 }, "vocabularySize"],
    ["an absurd number", { ...GPT2, layers: 1e9 }, "layers"],
    ["an unknown field", { ...GPT2, dropout: 0.1 }, "dropout"],
    ["an unknown activation", { ...GPT2, activation: "relu" }, "activation"],
    ["rotary positions without base", { ...GPT2, positions: { kind: "rotary" } }, "positions.base"],
    ["an epsilon of zero", { ...GPT2, norm: { kind: "layer", epsilon: 0 } }, "norm.epsilon"],
    ["heads that do not divide the width", { ...GPT2, heads: 3 }, "heads"],
    ["rotary heads of odd width", { ...LLAMA, width: 6, heads: 2 }, "heads"],
    ["a given head width that is odd", { ...LLAMA, headWidth: 3 }, "headWidth"],
    ["key heads that do not divide the heads", { ...QWEN2, keyValueHeads: 3 }, "keyValueHeads"],
    ["a bias where there is no layer", { ...QWEN2, biases: ["embedding"] }, "biases"],
    ["a block of another kind", { ...PALM, block: "serial" }, "block"],
  ];
  for (const [what, value, field] of wrong) {
    it(`names the field of ${what}`, () => assert.equal(fieldOf(value), field));
  }
});
