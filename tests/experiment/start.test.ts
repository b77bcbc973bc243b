import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { RunResult } from "../../src/experiment/result.js";
import { readRunResult } from "../../src/experiment/store/result-file.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const shared = join(root, "../shared/datasets/natural-instructions/tasks");
const folder = mkdtempSync(join(tmpdir(), "ift-kit-start-"));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function start(...args: string[]): Promise<Outcome> {
  const command = [join(root, "src/cli/ift-kit.js"), "start", "--no-setup", ...args];
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, command, { cwd: folder })) };
  } catch (error) {
    const { code, stdout, stderr } = error as Outcome;
    return { code, stdout, stderr };
  }
}

/** The result of an arm's only seed. */
function storedResult(out: string, arm: string): RunResult | undefined {
  const results = join(out, "results");
  return readdirSync(results)
    .map((file) => readRunResult(join(results, file)))
    .find((result) => result.arm === arm);
}

test(
  "Super-NaturalInstructions, small: trains, asks held-out task types, reports scores beside the floors",
  { skip: existsSync(shared) ? false : "needs ../shared/datasets, which is not here" },
  async () => {
    const out = join(folder, "natural");
    const { code, stdout, stderr } = await start("--data", shared, "--fast", "--out", out);
    assert.equal(code, 0, stderr);
    const report = join(out, "report", "report.html");
    assert.ok(stdout.includes(`Report: ${report}`), stdout);
    const page = readFileSync(report, "utf8");
    for (const name of ["floor: majority label", "floor: copy the input", "floor: copy a demonstration"]) {
      assert.ok(page.includes(name), name);
    }
    assert.ok(readdirSync(join(out, "report", "images")).includes("task-types-rouge-l.png"));
    const [ift, sft] = ["ift", "sft"].map((arm) => storedResult(out, arm)) as [RunResult, RunResult];
    const heldOut = ift.rows.filter(({ part }) => part === "held-out");
    assert.equal(new Set(heldOut.map(({ taskType }) => taskType)).size, 12);
    const trained = new Set(ift.rows.filter(({ part }) => part === "seen").map(({ taskType }) => taskType));
    assert.ok(trained.size > 1 && heldOut.every(({ taskType }) => !trained.has(taskType)));
    // The arms trained on the same rows under the same budget, and were asked the same questions.
    assert.equal(ift.training.rows, sft.training.rows);
    assert.equal(ift.manifest.trainingDataHash, sft.manifest.trainingDataHash);
    assert.ok(Math.abs(ift.training.supervisedTokens - sft.training.supervisedTokens) < 400);
    assert.ok(ift.training.totalTokens > sft.training.totalTokens, "definitions are read, too");
    // What was let pass is said in the report and stands in every run.
    assert.match(page, /Leaks that were allowed by name: [^.]*sibling-task \d+/);
    const { settings } = ift.specification as unknown as { settings: { split: { leakage: unknown } } };
    assert.deepEqual(settings.split.leakage, {
      remove: "held-out",
      allow: ["shared-source", "sibling-task"],
    });
    // A leak that is not allowed stops the experiment before any training.
    const stopped = await start(
      "--data",
      shared,
      "--fast",
      "--allow-leak",
      "shared-source",
      "--out",
      `${out}-2`,
    );
    assert.equal(stopped.code, 1);
    assert.match(stopped.stderr, /the split leaks: sibling-task.*--allow-leak sibling-task/);
    assert.ok(!existsSync(join(`${out}-2`, "results")));
  },
);

test("bad input is one line that names the place and the cure", async () => {
  const empty = join(folder, "empty");
  const broken = join(folder, "broken");
  mkdirSync(empty);
  mkdirSync(broken);
  writeFileSync(join(broken, "task001_a.json"), '{"Definition": ["Do it."], "Instances": [');
  const cases: [string[], RegExp][] = [
    [["--data", join(folder, "nowhere")], /nowhere.*(no such|not exist)/],
    [["--data", empty], /empty/],
    [["--data", broken], /task001_a\.json/],
    [["--processes", "0"], /processes/],
    [["--held-out"], /held-out/],
    [["--suite", "rewrite", "--leave-out", "formats"], /only the mini world has clusters/],
    [["--suite", "mini", "--data", empty], /cannot be used with/],
  ];
  const outcomes = await Promise.all(cases.map(([args]) => start(...args)));
  outcomes.forEach(({ code, stderr }, index) => {
    const [args, expected] = cases[index] ?? [[], /^$/];
    assert.notEqual(code, 0, args.join(" "));
    assert.match(stderr, expected);
    assert.ok(!stderr.includes("    at "), `a stack trace: ${stderr}`);
  });
});
