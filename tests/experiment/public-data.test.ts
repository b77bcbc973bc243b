import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { RunContext } from "../../src/experiment/context.js";
import {
  HELD_OUT_CLUSTER_LEVEL,
  HELD_OUT_DATA_SET_LEVEL,
  readPublicRows,
  TRAINED_LEVEL,
} from "../../src/experiment/public-data/rows.js";
import { runPublicData } from "../../src/experiment/public-data/run.js";
import {
  DEFAULT_PUBLIC_DATA_SETTINGS,
  type PublicDataSettings,
} from "../../src/experiment/public-data/settings.js";
import { publicDataSuite } from "../../src/experiment/public-data/suite.js";
import { KitError } from "../../src/support/errors.js";

const folder = mkdtempSync(join(tmpdir(), "ift-kit-public-"));
after(() => rmSync(folder, { recursive: true }));

const NOUNS = ["apple", "stone", "river", "table", "cloud", "horse", "glass", "paper"];
const ENDS = ["garden", "kitchen", "village", "station", "harbour"];
const TEXTS = NOUNS.flatMap((noun) => ENDS.map((end) => `The ${noun} is in the ${end}.`));

/** Rendered prompts as P3 has them: a template is a file, its cluster stands in the index. */
function writePrompts(name: string, templates: Readonly<Record<string, string>>): string {
  const directory = join(folder, name);
  mkdirSync(join(directory, "data_per_template"), { recursive: true });
  writeFileSync(
    join(directory, "index.jsonl"),
    Object.entries(templates)
      .map(([template, cluster]) =>
        JSON.stringify({ template, cluster, rows: 40, rows_upstream: 40, fields: [] }),
      )
      .join("\n"),
  );
  for (const template of Object.keys(templates)) {
    const lines = TEXTS.map((text, index) =>
      JSON.stringify({
        prompt: `${template} number ${index}: ${text}`,
        completion: index % 4 === 0 ? "yes" : "no",
      }),
    );
    writeFileSync(join(directory, "data_per_template", `${template}.jsonl`), lines.join("\n"));
  }
  return directory;
}

const DATA = writePrompts("p3", { alpha: "first", beta: "first", gamma: "second", delta: "third" });

const SETTINGS: PublicDataSettings = {
  ...DEFAULT_PUBLIC_DATA_SETTINGS,
  training: { data: DATA, rowsPerTask: 20 },
  split: { heldOut: ["beta", "third"], seenRowsPerTask: 5 },
  evaluation: {
    answers: "ranked",
    heldOutRowsPerTask: 10,
    benchmarks: [
      {
        name: "induction",
        data: "datasets/samples/instruction-induction",
        answers: "generated",
        rowsPerTask: 2,
      },
    ],
    maxNewTokens: 4,
  },
  vocabularySize: 300,
  budget: { unit: "steps", amount: 2 },
  decoder: { ...DEFAULT_PUBLIC_DATA_SETTINGS.decoder, width: 16, layers: 1, heads: 2, feedForwardWidth: 32 },
};

test("rows stand on their side, by cluster, data set and task, and nothing asked is trained on", async () => {
  const { train, tests } = await readPublicRows(SETTINGS);
  const at = (level: string): readonly string[] =>
    tests.flatMap((one) => (one.level === level ? one.examples.map(({ task }) => task) : []));
  assert.deepEqual([...new Set(at(HELD_OUT_CLUSTER_LEVEL))], ["delta"]);
  assert.deepEqual([...new Set(at(HELD_OUT_DATA_SET_LEVEL))], ["beta"]);
  assert.deepEqual([...new Set(at(TRAINED_LEVEL))].sort(), ["alpha", "gamma"]);
  assert.equal(at(HELD_OUT_CLUSTER_LEVEL).length, 10);
  assert.equal(at(TRAINED_LEVEL).length, 10);
  assert.ok(tests.some(({ level, answers }) => level === "induction" && answers === "generated"));
  const asked = new Set(tests.flatMap(({ examples }) => examples.map(({ input }) => input)));
  assert.ok(
    train.length > 0 && train.every(({ task, input }) => /alpha|gamma/.test(task) && !asked.has(input)),
  );
  // The control: with nothing held out, all four are trained.
  const all = await readPublicRows({ ...SETTINGS, split: { heldOut: [], seenRowsPerTask: 0 } });
  assert.deepEqual([...new Set(all.train.map(({ task }) => task))].sort(), [
    "alpha",
    "beta",
    "delta",
    "gamma",
  ]);
});

test("a name that no row has is an error that says which there are", async () => {
  const split = { heldOut: ["fourth"], seenRowsPerTask: 5 };
  await assert.rejects(
    readPublicRows({ ...SETTINGS, split }),
    (error) =>
      error instanceof KitError &&
      error.message.includes('"fourth"') &&
      error.message.includes("first, third, second"),
  );
});

test("a run ranks and generates, scores every template, and has its floors", async () => {
  const context: RunContext = {
    key: "key",
    sourceHash: "source",
    workFolder: join(folder, "work"),
    signal: new AbortController().signal,
    onProgress: () => undefined,
  };
  const specification = { suite: "public-data", id: "tiny", arm: "tiny", seed: 1, settings: SETTINGS };
  const result = await runPublicData(specification, context);
  assert.ok(result !== undefined);
  const ranked = result.rows.filter(({ level }) => level === HELD_OUT_CLUSTER_LEVEL);
  assert.equal(ranked.length, 10);
  for (const { output, target, scores, wording, taskType } of ranked) {
    assert.ok(["yes", "no"].includes(output));
    assert.equal(scores["exact-match"], output === target ? 1 : 0);
    assert.deepEqual([wording, taskType], ["delta", "delta"]);
  }
  const generated = result.rows.filter(({ level }) => level === "induction");
  assert.ok(generated.length > 0 && generated.every(({ wording }) => wording === undefined));
  const floor = (name: string): number | undefined =>
    result.floors?.find((one) => one.name === name && one.level === HELD_OUT_CLUSTER_LEVEL)?.value;
  assert.equal(floor("random option"), 0.5);
  assert.equal(floor("copies the input"), 0);
  const rights = ranked.filter(({ target }) => target === "no").length / ranked.length;
  assert.equal(floor("most frequent answer"), Math.max(rights, 1 - rights));
  // Generated answers have no options to draw from.
  assert.ok(!result.floors?.some(({ name, level }) => name === "random option" && level === "induction"));
});

test("another benchmark or other contents are another run", async () => {
  const { benchmarks, ...evaluation } = SETTINGS.evaluation;
  const [own, fewer] = [
    await publicDataSuite.specify(SETTINGS),
    await publicDataSuite.specify({ ...SETTINGS, evaluation: { ...evaluation, benchmarks: [] } }),
  ];
  assert.equal(benchmarks.length, 1);
  assert.notDeepEqual(own, fewer);
  writePrompts("p3", { alpha: "first", beta: "first", gamma: "second", delta: "fourth" });
  const edited = await publicDataSuite.specify(SETTINGS);
  assert.notEqual(edited.trainingDataHash, own.trainingDataHash);
});
