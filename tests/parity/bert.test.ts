import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { embeddingLookup } from "../../src/engine/ops/index.js";
import { type BackendName, startEngine } from "../../src/engine/start.js";
import { tf, type TensorFlow } from "../../src/engine/tensorflow.js";
import type { Bert, BertInput } from "../../src/model/bert/bert.js";
import { loadBert, saveBert } from "../../src/model/bert/checkpoint.js";
import { type BertConfig, type BertHead, parseBertConfig } from "../../src/model/bert/config.js";
import { mergeAdapter } from "../../src/model/lora/merge.js";
import { loadAdaptedBert, loadAdapter, saveAdapter } from "../../src/model/lora/peft.js";
import { weightedLoss } from "../../src/train/loss.js";
import type { BatchTensors } from "../../src/train/objective.js";
import { classification } from "../../src/train/objectives/classification.js";
import { maskedLanguage } from "../../src/train/objectives/masked-language.js";
import type { AdamWConfig } from "../../src/train/optimizers/config.js";
import { Optimizer } from "../../src/train/optimizer.js";
import { assertClose, largestDifference } from "../engine/numeric.js";
import { matrix } from "../model/models.js";
import { waveBert } from "./wave.js";

interface Golden {
  readonly config: BertConfig;
  readonly ids: number[][];
  /** 0 at padding. */
  readonly segments: number[][];
  readonly tokenTypes: number[][];
  /** -100 where there is none. */
  readonly targets: number[][];
  readonly labels: number[];
  /** Of the words at the targets, or of the classes. */
  readonly logits: number[];
  readonly nextSentence?: number[];
  readonly loss: number;
  readonly gradients: Readonly<Record<string, number[]>>;
  /** The loss before each of ten steps of AdamW. */
  readonly steps: number[];
}

interface AdapterGolden {
  readonly config: BertConfig;
  readonly ids: number[][];
  /** Of all that the heads say. */
  readonly logits: number[];
}

interface Goldens {
  readonly optimizer: AdamWConfig;
  readonly cases: Readonly<Record<string, Golden>>;
  readonly adapter: AdapterGolden;
  /** By the kind of the head. */
  readonly adaptersWithHead: Readonly<Record<BertHead["kind"], AdapterGolden>>;
}

const golden = (name: string): string => fileURLToPath(new URL(`golden/${name}`, import.meta.url));
const goldens = JSON.parse(readFileSync(golden("bert.json"), "utf8")) as Goldens;

const vector = (values: readonly number[]): TensorFlow.Tensor1D => tf.tensor1d([...values], "int32");

function inputOf({ ids, segments, tokenTypes }: Golden): BertInput {
  return { ids: matrix(ids), segments: matrix(segments), tokenTypes: matrix(tokenTypes) };
}

/** The batch with targets, in the form that objectives take; the first token is at column 0, as in transformers. */
function batchOf(given: Golden): BatchTensors {
  const time = given.ids[0]?.length ?? 0;
  const starts = given.ids.map((_, row) => row * time);
  const input = inputOf(given);
  if (given.config.head.kind === "classification") {
    return { ...input, targetPositions: vector(starts), targets: vector(given.labels) };
  }
  const flat = given.targets.flat();
  const places = flat.flatMap((target, place) => (target < 0 ? [] : [place]));
  return {
    ...input,
    targetPositions: vector(places),
    targets: vector(places.map((place) => flat[place] ?? NaN)),
    rowStarts: vector(starts),
    rowTargets: vector(given.labels),
  };
}

function lossOf(model: Bert, batch: BatchTensors): TensorFlow.Scalar {
  const objective =
    model.config.head.kind === "classification" ? classification(model) : maskedLanguage(model);
  const sums = objective.lossSums(batch);
  const counts = [batch.targets.size, batch.rowTargets?.size ?? 0].slice(0, sums.length);
  return weightedLoss(
    sums,
    counts.map((count) => tf.scalar(1 / count)),
  );
}

/** Logits at some places of the flattened hidden states. */
function logitsAt(
  model: Bert,
  input: BertInput,
  places: TensorFlow.Tensor1D,
  logits: (chosen: TensorFlow.Tensor2D) => TensorFlow.Tensor2D,
): Float32Array {
  return tf.tidy(() => {
    const hidden = tf.reshape<TensorFlow.Rank.R2>(model.hiddenStates(input), [-1, model.config.width]);
    return logits(embeddingLookup(hidden, places) as TensorFlow.Tensor2D).dataSync<"float32">();
  });
}

function checkLogits(model: Bert, given: Golden): void {
  const { kind } = given.config.head;
  tf.tidy(() => {
    const { targetPositions, rowStarts, ...input } = batchOf(given);
    const own = logitsAt(model, input, targetPositions, (chosen) =>
      kind === "classification" ? model.classLogits(chosen) : model.maskedLogits(chosen),
    );
    assertClose(own, given.logits, 1e-4);
    if (given.nextSentence === undefined || rowStarts === undefined) return;
    const next = logitsAt(model, input, rowStarts, (chosen) => model.nextSentenceLogits(chosen));
    assertClose(next, given.nextSentence, 1e-4);
  });
}

describe("BERT against transformers of Hugging Face", () => {
  const backends: readonly BackendName[] = ["tensorflow", "wasm"];
  for (const backend of backends) {
    for (const [name, given] of Object.entries(goldens.cases)) {
      it(`${name}, on ${backend}`, async () => {
        await startEngine({ backend });
        const model = waveBert(parseBertConfig(given.config));
        checkLogits(model, given);
        tf.tidy(() => {
          const batch = batchOf(given);
          const { value, grads } = tf.variableGrads(() => lossOf(model, batch));
          assertClose(value.dataSync(), [given.loss], 1e-5);
          assert.deepEqual([...model.parameters.keys()].sort(), Object.keys(given.gradients).sort());
          for (const [parameter, { name: own }] of model.parameters) {
            assertClose(grads[own]?.dataSync() ?? [], given.gradients[parameter] ?? [], 1e-4);
          }
        });
        model.dispose();
      });
    }
  }

  for (const [name, given] of Object.entries(goldens.cases)) {
    it(`${name}: ten steps of AdamW`, async () => {
      await startEngine();
      const model = waveBert(given.config);
      const optimizer = new Optimizer(model.parameters, goldens.optimizer);
      given.steps.forEach((expected, step) => {
        const loss = tf.tidy(() => {
          const batch = batchOf(given);
          const { value, grads } = tf.variableGrads(() => lossOf(model, batch));
          optimizer.accumulate(grads);
          return value.dataSync()[0] ?? NaN;
        });
        optimizer.step(goldens.optimizer.learningRate, optimizer.gradientNorm());
        assert.ok(Math.abs(loss / expected - 1) < 1e-3, `step ${step}: ${loss} and ${expected}`);
      });
      optimizer.dispose();
      model.dispose();
    });
  }

  it("would see another activation, another epsilon, types that are left out, and padding that is read", async () => {
    await startEngine();
    const padded = goldens.cases["left padding"] ?? assert.fail();
    const differs = (config: BertConfig, leftOut?: "segments" | "tokenTypes"): void => {
      const model = waveBert(config);
      const { worst } = tf.tidy(() => {
        const { targetPositions, ids, segments, tokenTypes } = batchOf(padded);
        if (segments === undefined || tokenTypes === undefined) return assert.fail();
        const input = {
          ids,
          ...(leftOut === "segments" ? {} : { segments }),
          ...(leftOut === "tokenTypes" ? {} : { tokenTypes }),
        };
        const own = logitsAt(model, input, targetPositions, (chosen) => model.maskedLogits(chosen));
        return largestDifference(own, padded.logits);
      });
      assert.ok(worst > 1e-4, `${worst}`);
      model.dispose();
    };
    differs({ ...padded.config, activation: "gelu-tanh" });
    differs({ ...padded.config, epsilon: 1e-2 });
    differs(padded.config, "tokenTypes");
    differs(padded.config, "segments");
  });
});

const FOLDERS = {
  "pre-training": "left padding",
  "masked-language": "masked words alone, tanh form",
  classification: "three classes of pairs",
} as const;

describe("folders of BERT", () => {
  for (const [folder, name] of Object.entries(FOLDERS)) {
    it(`${folder}: what transformers saved gives its logits, and again when the kit has saved it`, async () => {
      await startEngine();
      const given = goldens.cases[name] ?? assert.fail();
      const directory = mkdtempSync(join(tmpdir(), "ift-kit-bert-"));
      const model = loadBert(golden(`bert/${folder}`));
      assert.deepEqual(model.config, given.config);
      checkLogits(model, given);
      saveBert(directory, model, { special: { eos: 1, pad: 0 }, maxFileBytes: 900 });
      const again = loadBert(directory);
      assert.deepEqual(again.config, model.config);
      checkLogits(again, given);
      for (const each of [model, again]) each.dispose();
      rmSync(directory, { recursive: true });
    });
  }

  it("an adapter of PEFT gives its logits, merged and saved again too; control: without it", async () => {
    await startEngine();
    const { config, ids, logits } = goldens.adapter;
    const base = waveBert(config);
    const adapter = loadAdapter(golden("bert/adapter"), config);
    const directory = mkdtempSync(join(tmpdir(), "ift-kit-bert-"));
    saveAdapter(directory, adapter, config);
    const saved = loadAdapter(directory, config);
    const models = [base.withAdapter(adapter), base.withAdapter(saved), mergeAdapter(base, adapter), base];
    const differences = models.map((model) => {
      const own = tf.tidy(() => {
        const all = vector(ids.flat().map((_, place) => place));
        return logitsAt(model, { ids: matrix(ids) }, all, (chosen) => model.maskedLogits(chosen));
      });
      return largestDifference(own, logits).worst;
    });
    assert.deepEqual(
      differences.map((worst) => worst < 1e-4),
      [true, true, true, false],
    );
    for (const model of models) model.dispose();
    rmSync(directory, { recursive: true });
  });

  for (const kind of ["classification", "masked-language", "pre-training"] as const) {
    it(`an adapter of PEFT with the head of ${kind} gives its logits, saved again too; controls`, async () => {
      await startEngine();
      const { config, ids, logits } = goldens.adaptersWithHead[kind];
      const plain = waveBert(config);
      const folder = golden(`bert/adapter-${kind}`);
      const first = loadAdaptedBert(folder, plain);
      const directory = mkdtempSync(join(tmpdir(), "ift-kit-bert-"));
      const { adapter } = first.model;
      saveAdapter(directory, adapter ?? assert.fail(), config, undefined, first.model);
      // What the kit wrote needs no head of the base.
      const bare = plain.withHead({ kind: "classification", labels: ["a", "b", "c", "d"] }, 1);
      const second = loadAdaptedBert(directory, bare);
      assert.deepEqual(second.model.config.head, config.head);
      const models = [first.model, second.model, first.base, plain];
      assert.deepEqual(
        models.map((model) => largestDifference(allLogits(model, ids), logits).worst < 1e-4),
        [true, true, false, false],
      );
      assert.ok(first.model.trainsHead);
      assert.throws(() => loadAdapter(folder, config), /field "modules_to_save".*loadAdaptedBert/);
      for (const model of [...models, bare, second.base]) model.dispose();
      rmSync(directory, { recursive: true });
    });
  }
});

/** Of every head that the model has, in the order of `transformers`. */
function allLogits(bert: Bert, ids: readonly (readonly number[])[]): number[] {
  return tf.tidy(() => {
    const hidden = bert.hiddenStates({ ids: matrix(ids) });
    const [batch, time, width] = hidden.shape;
    const all: TensorFlow.Tensor2D = tf.reshape(hidden, [batch * time, width]);
    const first = tf.gather(all, vector(ids.map((_, row) => row * time)));
    const { kind } = bert.config.head;
    if (kind === "classification") return [...bert.classLogits(first).dataSync()];
    const words = [...bert.maskedLogits(all).dataSync()];
    return kind === "masked-language" ? words : [...words, ...bert.nextSentenceLogits(first).dataSync()];
  });
}
