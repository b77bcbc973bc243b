import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { rotaryAngles, rotaryFrequencies } from "../../src/engine/ops/rotary.js";
import { startEngine } from "../../src/engine/start.js";
import { tf } from "../../src/engine/tensorflow.js";

const settings = { headWidth: 4, heads: 2, keyValueHeads: 1, base: 100 };

before(async () => {
  await startEngine();
});

describe("rotary angles", () => {
  it("are the same from the table of a short context and from that of a very long one", () => {
    const anglesOf = (contextLength: number): number[][] =>
      tf.tidy(() => {
        const positions = tf.tensor2d([0, 7, 3, 2], [2, 2], "int32");
        const { cosines, sines } = rotaryAngles(positions, { ...settings, contextLength });
        return [Array.from(cosines.dataSync()), Array.from(sines.dataSync())];
      });
    assert.deepEqual(anglesOf(2 ** 19), anglesOf(8));
  });

  it("of positions that count from 0 need no table of the whole context", () => {
    const { cosines } = rotaryAngles(3, { ...settings, contextLength: 8 });
    assert.deepEqual(cosines.shape, [3, 16]);
    assert.deepEqual(Array.from(cosines.dataSync().slice(12, 16)), [1, 1, 1, 1]);
  });

  it("are stretched as in Llama 3: fast waves stay, slow ones slow down, those between are mixed", () => {
    const scaling = {
      factor: 8,
      lowFrequencyFactor: 1,
      highFrequencyFactor: 4,
      originalContextLength: 8192,
    };
    const plain = rotaryFrequencies({ headWidth: 128, base: 500_000 });
    const scaled = rotaryFrequencies({ headWidth: 128, base: 500_000, scaling });
    const ratios = plain.map((frequency, index) => frequency / (scaled[index] ?? NaN));
    assert.equal(ratios[0], 1);
    assert.ok(Math.abs((ratios.at(-1) ?? NaN) - 8) < 1e-12);
    assert.ok(ratios.some((ratio) => ratio > 1.1 && ratio < 7.9));
    assert.deepEqual(
      ratios.map((ratio) => ratio.toFixed(9)).sort((a, b) => Number(a) - Number(b)),
      ratios.map((ratio) => ratio.toFixed(9)),
    );
  });
});
