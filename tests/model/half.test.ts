import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fromFloat32, toFloat32 } from "../../src/model/half.js";

const PATTERNS = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);

describe("short types of weights", () => {
  for (const type of ["F16", "BF16"] as const) {
    it(`${type}: every pattern is a float32 and comes back`, () => {
      const values = toFloat32(type, PATTERNS);
      const back = fromFloat32(type, values);
      back.forEach((bits, index) => {
        if (Number.isNaN(values[index])) assert.ok(Number.isNaN(toFloat32(type, Uint16Array.of(bits))[0]));
        else assert.equal(bits, index);
      });
    });

    it(`${type}: between two neighbours the nearer one is taken, in the middle the even one`, () => {
      const values = toFloat32(type, PATTERNS);
      for (let bits = 0; bits < 0x7000; bits += 7) {
        const [low = NaN, high = NaN] = [values[bits], values[bits + 1]];
        const between = [0.25, 0.5, 0.75].map((share) => low + share * (high - low));
        const [near, middle, far] = fromFloat32(type, Float32Array.from(between));
        assert.deepEqual([near, middle, far], [bits, bits + (bits & 1), bits + 1], `pattern ${bits}`);
      }
    });
  }

  it("knows some values", () => {
    const values = Float32Array.of(1, -2, 65504, 65520, 1e-8, 6e-8, -0, 1e39);
    const halves = [0x3c00, 0xc000, 0x7bff, 0x7c00, 0, 1, 0x8000, 0x7c00];
    assert.deepEqual([...fromFloat32("F16", values)], halves);
    assert.deepEqual([...fromFloat32("BF16", Float32Array.of(1, -2, 3.140625))], [0x3f80, 0xc000, 0x4049]);
  });
});
