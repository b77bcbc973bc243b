import assert from "node:assert/strict";
import { test } from "node:test";
import { renderSpans } from "../../src/data/render.js";
import { answerOf } from "../../src/data/answer.js";
import { planRuns } from "../../src/experiment/plan/expand.js";
import { readPlan, shippedPlans } from "../../src/experiment/plan/read.js";
import { limited } from "../../src/experiment/natural-instructions/run.js";
import { specifyMini } from "../../src/experiment/mini/plan.js";
import { miniRows, type MiniRows } from "../../src/experiment/mini/rows.js";
import {
  BASE_START,
  DEFAULT_MINI_SETTINGS,
  type MiniRunSettings,
} from "../../src/experiment/mini/settings.js";
import { pretrainingTexts } from "../../src/experiment/mini/start.js";
import {
  longestOf,
  MAIN_EXTRA_EVALUATION,
  MAIN_VARIANT,
  type MiniVariant,
} from "../../src/experiment/mini/variant.js";
import { parseTrainConfig, TRAINING_RULES, trainingRulesOf } from "../../src/train/config.js";
import { trainConfigOf } from "../../src/experiment/mini/settings.js";
import { missingData } from "./plan-data.js";

const SETTINGS: MiniRunSettings = {
  ...MAIN_VARIANT,
  format: "ift",
  trainingCells: 30,
  start: BASE_START,
  trainingRows: 300,
  split: {},
  evaluation: {
    ...MAIN_EXTRA_EVALUATION,
    testRows: { ...DEFAULT_MINI_SETTINGS.testRows, "held-out-cell": 12 },
    clusterRows: 10,
    levels: ["seen", "held-out-cell"],
    clusters: [],
  },
  budget: { unit: "steps", amount: 1 },
  rowsPerStep: 16,
  learningRate: 1e-3,
};
const rowsWith = (
  changes: Partial<MiniRunSettings>,
  asked: Partial<MiniRunSettings["evaluation"]> = {},
): MiniRows =>
  miniRows({
    ...specifyMini({ ...SETTINGS, ...changes, evaluation: { ...SETTINGS.evaluation, ...asked } }),
    seed: 1,
  });
const plain = rowsWith({});

test("every plan that ships is whole, and the ablations on the grid share their main arm", async (t) => {
  const main = new Set<string>();
  for (const name of shippedPlans()) {
    const { plan, file } = await readPlan(name);
    assert.equal(plan.name, name);
    if (missingData(plan).length > 0) {
      t.diagnostic(`${name} not checked: its data are not there`);
      continue;
    }
    const runs = await planRuns(plan, file);
    assert.equal(new Set(runs.map(({ specification }) => specification.id)).size, runs.length, name);
    for (const { specification } of runs) {
      const asked = { ...specification, id: "", arm: "" };
      if (["ablation-formats", "ablation-packing", "ablation-lora"].includes(name) && asked.seed === 1) {
        main.add(JSON.stringify(asked));
      }
    }
  }
  // 5 + 3 + 4 arms, one of each is the same run.
  assert.equal(main.size, 10);
});

test("swapped instructions are those of one other task type, for all rows of a task type", () => {
  const swapped = rowsWith({ format: "ift-swapped" }).train;
  const ownTask = new Map(plain.train.map(({ instruction, task }) => [instruction, task]));
  const partners = new Map<string, Set<string>>();
  for (const { task, instruction } of swapped) {
    const from = ownTask.get(instruction) ?? "";
    partners.set(task, (partners.get(task) ?? new Set()).add(from));
  }
  assert.ok([...partners].every(([task, from]) => from.size === 1 && !from.has(task)));
  assert.equal(new Set([...partners.values()].flatMap((from) => [...from])).size, partners.size);
  assert.deepEqual(
    swapped.map(({ id, input, outputs }) => [id, input, outputs]),
    plain.train.map(({ id, input, outputs }) => [id, input, outputs]),
  );
});

test("few wordings leave texts and answers, and are few", () => {
  const counts = (rows: MiniRows): number[] => {
    const seen = new Map<string, Set<string>>();
    for (const { task, instruction = "", fields } of rows.train) {
      const { slot, v, u } = fields as { slot: string; v: string; u: string };
      // With slot words the same wording is many texts.
      if (`${slot}${v}${u}` !== "") continue;
      seen.set(task, (seen.get(task) ?? new Set()).add(instruction));
    }
    return [...seen.values()].map(({ size }) => size);
  };
  assert.ok(counts(rowsWith({ wordings: 1 })).every((count) => count === 1));
  assert.ok(Math.max(...counts(plain)) > 4, "all wordings are more");
  assert.deepEqual(
    rowsWith({ wordings: 1 }).train.map(({ input, outputs }) => [input, outputs]),
    plain.train.map(({ input, outputs }) => [input, outputs]),
  );
  assert.throws(() => rowsWith({ wordings: 1000 }), /1000 wordings are asked for/);
});

test("held-out rows are asked again in several wordings, each under an id of its own", () => {
  const { tests } = rowsWith({}, { wordings: 3 });
  const again = tests.filter(({ wording }) => wording !== undefined);
  assert.deepEqual(
    again.map(({ wording, examples }) => [wording, examples.length]),
    [1, 2, 3].map((number) => [`wording ${number}`, 12]),
  );
  const instructions = again.map(({ examples }) => examples[0]?.instruction);
  assert.equal(new Set(instructions).size, 3);
  const ids = again.flatMap(({ examples }) => examples.map(({ id }) => id));
  assert.equal(new Set(ids).size, ids.length);
});

test("demonstrations and chains of thought are rendered whole, and the answer is read behind the chain", () => {
  for (const variant of [{ demonstrations: 2 }, { response: "chain-of-thought" }] as const) {
    const { train, tests, template, tokenizer } = rowsWith(variant, {
      demonstrations: "demonstrations" in variant ? variant.demonstrations : 0,
    });
    const longest = longestOf({ ...MAIN_VARIANT, ...variant }, MAIN_EXTRA_EVALUATION);
    const policy = { maxTokens: longest.row, overlong: "drop", lossOn: "response" } as const;
    for (const row of [...train, ...tests.flatMap(({ examples }) => examples)]) {
      const outcome = renderSpans(row, template, tokenizer, policy);
      assert.ok(outcome.kind === "rendered", `${row.id} was dropped`);
      const { ids, promptLength } = outcome.spans;
      const response = ids.slice(promptLength, -1);
      assert.ok(response.length < longest.response);
      assert.equal(answerOf(template, tokenizer.decode(response)), row.outputs[0]);
    }
  }
});

test("settings that would do nothing are refused", () => {
  const refused: [Partial<MiniVariant & Pick<MiniRunSettings, "format">>, RegExp][] = [
    [{ format: "sft", demonstrations: 1 }, /show no demonstrations/],
    [{ format: "sft", wordings: 2 }, /show no instruction/],
    [{ response: "chain-of-thought", demonstrations: 1 }, /chain of thought/],
  ];
  for (const [changes, message] of refused) {
    assert.throws(() => specifyMini({ ...SETTINGS, ...changes }), message);
  }
});

test("packing without the mask is named in the rules of the run, and nothing else is", () => {
  const config = (batching: MiniVariant["batching"]): ReturnType<typeof parseTrainConfig> =>
    parseTrainConfig({
      ...trainConfigOf({ rowsPerStep: 16, learningRate: 1e-3, batching }, 1),
      budget: { unit: "steps", amount: 1 },
    });
  assert.equal(trainingRulesOf(config("packed")), TRAINING_RULES);
  assert.match(trainingRulesOf(config("packed-without-mask")).packing ?? "", /^ABLATION/);
});

test("tasks, tasks of a type and rows of a type are limited in the order of the rows", () => {
  const rows = ["a1 A", "a2 A", "a1 A", "b1 B", "a1 A"].map((line, index) => {
    const [task = "", taskType = ""] = line.split(" ");
    return { id: String(index), task, taskType, input: "", outputs: ["x"], source: "" };
  });
  const ids = (limits: Parameters<typeof limited>[1]): string =>
    limited(rows, limits)
      .map(({ id }) => id)
      .join("");
  assert.equal(ids({}), "01234");
  assert.equal(ids({ tasksPerType: 1 }), "0234");
  // By turns one of each task type: a1, b1, a2.
  assert.equal(ids({ trainingTasks: 1 }), "024");
  assert.equal(ids({ trainingTasks: 2 }), "0234");
  assert.equal(ids({ trainingTasks: 3 }), "01234");
  assert.equal(ids({ mixtureCap: 2 }), "013");
  assert.equal(ids({ tasksPerType: 1, mixtureCap: 2 }), "023");
});

test("a random start has no pre-training text to forget; the base decoder has", () => {
  assert.equal(pretrainingTexts(BASE_START, 3).length, 3);
  assert.deepEqual(pretrainingTexts({ kind: "random-like", folder: "datasets/checkpoints/decoder" }, 3), []);
});
