import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { readPlan, shippedPlans } from "../../src/experiment/plan/read.js";
import { planRuns } from "../../src/experiment/plan/expand.js";
import { storedAblations, storedRealRuns } from "../../src/report/experiments/stored-ablations.js";
import { missingData } from "./plan-data.js";

const MANIFEST = z.object({
  plan: z.unknown(),
  shared: z.object({
    sourceHash: z.string().min(1),
    engine: z.looseObject({ backend: z.literal("tensorflow") }),
  }),
  runs: z.array(z.object({ key: z.string().min(1), arm: z.string(), seed: z.number() })),
});

const stored = [...storedAblations(), ...storedRealRuns()];

test("ablations and runs on real data are stored, each for a plan that ships", () => {
  assert.ok(storedAblations().length >= 3);
  for (const { name } of stored) assert.ok(shippedPlans().includes(name), name);
});

for (const { name, report } of stored) {
  test(`${name}: the stored report is of the plan as it is now, and of all its runs`, async (t) => {
    const { plan, file } = await readPlan(name);
    const manifest = MANIFEST.parse(report.manifest);
    assert.deepEqual(manifest.plan, JSON.parse(JSON.stringify(plan)));
    if (missingData(plan).length > 0) {
      t.skip(`${name}: its data are not there`);
      return;
    }
    const wanted = (await planRuns(plan, file)).map(({ specification: { arm, seed } }) => `${arm} ${seed}`);
    assert.deepEqual(manifest.runs.map(({ arm, seed }) => `${arm} ${seed}`).sort(), wanted.sort());
    assert.ok(!report.summary.some((line) => /^Undecided|runs are missing/.test(line)));
    // The control: another seed would be another plan.
    assert.notDeepEqual(manifest.plan, JSON.parse(JSON.stringify({ ...plan, seeds: [...plan.seeds, 99] })));
  });
}
