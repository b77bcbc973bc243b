import assert from "node:assert/strict";
import { test } from "node:test";
import { mixExamples } from "../../../src/data/mixture/mix-examples.js";
import {
  type Draw,
  Mixture,
  type MixtureSettings,
  type MixtureState,
} from "../../../src/data/mixture/mixture.js";
import { mixtureRates } from "../../../src/data/mixture/rates.js";
import { KitError } from "../../../src/support/errors.js";
import { Random } from "../../../src/support/random.js";
import { exampleWith } from "../fixtures.js";

const GROUPS = [
  { name: "a", rows: 10_000 },
  { name: "b", rows: 3_000 },
  { name: "c", rows: 100 },
];
const SETTINGS: MixtureSettings = {
  rates: { kind: "proportional", cap: 3000 },
  groups: "stratified",
  rows: "without replacement",
  seed: 1,
};

function assertClose(actual: readonly number[], expected: readonly number[]): void {
  assert.equal(actual.length, expected.length);
  for (const [at, value] of actual.entries())
    assert.ok(Math.abs(value - (expected[at] ?? NaN)) < 1e-12, `${value}`);
}

test("rates worked out by hand: proportional with and without a cap, temperature, fixed", () => {
  assertClose(mixtureRates(GROUPS, { kind: "proportional", cap: "none" }), [
    10000 / 13100,
    3000 / 13100,
    100 / 13100,
  ]);
  assertClose(mixtureRates(GROUPS, { kind: "proportional", cap: 3000 }), [
    3000 / 6100,
    3000 / 6100,
    100 / 6100,
  ]);
  // sqrt(10000) = 100, sqrt(100) = 10.
  const two = [GROUPS[0], GROUPS[2]].filter((group) => group !== undefined);
  assertClose(mixtureRates(two, { kind: "temperature", temperature: 2, cap: "none" }), [100 / 110, 10 / 110]);
  // With a cap of 2500: sqrt is 50.
  assertClose(mixtureRates(two, { kind: "temperature", temperature: 2, cap: 2500 }), [50 / 60, 10 / 60]);
  assertClose(
    mixtureRates(GROUPS, { kind: "temperature", temperature: 1, cap: 3000 }),
    mixtureRates(GROUPS, { kind: "proportional", cap: 3000 }),
  );
  assertClose(mixtureRates(GROUPS, { kind: "fixed", rates: { a: 4, b: 3, c: 1 } }), [0.5, 0.375, 0.125]);
  // FLAN 2022: Flan 2021 4 : T0 3 : CoT 1 : NIv2 1 : dialogue 1.
  const flan = ["flan", "t0", "cot", "niv2", "dialog"].map((name) => ({ name, rows: 9 }));
  const rates = { flan: 4, t0: 3, cot: 1, niv2: 1, dialog: 1 };
  assertClose(mixtureRates(flan, { kind: "fixed", rates }), [0.4, 0.3, 0.1, 0.1, 0.1]);
});

test("rates that cannot be are errors that name the field", () => {
  const cases: [Parameters<typeof mixtureRates>[1], RegExp][] = [
    [{ kind: "proportional", cap: 0 }, /field "cap".*a cap of 0 rows/],
    [{ kind: "temperature", temperature: 0, cap: "none" }, /field "temperature"/],
    [{ kind: "fixed", rates: { a: 1, b: 1 } }, /field "rates.c": "c" has no rate/],
    [{ kind: "fixed", rates: { a: 1, b: 1, c: -1 } }, /the rate of "c" is -1/],
    [{ kind: "fixed", rates: { a: 1, b: 1, c: 1, d: 1 } }, /"d", which has no rows/],
  ];
  for (const [policy, message] of cases) assert.throws(() => mixtureRates(GROUPS, policy), message);
  assert.throws(() => mixtureRates([], { kind: "proportional", cap: "none" }), KitError);
  assert.throws(
    () => mixtureRates([{ name: "a", rows: 0 }], { kind: "proportional", cap: "none" }),
    /has 0 rows/,
  );
});

/** The largest distance, in draws, between what a group has and what it should have, over all beginnings. */
function worstDistance(mixture: Mixture, draws: number): number {
  const drawn = mixture.groups.map(() => 0);
  let worst = 0;
  for (let position = 1; position <= draws; position++) {
    const { group } = mixture.next();
    drawn[group] = (drawn[group] ?? 0) + 1;
    for (const [at, rate] of mixture.rates.entries()) {
      worst = Math.max(worst, Math.abs(rate * position - (drawn[at] ?? 0)));
    }
  }
  return worst;
}

test("stratified: every beginning is within a draw of the rates, as Tijdeman proved", () => {
  const random = new Random(7);
  for (let round = 0; round < 30; round++) {
    const count = 2 + random.integer(12);
    const groups = Array.from({ length: count }, (_, at) => ({
      name: `${at}`,
      rows: 1 + random.integer(2000),
    }));
    const mixture = new Mixture(groups, {
      ...SETTINGS,
      rates: { kind: "proportional", cap: "none" },
      seed: round,
    });
    const worst = worstDistance(mixture, 1500);
    assert.ok(worst <= 1 - 1 / (2 * count - 2) + 1e-6, `${worst} with ${count} groups`);
  }
  // Negative control: independent draws stray further.
  const sampled = new Mixture(GROUPS, { ...SETTINGS, groups: "sampled" });
  assert.ok(worstDistance(sampled, 1500) > 5);
});

test("sampled: the counts of 20,000 draws fit the rates by a chi-square test", () => {
  const mixture = new Mixture(GROUPS, {
    ...SETTINGS,
    groups: "sampled",
    rates: { kind: "fixed", rates: { a: 5, b: 3, c: 2 } },
  });
  mixture.take(20_000);
  const statistic = mixture
    .ledger()
    .reduce((sum, { rate, drawn }) => sum + (drawn - 20_000 * rate) ** 2 / (20_000 * rate), 0);
  assert.ok(statistic < 13.8, `${statistic}`); // 99.9 % of a chi-square with two degrees of freedom.
});

test("without replacement each row comes once in an epoch, in another order each time", () => {
  const groups = [
    { name: "a", rows: 7 },
    { name: "b", rows: 20 },
  ];
  const mixture = new Mixture(groups, { ...SETTINGS, rates: { kind: "fixed", rates: { a: 1, b: 1 } } });
  const draws = mixture.take(140);
  const ofA = draws.filter(({ group }) => group === 0);
  const epochs = [0, 1, 2].map((epoch) => ofA.filter((draw) => draw.epoch === epoch).map(({ row }) => row));
  for (const rows of epochs) assert.deepEqual([...rows].sort(), [0, 1, 2, 3, 4, 5, 6]);
  assert.notDeepEqual(epochs[0], epochs[1]);
  assert.deepEqual(mixture.ledger(), [
    { name: "a", rows: 7, rate: 0.5, drawn: 70, epochs: 10 },
    { name: "b", rows: 20, rate: 0.5, drawn: 70, epochs: 3.5 },
  ]);
  // Negative control: with replacement seven draws of seven rows have a repeat.
  const loose = new Mixture(groups, {
    ...SETTINGS,
    rates: { kind: "fixed", rates: { a: 1, b: 1 } },
    rows: "with replacement",
  });
  const first = loose
    .take(40)
    .filter(({ group }) => group === 0)
    .slice(0, 7);
  assert.ok(new Set(first.map(({ row }) => row)).size < 7);
});

test("the order is fixed by the seed and goes on from any position", () => {
  for (const groups of ["stratified", "sampled"] as const) {
    for (const rows of ["without replacement", "with replacement"] as const) {
      const settings = { ...SETTINGS, groups, rows };
      const whole = new Mixture(GROUPS, settings).take(1000);
      assert.deepEqual(new Mixture(GROUPS, settings).take(1000), whole);
      assert.notDeepEqual(new Mixture(GROUPS, { ...settings, seed: 2 }).take(1000), whole);
      for (const stop of [0, 1, 499, 777]) {
        const before = new Mixture(GROUPS, settings);
        const parts: Draw[] = before.take(stop);
        const saved = JSON.stringify(before.state);
        assert.ok(saved.length < 1000);
        const after = new Mixture(GROUPS, settings, JSON.parse(saved) as MixtureState);
        assert.equal(after.position, stop);
        parts.push(...after.take(1000 - stop));
        assert.deepEqual(parts, whole, `${groups}, ${rows}, ${stop}`);
      }
    }
  }
});

test("a position of another mixture is refused", () => {
  const { state } = new Mixture(GROUPS, SETTINGS);
  assert.throws(() => new Mixture(GROUPS, { ...SETTINGS, seed: 2 }, state), /another mixture/);
  assert.throws(() => new Mixture(GROUPS.slice(0, 2), SETTINGS, state), /another mixture/);
});

test("examples: groups by task, the order of the rows in the files of other tasks does not matter", () => {
  const rows = Array.from({ length: 30 }, (_, at) =>
    exampleWith({ id: `${at}`, task: at < 20 ? "large" : "small", input: `${at}` }),
  );
  const options = {
    ...SETTINGS,
    by: "task",
    rates: { kind: "fixed", rates: { large: 1, small: 1 } },
  } as const;
  const first = mixExamples(rows, 25, options);
  const second = mixExamples(rows, 15, { ...options, from: first.state });
  const swapped = [...rows.slice(20), ...rows.slice(0, 20)];
  const whole = mixExamples(swapped, 40, options);
  assert.deepEqual([...first.examples, ...second.examples], whole.examples);
  assert.deepEqual(whole.ledger, second.ledger);
  assert.deepEqual(
    whole.ledger.map(({ name, drawn, epochs }) => [name, drawn, epochs]),
    [
      ["large", 20, 1],
      ["small", 20, 2],
    ],
  );
});
