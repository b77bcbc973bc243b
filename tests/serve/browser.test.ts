import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { temporaryFolder } from "../data/fixtures.js";
import { findBrowser } from "./browser.js";

describe("tests of the page: the browser", () => {
  it("is the one that CHROMIUM names, or the first on the PATH", (context) => {
    const folder = temporaryFolder(context);
    const program = join(folder, "google-chrome");
    writeFileSync(program, "", { mode: 0o755 });
    assert.equal(findBrowser({ PATH: `/nowhere:${folder}` }), program);
    assert.equal(findBrowser({ PATH: "", CHROMIUM: program }), program);
  });

  it("without one there is an error with the cure: nothing is skipped", (context) => {
    const folder = temporaryFolder(context);
    writeFileSync(join(folder, "chromium"), "", { mode: 0o644 });
    assert.throws(() => findBrowser({ PATH: folder }), /apt-get install chromium.*CHROMIUM/);
    assert.throws(() => findBrowser({ PATH: folder, CHROMIUM: "/nowhere" }), /CHROMIUM is "\/nowhere"/);
  });
});
