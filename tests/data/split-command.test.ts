import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { jsonLines, NO_SHARED_DATA, put, sharedData, temporaryFolder } from "./fixtures.js";

const PROGRAM = resolve(import.meta.dirname, "../../src/cli/ift-kit.js");
const NATURAL = sharedData("natural-instructions");
const P3 = sharedData("p3-t0-train");
const ALPACA_EVAL = sharedData("alpaca-eval/alpaca_eval_text_davinci_003.json");
const SELF_INSTRUCT = sharedData("self-instruct/user_oriented_instructions.jsonl");

function split(...options: string[]): { code: number | null; out: string; error: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, "data", "split", ...options], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  return { code: status, out: stdout, error: stderr };
}

interface Side {
  readonly taskType: string;
  readonly rows: number;
  readonly tasks: readonly string[];
}

interface SplitJson {
  readonly train: readonly Side[];
  readonly heldOut: readonly Side[];
  readonly trainTaskTypes: readonly string[];
  readonly heldOutTaskTypes: readonly string[];
  readonly excluded: readonly { readonly name: string; readonly rows: number; readonly why: string }[];
  readonly leakage: {
    readonly leakingRows: Readonly<Record<string, { readonly train: number; readonly heldOut: number }>>;
    readonly leaks: readonly { readonly kind: string; readonly trainTask: string }[];
  };
  readonly gate: {
    readonly passes: boolean;
    readonly why?: string;
    readonly passed?: Readonly<Record<string, number>>;
  };
}

function asJson({ out }: { readonly out: string }): SplitJson {
  return JSON.parse(out) as SplitJson;
}

function rowsOf(sides: readonly Side[]): number {
  return sides.reduce((sum, { rows }) => sum + rows, 0);
}

/** A row of the kit's own format. */
function row(number: number, task: string, taskType: string, source: string, input: string): object {
  return { id: `${task}-${number}`, task, taskType, source, input, outputs: ["yes"] };
}

const SUBJECTS = ["river", "engine", "choir", "ledger", "harbour", "violin", "glacier", "parcel"];

/** Eight rows of a task, each with words of its own. */
function rowsOfTask(task: string, taskType: string, source = task): object[] {
  return SUBJECTS.map((subject, number) =>
    row(number, task, taskType, source, `what did the ${subject} of ${task} do on day ${number}`),
  );
}

test("data split: several paths, relations, one held-out task, T0, clusters", (context) => {
  const folder = temporaryFolder(context);
  const nli = put(folder, "nli.jsonl", jsonLines(...rowsOfTask("rte_yes", "entailment", "glue/rte")));
  const rest = put(
    folder,
    "rest.jsonl",
    jsonLines(
      ...rowsOfTask("mrpc_same", "paraphrase", "glue/mrpc"),
      ...rowsOfTask("paws_same", "paraphrase", "paws"),
      ...rowsOfTask("imdb_tone", "sentiment", "imdb"),
      ...rowsOfTask("other", "sentiment", "elsewhere"),
    ),
  );
  const read = (...options: string[]): SplitJson => {
    const result = split(nli, rest, ...options, "--json");
    assert.deepEqual([result.code, result.error], [0, ""], options.join(" "));
    return asJson(result);
  };
  const plain = read("--held-out", "entailment");
  assert.deepEqual(plain.trainTaskTypes, ["paraphrase", "sentiment"]);
  assert.deepEqual([rowsOf(plain.train), rowsOf(plain.heldOut)], [32, 8]);
  const related = read("--held-out", "entailment", "--flan-relations");
  assert.deepEqual(related.trainTaskTypes, ["sentiment"]);
  assert.match(related.excluded[0]?.why ?? "", /it is related to "entailment"/);

  const oneTask = read("--task", "paws_same");
  assert.deepEqual([oneTask.heldOutTaskTypes, oneTask.trainTaskTypes.length], [["paraphrase"], 3]);
  assert.deepEqual(oneTask.gate.passed, { "shared-task-type": 1 });

  const t0 = read("--t0");
  assert.deepEqual([t0.heldOutTaskTypes, t0.trainTaskTypes], [["NLI"], ["paraphrase", "sentiment"]]);
  assert.deepEqual(
    t0.excluded.map(({ name, rows }) => [name, rows]),
    [["elsewhere", 8]],
  );
  // Relations of the table are the default, and can be turned off.
  assert.deepEqual(read("--clusters", "flan", "--held-out", "entailment").trainTaskTypes, ["sentiment"]);
  assert.equal(
    read("--clusters", "flan", "--held-out", "entailment", "--relations", "none").trainTaskTypes.length,
    2,
  );
  const some = read("--held-out-fraction", "0.4", "--seed", "3");
  assert.equal(some.heldOutTaskTypes.length, 1);
});

test("data split --leave-one-out: a line for each task type, with its leaks", (context) => {
  const folder = temporaryFolder(context);
  const copied = "the lighthouse keeper counts seven ships before breakfast";
  const file = put(
    folder,
    "rows.jsonl",
    jsonLines(
      ...rowsOfTask("a", "A"),
      row(9, "a", "A", "a", copied),
      ...rowsOfTask("b", "B", "shared"),
      row(9, "b", "B", "shared", copied),
      ...rowsOfTask("c", "C", "shared"),
    ),
  );
  const result = split(file, "--leave-one-out", "--json");
  assert.deepEqual([result.code, result.error], [0, ""]);
  const { leaveOneOut } = JSON.parse(result.out) as { leaveOneOut: Record<string, unknown>[] };
  assert.deepEqual(leaveOneOut, [
    { heldOut: "A", heldOutRows: 9, trainRows: 17, leftOut: 0, leaks: { "same-input": 1 } },
    { heldOut: "B", heldOutRows: 9, trainRows: 9, leftOut: 8, leaks: { "same-input": 1 } },
    { heldOut: "C", heldOutRows: 8, trainRows: 9, leftOut: 9, leaks: {} },
  ]);
  assert.match(split(file, "--leave-one-out").out, /^B +9 +9 +8 {2}same-input 1$/m);
});

test("data split --held-out-template: no template and no example on both sides", (context) => {
  const folder = temporaryFolder(context);
  const rows = ["plain", "cloze"].flatMap((template) =>
    SUBJECTS.map((subject, number) => ({
      input: `${template} ${subject} ${number} of ${template}`,
      output: "yes",
      template,
      number,
    })),
  );
  const file = put(folder, "pairs.jsonl", jsonLines(...rows));
  const options = [file, "--held-out-template", "cloze", "--template-field", "template"];
  const missing = split(...options);
  assert.deepEqual([missing.code, missing.out], [1, ""]);
  assert.match(missing.error, /--example-field/);
  const { train, heldOut, excluded } = asJson(
    split(...options, "--example-field", "number", "--test-share", "0.25", "--json"),
  );
  assert.deepEqual([rowsOf(train), rowsOf(heldOut)], [6, 2]);
  assert.deepEqual(excluded.map(({ rows: count }) => count).sort(), [2, 6]);
});

test("the leakage gate stops with code 1 and one line, and passes what is allowed or removed", (context) => {
  const folder = temporaryFolder(context);
  const leaked = "the lighthouse keeper counts seven ships before breakfast";
  const train = put(folder, "train.jsonl", jsonLines(...rowsOfTask("a", "A"), row(9, "a", "A", "a", leaked)));
  const test = put(folder, "test.jsonl", jsonLines(...rowsOfTask("b", "B"), row(9, "b", "B", "b", leaked)));
  const sides = ["--train", train, "--test", test];
  const stopped = split(...sides);
  assert.equal(stopped.code, 1);
  assert.match(stopped.error, /the split leaks: same-input .*: 1 held-out rows, such as "b" from "a"/);
  assert.match(stopped.error, /--allow-leak same-input/);
  assert.equal(stopped.error.trimEnd().split("\n").length, 1);
  // The report comes all the same, as text and as JSON.
  assert.match(stopped.out, /^same-input +a +b +1 +1 +the lighthouse keeper/m);
  const report = asJson(split(...sides, "--json"));
  assert.deepEqual([report.gate.passes, report.leakage.leakingRows["same-input"]?.heldOut], [false, 1]);

  const allowed = split(...sides, "--allow-leak", "same-input");
  assert.deepEqual([allowed.code, allowed.error], [0, ""]);
  assert.match(allowed.out, /leakage gate: passes, with what is allowed: same-input 1/);
  assert.equal(split(...sides, "--allow-leak", "near-duplicate").code, 1);
  const removed = split(...sides, "--remove-leaks", "held-out", "--json");
  assert.deepEqual([removed.code, rowsOf(asJson(removed).heldOut)], [0, 8]);
  // Negative control: without the copied row nothing leaks.
  const clean = put(folder, "clean.jsonl", jsonLines(...rowsOfTask("b", "B")));
  assert.match(split("--train", train, "--test", clean).out, /leaks: none .*\n\nleakage gate: passes$/m);

  for (const [options, says] of [
    [["--train", train], /give both --train and --test/],
    [[...sides, "--official"], /two sides are given, and also --official/],
    [[train, "--official", "--t0"], /several options say what is held out: --official, --t0/],
    [["--official"], /no data is given/],
    [[train, test, "--held-out", "C"], /no row has the task type "C"/],
    [[train, "--official", "--clusters", "flan"], /--clusters does nothing with --official/],
    [[train, "--leave-one-out", "--allow-leak", "same-input"], /stops at none/],
  ] as const) {
    const result = split(...options);
    assert.deepEqual([result.code, result.out], [1, ""], options.join(" "));
    assert.match(result.error, says);
  }
  assert.equal(split(...sides, "--allow-leak", "everything").code, 2);
});

test("real data: the official split", { skip: NATURAL === undefined && NO_SHARED_DATA }, () => {
  const result = split(NATURAL ?? "", "--official", "--json");
  assert.equal(result.code, 1);
  assert.match(result.error, /ift-kit: the split leaks: .*near-duplicate .*contained-input/);
  const { train, heldOut, excluded, leakage } = asJson(result);
  assert.deepEqual([rowsOf(train), rowsOf(heldOut)], [13_080, 7_091]);
  assert.equal(heldOut.length, 12);
  assert.equal(
    excluded.reduce((sum, { rows }) => sum + rows, 0),
    2_700,
  );
  assert.ok((leakage.leakingRows["contained-input"]?.heldOut ?? 0) >= 19);
});

/** Files of tasks, by their numbers. */
function taskFiles(...numbers: number[]): string[] {
  const folder = join(NATURAL ?? "", "tasks");
  const names = readdirSync(folder);
  return numbers.map((number) =>
    join(folder, names.find((name) => name.startsWith(`task${number}_`)) ?? `task${number}`),
  );
}

test(
  "real data: an excluded task against its test task",
  { skip: NATURAL === undefined && NO_SHARED_DATA },
  () => {
    const sides = ["--train", ...taskFiles(120, 1579), "--test", ...taskFiles(1562, 288)];
    const stopped = split(...sides, "--json");
    assert.equal(stopped.code, 1);
    assert.equal(asJson(stopped).leakage.leakingRows["same-input"]?.heldOut, 26 + 4);
    const kinds = [...new Set(asJson(stopped).leakage.leaks.map(({ kind }) => kind))];
    assert.ok(kinds.includes("shared-source") && kinds.includes("sibling-task"));
    assert.equal(split(...sides, "--allow-leak", ...kinds).code, 0);
  },
);

test(
  "real data: prompts of P3 against task1345",
  { skip: (P3 === undefined || NATURAL === undefined) && NO_SHARED_DATA },
  () => {
    const sides = ["--train", P3 ?? "", "--skip-malformed", "--test", ...taskFiles(1345)];
    const stopped = split(...sides, "--json");
    assert.equal(stopped.code, 1);
    assert.equal(asJson(stopped).leakage.leakingRows["contained-input"]?.heldOut, 23);
    assert.match(stopped.error, /contained-input .*: 23 held-out rows, such as "task1345/);
  },
);

test(
  "real data: the tasks of Self-Instruct's users against AlpacaEval",
  { skip: (ALPACA_EVAL === undefined || SELF_INSTRUCT === undefined) && NO_SHARED_DATA },
  () => {
    const sides = ["--train", SELF_INSTRUCT ?? "", "--test", ALPACA_EVAL ?? "", "--skip-malformed"];
    const stopped = split(...sides);
    assert.equal(stopped.code, 1);
    assert.match(stopped.error, /evaluation-only .*: 252 training rows/);
    assert.match(stopped.error, /same-input .*: 252 held-out rows/);
    const cure = /--allow-leak ([^)]*)\)/.exec(stopped.error)?.[1] ?? "";
    assert.equal(split(...sides, "--allow-leak", ...cure.split(" ")).code, 0);
  },
);
