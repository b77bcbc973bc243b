import assert from "node:assert/strict";
import { test } from "node:test";
import { lookAt, type Look, lookText, lookTextSideBySide, wantsColor } from "../../src/data/look.js";
import { renderSpans } from "../../src/data/render.js";
import type { RenderPolicy } from "../../src/data/spans.js";
import { iftDefinition, sftPlain } from "../../src/data/templates/index.js";
import type { Template } from "../../src/data/template.js";
import { lookBundle } from "../../src/notebook/look.js";
import { trainByteLevelBpe } from "../../src/tokenizer/byte-level-bpe.js";
import { exampleWith } from "./fixtures.js";

const TOKENIZER = trainByteLevelBpe(["Great movie"], { vocabularySize: 300, minFrequency: 1 });
const POLICY: RenderPolicy = { maxTokens: 1000, overlong: "drop", lossOn: "response" };
const ESCAPE = "\u001b";

function lookUnder(template: Template, fields: Parameters<typeof exampleWith>[0] = {}): Look {
  const outcome = renderSpans(exampleWith(fields), template, TOKENIZER, POLICY);
  assert.equal(outcome.kind, "rendered");
  return lookAt(outcome.spans, TOKENIZER, template.name);
}

test("the pieces of a look are the row: every token once, the targets marked", () => {
  const { pieces, tokens, supervised } = lookUnder(sftPlain, { input: "😀 <b>&", outputs: ["é\n中"] });
  assert.deepEqual(
    pieces.map(({ source, text, supervised: target }) => [source, text, target]),
    [
      ["special", "<|bos|>", false],
      ["scaffold", "Input: ", false],
      ["input", "😀 <b>&", false],
      ["scaffold", "\nOutput:", false],
      ["response", "é\n中", true],
      ["special", "<|endoftext|>", true],
    ],
  );
  assert.equal(
    pieces.reduce((sum, piece) => sum + piece.tokens, 0),
    tokens,
  );
  assert.equal(
    pieces.filter((piece) => piece.supervised).reduce((sum, piece) => sum + piece.tokens, 0),
    supervised,
  );
});

test("in the terminal: stars without colour, colour where it is wanted, and no escape sequence from a row", () => {
  const look = lookUnder(sftPlain, { input: `a${ESCAPE}[2Jb`, outputs: ["Positive"] });
  const plain = lookText(look, { color: false, width: 60 });
  assert.ok(!plain.includes(ESCAPE));
  assert.match(plain, /^\* response {5}Positive$/m);
  assert.match(plain, /^ {2}scaffold {5}Input:·$/m);
  assert.match(plain, /^ {2}input {8}a�\[2Jb$/m);
  const colored = lookText(look, { color: true, width: 60 });
  assert.ok(colored.includes(`${ESCAPE}[1;32m`) && !colored.includes(`${ESCAPE}[2J`));
  assert.equal(
    colored.replace(new RegExp(`${ESCAPE}\\[[\\d;]*m`, "g"), ""),
    plain,
    "colour changes nothing but colour",
  );
  assert.equal(wantsColor({ isTTY: true }, {}), true);
  assert.equal(wantsColor({ isTTY: true }, { NO_COLOR: "1" }), false);
  assert.equal(wantsColor({}, {}), false);
});

test("side by side: columns that fit the width, one below the other where they do not", () => {
  const looks = [lookUnder(sftPlain), lookUnder(iftDefinition)] as const;
  const wide = lookTextSideBySide(...looks, { color: false, width: 100 }).split("\n");
  assert.ok(wide.every((line) => Array.from(line).length <= 100));
  assert.match(wide[0] ?? "", /^sft-plain +\| ift-definition$/);
  const narrow = lookTextSideBySide(...looks, { color: false, width: 40 });
  assert.ok(!narrow.includes(" | ") && narrow.indexOf("sft-plain") < narrow.indexOf("ift-definition"));
});

test("in a notebook: HTML with the row's text escaped, a legend and no fixed text colour", () => {
  const bundle = lookBundle([lookUnder(sftPlain, { input: "<script>&" }), lookUnder(iftDefinition)]);
  const [html, plain] = [bundle["text/html"], bundle["text/plain"]];
  assert.ok(typeof html === "string" && typeof plain === "string");
  assert.ok(html.includes("&lt;script&gt;&amp;") && !html.includes("<script"));
  assert.ok(html.includes("&lt;|endoftext|&gt;"));
  for (const source of ["scaffold", "instruction", "input", "response"])
    assert.ok(html.includes(`>${source}</span>`));
  assert.ok(
    !/[^-]color:(?!inherit)/.test(html.replace(/background[^;"]*/g, "")),
    "text keeps the page's colour",
  );
  assert.ok(plain.includes("* response"));
});
