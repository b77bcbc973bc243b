import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { attentionWeights, type AttentionWeights } from "../../src/evaluate/attention-weights.js";
import { loadBase } from "../../src/evaluate/base-checkpoint.js";

interface Golden {
  readonly ids: number[];
  readonly tokenTypes?: number[];
  readonly weights: AttentionWeights;
}

const golden = JSON.parse(readFileSync(new URL("golden/attention.json", import.meta.url), "utf8")) as Record<
  "decoder" | "bert",
  Golden
>;

function apart(one: AttentionWeights, other: AttentionWeights): number {
  const [a, b] = [one.flat(3), other.flat(3)];
  assert.equal(a.length, b.length);
  return Math.max(...a.map((value, index) => Math.abs(value - (b[index] ?? Number.NaN))));
}

for (const name of ["decoder", "bert"] as const) {
  test(`attention weights of the base ${name} are those of transformers`, async () => {
    const { ids, tokenTypes, weights } = golden[name];
    const base = await loadBase(name);
    const model = "bert" in base ? base.bert : base.decoder;
    const own = attentionWeights(model, { ids, ...(tokenTypes && { tokenTypes }) });
    assert.ok(apart(own, weights) < 1e-5, `${apart(own, weights)}`);
    for (const query of own.flat(2)) {
      assert.ok(Math.abs(query.reduce((sum, weight) => sum + weight, 0) - 1) < 1e-5);
    }
    // A decoder sees nothing that comes later; the control: a BERT does.
    const later = own.flat(2).flatMap((query, index) => query.slice((index % ids.length) + 1));
    assert.equal(
      later.every((weight) => weight === 0),
      name === "decoder",
    );
    // The control: another token is another picture.
    const other = attentionWeights(model, { ids: ids.with(1, 302), ...(tokenTypes && { tokenTypes }) });
    assert.ok(apart(other, weights) > 1e-3);
    model.dispose();
  });
}
