import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { notebookText, parseCells } from "../../src/notebook/build.js";
import { NotebookFailure, runNotebook, type RunOptions, type RunResult } from "../../src/notebook/run.js";
import { KitError } from "../../src/support/errors.js";

const folder = mkdtempSync(join(tmpdir(), "ift-kit-notebooks-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Writes a notebook of the given code cells. */
function notebookOf(name: string, ...cells: string[]): string {
  const path = join(folder, `${name}.ipynb`);
  writeFileSync(path, notebookText(cells.map((text) => ({ kind: "code", text }))));
  return path;
}

type Outcome = RunResult | NotebookFailure;

async function outcomeOf(path: string, options: RunOptions = {}): Promise<Outcome> {
  try {
    return await runNotebook(path, { timeoutSeconds: 90, ...options });
  } catch (error) {
    if (error instanceof NotebookFailure) return error;
    throw error;
  }
}

function assertFailure(outcome: Outcome, cell: number, message: RegExp): asserts outcome is NotebookFailure {
  assert.ok(outcome instanceof NotebookFailure, "the notebook was called good");
  assert.equal(outcome.cell, cell);
  assert.match(outcome.message, message);
  assert.doesNotMatch(outcome.message, /\n/);
}

interface StoredOutput {
  readonly output_type: string;
  readonly name?: string;
  readonly text?: string | string[];
  readonly data?: Readonly<Record<string, unknown>>;
}

function outputsOf(path: string): readonly (readonly StoredOutput[])[] {
  const notebook = JSON.parse(readFileSync(path, "utf8")) as {
    cells: { cell_type: string; outputs?: StoredOutput[] }[];
  };
  return notebook.cells.map(({ outputs }) => outputs ?? []);
}

/** One form of an output; Jupyter stores text as a list of lines. */
function dataOf(output: StoredOutput | undefined, type: string): string {
  return [output?.data?.[type]].flat().join("");
}

const SLEEP = "await new Promise((next) => setTimeout(next, 20));";

test("a good notebook is green, and its executed copy holds what the cells showed", async () => {
  const path = notebookOf(
    "good",
    [
      "import { showMarkdown, liveDisplay } from 'ift-kit/notebook/display';",
      "import { showTable } from 'ift-kit/notebook/display-table';",
      "import { trainingDisplay } from 'ift-kit/notebook/display-progress';",
      "import { fullOrFast } from 'ift-kit/notebook/fast-mode';",
      "showMarkdown('**bold**');",
      "showTable(['task', { name: 'loss', unit: 'nats' }], [['a <b>', 1.25], ['c', 2]]);",
    ].join("\n"),
    [
      "const live = liveDisplay({ everyMilliseconds: 0 });",
      "for (let i = 0; i < 50; i += 1) live.update({ 'text/plain': `step ${i}` });",
      "live.finish();",
    ].join("\n"),
    [
      "const progress = trainingDisplay('IFT', { unit: 'steps', amount: 40 });",
      "for (let step = 1; step <= 40; step += 1) {",
      "  progress.onStep({ step, loss: 1 / step, supervisedTokens: step, totalTokens: 10 * step, seconds: step });",
      "}",
      "progress.finish();",
    ].join("\n"),
    "console.log('fast', fullOrFast('no', 'yes')); console.error('note'); console.log('cwd', process.cwd());",
    [
      "import { doseCurve } from 'ift-kit/report/figures/dose-curve';",
      "import { showFigure } from 'ift-kit/notebook/display-figure';",
      "const points = [{ x: 10, mean: 0.1, low: 0.05, high: 0.2 }, { x: 100, mean: 0.8, low: 0.7, high: 0.9 }];",
      "await showFigure(doseCurve({",
      "  id: 'curve', title: 'Held out', xTitle: 'instructions (number)', yTitle: 'exact match (share)',",
      "  series: [{ name: 'held-out rules', points }],",
      "}));",
    ].join("\n"),
  );
  const output = join(folder, "good-executed.ipynb");
  const result = await outcomeOf(path, { fast: true, output });
  assert.ok(!(result instanceof NotebookFailure), result instanceof Error ? result.message : "");
  assert.equal(result.codeCells, 5);
  const [shown = [], live = [], progress = [], text = [], figure = []] = outputsOf(output);
  assert.equal(dataOf(shown[0], "text/markdown"), "**bold**");
  assert.match(dataOf(shown[1], "text/html"), /a &lt;b&gt;/);
  assert.match(dataOf(shown[1], "text/plain"), /loss \[nats\]/);
  assert.deepEqual(
    live.map((output) => dataOf(output, "text/plain")),
    ["step 49"],
  );
  assert.equal(progress.length, 1);
  assert.match(
    dataOf(progress[0], "text/plain"),
    /IFT █+ 100 % · step 40 · loss 0.0250 nats\/token · 10 tokens\/s/,
  );
  assert.deepEqual(
    text.map(({ name }) => name),
    ["stdout", "stderr", "stdout"],
  );
  assert.match(JSON.stringify(text[0]?.text), /fast yes/);
  assert.deepEqual(figure.length, 1);
  assert.deepEqual(Object.keys(figure[0]?.data ?? {}).sort(), [
    "application/vnd.plotly.v1+json",
    "image/png",
    "text/plain",
  ]);
  const png = Buffer.from(dataOf(figure[0], "image/png"), "base64");
  assert.equal(png.subarray(1, 4).toString("latin1"), "PNG");
});

test("a notebook that throws, does not type-check or forgets an await turns the runner red", async () => {
  const throws = notebookOf("throws", "const rows = [1];", "throw new Error(`no row ${rows.length}`);", "1");
  const typeError = notebookOf("type-error", "const loss: number = 'low';");
  const forgets = notebookOf(
    "forgets-await",
    `async function train(): Promise<void> { ${SLEEP} throw new Error('diverged'); }`,
    "train();",
  );
  const output = join(folder, "throws-executed.ipynb");
  const [first, second] = await Promise.all([outcomeOf(throws, { output }), outcomeOf(typeError)]);
  assertFailure(first, 2, /throws\.ipynb: cell \[2\] \(throw new Error.*\) failed: Error: no row 1/);
  assert.match(first.traceback.join("\n"), /no row 1/);
  const stored = outputsOf(output).map((outputs) => outputs.map(({ output_type: type }) => type));
  assert.deepEqual(stored, [[], ["error"], []]);
  assertFailure(second, 1, /TypeScriptError: 1:7 - Type 'string' is not assignable to type 'number'/);
  assertFailure(await outcomeOf(forgets), 2, /after the last cell failed: Error: diverged/);
});

test("a dead kernel and an endless cell are told apart, and --in-place keeps the notebook as it was", async () => {
  const dies = notebookOf("dies", "1", "process.exit(3);");
  const endless = notebookOf("endless", "await new Promise(() => setInterval(() => undefined, 1000));");
  const before = readFileSync(endless, "utf8");
  const [dead, late] = await Promise.all([
    outcomeOf(dies),
    outcomeOf(endless, { timeoutSeconds: 20, output: endless, onlyGood: true }),
  ]);
  assertFailure(dead, 2, /the kernel ended in cell \[2\] \(process\.exit\(3\);\)/);
  assertFailure(late, 1, /was still running when 20 s were over/);
  assert.equal(readFileSync(endless, "utf8"), before);
});

test("a missing notebook, a file that is none, and a missing Jupyter each give one line with the cure", async () => {
  const noNotebook = join(folder, "plain.json");
  writeFileSync(noNotebook, "{}");
  await assert.rejects(runNotebook(join(folder, "absent.ipynb")), /no such file/);
  await assert.rejects(runNotebook(noNotebook), /not a Jupyter notebook/);
  const good = notebookOf("one", "1");
  const before = process.env.IFT_KIT_JUPYTER_PYTHON;
  process.env.IFT_KIT_JUPYTER_PYTHON = join(folder, "no-python");
  try {
    await assert.rejects(
      runNotebook(good),
      (error) => error instanceof KitError && error.message.includes("To mend it"),
    );
  } finally {
    if (before === undefined) delete process.env.IFT_KIT_JUPYTER_PYTHON;
    else process.env.IFT_KIT_JUPYTER_PYTHON = before;
  }
  await assert.rejects(
    runNotebook(good, { variables: { JUPYTER_PATH: folder } }),
    /knows no kernel "ift-kit".*npx ift-kit setup/,
  );
  assert.equal(existsSync(join(folder, "plain.json.part")), false);
});

test("a notebook is built from a TypeScript file, with ids that depend on a cell's own text", () => {
  const source = [
    "// %% [markdown]",
    "// # Title",
    "//",
    "// Text.",
    "",
    "// %%",
    "const one = 1;",
    "one;",
    "",
    "// %%",
    "one;",
    "// %%",
    "one;",
    "",
  ].join("\n");
  const cells = parseCells(source, "x.ts");
  assert.deepEqual(cells, [
    { kind: "markdown", text: "# Title\n\nText." },
    { kind: "code", text: "const one = 1;\none;" },
    { kind: "code", text: "one;" },
    { kind: "code", text: "one;" },
  ]);
  const idsOf = (text: string): string[] => {
    const notebook = JSON.parse(text) as { cells: { id: string }[] };
    return notebook.cells.map(({ id }) => id);
  };
  const ids = idsOf(notebookText(cells));
  assert.equal(new Set(ids).size, 4);
  const changed = idsOf(notebookText([{ kind: "code", text: "new" }, ...cells.slice(0, 2)]));
  assert.deepEqual(changed.slice(1), ids.slice(0, 2));
  assert.throws(() => parseCells("const early = 1;\n", "x.ts"), /x\.ts:1: text before the first cell/);
  assert.throws(() => parseCells("// %% [markdown]\ncode();\n", "x.ts"), /x\.ts:2: code in a text cell/);
});
