// Does the official Python client understand `ift-kit serve`? Not part of the tests, because it needs a Python with openai:
//
//   IFT_KIT_PEER_PYTHON=PYTHON node --import ./src/cli/register.js --test tests/parity/served_to_python.ts
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startEngine } from "../../src/engine/start.js";
import { loadBase } from "../../src/evaluate/base-checkpoint.js";
import { generate } from "../../src/evaluate/generate.js";
import { encodePromptText } from "../../src/evaluate/requests.js";
import { kitModel } from "../../src/serve/kit-model.js";
import { startServer } from "../../src/serve/server.js";

const PROMPT = "On Monday at noon Nora";

/** What `served_to_python.py` prints. */
interface Seen {
  readonly version: string;
  readonly models: readonly string[];
  readonly text: string;
  readonly logprobs: readonly number[];
  readonly usage: object;
  readonly streamed: string;
  readonly streamed_usage: object;
  readonly drawn: readonly string[];
  readonly chat: string;
  readonly chat_tokens: readonly string[];
  readonly chat_streamed: string;
  readonly errors: readonly unknown[];
}

it("the Python client: answers, streams, log-probabilities, seeds, usage and errors", async (context) => {
  const python = process.env.IFT_KIT_PEER_PYTHON;
  assert.ok(python !== undefined, "IFT_KIT_PEER_PYTHON names the Python");
  await startEngine();
  const { decoder, tokenizer } = await loadBase("decoder");
  const prompt = encodePromptText(PROMPT, tokenizer, {});
  const options = { maxNewTokens: 16, batchSize: 1, eos: tokenizer.special.eos, compile: false };
  const [wanted] = await generate(decoder, [prompt], options);
  const server = await startServer({ models: [await kitModel("decoder", { id: "decoder" })] });
  context.after(() => server.close());
  const script = fileURLToPath(new URL("served_to_python.py", import.meta.url));
  const { stdout } = await promisify(execFile)(python, [script, server.url, PROMPT]);
  const seen = JSON.parse(stdout) as Seen;
  context.diagnostic(`openai ${seen.version}`);
  assert.deepEqual(seen.models, ["decoder"]);
  assert.equal(seen.text, tokenizer.decode(wanted?.ids ?? []));
  assert.equal(seen.streamed, seen.text);
  assert.equal(seen.logprobs.length, wanted?.ids.length);
  assert.deepEqual(seen.streamed_usage, seen.usage);
  assert.equal(seen.drawn[0], seen.drawn[1]);
  assert.notEqual(seen.drawn[0], seen.drawn[2]);
  assert.equal(seen.chat, seen.chat_tokens.join(""));
  assert.equal(seen.chat_streamed, seen.chat);
  assert.deepEqual(seen.errors, [
    ["BadRequestError", 400, null],
    ["BadRequestError", 400, "context_length_exceeded"],
    ["NotFoundError", 404, "model_not_found"],
  ]);
});
