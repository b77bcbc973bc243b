import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { projectRoot } from "../../src/notebook/environment.js";
import { type CellResult, errorOf, runSession, type Step, temporaryProject, textOf } from "./session.js";

// One kernel for all of it: each repair has its cells in the scenario and its test below.
const LINES = 20_000;
const DISPLAYS = 3_000;
const steps: Record<string, Step> = {};
const results = new Map<string, CellResult>();
let project = "";

const deepSource = (value: number): string => `export function depth(): number {\n  return ${value};\n}\n`;

function plan(): void {
  const code = (text: string): Step => ({ code: text });
  Object.assign(steps, {
    first: code("const answer: number = 42; answer"),
    throws: code("function fail(): void {\n  throw new RangeError('too deep');\n}\nfail();"),
    throwsText: code("throw 'just text'"),
    afterThrow: code("answer + 1"),
    queue: { together: ["1", "throw new Error('stop here')", "2", "3"] },
    typeError: code("const wrong: number = 'text';"),
    strictIndex: code("const list = [1]; const item: number = list[0];"),
    implicitAny: code("function loose(x) { return x; }"),
    floating: code(
      "const forgotten = async (): Promise<void> => { throw new Error('nobody waited'); };\nforgotten();",
    ),
    floatingLate: code(
      "setTimeout(() => void Promise.reject(new Error('late one')), 30);\nconsole.log('left');",
    ),
    pause: { pause: 0.2 },
    afterFloatingLate: code("'innocent'"),
    afterThat: code("'clean'"),
    output: code(`for (let i = 0; i < ${LINES}; i += 1) console.log('line', i);`),
    displays: code(
      `import { display } from 'tslab';\nfor (let i = 0; i < ${DISPLAYS}; i += 1) display.text(String(i));`,
    ),
    order: code(
      "import { display } from 'tslab';\nconsole.log('a'); console.error('b'); console.log('c'); display.text('d'); console.log('e');",
    ),
    awaitParenthesis: code("await (Promise.resolve('one'))"),
    awaitBracket: code("await [Promise.resolve(1)].length;\nconsole.log('two')"),
    awaitTemplate: code("await `three`"),
    forAwait: code("for await (const value of [Promise.resolve('four')]) console.log(value);"),
    awaitUsing: code(
      "{ await using resource = { async [Symbol.asyncDispose]() { console.log('disposed'); } };\n  console.log(typeof resource); }",
    ),
    noAwait: code(
      "const lazy = async (): Promise<number> => { await null; return 5; };\nconst after = 6; after",
    ),
    importByName: code(
      "import { top } from 'ift-kit/top';\nimport { depth } from 'ift-kit/deep/leaf';\n[top(), depth()]",
    ),
    edit: { write: "", text: "" },
    rerun: code("import { top } from 'ift-kit/top';\ntop()"),
    missing: code("import { fresh } from 'ift-kit/fresh';\nfresh"),
    create: { write: "", text: "" },
    created: code("import { fresh } from 'ift-kit/fresh';\nfresh"),
    brokenSource: { write: "", text: "" },
    brokenImport: code("import { top } from 'ift-kit/top';\ntop()"),
    mended: { write: "", text: "" },
    mendedImport: code("import { top } from 'ift-kit/top';\ntop()"),
    importMeta: code("import { where } from 'ift-kit/where';\n[where(), import.meta.url]"),
    ownRequire: code(
      "import { separator } from 'ift-kit/where';\nimport { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);\n[separator, require('node:path').sep]",
    ),
    ownRequireAgain: code("require('node:os').EOL.length"),
    interruptLoop: { code: "while (true) {}", interrupts: [1], after: "execute_input" },
    afterInterruptLoop: code("'alive'"),
    interruptAwait: {
      code: "console.log('ready'); await new Promise(() => undefined)",
      interrupts: [0.1],
      after: "stream",
    },
    training: {
      code: [
        "import { interruptSignal } from 'ift-kit/notebook/interrupt';",
        "let count = 0;",
        "console.log('ready');",
        "async function train(signal: AbortSignal): Promise<string> {",
        "  while (!signal.aborted) { count += 1; await new Promise((next) => setImmediate(next)); }",
        "  return 'stopped';",
        "}",
        "const outcome = await train(interruptSignal());",
      ].join("\n"),
      interrupts: [0.3],
      after: "stream",
    },
    afterTraining: code(
      "const seen = count; await new Promise((next) => setTimeout(next, 100)); [outcome, seen > 0, count === seen, interruptSignal().aborted]",
    ),
    deafTraining: {
      code: "console.log('ready'); interruptSignal(); await new Promise(() => undefined)",
      interrupts: [0.1, 0.9],
      after: "stream",
    },
    complete: { complete: "answ" },
    inspect: { inspect: "answer", position: 3 },
    last: code("answer"),
  });
}

before(() => {
  project = temporaryProject({
    "top.ts":
      "import { depth } from './deep/leaf.js';\nexport function top(): number {\n  return depth() * 10;\n}\n",
    "deep/leaf.ts": deepSource(1),
    "where.ts":
      "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);\nexport const separator: string = (require('node:path') as { sep: string }).sep;\nexport function where(): string {\n  return import.meta.url;\n}\n",
    "notebook/interrupt.ts": readFileSync(join(projectRoot(), "src/notebook/interrupt.ts"), "utf8"),
    "notebook/kernel-bridge.ts": readFileSync(join(projectRoot(), "src/notebook/kernel-bridge.ts"), "utf8"),
  });
  plan();
  const source = (name: string): string => join(project, "src", name);
  steps.edit = { write: source("deep/leaf.ts"), text: deepSource(2) };
  steps.create = { write: source("fresh.ts"), text: "export const fresh: string = 'made';\n" };
  steps.brokenSource = {
    write: source("deep/leaf.ts"),
    text: deepSource(3).replace("return 3", "return 'x'"),
  };
  steps.mended = { write: source("deep/leaf.ts"), text: deepSource(4) };
  const names = Object.keys(steps);
  runSession(project, Object.values(steps)).forEach((result, index) => {
    results.set(names[index] ?? "", result as CellResult);
  });
});

after(() => {
  rmSync(project, { recursive: true, force: true });
});

function resultOf(name: string): CellResult {
  const result = results.get(name);
  assert.ok(result, `no result of the step ${name}`);
  return result;
}

function assertPrints(name: string, text: string): void {
  const result = resultOf(name);
  assert.equal(result.status, "ok", JSON.stringify(errorOf(result)));
  assert.equal(textOf(result), `${text}\n`);
}

function assertFails(name: string, ename: string, evalue: RegExp): void {
  const result = resultOf(name);
  assert.equal(result.status, "error");
  assert.equal(errorOf(result)?.ename, ename);
  assert.match(errorOf(result)?.evalue ?? "", evalue);
  assert.equal(result.reply.ename, ename);
}

test("a good cell shows its last value and has a number", () => {
  assertPrints("first", "42");
  assert.equal(resultOf("first").reply.execution_count, 1);
  assert.ok(resultOf("first").outputs.some(({ type }) => type === "execute_input"));
});

test("a throwing cell sends an error message with a stack of the cell's own frames", () => {
  assertFails("throws", "RangeError", /too deep/);
  const traceback = errorOf(resultOf("throws"))?.traceback?.join("\n") ?? "";
  assert.match(traceback, /at fail/);
  assert.doesNotMatch(traceback, /node_modules|node:vm|notebook\/kernel/);
  assertFails("throwsText", "Thrown", /just text/);
});

test("a cell sent right after a failure runs; cells sent before it was known are refused", () => {
  assertPrints("afterThrow", "43");
  const together = results.get("queue") as unknown as CellResult[];
  assert.deepEqual(
    together.map(({ status }) => status),
    ["ok", "error", "aborted", "aborted"],
  );
});

test("a type error fails the cell, with the strict options of tsconfig.json", () => {
  assertFails("typeError", "TypeScriptError", /1:7 - Type 'string' is not assignable to type 'number'/);
  assertFails("strictIndex", "TypeScriptError", /undefined/);
  assertFails("implicitAny", "TypeScriptError", /implicitly has an 'any' type/);
});

test("a rejected promise that nobody awaits fails the cell, or the next one when it comes later", () => {
  assertFails("floating", "Error", /nobody waited/);
  assert.equal(resultOf("floatingLate").status, "ok");
  assertFails("afterFloatingLate", "Error", /late one/);
  assertPrints("afterThat", "clean");
});

test("no line of 20,000 and no display of 3,000 is lost, and the order of streams and displays is kept", () => {
  const expected = Array.from({ length: LINES }, (_, index) => `line ${index}\n`).join("");
  assert.equal(textOf(resultOf("output")), expected);
  const messages = resultOf("output").outputs.filter(({ type }) => type === "stream");
  assert.ok(messages.length < 50, `${messages.length} messages`);
  const displays = resultOf("displays").outputs.map(({ data }) => data?.["text/plain"]);
  assert.deepEqual(
    displays.slice(1),
    Array.from({ length: DISPLAYS }, (_, index) => String(index)),
  );
  const order = resultOf("order").outputs.map(({ text, data }) => text ?? data?.["text/plain"]);
  assert.deepEqual(order.slice(1), ["a\n", "b\n", "c\n", "d", "e\n"]);
});

test("top-level await works in every form", () => {
  assertPrints("awaitParenthesis", "one");
  assertPrints("awaitBracket", "two");
  assertPrints("awaitTemplate", "three");
  assertPrints("forAwait", "four");
  assertPrints("awaitUsing", "object\ndisposed");
  assertPrints("noAwait", "6");
});

test("a cell imports the live sources by the name of the package", () => {
  assertPrints("importByName", "[ 10, 1 ]");
});

test("an edited source counts at the next run, also through a module that imports it", () => {
  assertPrints("rerun", "20");
});

test("a missing, then created source and a broken, then mended one do not harm the kernel", () => {
  assertFails("missing", "TypeScriptError", /Cannot find module 'ift-kit\/fresh'/);
  assertPrints("created", "made");
  assertFails("brokenImport", "TypeScriptError", /src\/deep\/leaf\.ts 2:3 - Type 'string' is not assignable/);
  assertPrints("mendedImport", "40");
});

test("import.meta.url and a require of its own work in sources and cells", () => {
  const inSource = `'file://${project}/src/where.js'`;
  const text = textOf(resultOf("importMeta"));
  assert.ok(text.includes(inSource) && text.includes(`'file://${project}/__cell__.js'`), text);
  assertPrints("ownRequire", "[ '/', '/' ]");
  assertPrints("ownRequireAgain", "1");
});

test("an interrupt ends a loop and an await, and the kernel stays usable", () => {
  assertFails("interruptLoop", "Interrupted", /interrupted/);
  assertPrints("afterInterruptLoop", "alive");
  assertFails("interruptAwait", "Interrupted", /interrupted/);
  assertPrints("last", "42");
});

test("an interrupt stops a training loop through its signal, keeps the result, and the next signal is fresh", () => {
  assertFails("training", "Interrupted", /ended by itself/);
  assertPrints("afterTraining", "[ 'stopped', true, true, false ]");
});

test("a second interrupt gives up a cell that does not look at its signal", () => {
  assertFails("deafTraining", "Interrupted", /was interrupted$/);
  assert.ok(resultOf("deafTraining").seconds > 0.9);
});

test("completion and inspection know the earlier cells", () => {
  assert.deepEqual(resultOf("complete").reply.matches, ["answer"]);
  assert.match(JSON.stringify(resultOf("inspect").reply.data), /answer: number/);
});
