import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "../..");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  main: string;
  types: string;
  bin: Record<string, string>;
  exports: Record<string, string | { types: string; default: string }>;
  files: string[];
};

/** The source that a built file comes from. */
const sourceOf = (path: string): string =>
  join(root, path.replace(/^\.\/dist\//, "src/").replace(/(\.d\.ts|\.js)$/, ".ts"));

test("what the package names is there: programs, the way in, and folders", () => {
  for (const program of Object.values(manifest.bin)) assert.ok(existsSync(join(root, program)), program);
  const entry = manifest.exports["."];
  assert.ok(typeof entry === "object");
  for (const path of [manifest.main, manifest.types, entry.default, entry.types]) {
    assert.ok(existsSync(sourceOf(path)), path);
  }
  for (const folder of manifest.files.filter((name) => name !== "dist")) {
    assert.ok(existsSync(join(root, folder)), folder);
  }
});

test("the way in has what a first script needs", async () => {
  const kit: Record<string, unknown> = await import("../../src/index.js");
  for (const name of [
    "readExamples",
    "renderExamples",
    "train",
    "evaluate",
    "generate",
    "Decoder",
    "fetchModel",
  ]) {
    assert.equal(typeof kit[name], "function", name);
  }
  for (const [name, value] of Object.entries(kit)) assert.notEqual(value, undefined, name);
});
