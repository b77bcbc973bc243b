import assert from "node:assert/strict";
import { test } from "node:test";
import type { Example } from "../../src/data/example.js";
import { normalizedInput, ownShots, poolShots, type PoolOptions } from "../../src/data/few-shot.js";
import { readExamples } from "../../src/data/read/index.js";
import {
  alpaca,
  applyPromptSource,
  flanZeroShot,
  patternTemplate,
  promptSourceTemplate,
  seededChoice,
  sftPlain,
  templateByName,
  withParaphrases,
} from "../../src/data/templates/index.js";
import { exampleWith, NO_SHARED_DATA, sharedData } from "./fixtures.js";

const POOL: readonly Example[] = Array.from({ length: 40 }, (_, index) =>
  exampleWith({ id: `pool-${index}`, input: `Text ${index}`, outputs: [index < 30 ? "A" : "B"] }),
);
const OPTIONS: PoolOptions = { count: 4, seed: 1, order: "random", balance: "none" };

test("demonstrations from a pool: by seed and row, never the row itself, a forbidden row or another task's", () => {
  const never = POOL.slice(0, 10).map((row) => ({
    ...row,
    id: "test",
    input: ` ${row.input.toUpperCase()}`,
  }));
  const others = POOL.map((row) => ({ ...row, id: `other-${row.id}`, task: "other" }));
  const chooser = poolShots([...others, ...POOL], { ...OPTIONS, count: 40, never });
  const asked = exampleWith({ id: "x", input: "text  39" });
  const inputs = chooser.choose(asked).map(({ input }) => input);
  assert.equal(inputs.length, 29, "40 less the 10 forbidden and the row itself");
  assert.equal(new Set(inputs).size, 29);
  assert.ok(!inputs.includes("Text 39"));
  const withoutGuard = poolShots(POOL, { ...OPTIONS, count: 40 }).choose(
    exampleWith({ id: "y", input: "new" }),
  );
  assert.equal(withoutGuard.length, 40, "the guards are what takes rows out");

  const choose = (seed: number, id: string): string[] =>
    poolShots(POOL, { ...OPTIONS, seed })
      .choose(exampleWith({ id }))
      .map(({ input }) => input);
  assert.deepEqual(choose(1, "a"), choose(1, "a"));
  assert.notDeepEqual(choose(1, "a"), choose(2, "a"));
  assert.notDeepEqual(choose(1, "a"), choose(1, "b"));
});

test("demonstrations balance their labels and keep the pool's order where that is asked", () => {
  const labels = (options: Partial<PoolOptions>, id: string): string[] =>
    poolShots(POOL, { ...OPTIONS, ...options })
      .choose(exampleWith({ id }))
      .map(({ output }) => output);
  const counts = Array.from(
    { length: 20 },
    (_, id) => labels({ balance: "labels" }, `r${id}`).filter((label) => label === "A").length,
  );
  assert.deepEqual([...new Set(counts)], [2]);
  const unbalanced = Array.from(
    { length: 20 },
    (_, id) => labels({}, `r${id}`).filter((label) => label === "A").length,
  );
  assert.ok(new Set(unbalanced).size > 1);
  for (let id = 0; id < 20; id++) {
    const order = labels({ order: "pool", balance: "labels" }, `r${id}`);
    assert.deepEqual(order, ["A", "A", "B", "B"]);
  }
});

const TASKS = sharedData("natural-instructions/tasks");
test(
  "Super-NaturalInstructions: no prompt shows the row itself, though tasks have it among their examples",
  { skip: TASKS === undefined && NO_SHARED_DATA },
  async () => {
    const { examples } = await readExamples(TASKS ?? "", { onMalformed: "skip" });
    const isItself = (example: Example, input: string): boolean =>
      normalizedInput(input) === normalizedInput(example.input);
    const exposed = examples.filter((example) =>
      example.positive?.some(({ input }) => isItself(example, input)),
    );
    assert.equal(exposed.length, 47, "rows of the shared files that are also an example of their task");
    const chooser = ownShots(100);
    for (const example of examples) {
      assert.ok(!chooser.choose(example).some(({ input }) => isItself(example, input)), example.id);
    }
    const template = templateByName("ift-positive-negative");
    for (const example of exposed.filter(({ positive = [] }) => positive.length > 1)) {
      const shown = template
        .render(example)
        .flatMap(({ segments }) => segments)
        .filter(({ source, text }) => source === "demonstration" && text.trim() !== "");
      assert.ok(!shown.some(({ text }) => isItself(example, text)), example.id);
    }
  },
);

const INDUCTION = sharedData("instruction-induction");
test(
  "instruction induction: instructions in several wordings, by seed and row",
  { skip: INDUCTION === undefined && NO_SHARED_DATA },
  async () => {
    const { examples } = await readExamples(INDUCTION ?? "", { onMalformed: "skip" });
    const several = examples.filter(({ paraphrases = [] }) => paraphrases.length >= 9);
    assert.ok(several.length > 0, "tasks with ten wordings or more");
    const template = withParaphrases(alpaca, 3);
    const [{ task, instruction = "", paraphrases = [] } = exampleWith({})] = several;
    const rows = several.filter((example) => example.task === task);
    const said = (seed: number): string[] =>
      rows.map(
        (row) =>
          withParaphrases(alpaca, seed)
            .render(row)
            .flatMap(({ segments }) => segments)
            .find(({ source }) => source === "instruction")?.text ?? "",
      );
    assert.equal(new Set(said(3)).size, paraphrases.length + 1, `all wordings of ${task} occur`);
    for (const wording of said(3)) assert.ok([instruction, ...paraphrases].includes(wording));
    assert.deepEqual(said(3), said(3));
    assert.notDeepEqual(said(3), said(4));
    assert.notEqual(template.hash, withParaphrases(alpaca, 4).hash);
  },
);

test("a mixture chooses one of its templates for each row", () => {
  const patterns = [0, 1, 2, 3].map((pattern) =>
    flanZeroShot({ name: `flan-${pattern}`, pattern, options: false }),
  );
  const mixture = seededChoice("flan-mix", patterns, 7);
  const promptOf = (id: string): string =>
    mixture
      .render(exampleWith({ id }))[0]
      ?.segments.map(({ text }) => text)
      .join("") ?? "";
  const prompts = Array.from({ length: 40 }, (_, id) => promptOf(`row-${id}`));
  assert.equal(new Set(prompts).size, 4);
  assert.equal(promptOf("row-1"), prompts[1]);
  assert.throws(() => seededChoice("mixed", [alpaca, sftPlain], 1), /differ in format/);
  const stopping = patternTemplate({ name: "s", format: "ift", prompt: "{instruction}", stop: ["\n"] });
  assert.throws(() => seededChoice("mixed", [alpaca, stopping], 1), /differ in format or in what ends/);
});

test("PromptSource: choices are Jinja, an empty target passes the row over, choice draws by seed and row", () => {
  const template = {
    dataset: "d",
    id: "1",
    name: "n",
    jinja:
      "{% if label >= 0 %}{{ text }} {{ ['a', 'b', 'c', 'd'] | choice }} ||| {{ answer_choices[label] }}{% endif %}",
    answerChoices: "{{ no }} ||| {{ 'Yes' }}",
  };
  const row = { text: "a ||| b", no: "No", label: 1 };
  const text = applyPromptSource(template, row, { seed: 1, id: "x" });
  assert.match(text?.prompt ?? "", /^a \|\|\| b [abcd]$/);
  assert.deepEqual([text?.target, text?.choices], ["Yes", ["No", "Yes"]]);
  assert.equal(applyPromptSource(template, { ...row, label: -1 }), undefined);
  const drawn = (seed: number, id: string): string =>
    applyPromptSource(template, row, { seed, id })?.prompt.slice(-1) ?? "";
  assert.equal(drawn(1, "x"), drawn(1, "x"));
  assert.equal(new Set(Array.from({ length: 40 }, (_, id) => drawn(1, `${id}`))).size, 4);
  assert.equal(new Set(Array.from({ length: 40 }, (_, seed) => drawn(seed, "x"))).size, 4);

  const segments = promptSourceTemplate(template, 1)
    .render(exampleWith({ fields: row }))
    .map(({ segments: parts }) => parts.map(({ source, text: part }) => [source, part]));
  assert.deepEqual(segments[0]?.[0], ["input", "a ||| b"]);
  assert.deepEqual(segments[1], [["response", "Yes"]]);
  assert.throws(
    () => promptSourceTemplate(template, 1).render(exampleWith({ fields: { ...row, label: -1 } })),
    /passes example "row-1" over/,
  );
  assert.throws(() => applyPromptSource(template, { ...row, answer_choices: [] }), /"answer_choices"/);
  assert.throws(() => applyPromptSource({ ...template, jinja: "a ||| b ||| c" }, row), /writes 3 parts/);
});
