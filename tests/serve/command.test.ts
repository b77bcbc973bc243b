import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { describe, it } from "node:test";
import { saveDecoder } from "../../src/model/checkpoint.js";
import { startEngine } from "../../src/engine/start.js";
import { CharacterTokenizer } from "../../src/tokenizer/character.js";
import { temporaryFolder } from "../data/fixtures.js";
import { decoderSaying } from "../model/models.js";

const PROGRAM = resolve(import.meta.dirname, "../../src/cli/ift-kit.js");

function serve(environment: Readonly<Record<string, string>>, ...options: string[]) {
  const env = { ...process.env, ...environment };
  return spawnSync(process.execPath, [PROGRAM, "serve", ...options], { encoding: "utf8", env });
}

describe("ift-kit serve", () => {
  it("refuses in one line what others could reach, and what is no model", () => {
    const open = serve({ IFT_KIT_SERVE_TOKEN: "short" }, "--model", "decoder", "--host", "0.0.0.0");
    assert.equal(open.status, 1);
    assert.match(open.stderr, /^ift-kit: field "IFT_KIT_SERVE_TOKEN": a token of 5 characters\.[^\n]*\n$/);
    assert.doesNotMatch(open.stderr, /short/, "a token is never printed");
    const missing = serve({}, "--model", "/nowhere");
    assert.equal(missing.status, 1);
    assert.match(missing.stderr, /^ift-kit: \/nowhere\/tokenizer\.json: no such file[^\n]*\n$/);
    assert.equal(serve({}).status, 2);
  });

  it("serves folders under their names, each in its template, and ends in good order at Ctrl-C", async (context) => {
    await startEngine();
    const folder = temporaryFolder(context);
    const tokenizer = CharacterTokenizer.fromTexts(["plain words"]);
    const id = tokenizer.encode("w").ids[0] ?? 0;
    const decoder = decoderSaying(id, { vocabularySize: tokenizer.vocabularySize, contextLength: 64 });
    saveDecoder(folder, decoder, { special: tokenizer.special });
    tokenizer.save(folder);
    decoder.dispose();
    const models = [
      "--model",
      `first=${folder}`,
      "--model",
      `second=${folder}`,
      "--template",
      "second=sft-plain",
    ];
    const child = spawn(process.execPath, [PROGRAM, "serve", ...models, "--port", "0"], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let notes = "";
    child.stderr.on("data", (text) => (notes += String(text)));
    const [url] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    const answer = await fetch(`${url}v1/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "second", prompt: "plain", max_tokens: 3 }),
    });
    const { choices } = (await answer.json()) as { readonly choices: readonly { readonly text: string }[] };
    assert.equal(choices[0]?.text, "www");
    child.kill("SIGINT");
    const [code] = (await once(child, "exit")) as [number];
    assert.equal(code, 130, notes);
    assert.match(notes, /^first: template continue, context of 64 tokens\.\nsecond: template sft-plain, /);
    assert.match(notes, /Ending: requests at work go on for a while; Ctrl-C again ends at once\.\n$/);
  });
});
