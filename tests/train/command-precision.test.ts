import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { startEngine } from "../../src/engine/start.js";
import { loraOf, lossesOf, OBJECTIVES, place, TRAIN, trained } from "./objective-configs.js";

before(() => startEngine());

const STEPS = 60;
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Mean distance of two curves, as a share of the mean of the first. */
function apart(one: readonly number[], other: readonly number[]): number {
  assert.equal(one.length, other.length);
  return mean(one.map((value, step) => Math.abs(value - (other[step] ?? NaN)))) / mean(one);
}

for (const [name, configOf] of Object.entries(OBJECTIVES)) {
  test(`${name}: in bfloat16 the losses are those of float32 within 1 %, with low-rank updates too; controls`, async (context) => {
    const at = place(context);
    const config = configOf(at);
    const data = { ...(config.data as object), validation: undefined };
    const train = { ...TRAIN, seed: 3, budget: { unit: "steps", amount: STEPS } };
    const file = { ...config, data, train, evaluation: undefined };
    const losses = async (run: string, change: object, ...flags: string[]): Promise<number[]> =>
      lossesOf((await trained(context, at, run, { ...file, ...change }, ...flags)).out);
    const lora = { lora: loraOf(config) };
    const [whole, rounded] = [await losses("whole", {}), await losses("rounded", {}, "--bf16")];
    const [updates, both] = [await losses("updates", lora), await losses("both", lora, "--bf16")];
    assert.ok(apart(whole, rounded) < 0.01, `${apart(whole, rounded)}`);
    assert.ok(apart(updates, both) < 0.01, `${apart(updates, both)}`);
    assert.ok(apart(whole, rounded) > 0 && apart(updates, both) > 0, "control: it is another precision");
    assert.ok(apart(whole, updates) > 0.05, "control: another run is further away");
    for (const curve of [whole, rounded, updates, both]) {
      assert.ok(
        mean(curve.slice(-10)) < 0.9 * mean(curve.slice(0, 5)),
        `it learns: ${mean(curve.slice(0, 5))}, ${mean(curve.slice(-10))}`,
      );
    }
    const adapter = JSON.parse(
      readFileSync(join(at.folder, "both", "adapter", "adapter_config.json"), "utf8"),
    ) as { readonly r: number; readonly modules_to_save: readonly string[] | null };
    assert.equal(adapter.r, 8);
    assert.equal(
      adapter.modules_to_save === null,
      !("bert" in config),
      "a BERT's head is beside its adapter",
    );
  });
}
