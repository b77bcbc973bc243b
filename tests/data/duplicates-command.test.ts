import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { jsonLines, NO_SHARED_DATA, put, sharedData, temporaryFolder } from "./fixtures.js";

const PROGRAM = resolve(import.meta.dirname, "../../src/cli/ift-kit.js");
const NATURAL = sharedData("natural-instructions");

function duplicates(...options: string[]): { code: number | null; out: string; error: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [PROGRAM, "data", "duplicates", ...options],
    {
      encoding: "utf8",
      maxBuffer: 1 << 28,
    },
  );
  return { code: status, out: stdout, error: stderr };
}

const LONG =
  "the committee that met in the old town hall on a rainy tuesday voted to repair the bridge before winter comes";

/** An Alpaca row. */
function row(instruction: string, input: string, output: string): object {
  return { instruction, input, output };
}

test("data duplicates: exact and near ones, their clusters and the ledger, over several files", (context) => {
  const folder = temporaryFolder(context);
  const one = put(
    folder,
    "one.jsonl",
    jsonLines(
      row("Summarize.", LONG, "bridge"),
      row("Summarize.", `  ${LONG.toUpperCase()} `, "Bridge"),
      row("Translate.", "a text of its own", "x"),
    ),
  );
  const two = put(
    folder,
    "two.jsonl",
    jsonLines(row("Shorten.", `${LONG} again`, "bridge"), row("Shorten.", "nothing like the others", "x")),
  );
  const out = join(folder, "clusters.jsonl");
  const found = duplicates(one, two, "--out", out, "--json");
  assert.deepEqual([found.code, found.error], [0, ""]);
  const { total, clusters } = JSON.parse(found.out) as {
    total: Record<string, number>;
    clusters: { kept: string; duplicates: { id: string; kind: string; similarity: number }[] }[];
  };
  assert.deepEqual(total, { task: "(all)", rowsIn: 5, kept: 3, exact: 1, near: 1 });
  const [cluster] = clusters;
  // 19 runs of three words, and one more with "again".
  assert.deepEqual(
    cluster?.duplicates.map(({ kind, similarity }) => [kind, similarity]),
    [
      ["exact", 1],
      ["near", 19 / 20],
    ],
  );
  assert.deepEqual(
    readFileSync(out, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown),
    clusters,
  );
  // Negative control: at a higher threshold only the exact one is left; by instruction other rows are alike.
  assert.match(duplicates(one, two, "--threshold", "0.96").out, /5 rows in, 4 kept, 1 exact and 0 near/);
  assert.match(duplicates(one, two, "--on", "instruction").out, /5 rows in, 3 kept, 2 exact and 0 near/);
  assert.match(duplicates(one, two).out, /^ {2}near 0\.95 /m);
});

test("data duplicates: bad input is one line and an exit code", (context) => {
  const folder = temporaryFolder(context);
  const pairs = put(folder, "pairs.jsonl", jsonLines({ input: "a", output: "b" }));
  const none = duplicates(pairs, "--on", "instruction");
  assert.deepEqual([none.code, none.out], [1, ""]);
  assert.match(none.error, /^ift-kit: field "on": no row has a text to compare by "instruction"[^\n]*\n$/);
  assert.equal(duplicates(pairs, "--threshold", "1.5").code, 2);
  assert.equal(duplicates(join(folder, "no-file")).code, 1);
});

test(
  "data duplicates --similarity: tasks of one source are the most alike, with the device named, the same on each device",
  { skip: NATURAL === undefined && NO_SHARED_DATA },
  () => {
    const read = (device: string): { labels: string[]; values: (number | null)[][]; why: string } => {
      const limits = ["--limit-per-task", "4", "--rows-per-group", "4", "--device", device];
      const result = duplicates(
        join(NATURAL ?? "", "tasks"),
        ...["--similarity", "task-type", "--json"],
        ...limits,
      );
      assert.deepEqual([result.code, result.error], [0, ""]);
      return (JSON.parse(result.out) as { matrix: ReturnType<typeof read> }).matrix;
    };
    const plain = read("plain");
    const gpu = read("gpu");
    assert.equal(plain.why, "plain loop: asked for");
    assert.match(gpu.why, /^gpu\.js \w+: asked for$/);
    assert.deepEqual(gpu.values, plain.values);
    assert.equal(plain.labels.length, 55);
    const [a, b] = ["Sentence Ordering", "Text Completion"].map((label) => plain.labels.indexOf(label));
    const alike = plain.values[a ?? -1]?.[b ?? -1] ?? 0;
    const mean =
      (plain.values[a ?? -1] ?? []).reduce<number>((sum, value) => sum + (value ?? 0), 0) /
      plain.labels.length;
    assert.ok(alike > mean, `${alike} against ${mean}`);
  },
);
