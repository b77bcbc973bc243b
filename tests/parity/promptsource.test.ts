import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { PromptSourceWriter, readPromptSource } from "../../src/data/templates/promptsource.js";
import { readJsonFile } from "../../src/support/files.js";
import { sha256 } from "../../src/support/hash.js";
import { NO_SHARED_DATA, sharedData } from "../data/fixtures.js";

type Case = readonly [id: string, row: Readonly<Record<string, unknown>>, digest: string];

/** Made by make_promptsource_goldens.py with Python's jinja2. */
const GOLDEN = readJsonFile(join(import.meta.dirname, "golden/promptsource.json")) as {
  readonly cases: readonly Case[];
  readonly missing: readonly string[];
};
const FOLDER = sharedData("promptsource-templates/templates");
const DRAW = { seed: 1, id: "row" };

test(
  "the shared PromptSource templates: prompt, target and choices are those of Python's jinja2",
  { skip: FOLDER === undefined && NO_SHARED_DATA },
  () => {
    const templates = new Map(readPromptSource(FOLDER ?? "").map((template) => [template.id, template]));
    assert.equal(templates.size, 562);
    const different = GOLDEN.cases.flatMap(([id, row, digest]) => {
      const template = templates.get(id);
      assert.ok(template);
      // Python's filter takes the first: what is drawn here is tested elsewhere.
      const jinja = template.jinja.replace(/\|\s*choice\b/g, "| first");
      try {
        const text = new PromptSourceWriter({ ...template, jinja }).apply(row, DRAW);
        const found = sha256(JSON.stringify([text?.prompt, text?.target, text?.choices ?? null])).slice(
          0,
          12,
        );
        return found === digest ? [] : [`${template.name}: ${JSON.stringify(text)}`];
      } catch (error) {
        return [`${template.name}: ${String(error)}`];
      }
    });
    assert.deepEqual(different, []);
    assert.deepEqual([GOLDEN.cases.length, GOLDEN.missing.length], [536, 26]);
  },
);
