import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readFollowingRows } from "../../src/experiment/instruction-following/rows.js";
import { followingScores, runFollowing } from "../../src/experiment/instruction-following/run.js";
import {
  DEFAULT_FOLLOWING_SETTINGS,
  FOLLOWING_METRICS,
  type FollowingRunSettings,
} from "../../src/experiment/instruction-following/settings.js";
import { followingSuite } from "../../src/experiment/instruction-following/suite.js";

const folder = mkdtempSync(join(tmpdir(), "ift-kit-following-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const PROMPT = "Name three rivers of Europe without commas, in at least five words.";
const training = join(folder, "training.json");
writeFileSync(
  training,
  JSON.stringify([
    { instruction: PROMPT, input: "", output: "The Rhine, the Rhone and the Po." },
    { instruction: "What is the capital of France?", input: "", output: "Paris" },
    { instruction: "Give the opposite of the word.", input: "hot", output: "cold" },
    { instruction: "Say nothing.", input: "", output: "" },
  ]),
);
const SETTINGS: FollowingRunSettings = {
  ...DEFAULT_FOLLOWING_SETTINGS,
  trainingData: training,
  evaluation: { data: "datasets/samples/ifeval.jsonl", prompts: 10, maxNewTokens: 6 },
  budget: { unit: "steps", amount: 1 },
};

test("a training row with a test prompt is left out, and one without an answer", async () => {
  const ids = async (removeLeaks: boolean): Promise<(string | undefined)[]> =>
    (await readFollowingRows({ ...SETTINGS, split: { removeLeaks } })).train.map(
      ({ instruction }) => instruction,
    );
  const clean = ["What is the capital of France?", "Give the opposite of the word."];
  assert.deepEqual(await ids(true), clean);
  // The control: nothing else takes it out.
  assert.deepEqual(await ids(false), [PROMPT, ...clean]);
});

test("a prompt stands where instruction data have their instruction", async () => {
  const { prompts } = await readFollowingRows(SETTINGS);
  assert.deepEqual(
    prompts.map(({ instruction, input, constraints }) => [instruction, input, constraints.length]),
    [[PROMPT, "", 2]],
  );
  const data = "datasets/samples/alpaca.json";
  await assert.rejects(
    readFollowingRows({ ...SETTINGS, evaluation: { ...SETTINGS.evaluation, data } }),
    /no row has constraints/,
  );
});

test("a prompt is held to when all its constraints are; the share of them is another metric", async () => {
  const constraints = (await readFollowingRows(SETTINGS)).prompts[0]?.constraints ?? [];
  const score = (output: string): number[] =>
    FOLLOWING_METRICS.map((metric) => followingScores(output, constraints)[metric]);
  assert.deepEqual(score("The Rhine and the Rhone and the Po"), [1, 1, 1, 1]);
  assert.deepEqual(score("Rhine and Rhone"), [0, 0, 0.5, 0.5]);
  assert.deepEqual(score("Rhine, Rhone"), [0, 0, 0, 0]);
  assert.deepEqual(score("Here, the rivers:\nThe Rhine and the Rhone and the Po"), [0, 1, 0.5, 1]);
});

test("a run tunes the base model, answers, and has floors", async () => {
  const specified = await followingSuite.specify(SETTINGS);
  const result = await runFollowing(
    { suite: followingSuite.name, id: "one", arm: "one", seed: 1, ...specified },
    {
      key: "key",
      sourceHash: "",
      workFolder: join(folder, "work"),
      signal: new AbortController().signal,
      onProgress: () => undefined,
    },
  );
  assert.ok(result !== undefined);
  assert.equal(result.training.rows, 2);
  assert.equal(result.rows.length, 1);
  assert.deepEqual(Object.keys(result.rows[0]?.scores ?? {}), [...FOLLOWING_METRICS]);
  const floor = (name: string): number | undefined =>
    result.floors?.find((one) => one.name === name && one.metric === "instruction-strict")?.value;
  assert.equal(floor("repeats the prompt"), 0.5);
  // "Paris" and "cold" have no comma, and too few words.
  assert.equal(floor("answers to other questions"), 0.5);
});

test("a run is another one with other data under the same path", async () => {
  const before = await followingSuite.specify(SETTINGS);
  const other = await followingSuite.specify({ ...SETTINGS, trainingData: "datasets/samples/alpaca.json" });
  assert.notEqual(other.trainingDataHash, before.trainingDataHash);
  assert.equal(other.startHash, before.startHash);
  assert.deepEqual(await followingSuite.specify(SETTINGS), before);
});
