import assert from "node:assert/strict";
import { before, describe, it, test } from "node:test";
import type { Example } from "../../src/data/example.js";
import { renderSpans } from "../../src/data/render.js";
import { sftPlain } from "../../src/data/templates/index.js";
import { startEngine } from "../../src/engine/start.js";
import { tf } from "../../src/engine/tensorflow.js";
import { type OptionRequest, scoreOptions } from "../../src/evaluate/option-scores.js";
import { bestOption, optionPanel, optionProbabilities, rankFlips } from "../../src/evaluate/panel.js";
import { rankClassify, type RankSettings, withTaskLabels } from "../../src/evaluate/rank-classification.js";
import { scoreTargets } from "../../src/evaluate/score.js";
import type { Decoder } from "../../src/model/decoder.js";
import { KitError } from "../../src/support/errors.js";
import { Random } from "../../src/support/random.js";
import { CharacterTokenizer } from "../../src/tokenizer/character.js";
import { exampleWith } from "../data/fixtures.js";
import { FAMILIES, GPT2, largeDecoder, LLAMA } from "../model/models.js";

/** Prompts of many lengths with one to five options of many lengths. */
function requests(count: number): OptionRequest[] {
  const random = new Random(3);
  const ids = (length: number): number[] => Array.from({ length }, () => random.integer(GPT2.vocabularySize));
  return Array.from({ length: count }, () => ({
    prompt: ids(1 + random.integer(8)),
    options: Array.from({ length: 1 + random.integer(5) }, () => ids(1 + random.integer(5))),
  }));
}

const flatten = (scores: readonly (readonly { readonly tokenLogprobs: readonly number[] }[])[]): number[] =>
  scores.flatMap((options) => options.flatMap(({ tokenLogprobs }) => tokenLogprobs));

function largestGap(a: readonly number[], b: readonly number[]): number {
  assert.equal(a.length, b.length);
  return Math.max(...a.map((value, index) => Math.abs(value - (b[index] ?? Number.NaN))));
}

before(async () => {
  await startEngine();
});

describe("options of one prompt", () => {
  for (const [family, config] of Object.entries(FAMILIES)) {
    it(`${family}: have the scores that each pair has alone, whatever the batch`, async () => {
      const decoder = largeDecoder(config);
      const rows = requests(17);
      const alone: number[] = [];
      for (const { prompt, options } of rows) {
        for (const target of options) {
          const [score] = await scoreTargets(decoder, [{ prompt, target }], { batchTokens: 1 });
          alone.push(...(score?.tokenLogprobs ?? []));
        }
      }
      for (const batchTokens of [1, 60, 200, 100_000]) {
        const gap = largestGap(flatten(await scoreOptions(decoder, rows, { batchTokens })), alone);
        assert.ok(gap < 1e-5, `${batchTokens} tokens: gap ${gap}`);
      }
      decoder.dispose();
    });
  }

  it("negative control: options after another row's prompt have other scores", async () => {
    const decoder = largeDecoder(GPT2);
    const rows = requests(17);
    const shifted = rows.map((row, index) => ({ ...row, prompt: rows[(index + 1) % 17]?.prompt ?? [0] }));
    const gap = largestGap(
      flatten(await scoreOptions(decoder, rows, { batchTokens: 200 })),
      flatten(await scoreOptions(decoder, shifted, { batchTokens: 200 })),
    );
    assert.ok(gap > 0.1, `gap ${gap}`);
    decoder.dispose();
  });

  it("a prompt is computed once for all its options, and no tensor is left", async (context) => {
    const decoder = largeDecoder(GPT2);
    const fed: number[] = [];
    for (const name of ["extend", "extendLast"] as const) {
      const original = decoder[name].bind(decoder) as Decoder["extend"];
      context.mock.method(decoder, name, ((ids, cache, counts = []) => {
        fed.push(counts.reduce((sum, count) => sum + count, 0));
        return original(ids, cache, counts);
      }) as Decoder["extend"]);
    }
    const request = { prompt: [1, 2, 3, 4, 5, 6, 7], options: [[1, 2], [3], [4, 5, 6], [7, 8]] };
    await scoreOptions(decoder, [request], { batchTokens: 1000 });
    const tensors = tf.memory().numTensors;
    fed.length = 0;
    await scoreOptions(decoder, [request], { batchTokens: 1000 });
    assert.deepEqual(fed, [7, 1 + 2 + 1], "seven tokens of the prompt, and all but the last of each option");
    assert.equal(tf.memory().numTensors, tensors);
    decoder.dispose();
  });

  it("refuses a row without options, and one that is too long, by its place", async () => {
    const decoder = largeDecoder(GPT2);
    const refuses = (request: OptionRequest, message: RegExp): Promise<void> =>
      assert.rejects(
        scoreOptions(decoder, [{ prompt: [1], options: [[2]] }, request], { batchTokens: 8 }),
        (error) => error instanceof KitError && message.test(error.message) && error.location.row === 2,
      );
    await refuses({ prompt: [1], options: [] }, /no options/);
    await refuses({ prompt: [1], options: [[1], []] }, /empty target/);
    await refuses({ prompt: new Array<number>(16).fill(1), options: [[1], [1, 2]] }, /do not fit/);
    decoder.dispose();
  });
});

test("the panel divides by tokens, characters and bytes, and takes the option's own probability off", () => {
  const panel = optionPanel({ text: "é🙂", tokens: 4, logprob: -12, alone: -20 });
  assert.deepEqual(panel, { sum: -12, perToken: -3, perCharacter: -6, perByte: -2, pmi: 8 });
});

test("methods flip where options differ in length or are probable anyway", () => {
  const short = optionPanel({ text: "no", tokens: 1, logprob: -2, alone: -1 });
  const long = optionPanel({ text: "certainly", tokens: 3, logprob: -3, alone: -9 });
  const row = { panels: [short, long], right: [1] };
  assert.equal(bestOption(row.panels, "sum"), 0);
  for (const method of ["perToken", "perCharacter", "perByte", "pmi"] as const)
    assert.equal(bestOption(row.panels, method), 1);
  const flips = rankFlips([row, { panels: [long, long], right: [0] }]);
  assert.deepEqual(
    flips.filter(({ rows }) => rows > 0).map(({ a, b, rows, onlyA, onlyB }) => [a, b, rows, onlyA, onlyB]),
    ["perToken", "perCharacter", "perByte", "pmi"].map((b) => ["sum", b, 1, 0, 1]),
  );
  assert.equal(bestOption([long, long], "sum"), 0, "of equal options the first");
  const [first = 0, second = 0] = optionProbabilities(row.panels);
  assert.ok(Math.abs(first / second - Math.E) < 1e-12 && Math.abs(first + second - 1) < 1e-12);
});

const TOKENIZER = CharacterTokenizer.fromTexts(["abcdefghijklmnopqrstuvwxyz ", "Input: Output:\n"]);
const CONFIG = { ...LLAMA, vocabularySize: TOKENIZER.vocabularySize, contextLength: 64 };
const SETTINGS: RankSettings = {
  template: sftPlain,
  policy: { maxTokens: 64, overlong: "drop" },
  scoreEnd: true,
  bootstrap: { resamples: 200, level: 0.95, seed: 1 },
};

function row(id: string, input: string, output: string, options?: readonly string[]): Example {
  return exampleWith({
    id,
    input,
    outputs: [output],
    task: "t",
    taskType: "kind",
    ...(options === undefined ? {} : { options }),
  });
}

const ROWS = [
  row("1", "is it good", "yes", ["yes", "no", "maybe so"]),
  row("2", "is it bad", "no", ["no", "yes"]),
  row("3", "which one", "b", ["a", "b", "c", "d"]),
  row("4", "free text", "anything"),
];

test("a row's options are ranked as training renders them, with floors, flips and calibration", async () => {
  const decoder = largeDecoder(CONFIG);
  const model = { decoder, tokenizer: TOKENIZER };
  const result = await rankClassify(model, ROWS, SETTINGS, { batchTokens: 300 });
  assert.ok(result !== undefined);
  assert.equal(result.rows, 3);
  assert.equal(result.withoutOptions, 1);
  assert.ok(Math.abs(result.floors.random - (1 / 3 + 1 / 2 + 1 / 4) / 3) < 1e-12);
  assert.ok(Math.abs(result.floors.majorityLabel - 1 / 3) < 1e-12);
  assert.deepEqual(
    result.examples.map(({ right }) => right),
    [[0], [0], [1]],
  );
  assert.ok(result.calibration.expectedError >= 0 && result.calibration.brier <= 2);
  const [first] = result.examples;
  const option = ROWS[0]?.options?.[2] ?? "";
  const rendered = renderSpans({ ...row("1", "is it good", option) }, sftPlain, TOKENIZER, {
    maxTokens: 64,
    overlong: "drop",
    lossOn: "response",
  });
  assert.ok(rendered.kind === "rendered");
  const { ids, promptLength } = rendered.spans;
  const [score] = await scoreTargets(
    decoder,
    [{ prompt: ids.slice(0, promptLength), target: ids.slice(promptLength) }],
    { batchTokens: 1 },
  );
  const panel = first?.panels[2];
  assert.ok(Math.abs((panel?.sum ?? 0) - (score?.logprob ?? 0)) < 1e-4);
  assert.ok(Math.abs((panel?.perToken ?? 0) - (score?.logprob ?? 0) / 9) < 1e-5, "eight letters and the end");
  assert.ok(Math.abs((panel?.perCharacter ?? 0) - (score?.logprob ?? 0) / 8) < 1e-5);
  decoder.dispose();
});

test("the end token is scored only when asked for", async () => {
  const decoder = largeDecoder(CONFIG);
  const model = { decoder, tokenizer: TOKENIZER };
  const [withEnd, without] = await Promise.all(
    [true, false].map((scoreEnd) =>
      rankClassify(model, ROWS, { ...SETTINGS, scoreEnd }, { batchTokens: 300 }),
    ),
  );
  const sums = (result: typeof withEnd): number[] =>
    result?.examples.flatMap(({ panels }) => panels.map(({ sum }) => sum)) ?? [];
  assert.ok(sums(withEnd).every((sum, index) => sum < (sums(without)[index] ?? -Infinity)));
  decoder.dispose();
});

test("a reference that is no option is an error, and labels of a task can stand for options", async () => {
  const decoder = largeDecoder(CONFIG);
  const wrong = [row("9", "a", "Yes", ["yes", "no"])];
  await assert.rejects(
    rankClassify({ decoder, tokenizer: TOKENIZER }, wrong, SETTINGS, { batchTokens: 300 }),
    /the answer of example "9" is not among its options \(yes, no\)/,
  );
  await assert.rejects(
    rankClassify({ decoder, tokenizer: TOKENIZER }, [row("9", "a", "b")], SETTINGS, { batchTokens: 300 }),
    /no row has options/,
  );
  const labelled = withTaskLabels([row("1", "a", "yes"), row("2", "b", "no"), row("3", "c", "yes")], 5);
  assert.deepEqual(
    labelled.map(({ options }) => options),
    [
      ["no", "yes"],
      ["no", "yes"],
      ["no", "yes"],
    ],
  );
  assert.equal(withTaskLabels([row("1", "a", "yes"), row("2", "b", "no")], 1)[0]?.options, undefined);
  decoder.dispose();
});
