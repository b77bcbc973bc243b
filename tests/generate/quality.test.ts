import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Example } from "../../src/data/example.js";
import { describeInstructionData, type SetQuality } from "../../src/generate/quality/index.js";
import { labelValidity } from "../../src/generate/quality/label-validity.js";
import { nearestSeeds } from "../../src/generate/quality/nearest-seeds.js";
import type { GenerationLedger } from "../../src/generate/pipeline/ledger.js";
import { qualityReport, qualitySummary } from "../../src/report/data/quality.js";
import { Random } from "../../src/support/random.js";
import { exampleWith } from "../data/fixtures.js";

const golden = JSON.parse(
  readFileSync(join(import.meta.dirname, "../parity/golden/rouge-filter.json"), "utf8"),
) as {
  readonly pool: readonly string[];
  readonly cases: readonly {
    readonly candidate: string;
    readonly best: number;
    readonly rejected: boolean;
  }[];
};

/** Rows with instructions of words drawn from so many. */
function rowsOf(count: number, words: number, seed: number): Example[] {
  const random = Random.derive(seed, "quality rows");
  return Array.from({ length: count }, (_, index) =>
    exampleWith({
      id: `${seed}-${index}`,
      instruction: Array.from({ length: 8 }, () => `w${random.integer(words)}`).join(" "),
      input: `input ${index}`,
      outputs: [`output ${random.integer(1e6)}`],
    }),
  );
}

const only = (examples: readonly Example[]): SetQuality => {
  const [set] = describeInstructionData([{ name: "a", examples }], { draws: 2 }).sets;
  assert.ok(set);
  return set;
};

test("the nearest seed has rouge_score's ROUGE-L, and the filter's limit; without that seed it does not", () => {
  const candidates = golden.cases.map(({ candidate }) => candidate);
  const found = nearestSeeds(candidates, golden.pool);
  const mean = golden.cases.reduce((sum, { best }) => sum + best, 0) / golden.cases.length;
  assert.ok(Math.abs((found?.rougeL.mean ?? 0) - mean) < 1e-12);
  assert.equal(found?.aboveLimit, golden.cases.filter(({ rejected }) => rejected).length);
  assert.ok(Math.abs(found.shares.reduce((sum, share) => sum + share, 0) - 1) < 1e-12);
  const bin = golden.cases.filter(({ best }) => best >= 0.7 && best < 0.75).length / golden.cases.length;
  assert.ok(Math.abs((found.shares[14] ?? 0) - bin) < 1e-12, "a score at a border is in the upper part");
  const fewer = nearestSeeds(candidates, golden.pool.slice(1));
  assert.ok((fewer?.rougeL.mean ?? 1) < mean - 1e-4);
  assert.equal(nearestSeeds(candidates, []), undefined);
  assert.equal(nearestSeeds([], golden.pool), undefined);
});

test("labels are among the options, in another form, or not; the sum is the rows with options", () => {
  const options = ["Positive", "Negative"];
  const row = (output: string): Example => exampleWith({ id: output, outputs: [output], options });
  const rows = [row("Positive"), row("positive."), row("Maybe"), row("..."), row("Not Positive")];
  const free = exampleWith({ taskType: "classification" });
  const found = labelValidity([...rows, free, exampleWith({ outputs: [], options })]);
  assert.deepEqual(
    [found.rows, found.valid, found.inAnotherForm, found.invalid, found.uncheckable],
    [5, 1, 1, 3, 1],
  );
  assert.deepEqual(
    found.examples.map(({ output }) => output),
    ["positive.", "Maybe", "...", "Not Positive"],
  );
});

test("a row that is there twice is a duplicate; one with another answer has the same prompt alone", () => {
  const rows = rowsOf(20, 500, 1);
  const [first] = rows;
  assert.ok(first);
  const clean = only(rows);
  assert.deepEqual([clean.duplicates.row.exact, clean.duplicates.prompt.exact], [0, 0]);
  const twice = only([
    ...rows,
    { ...first, id: "copy" },
    { ...first, id: "other", outputs: ["Something else"] },
  ]);
  assert.deepEqual([twice.duplicates.row.exact, twice.duplicates.prompt.exact], [1, 2]);
  assert.equal(twice.diversity?.instructions, 20);
});

test("draws of one size make sets of other sizes comparable; whole sets are not", () => {
  const sets = [
    { name: "small", examples: rowsOf(60, 60, 2) },
    { name: "large", examples: rowsOf(600, 60, 3) },
    { name: "few words", examples: rowsOf(600, 15, 4) },
  ];
  const { sets: found } = describeInstructionData(sets, { draws: 20 });
  const [small, large, fewWords] = found.map(({ matched, diversity }) => {
    assert.ok(matched && diversity);
    return { ...matched, whole: diversity.distinct[1] };
  });
  assert.ok(small && large && fewWords);
  assert.deepEqual([small.instructions, large.instructions], [30, 30]);
  assert.ok(small.distinct2.low < large.distinct2.high && large.distinct2.low < small.distinct2.high);
  assert.ok(small.whole > large.whole + 0.2, "whole sets: the larger one looks less varied");
  assert.ok(fewWords.distinct2.high < large.distinct2.low && fewWords.selfBleu.low > large.selfBleu.high);
  assert.ok(fewWords.nearestRougeL.low > large.nearestRougeL.high);
});

test("the report is the same again, and another one with another row or seed", () => {
  const rows = rowsOf(40, 100, 5);
  const report = (examples: readonly Example[], seed = 0) =>
    describeInstructionData([{ name: "a", examples }], { seed, draws: 3 });
  assert.deepEqual(report(rows), report(rows));
  assert.notEqual(report(rows).hash, report(rows.slice(1)).hash);
  assert.notDeepEqual(report(rows).sets[0]?.matched, report(rows, 1).sets[0]?.matched);
});

test("sets with few instructions, or none, are described as far as they go", () => {
  const few = rowsOf(15, 50, 6);
  const withoutInstruction: Example = {
    id: "plain",
    task: "plain",
    taskType: "plain",
    input: "1 2 3",
    outputs: ["4"],
    source: "hand-made",
  };
  const report = describeInstructionData([
    { name: "few", examples: few },
    { name: "plain", examples: [withoutInstruction] },
  ]);
  assert.deepEqual(
    report.sets.map(({ matched, nearestSeeds: nearest }) => [matched, nearest]),
    [
      [null, null],
      [null, null],
    ],
  );
  assert.equal(report.sets[1]?.diversity, null);
  assert.equal(report.sets[1].lengths.instruction, null);
  assert.deepEqual([report.sets[1].lengths.input?.median, report.sets[1].withoutInstruction], [3, 1]);
  assert.match(qualitySummary(report).join("\n"), /Too few instructions .*: few, plain\./);
});

test("what cannot be described is an error that says why", () => {
  const set = { name: "a", examples: rowsOf(2, 9, 7) };
  assert.throws(() => describeInstructionData([]), /no set/);
  assert.throws(() => describeInstructionData([set], { seeds: set }), /two sets have the name "a"/);
  assert.throws(() => describeInstructionData([{ name: "b", examples: [] }]), /"b" has no rows/);
});

test("the page has a figure of each kind, and the rejections with their meaning", () => {
  const line = { proposed: 10, kept: 6, rejected: { "rouge-l: similar": 3, "heuristics: keyword": 1 } };
  const none = { proposed: 0, kept: 0, rejected: {} };
  const ledger: GenerationLedger = { tasks: line, instances: none, paraphrases: none };
  const told = [
    ["Write a story about a dog.", "Write the letter of a cat."],
    ["Name three colours.", "List the animals."],
  ].flat();
  const examples = rowsOf(40, 100, 8).map((row, index) => ({
    ...row,
    ...(told[index] === undefined ? {} : { instruction: told[index] }),
  }));
  const seeds = { name: "seeds", examples: rowsOf(40, 100, 9) };
  const page = qualityReport(describeInstructionData([{ name: "Made, here", examples, ledger }], { seeds }));
  assert.deepEqual(
    page.sections.flatMap(({ figure }) => figure?.id ?? []),
    ["verbs-1-made-here", "variety", "repetition", "nearest-seed", "lengths", "ledger"],
  );
  const rejected = page.sections.find(({ heading }) => heading === "What was rejected");
  assert.deepEqual(
    rejected?.table?.rows.map(([run, level, step, reason, count]) => [run, level, step, reason, count]),
    [
      ["Made, here", "tasks", "rouge-l", "similar", 3],
      ["Made, here", "tasks", "heuristics", "keyword", 1],
    ],
  );
  assert.match(rejected.figure?.description ?? "", /Made, here: kept 6, similar 3, keyword 1/);
});
