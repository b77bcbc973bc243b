import assert from "node:assert/strict";
import { test } from "node:test";
import { MINI_IFT, MINI_SFT } from "../../src/data/mini/template.js";
import { loadBase } from "../../src/evaluate/base-checkpoint.js";
import { ARTICLE_SETTINGS, tuneOnRows } from "../../src/experiment/article/tune.js";
import { answerSideBySide } from "../../src/notebook/side-by-side.js";

const NEWS = "The stock market fell on Monday.";
const rowOf = (instruction: string, output: string) => ({
  id: instruction,
  task: "test",
  taskType: "test",
  instruction,
  input: NEWS,
  outputs: [output],
  source: "test",
});

test("a model that is shown instructions tells requests apart; one that is not gives one answer to all", async () => {
  const rows = [rowOf("Say the day.", "Monday"), rowOf("Say the topic.", "Business")];
  const settings = { ...ARTICLE_SETTINGS, steps: 25, rowsPerStep: 2 };
  const [ift, sft] = [await loadBase("decoder"), await loadBase("decoder")];
  await tuneOnRows(ift, rows, { ...settings, template: MINI_IFT });
  await tuneOnRows(sft, rows, { ...settings, template: MINI_SFT });
  const answers = await answerSideBySide(
    [
      { name: "IFT", model: ift, template: MINI_IFT },
      { name: "SFT", model: sft, template: MINI_SFT },
    ],
    [...rows, { instruction: NEWS }],
  );
  assert.deepEqual(
    answers.slice(0, 2).map(([first]) => first),
    ["Monday", "Business"],
  );
  // The third request is the input alone: to the SFT model it is the same as the first two.
  const [one, other, alone] = answers.map(([, second]) => second);
  assert.equal(one, other);
  assert.equal(one, alone);
  ift.decoder.dispose();
  sft.decoder.dispose();
});
