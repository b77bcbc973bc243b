import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import OpenAI, { APIError, BadRequestError, NotFoundError } from "openai";
import { Problem, queueIsFull } from "../../src/serve/problem.js";
import { type Script, scriptedModel } from "../../src/serve/scripted-model.js";
import { startServer, type ServeOptions } from "../../src/serve/server.js";
import { KitError } from "../../src/support/errors.js";

/** A promise that is kept from outside. */
function deferred<Value>(): { readonly promise: Promise<Value>; readonly resolve: (value: Value) => void } {
  let resolve: (value: Value) => void = () => undefined;
  const promise = new Promise<Value>((keep) => (resolve = keep));
  return { promise, resolve };
}

async function served(context: TestContext, script: Script, options: Partial<ServeOptions> = {}) {
  const server = await startServer({ models: [scriptedModel("teacher", script)], ...options });
  context.after(() => server.close());
  const apiKey = options.token ?? "none";
  return { server, client: new OpenAI({ baseURL: `${server.url}/v1`, apiKey, maxRetries: 0 }) };
}

const ASK: { model: string; messages: OpenAI.ChatCompletionMessageParam[] } = {
  model: "teacher",
  messages: [{ role: "user", content: "Name a fruit." }],
};

describe("serve: the protocol, with a scripted model and the official client", () => {
  it("a chat and a completion, whole and in pieces", async (context) => {
    const { client } = await served(context, ({ prompt }) =>
      prompt.kind === "chat" ? "a red plum" : " and a pear",
    );
    const chat = await client.chat.completions.create(ASK);
    assert.equal(chat.choices[0]?.message.content, "a red plum");
    assert.deepEqual(chat.usage, { prompt_tokens: 4, completion_tokens: 3, total_tokens: 7 });
    const pieces: string[] = [];
    const stream = await client.chat.completions.create({
      ...ASK,
      stream: true,
      stream_options: { include_usage: true },
    });
    let usage: unknown;
    for await (const chunk of stream) {
      usage = chunk.usage ?? usage;
      if (chunk.choices[0] !== undefined) pieces.push(chunk.choices[0].delta.content ?? "");
    }
    assert.deepEqual(pieces, ["", "a", " red", " plum", ""]);
    assert.deepEqual(usage, chat.usage);
    const text = await client.completions.create({ model: "teacher", prompt: "A plum", echo: true, n: 2 });
    assert.deepEqual(
      text.choices.map((choice) => [choice.index, choice.text, choice.finish_reason]),
      [
        [0, "A plum and a pear", "stop"],
        [1, "A plum and a pear", "stop"],
      ],
    );
    assert.equal(text.usage?.prompt_tokens, 2, "answers to one prompt share it");
    const parts: string[] = ["", ""];
    for await (const chunk of await client.completions.create({
      model: "teacher",
      prompt: ["A plum", "An apple"],
      stream: true,
      max_tokens: 2,
    })) {
      for (const { index, text: part } of chunk.choices) parts[index] = `${parts[index] ?? ""}${part}`;
    }
    assert.deepEqual(parts, [" and a", " and a"]);
  });

  it("stop and max_tokens end an answer, and it is said why", async (context) => {
    const { client } = await served(context, () => "one two three");
    const cut = await client.chat.completions.create({ ...ASK, stop: " three" });
    assert.deepEqual([cut.choices[0]?.message.content, cut.choices[0]?.finish_reason], ["one two", "stop"]);
    const short = await client.chat.completions.create({ ...ASK, max_completion_tokens: 1 });
    assert.deepEqual([short.choices[0]?.message.content, short.choices[0]?.finish_reason], ["one", "length"]);
  });

  it("what is not supported is refused in one line that names the field", async (context) => {
    const { client } = await served(context, () => "never said");
    const refused: readonly [object, string, RegExp][] = [
      [{ frequency_penalty: 2.5 }, "frequency_penalty", /at most 2/],
      [{ tools: [] }, "tools", /no such field/],
      [{ temperature: 3 }, "temperature", /at most 2/],
      [{ n: 0 }, "n", /at least 1/],
      [{ top_logprobs: 2 }, "top_logprobs", /needs logprobs/],
      [{ max_tokens: 1, max_completion_tokens: 2 }, "max_tokens", /differ/],
      [{ stream_options: {} }, "stream_options", /needs stream/],
      [{ response_format: { type: "json_object" } }, "response_format.type", /give one of "text"/],
      [{ logprobs: true }, "logprobs", /scripted/],
    ];
    for (const [fields, param, message] of refused) {
      await assert.rejects(client.chat.completions.create({ ...ASK, ...fields }), (error: unknown) => {
        assert.ok(error instanceof BadRequestError, String(error));
        assert.equal(error.param, param);
        assert.equal(error.type, "invalid_request_error");
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /\n/);
        return true;
      });
    }
    await assert.rejects(
      client.completions.create({ model: "teacher", prompt: "x", echo: true, logprobs: 1 }),
      BadRequestError,
    );
    await assert.rejects(client.chat.completions.create({ ...ASK, model: "nobody" }), NotFoundError);
    const neutral = { frequency_penalty: 0, presence_penalty: 0, logit_bias: {}, user: "me", n: 1, top_p: 1 };
    const answer = await client.chat.completions.create({ ...ASK, ...neutral });
    assert.equal(answer.choices[0]?.message.content, "never said");
  });

  it("a script can give errors; the client knows them, and tries again after a full queue", async (context) => {
    const { server } = await served(context, (_, call) => {
      if (call === 0) throw queueIsFull("teacher", 8);
      if (call === 2) throw new Problem("lost", { status: 500, type: "server_error" });
      return "said";
    });
    const patient = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none", maxRetries: 1 });
    const answer = await patient.chat.completions.create(ASK);
    assert.equal(answer.choices[0]?.message.content, "said");
    const once = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none", maxRetries: 0 });
    await assert.rejects(once.chat.completions.create({ ...ASK, stream: true }), APIError);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    assert.match(metrics, /ift_kit_requests_total\{model="teacher",outcome="busy"\} 1/);
    assert.match(metrics, /ift_kit_requests_total\{model="teacher",outcome="completed"\} 1/);
    assert.match(metrics, /ift_kit_requests_total\{model="teacher",outcome="failed"\} 1/);
  });

  it("lists models with their templates, and shows prompts", async (context) => {
    const { server, client } = await served(context, () => "x");
    const [model] = (await client.models.list()).data;
    assert.equal(model?.id, "teacher");
    assert.equal((await client.models.retrieve("teacher")).owned_by, "ift-kit");
    await assert.rejects(client.models.retrieve("nobody"), NotFoundError);
    const shown = await client.post("/prompt", { body: ASK });
    assert.deepEqual(shown, { text: "user: Name a fruit.", tokens: 4, template: "scripted" });
    const health: unknown = await (await fetch(`${server.url}/health`)).json();
    assert.deepEqual(health, { status: "ok", models: ["teacher"] });
  });

  it("a request that takes too long ends as a timeout, before and after the first chunk", async (context) => {
    const forever: Script = async (_, __, signal) => {
      await sleep(60_000, undefined, { signal }).catch(() => undefined);
      return "too late";
    };
    const { client } = await served(context, forever, { timeoutSeconds: 0.05 });
    for (const stream of [false, true]) {
      await assert.rejects(client.chat.completions.create({ ...ASK, stream }), (error: unknown) => {
        assert.ok(error instanceof APIError);
        assert.equal(error.status, 504);
        return true;
      });
    }
  });

  it("the script is told when the client goes away", async (context) => {
    const told = deferred<string>();
    const asked = deferred<undefined>();
    const { client } = await served(context, async (_, __, signal) => {
      asked.resolve(undefined);
      await once(signal, "abort");
      told.resolve(String(signal.reason));
      return "";
    });
    const controller = new AbortController();
    const answer = client.chat.completions.create(ASK, { signal: controller.signal });
    await asked.promise;
    controller.abort();
    await assert.rejects(answer);
    assert.match(await told.promise, /client closed/);
  });

  it("closing lets what is at work end, and refuses what comes then", async (context) => {
    const go = deferred<undefined>();
    const asked = deferred<undefined>();
    const { server, client } = await served(context, async () => {
      asked.resolve(undefined);
      await go.promise;
      return "the end";
    });
    const answer = client.chat.completions.create(ASK);
    await asked.promise;
    const closed = server.close();
    await assert.rejects(fetch(`${server.url}/health`));
    go.resolve(undefined);
    assert.equal((await answer).choices[0]?.message.content, "the end");
    await closed;
  });

  it("closing ends what is not done after the grace", async (context) => {
    const asked = deferred<undefined>();
    const script: Script = async (_, __, signal) => {
      asked.resolve(undefined);
      await once(signal, "abort");
      return "";
    };
    const { server, client } = await served(context, script, { graceSeconds: 0.05 });
    const answer = client.chat.completions.create(ASK);
    const refused = assert.rejects(
      answer,
      (error: unknown) => error instanceof APIError && error.status === 503,
    );
    await asked.promise;
    await server.close();
    await refused;
  });
});

/** A request with headers that `fetch` does not let through. */
async function statusOf(url: string, headers: Record<string, string>): Promise<number> {
  const request = httpRequest(url, { headers });
  request.end();
  const [response] = (await once(request, "response")) as [{ statusCode: number; resume(): void }];
  response.resume();
  return response.statusCode;
}

describe("serve: who may ask", () => {
  it("on loopback, no host names of others, no other origins, no forms, no huge bodies", async (context) => {
    const { server } = await served(context, () => "x");
    const { port } = new URL(server.url);
    const url = `${server.url}/v1/models`;
    assert.equal(await statusOf(url, { host: `localhost:${port}` }), 200);
    assert.equal(await statusOf(url, { host: `[::1]:${port}` }), 200);
    assert.equal(await statusOf(url, { host: `evil.example:${port}` }), 403);
    assert.equal(await statusOf(url, { host: "127.0.0.1.evil.example" }), 403);
    assert.equal(await statusOf(url, { origin: "https://evil.example" }), 403);
    assert.equal(await statusOf(url, { origin: server.url }), 200);
    const post = async (type: string, body: string): Promise<number> =>
      (
        await fetch(`${server.url}/v1/completions`, {
          method: "POST",
          headers: { "content-type": type },
          body,
        })
      ).status;
    assert.equal(await post("text/plain", '{"model":"teacher","prompt":"x"}'), 415);
    assert.equal(await post("application/json", "{"), 400);
    assert.equal(await post("application/json", `{"prompt":"${"x".repeat(1 << 20)}"}`), 413);
    const preflight = await fetch(url, { method: "OPTIONS", headers: { origin: server.url } });
    assert.equal(preflight.headers.get("access-control-allow-origin"), null);
  });

  it("opened wider it needs a token, and asks for it", async (context) => {
    const models = [scriptedModel("teacher", () => "x")];
    await assert.rejects(
      startServer({ models, host: "0.0.0.0" }),
      (error: unknown) => error instanceof KitError && error.message.includes("IFT_KIT_SERVE_TOKEN"),
    );
    await assert.rejects(startServer({ models, host: "0.0.0.0", token: "short" }), KitError);
    const token = "a token of some length";
    const { server, client } = await served(context, () => "x", {
      host: "0.0.0.0",
      token: token.replaceAll(" ", "-"),
    });
    const local = server.url.replace("0.0.0.0", "127.0.0.1");
    assert.equal(await statusOf(`${local}/v1/models`, {}), 401);
    assert.equal(await statusOf(`${local}/metrics`, { authorization: "Bearer wrong" }), 401);
    assert.equal(await statusOf(`${local}/health`, {}), 200);
    assert.equal(await statusOf(`${local}/`, {}), 200);
    client.baseURL = `${local}/v1`;
    assert.equal((await client.models.list()).data.length, 1);
  });

  it("two models of one name, and a port that is taken, are said in one line", async (context) => {
    const model = scriptedModel("teacher", () => "x");
    await assert.rejects(startServer({ models: [model, model] }), /two models are called "teacher"/);
    const { server } = await served(context, () => "x");
    const port = Number(new URL(server.url).port);
    await assert.rejects(startServer({ models: [model], port }), /port \d+ of 127\.0\.0\.1 is taken/);
  });
});
