import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { planRuns } from "../../src/experiment/plan/expand.js";
import { type ExperimentPlan, parsePlan } from "../../src/experiment/plan/plan.js";
import { readPlan, shippedPlans } from "../../src/experiment/plan/read.js";

const folder = mkdtempSync(join(tmpdir(), "ift-kit-plan-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const PLAN = {
  version: 1,
  name: "formats",
  suite: "string-rewrite",
  factors: {
    format: ["sft", "ift"],
    trainingRules: [2, 20],
    size: [
      { name: "narrow", set: { "decoder.width": 16 } },
      { name: "wide", set: { "decoder.width": 32 } },
    ],
  },
  leaveOut: [{ format: "sft", trainingRules: 2 }],
  seeds: [1, 2],
  settings: { rowsPerStep: 16 },
  budget: { unit: "flops", amount: 1e6 },
  split: { heldOutRules: 6 },
  evaluation: { testRows: 12 },
  hypotheses: [
    {
      statement: "IFT beats SFT",
      a: { format: "ift" },
      b: { format: "sft" },
      direction: "a-is-higher",
      metric: "exact-match",
    },
  ],
} satisfies ExperimentPlan;

test("a plan is every combination of its factors with every seed, over the suite's defaults", async () => {
  const runs = await planRuns(parsePlan(PLAN));
  assert.equal(runs.length, (2 * 2 * 2 - 2) * 2);
  assert.equal(new Set(runs.map(({ specification }) => specification.id)).size, runs.length);
  assert.deepEqual(runs[0]?.levels, { format: "sft", trainingRules: "20", size: "narrow" });
  assert.equal(runs[0].specification.arm, "format sft, trainingRules 20, size narrow");
  const { settings } = runs.at(-1)?.specification as unknown as {
    readonly settings: Readonly<Record<string, unknown>>;
  };
  assert.deepEqual(
    [settings.split, settings.evaluation, settings.rowsPerStep, settings.budget],
    [{ heldOutRules: 6 }, { testRows: 12 }, 16, { unit: "flops", amount: 1e6 }],
  );
  assert.equal((settings.decoder as { readonly width: number }).width, 32);
  assert.equal(settings.learningRate, 3e-3, "what the plan leaves out is the suite's default");
});

test("a plan may list its arms instead", async () => {
  const listed = [{ arm: "a", set: { format: "ift", trainingRules: 3 } }];
  const others = { factors: undefined, leaveOut: undefined, hypotheses: undefined };
  const runs = await planRuns(parsePlan({ ...PLAN, ...others, runs: listed, seeds: [4] }));
  assert.deepEqual(
    runs.map(({ specification: { id, arm, seed } }) => [id, arm, seed]),
    [["a, seed 4", "a", 4]],
  );
});

test("what is wrong with a plan is one line that names the field and what it may be", async () => {
  const [hypothesis] = PLAN.hypotheses;
  const cases: readonly [Readonly<Record<string, unknown>>, RegExp][] = [
    [{ settings: { learnRate: 1 } }, /p\.json, field "learnRate".*no such field.*learningRate/],
    [{ settings: { "decoder.widht": 1 } }, /"decoder\.widht".*no such field.*width/],
    [{ factors: { foo: [1] }, hypotheses: [], leaveOut: [] }, /no setting "foo".*trainingRules/],
    [{ factors: undefined }, /neither factors nor runs/],
    [{ runs: [{ arm: "a", set: {} }] }, /both factors and runs/],
    [{ seeds: [1, 1] }, /a seed comes twice/],
    [{ factors: { ...PLAN.factors, trainingRules: [2, 2] } }, /two levels of "trainingRules"/],
    [{ hypotheses: [{ ...hypothesis, a: { format: "cot" } }] }, /no level "cot".*sft, ift/],
    [{ hypotheses: [{ ...hypothesis, a: { model: "t5" } }] }, /no factor "model"/],
    [{ hypotheses: [{ ...hypothesis, metric: "bleu" }] }, /no metric "bleu".*exact-match/],
    [{ suite: "mmlu" }, /no suite "mmlu".*string-rewrite/],
    [{ budget: { unit: "hours", amount: 1 } }, /budget\.unit.*supervised-tokens/],
    [{ evaluation: { rows: 1 } }, /evaluation\.rows.*testRows/],
    [{ titel: "x" }, /"titel".*title/],
  ];
  for (const [change, expected] of cases) {
    await assert.rejects(
      async () => planRuns(parsePlan({ ...PLAN, ...change }, "p.json"), "p.json"),
      expected,
      JSON.stringify(change),
    );
  }
});

test("a plan is read from JSON and from TypeScript; data is never executed", async () => {
  const json = join(folder, "plan.json");
  writeFileSync(json, JSON.stringify(PLAN));
  const code = join(folder, "plan.ts");
  writeFileSync(
    code,
    `const name: string = "formats";\nexport default { ...${JSON.stringify(PLAN)}, name };\n`,
  );
  assert.deepEqual((await readPlan(json)).plan, (await readPlan(code)).plan);
  const disguised = join(folder, "code.json");
  writeFileSync(disguised, "export default globalThis.ran = true;");
  await assert.rejects(readPlan(disguised), /not valid JSON/);
  assert.ok(!("ran" in globalThis));
  await assert.rejects(readPlan(join(folder, "none.ts")), /no such file, nor a plan of that name/);
  const empty = join(folder, "empty.ts");
  writeFileSync(empty, "export const plan = 1;\n");
  await assert.rejects(readPlan(empty), /no default export/);
});

test("every plan that ships is valid", async () => {
  for (const name of shippedPlans()) {
    const { plan, file } = await readPlan(name);
    assert.equal(plan.name, name);
    assert.ok((await planRuns(plan, file)).length > 1);
  }
});
