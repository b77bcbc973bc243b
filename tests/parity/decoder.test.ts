import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { generateGreedy } from "../../src/evaluate/generate.js";
import { softmaxCrossEntropySum } from "../../src/engine/ops/index.js";
import { startEngine, type BackendName } from "../../src/engine/start.js";
import { tf, type TensorFlow } from "../../src/engine/tensorflow.js";
import { type DecoderConfig, parseDecoderConfig } from "../../src/model/config.js";
import type { Decoder, DecoderInput } from "../../src/model/decoder.js";
import type { AdamWConfig } from "../../src/train/optimizers/config.js";
import { Optimizer } from "../../src/train/optimizer.js";
import { assertClose, largestDifference } from "../engine/numeric.js";
import { waveDecoder } from "./wave.js";

interface Golden {
  readonly config: DecoderConfig;
  readonly ids: number[][];
  readonly targets: number[][];
  readonly positions?: number[][];
  /** Row n has n tokens fewer than the first, and padding on this side; nothing of the padding is in the results. */
  readonly padding?: "left" | "right";
  readonly logits: number[];
  readonly loss: number;
  readonly gradients: Readonly<Record<string, number[]>>;
  /** The loss before each of ten steps of AdamW. */
  readonly steps: number[];
  readonly greedy?: readonly { readonly prompt: number[]; readonly answer: number[] }[];
}

interface Goldens {
  readonly optimizer: AdamWConfig;
  readonly cases: Readonly<Record<string, Golden>>;
}

const goldens = JSON.parse(readFileSync(new URL("golden/decoder.json", import.meta.url), "utf8")) as Goldens;

/** What goes in, and which places of the flattened rows hold a token. */
function inputOf({ ids, positions, padding }: Golden): { input: DecoderInput; places: number[] } {
  const int = (rows: number[][]): TensorFlow.Tensor2D => tf.tensor2d(rows, undefined, "int32");
  const time = ids[0]?.length ?? 0;
  const lengths = ids.map((_, row) => time - (padding === undefined ? 0 : row));
  const starts = lengths.map((length) => (padding === "left" ? time - length : 0));
  const places = lengths.flatMap((length, row) =>
    Array.from({ length }, (_, index) => row * time + (starts[row] ?? 0) + index),
  );
  if (positions !== undefined) return { input: { ids: int(ids), positions: int(positions) }, places };
  if (padding !== "left") return { input: { ids: int(ids) }, places };
  const columns = Array.from({ length: time }, (_, column) => column);
  const shifted = starts.map((start) => columns.map((column) => Math.max(0, column - start)));
  const segments = starts.map((start) => columns.map((column) => (column < start ? 0 : 1)));
  return { input: { ids: int(ids), positions: int(shifted), segments: int(segments) }, places };
}

interface Result {
  readonly logits: ArrayLike<number>;
  readonly loss: number;
  readonly gradients: ReadonlyMap<string, ArrayLike<number>>;
}

/** Logits and mean loss over the tokens, and every gradient. */
function run(decoder: Decoder, golden: Golden, optimizer?: Optimizer): Result {
  tf.engine().startScope();
  try {
    const { input, places } = inputOf(golden);
    const rows = tf.tensor1d(places, "int32");
    const flat = golden.targets.flat();
    const labels = tf.tensor1d(
      places.map((place) => flat[place] ?? NaN),
      "int32",
    );
    const logits = (): TensorFlow.Tensor2D => decoder.logits(decoder.hiddenRows(input, rows));
    const { value, grads } = tf.variableGrads(() =>
      tf.div<TensorFlow.Scalar>(softmaxCrossEntropySum(logits(), labels), labels.size),
    );
    optimizer?.accumulate(grads);
    const gradients =
      optimizer === undefined
        ? [...decoder.parameters].map(
            ([name, { name: own }]) => [name, grads[own]?.dataSync() ?? []] as const,
          )
        : [];
    return { logits: logits().dataSync(), loss: value.dataSync()[0] ?? NaN, gradients: new Map(gradients) };
  } finally {
    tf.engine().endScope();
  }
}

describe("decoder against transformers of Hugging Face", () => {
  const backends: readonly BackendName[] = ["tensorflow", "wasm"];
  for (const backend of backends) {
    for (const [name, golden] of Object.entries(goldens.cases)) {
      it(`${name}, on ${backend}`, async () => {
        await startEngine({ backend });
        const decoder = waveDecoder(parseDecoderConfig(golden.config));
        const { logits, loss, gradients } = run(decoder, golden);
        assertClose(logits, golden.logits, 1e-4);
        assertClose([loss], [golden.loss], 1e-5);
        assert.deepEqual([...gradients.keys()].sort(), Object.keys(golden.gradients).sort());
        for (const [parameter, gradient] of gradients) {
          assertClose(gradient, golden.gradients[parameter] ?? [], 1e-4);
        }
        decoder.dispose();
      });
    }
  }

  for (const [name, golden] of Object.entries(goldens.cases)) {
    it(`${name}: ten steps of AdamW`, async () => {
      await startEngine();
      const decoder = waveDecoder(golden.config);
      const optimizer = new Optimizer(decoder.parameters, goldens.optimizer);
      const losses = golden.steps.map(() => {
        const { loss } = run(decoder, golden, optimizer);
        optimizer.step(goldens.optimizer.learningRate, optimizer.gradientNorm());
        return loss;
      });
      losses.forEach((loss, step) => {
        const expected = golden.steps[step] ?? NaN;
        assert.ok(Math.abs(loss / expected - 1) < 1e-3, `step ${step}: ${loss} and ${expected}`);
      });
      optimizer.dispose();
      decoder.dispose();
    });

    const { greedy } = golden;
    if (greedy === undefined) continue;
    it(`${name}: greedy generation, all prompts in one batch`, async () => {
      await startEngine();
      const decoder = waveDecoder(golden.config);
      const answers = await generateGreedy(
        decoder,
        greedy.map(({ prompt }) => prompt),
        { maxNewTokens: 5, eos: -1, batchSize: 8 },
      );
      greedy.forEach(({ answer }, index) =>
        assert.deepEqual(answers[index]?.slice(0, answer.length), answer),
      );
      decoder.dispose();
    });
  }

  const wrong: readonly (readonly [name: keyof Goldens["cases"], change: Partial<DecoderConfig>])[] = [
    ["Llama, untied head, 61 tokens", { positions: { kind: "rotary", base: 10 } }],
    ["Llama, untied head, 61 tokens", { norm: { kind: "rms", epsilon: 1e-2 } }],
    ["Llama, grouped wide heads, positions of Llama 3", { positions: { kind: "rotary", base: 100 } }],
  ];
  it("would see another base of the rotary positions, another epsilon of the norm, or no scaling", async () => {
    await startEngine();
    for (const [name, change] of wrong) {
      const golden = goldens.cases[name];
      assert.ok(golden);
      const decoder = waveDecoder({ ...golden.config, ...change });
      assert.ok(largestDifference(run(decoder, golden).logits, golden.logits).worst > 1e-3);
      decoder.dispose();
    }
  });
});
