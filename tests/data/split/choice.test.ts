import assert from "node:assert/strict";
import { test } from "node:test";
import type { Example } from "../../../src/data/example.js";
import { leaveOneOut, makeSplit, type SplitChoice } from "../../../src/data/split/choice.js";
import { clusterOf, FLAN_CLUSTERS } from "../../../src/data/split/clusters.js";
import { FLAN_RELATIONS, relativesOf, type Relation } from "../../../src/data/split/relations.js";
import { sourceKeys } from "../../../src/data/split/source-key.js";
import { T0_CLUSTERS, t0Side } from "../../../src/data/split/t0.js";
import type { TaskSplit } from "../../../src/data/split/task-split.js";
import { exampleWith } from "../fixtures.js";

/** Two rows of a task for each data set; task types are those of no table. */
function rowsOf(...sources: string[]): Example[] {
  return sources.flatMap((source) =>
    [1, 2].map((number) =>
      exampleWith({
        id: `${source}-${number}`,
        task: `${source} task`,
        taskType: `type of ${source}`,
        source,
        input: `${source} ${number}`,
      }),
    ),
  );
}

/** Every row is on one side or counted as excluded. */
function assertComplete(rows: readonly Example[], split: TaskSplit): void {
  const excluded = split.excluded.reduce((sum, { rows: count }) => sum + count, 0);
  assert.equal(split.train.length + split.heldOut.length + excluded, rows.length);
  const trained = new Set(split.train.map(({ id }) => id));
  assert.ok(split.heldOut.every(({ id }) => !trained.has(id)));
}

const FLAN_ROWS = rowsOf(
  "glue/rte",
  "anli/r1",
  "glue_qqp",
  "paws",
  "squad_v2",
  "cosmos_qa",
  "imdb",
  "mystery",
);

test("a data set has one key however it is written", () => {
  for (const name of ["qqp", "glue/qqp", "GLUE_QQP", "glue qqp"]) assert.deepEqual(sourceKeys(name), ["qqp"]);
  assert.deepEqual(sourceKeys("super_glue/rte"), ["rte"]);
  assert.deepEqual(sourceKeys("common_gen"), sourceKeys("commongen"));
  assert.deepEqual(sourceKeys("anli/r1"), ["anli"]);
  assert.deepEqual(sourceKeys("a b + multinli"), ["ab", "mnli"]);
  assert.notDeepEqual(sourceKeys("qasc"), sourceKeys("eqasc"));
});

test("FLAN: holding entailment out takes paraphrase from training too, and says why", () => {
  const choice = {
    kind: "clusters",
    table: FLAN_CLUSTERS,
    heldOut: ["entailment"],
    relations: FLAN_RELATIONS,
  } as const satisfies SplitChoice;
  const split = makeSplit(FLAN_ROWS, choice);
  assert.deepEqual(split.heldOutTaskTypes, ["entailment"]);
  assert.deepEqual(split.trainTaskTypes, [
    "read_comp_and_common_sense",
    "reading_comprehension",
    "sentiment",
  ]);
  assert.deepEqual(split.excluded, [
    {
      what: "task type",
      name: "paraphrase",
      rows: 4,
      why: 'it is related to "entailment", which is held out: to paraphrase is to entail both ways',
    },
    { what: "source", name: "mystery", rows: 2, why: "it is in no cluster of FLAN" },
  ]);
  assertComplete(FLAN_ROWS, split);
  // Negative control: without the relations paraphrase is trained on.
  const careless = makeSplit(FLAN_ROWS, { ...choice, relations: [] });
  assert.ok(careless.trainTaskTypes.includes("paraphrase"));
});

test("relations of FLAN as in its task_splits.py, and a table of one's own", () => {
  const relatives = (heldOut: string): string[] =>
    [...relativesOf(new Set([heldOut]), FLAN_RELATIONS).keys()].sort();
  assert.deepEqual(relatives("entailment"), ["paraphrase"]);
  assert.deepEqual(relatives("paraphrase"), ["entailment"]);
  assert.deepEqual(relatives("reading_comprehension"), ["read_comp_and_common_sense"]);
  assert.deepEqual(relatives("common_sense"), ["read_comp_and_common_sense"]);
  assert.deepEqual(relatives("read_comp_and_common_sense"), ["common_sense", "reading_comprehension"]);
  assert.deepEqual(relatives("sentiment"), []);
  const own: Relation = { between: ["type of imdb", "type of paws"], why: "a test says so" };
  const split = makeSplit(FLAN_ROWS, {
    kind: "task types",
    heldOut: ["type of imdb"],
    relations: [...FLAN_RELATIONS, own],
  });
  assert.deepEqual(
    split.excluded.map(({ name, why }) => [name, why]),
    [["type of paws", 'it is related to "type of imdb", which is held out: a test says so']],
  );
  // Both held out: neither is excluded.
  const both = makeSplit(FLAN_ROWS, {
    kind: "task types",
    heldOut: ["type of imdb", "type of paws"],
    relations: [own],
  });
  assert.deepEqual([both.excluded, both.heldOut.length], [[], 4]);
});

test("every cluster of FLAN and T0 claims its data sets, none is claimed twice", () => {
  for (const table of [FLAN_CLUSTERS, T0_CLUSTERS]) {
    for (const [cluster, datasets] of Object.entries(table.clusters)) {
      for (const source of datasets) assert.equal(clusterOf(exampleWith({ source }), table), cluster, source);
    }
  }
  assert.equal(clusterOf(exampleWith({ source: "imdb + rte" }), FLAN_CLUSTERS), undefined, "of two clusters");
});

test("T0: each variant trains on more, and is evaluated on what is left", () => {
  const rows = rowsOf(
    "imdb",
    "super_glue/rte",
    "super_glue/copa",
    "hellaswag",
    "race/high",
    "super_glue/boolq",
    "else",
  );
  const sides = (variant: "T0" | "T0+" | "T0++"): (string | undefined)[] =>
    rows.filter((_, at) => at % 2 === 0).map((row) => t0Side(row, variant));
  assert.deepEqual(sides("T0"), ["train", "held-out", "held-out", "held-out", "unused", "unused", undefined]);
  assert.deepEqual(sides("T0+"), ["train", "held-out", "held-out", "train", "train", "unused", undefined]);
  assert.deepEqual(sides("T0++"), ["train", "held-out", "train", "train", "train", "train", undefined]);
  const split = makeSplit(rows, { kind: "t0", variant: "T0" });
  assert.deepEqual(
    [split.trainTaskTypes, split.heldOutTaskTypes],
    [["sentiment"], ["NLI", "story_completion"]],
  );
  assert.deepEqual(
    split.excluded.map(({ name, why }) => [name, why]),
    [
      ["race/high", "T0 does not use it"],
      ["super_glue/boolq", "T0 does not use it"],
      ["else", "it is in no cluster of T0"],
    ],
  );
  assertComplete(rows, split);
  assert.equal(makeSplit(rows, { kind: "t0", variant: "T0+" }).train.length, 6);
});

test("leave one out: each task type is held out once, with its relatives", () => {
  const rows = FLAN_ROWS.slice(0, 8);
  const relations: Relation[] = [{ between: ["type of paws", "type of glue_qqp"], why: "the same" }];
  const splits = [...leaveOneOut(rows, relations)];
  assert.deepEqual(
    splits.map(({ heldOut, split }) => [heldOut, split.heldOut.length, split.train.length]),
    [
      ["type of anli/r1", 2, 6],
      ["type of glue/rte", 2, 6],
      ["type of glue_qqp", 2, 4],
      ["type of paws", 2, 4],
    ],
  );
});

test("held-out tasks leave their task type in training, but not their siblings", () => {
  const rows = [
    ...rowsOf("imdb", "sst2"),
    ...rowsOf("imdb").map((row) => ({ ...row, id: `other ${row.id}`, task: "imdb, other question" })),
  ].map((row) => ({ ...row, taskType: "sentiment" }));
  const choice = { kind: "tasks", heldOut: ["imdb task"], siblings: "exclude" } as const;
  const split = makeSplit(rows, choice);
  assert.deepEqual([...new Set(split.train.map(({ task }) => task))], ["sst2 task"]);
  assert.deepEqual(split.excluded, [
    { what: "source", name: "imdb", rows: 2, why: 'the held-out task "imdb task" has the same source' },
  ]);
  assertComplete(rows, split);
  assert.equal(makeSplit(rows, { ...choice, siblings: "keep" }).train.length, 4);
  assert.throws(() => makeSplit(rows, { ...choice, heldOut: ["none"] }), /no row has the task "none"/);
});

test("sources on both sides: refused, left out of training, or allowed", () => {
  const rows = rowsOf("imdb", "sst2");
  rows.push(exampleWith({ id: "x", task: "x", taskType: "x", source: "IMDB + other" }));
  const choice: SplitChoice = { kind: "task types", heldOut: ["type of imdb"], relations: [] };
  assert.equal(makeSplit(rows, choice).train.length, 3, "another spelling is for the leakage gate");
  const written = [...rows, exampleWith({ id: "y", task: "y", taskType: "y", source: "other + imdb" })];
  assert.throws(() => makeSplit(written, choice), /the source "imdb" is on both sides/);
  const excluded = makeSplit(rows, choice, { sharedSources: "exclude" });
  assert.deepEqual(excluded.excluded, [
    {
      what: "source",
      name: "IMDB + other",
      rows: 1,
      why: 'the held-out task "imdb task" has the same source',
    },
  ]);
  assertComplete(rows, excluded);
  assert.equal(makeSplit(rows, choice, { sharedSources: "allow" }).train.length, 3);
});

test("rows for evaluation only are never trained on", () => {
  const rows = [
    ...rowsOf("a", "b"),
    exampleWith({ id: "e", task: "e", taskType: "e", source: "e", evaluationOnly: true }),
  ];
  const split = makeSplit(rows, { kind: "task types", heldOut: ["type of a"], relations: [] });
  assert.deepEqual(split.excluded, [{ what: "task", name: "e", rows: 1, why: "it is for evaluation only" }]);
  assert.equal(makeSplit(rows, { kind: "task types", heldOut: ["e"], relations: [] }).heldOut.length, 1);
});

test("a share of the task types is held out with their relatives, by seed", () => {
  const choice = { kind: "share of task types", share: 0.3, seed: 1, relations: [] } as const;
  const split = makeSplit(FLAN_ROWS, choice);
  assert.equal(split.heldOutTaskTypes.length, 2);
  assert.deepEqual(makeSplit(FLAN_ROWS, choice), split);
  const seeds = new Set(
    [1, 2, 3, 4].map((seed) => makeSplit(FLAN_ROWS, { ...choice, seed }).heldOutTaskTypes.join()),
  );
  assert.ok(seeds.size > 1);
});
