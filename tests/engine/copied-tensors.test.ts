import assert from "node:assert/strict";
import { test } from "node:test";
import { startEngine } from "../../src/engine/start.js";
import { tf } from "../../src/engine/tensorflow.js";

/**
 * The binding as it is published keeps the memory of arrays that are aligned to 64 bytes, and lets go of it in a thread of
 * TensorFlow, where Node's references must not be touched. See src/engine/install/native/copied_tensors.h; with that
 * header left out, this test fails.
 */
test("a tensor has its own memory: what is written into its array afterwards does not reach it", async () => {
  await startEngine();
  const sizes = Array.from({ length: 400 }, (_, index) => 17 + 8 * index);
  for (const size of sizes) {
    const array = new Float32Array(size).fill(1);
    tf.tidy(() => {
      const values = tf.tensor1d(array);
      values.add(values); // the tensor goes to the native library when it is first used
      array.fill(7);
      assert.equal(values.min().dataSync()[0], 1);
      assert.equal(values.max().dataSync()[0], 1, `an array of ${size}`);
    });
  }
});
