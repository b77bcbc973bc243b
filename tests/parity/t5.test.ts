import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { embeddingLookup, softmaxCrossEntropySum } from "../../src/engine/ops/index.js";
import { bucketOf } from "../../src/engine/ops/relative-bias.js";
import { type BackendName, startEngine } from "../../src/engine/start.js";
import { tf, type TensorFlow } from "../../src/engine/tensorflow.js";
import { parseT5Config, type T5Config } from "../../src/model/t5/config.js";
import type { T5, T5Input } from "../../src/model/t5/t5.js";
import type { AdamWConfig } from "../../src/train/optimizers/config.js";
import { Optimizer } from "../../src/train/optimizer.js";
import { assertClose, largestDifference } from "../engine/numeric.js";
import { matrix } from "../model/models.js";
import { waveT5 } from "./wave.js";

interface Golden {
  readonly config: T5Config;
  readonly ids: number[][];
  readonly decoderIds: number[][];
  readonly targets: number[][];
  /** Row n of both has n tokens fewer than the first, and padding on this side; nothing of it is in the results. */
  readonly padding?: "left" | "right";
  readonly logits: number[];
  readonly loss: number;
  readonly gradients: Readonly<Record<string, number[]>>;
  /** The loss before each of ten steps of AdamW. */
  readonly steps: number[];
}

interface Goldens {
  readonly optimizer: AdamWConfig;
  readonly cases: Readonly<Record<string, Golden>>;
  /** Buckets of the offsets from -200 to 200. */
  readonly buckets: readonly {
    readonly bothWays: boolean;
    readonly buckets: number;
    readonly farthest: number;
    readonly values: readonly number[];
  }[];
}

const goldens = JSON.parse(readFileSync(new URL("golden/t5.json", import.meta.url), "utf8")) as Goldens;

/** 1 at tokens, 0 at padding. */
function segmentsOf(rows: readonly number[][], padding: Golden["padding"]): number[][] {
  return rows.map((ids, row) =>
    ids.map((_, column) => {
      const place = padding === "left" ? column : ids.length - 1 - column;
      return padding !== undefined && place < row ? 0 : 1;
    }),
  );
}

/** What goes in, and which places of the flattened output rows hold a token. */
function inputOf({ ids, decoderIds, padding }: Golden): { input: T5Input; places: number[] } {
  const segments = segmentsOf(decoderIds, padding);
  const places = segments.flat().flatMap((segment, place) => (segment === 0 ? [] : [place]));
  const input: T5Input = {
    ids: matrix(ids),
    decoderIds: matrix(decoderIds),
    ...(padding === undefined ? {} : { segments: matrix(segmentsOf(ids, padding)) }),
    // Padding on the right needs no mask in the decoder.
    ...(padding === "left" ? { decoderSegments: matrix(segments) } : {}),
  };
  return { input, places };
}

interface Result {
  readonly logits: ArrayLike<number>;
  readonly loss: number;
  readonly gradients: ReadonlyMap<string, ArrayLike<number>>;
}

/** Logits and mean loss over the tokens, and every gradient. */
function run(model: T5, golden: Golden, optimizer?: Optimizer): Result {
  tf.engine().startScope();
  try {
    const { input, places } = inputOf(golden);
    const flat = golden.targets.flat();
    const labels = tf.tensor1d(
      places.map((place) => flat[place] ?? NaN),
      "int32",
    );
    const logits = (): TensorFlow.Tensor2D => {
      const hidden = tf.reshape(model.hiddenStates(input), [-1, model.config.width]);
      const chosen = embeddingLookup(hidden as TensorFlow.Tensor2D, tf.tensor1d(places, "int32"));
      return model.logits(chosen as TensorFlow.Tensor2D);
    };
    const { value, grads } = tf.variableGrads(() =>
      tf.div<TensorFlow.Scalar>(softmaxCrossEntropySum(logits(), labels), labels.size),
    );
    optimizer?.accumulate(grads);
    const gradients =
      optimizer === undefined
        ? [...model.parameters].map(([name, { name: own }]) => [name, grads[own]?.dataSync() ?? []] as const)
        : [];
    return { logits: logits().dataSync(), loss: value.dataSync()[0] ?? NaN, gradients: new Map(gradients) };
  } finally {
    tf.engine().endScope();
  }
}

describe("T5 against transformers of Hugging Face", () => {
  const backends: readonly BackendName[] = ["tensorflow", "wasm"];
  for (const backend of backends) {
    for (const [name, golden] of Object.entries(goldens.cases)) {
      it(`${name}, on ${backend}`, async () => {
        await startEngine({ backend });
        const model = waveT5(parseT5Config(golden.config));
        const { logits, loss, gradients } = run(model, golden);
        assertClose(logits, golden.logits, 1e-4);
        assertClose([loss], [golden.loss], 1e-5);
        assert.deepEqual([...gradients.keys()].sort(), Object.keys(golden.gradients).sort());
        for (const [parameter, gradient] of gradients) {
          assertClose(gradient, golden.gradients[parameter] ?? [], 1e-4);
        }
        model.dispose();
      });
    }
  }

  for (const [name, golden] of Object.entries(goldens.cases)) {
    it(`${name}: ten steps of AdamW`, async () => {
      await startEngine();
      const model = waveT5(golden.config);
      const optimizer = new Optimizer(model.parameters, goldens.optimizer);
      golden.steps.forEach((expected, step) => {
        const { loss } = run(model, golden, optimizer);
        optimizer.step(goldens.optimizer.learningRate, optimizer.gradientNorm());
        assert.ok(Math.abs(loss / expected - 1) < 1e-3, `step ${step}: ${loss} and ${expected}`);
      });
      optimizer.dispose();
      model.dispose();
    });
  }

  it("the bucket of every distance", () => {
    for (const { values, ...rules } of goldens.buckets) {
      assert.deepEqual(
        values.map((_, index) => bucketOf(index - 200, rules)),
        values,
      );
    }
  });

  const wrong: readonly (readonly [name: string, change: Partial<T5Config>])[] = [
    ["1.0, right padding", { scaledHead: false }],
    ["1.0, rows beyond the farthest bucket", { farthestPosition: 30 }],
    ["1.1, untied head, 61 tokens", { epsilon: 1e-2 }],
  ];
  it("would see a head without its scale, another farthest distance, another epsilon, and padding that is read", async () => {
    await startEngine();
    const differs = (config: T5Config, golden: Golden): void => {
      const model = waveT5(config);
      assert.ok(largestDifference(run(model, golden).logits, golden.logits).worst > 1e-3);
      model.dispose();
    };
    for (const [name, change] of wrong) {
      const golden = goldens.cases[name] ?? assert.fail();
      differs({ ...golden.config, ...change }, golden);
    }
    const padded = goldens.cases["1.0, right padding"] ?? assert.fail();
    const model = waveT5(padded.config);
    const { places, input } = inputOf(padded);
    const read = tf.tidy(() => {
      const hidden = tf.reshape(
        model.hiddenStates({ ids: input.ids, decoderIds: input.decoderIds }),
        [-1, 8],
      );
      const rows = tf.gather(hidden, tf.tensor1d(places, "int32")) as TensorFlow.Tensor2D;
      return model.logits(rows).dataSync();
    });
    assert.ok(largestDifference(read, padded.logits).worst > 1e-3);
    model.dispose();
  });
});
