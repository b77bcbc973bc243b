import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import OpenAI, { APIError, BadRequestError } from "openai";
import { tf } from "../../src/engine/tensorflow.js";
import { startEngine } from "../../src/engine/start.js";
import { loadBase } from "../../src/evaluate/base-checkpoint.js";
import { generate } from "../../src/evaluate/generate.js";
import type { LoadedModel } from "../../src/evaluate/model-folder.js";
import { encodePromptText } from "../../src/evaluate/requests.js";
import { scoreTargets } from "../../src/evaluate/score.js";
import type { Decoder } from "../../src/model/decoder.js";
import { kitModel } from "../../src/serve/kit-model.js";
import type { ServedModel } from "../../src/serve/served-model.js";
import { type RunningServer, startServer } from "../../src/serve/server.js";

const PROMPT = "On Monday at noon Nora";

describe("serve: the shipped decoder, with the official client", () => {
  let server: RunningServer;
  let served: ServedModel;
  let client: OpenAI;
  let base: LoadedModel<Decoder>;

  before(async () => {
    await startEngine();
    base = await loadBase("decoder");
    served = await kitModel("decoder", { id: "decoder", slots: 4, queue: 2 });
    server = await startServer({ models: [served] });
    client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none", maxRetries: 0 });
  });
  after(async () => {
    await server.close();
    base.decoder.dispose();
  });

  /** What `generate` answers, without a server. */
  async function answerOf(temperature: number, seed: number, maxNewTokens: number): Promise<string> {
    const { decoder, tokenizer } = base;
    const [answer] = await generate(decoder, [encodePromptText(PROMPT, tokenizer, {})], {
      maxNewTokens,
      batchSize: 1,
      eos: tokenizer.special.eos,
      compile: false,
      ...(temperature === 0 ? {} : { sampling: { temperature, seed } }),
    });
    return tokenizer.decode(answer?.ids ?? []);
  }

  it("answers as generate does: greedy, and drawn from the seed of the request", async () => {
    const ask = { model: "decoder", prompt: PROMPT, max_tokens: 20 };
    const greedy = await client.completions.create({ ...ask, temperature: 0 });
    assert.equal(greedy.choices[0]?.text, await answerOf(0, 0, 20));
    const texts: string[] = [];
    for (const seed of [1, 2]) {
      const drawn = await client.completions.create({ ...ask, seed });
      assert.equal(drawn.choices[0]?.text, await answerOf(1, seed, 20));
      texts.push(drawn.choices[0].text);
    }
    assert.notEqual(texts[0], texts[1]);
    const both = await client.completions.create({ ...ask, seed: 1, n: 2 });
    assert.equal(both.choices[0]?.text, texts[0]);
    assert.notEqual(both.choices[1]?.text, texts[0], "each choice draws from numbers of its own");
  });

  it("a stream is the whole answer in pieces, with the same log-probabilities", async () => {
    const ask = {
      model: "decoder",
      prompt: PROMPT,
      max_tokens: 24,
      temperature: 0,
      logprobs: 3,
      stop: ["."],
    };
    const whole = await client.completions.create(ask);
    const [choice] = whole.choices;
    let text = "";
    const tokens: string[] = [];
    const logprobs: number[] = [];
    const offsets: number[] = [];
    for await (const { choices } of await client.completions.create({ ...ask, stream: true })) {
      text += choices[0]?.text ?? "";
      tokens.push(...(choices[0]?.logprobs?.tokens ?? []));
      logprobs.push(...(choices[0]?.logprobs?.token_logprobs ?? []));
      offsets.push(...(choices[0]?.logprobs?.text_offset ?? []));
    }
    assert.equal(text, choice?.text);
    assert.ok(!text.includes("."), "the stop text is not in it");
    assert.deepEqual(tokens, choice?.logprobs?.tokens);
    assert.deepEqual(logprobs, choice?.logprobs?.token_logprobs);
    assert.deepEqual(offsets, choice?.logprobs?.text_offset);
    assert.equal(tokens.join(""), text);
    for (const [index, offset] of offsets.entries())
      assert.ok(text.slice(offset).startsWith(tokens[index] ?? "?"));
  });

  it("log-probabilities are those that the scorer gives the same answer", async () => {
    const own: object = { template: "continue", seed: 3 };
    const chat = await client.chat.completions.create({
      model: "decoder",
      messages: [{ role: "user", content: PROMPT }],
      max_completion_tokens: 12,
      temperature: 0.7,
      logprobs: true,
      top_logprobs: 4,
      ...own,
    });
    const content = chat.choices[0]?.logprobs?.content ?? [];
    const { decoder, tokenizer } = base;
    const prompt = encodePromptText(PROMPT, tokenizer, {});
    const target = tokenizer.encode(content.map(({ token }) => token).join("")).ids;
    assert.equal(target.length, content.length, "the text must have the tokens that were drawn");
    const [score] = await scoreTargets(decoder, [{ prompt, target }], { batchTokens: 512, compile: false });
    content.forEach(({ logprob, top_logprobs: top }, index) => {
      assert.ok(Math.abs(logprob - (score?.tokenLogprobs[index] ?? 0)) < 1e-3);
      assert.equal(top.length, 4);
      assert.ok(top.every((other, place) => place === 0 || other.logprob <= (top[place - 1]?.logprob ?? 0)));
    });
    assert.deepEqual(content[0]?.bytes, [...Buffer.from(content[0]?.token ?? "")]);
  });

  it("prompts as lists, as tokens, and with echo", async () => {
    const ask = { model: "decoder", max_tokens: 8, temperature: 0 };
    const one = await client.completions.create({ ...ask, prompt: PROMPT });
    const ids = encodePromptText(PROMPT, base.tokenizer, {});
    const many = await client.completions.create({ ...ask, prompt: [ids, ids], echo: false });
    assert.deepEqual(
      many.choices.map(({ text }) => text),
      [one.choices[0]?.text, one.choices[0]?.text],
    );
    assert.equal(many.usage?.prompt_tokens, 2 * ids.length);
    const echoed = await client.completions.create({ ...ask, prompt: PROMPT, echo: true });
    assert.equal(echoed.choices[0]?.text, `${PROMPT}${one.choices[0]?.text ?? ""}`);
  });

  it("presence and frequency penalties are taken from the logits of what was said, as OpenAI defines them", async () => {
    const prompt = encodePromptText(PROMPT, base.tokenizer, {});
    const ask = { model: "decoder", prompt: [...prompt], max_tokens: 60, temperature: 0 };
    /** Token by token from the model's own log-probabilities, which differ from logits by a number for all. */
    const expected = (presence: number, frequency: number): string => {
      const ids: number[] = [];
      while (ids.length < 60) {
        const input = tf.tensor2d([[...prompt, ...ids]], undefined, "int32");
        const logits = tf.tidy(() => {
          const hidden = base.decoder.hiddenStates({ ids: input });
          const last = tf.slice(hidden, [0, prompt.length + ids.length - 1, 0], [1, 1, -1]);
          return base.decoder.logits(tf.reshape(last, [1, -1]));
        });
        const values = [...logits.dataSync()];
        tf.dispose([input, logits]);
        const counted = values.map((value, id) => {
          const count = ids.filter((other) => other === id).length;
          return value - count * frequency - (count > 0 ? presence : 0);
        });
        const best = counted.indexOf(Math.max(...counted));
        if (best === base.tokenizer.special.eos) break;
        ids.push(best);
      }
      return base.tokenizer.decode(ids);
    };
    const texts: string[] = [];
    for (const [presence, frequency] of [
      [0, 0],
      [2, 0],
      [2, 2],
      [-1, 0.25],
    ] as const) {
      const penalties = { presence_penalty: presence, frequency_penalty: frequency };
      const { choices } = await client.completions.create({ ...ask, ...penalties });
      assert.equal(choices[0]?.text, expected(presence, frequency), JSON.stringify(penalties));
      texts.push(choices[0].text);
    }
    assert.ok(new Set(texts).size >= 2, "negative control: they change the answer");
  });

  /** The scorer's log-probabilities of the tokens behind the first `given`. */
  async function scoresOf(ids: readonly number[], given: number): Promise<readonly number[]> {
    const request = { prompt: ids.slice(0, given), target: ids.slice(given) };
    const [score] = await scoreTargets(base.decoder, [request], { batchTokens: 512, compile: false });
    return score?.tokenLogprobs ?? [];
  }

  it("echo with logprobs: the prompt's tokens as the scorer scores them, the first without", async () => {
    const text = "Nora found a red plum in café Łódź.";
    const ids = encodePromptText(text, base.tokenizer, {});
    const expected = await scoresOf(ids, 1);
    const { choices, usage } = await client.completions.create({
      model: "decoder",
      prompt: text,
      echo: true,
      max_tokens: 0,
      logprobs: 5,
    });
    const [choice] = choices;
    assert.equal(choice?.text, text);
    assert.equal(choice.finish_reason, "length");
    assert.deepEqual([usage?.prompt_tokens, usage?.completion_tokens], [ids.length, 0]);
    const found = choice.logprobs ?? assert.fail();
    // The BOS that the server puts before a text is not told.
    assert.equal(found.tokens?.length, ids.length - 1);
    assert.deepEqual([found.token_logprobs?.[0], found.top_logprobs?.[0]], [null, null]);
    found.token_logprobs?.slice(1).forEach((logprob, index) => {
      assert.ok(Math.abs(logprob - (expected[index + 1] ?? 0)) < 1e-4, `token ${index}`);
      const top = Object.values(found.top_logprobs?.[index + 1] ?? {});
      assert.ok(top.length >= 4 && Math.max(...top) >= logprob && top.includes(logprob));
    });
    const wrong = (expected[1] ?? 0) - (expected[2] ?? 0);
    assert.ok(Math.abs(wrong) > 1e-3, "negative control: neighbours have other scores");
    found.text_offset?.forEach((offset, index) => {
      const token = found.tokens?.[index] ?? "";
      if (!token.includes("\uFFFD") && offset < text.indexOf("é"))
        assert.ok(text.slice(offset).startsWith(token), token);
    });
  });

  it("as lm-evaluation-harness asks: lists of tokens, one more token generated, slices by numbers of tokens", async () => {
    const pairs = [
      ["On Monday at noon Nora", " found a red plum."],
      ["The name of the", " fruit"],
    ] as const;
    const rows = pairs.map(([context, continuation]) => {
      const given = encodePromptText(context, base.tokenizer, {});
      return { given: given.length, ids: [...given, ...base.tokenizer.encode(continuation).ids] };
    });
    const ask = { model: "decoder", max_tokens: 1, temperature: 0, logprobs: 1, seed: 1234, echo: true };
    const { choices } = await client.completions.create({ ...ask, prompt: rows.map(({ ids }) => [...ids]) });
    for (const [index, { given, ids }] of rows.entries()) {
      const found = choices[index]?.logprobs ?? assert.fail();
      const logprobs = found.token_logprobs ?? [];
      assert.equal(logprobs.length, ids.length + 1);
      const expected = await scoresOf(ids, given);
      const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);
      assert.ok(Math.abs(sum(logprobs.slice(given, -1)) - sum(expected)) < 1e-3);
      // Whether the continuation is what would be said greedily, as the harness decides it.
      const isGreedy = logprobs
        .slice(given, -1)
        .every(
          (logprob, place) =>
            logprob === Math.max(...Object.values(found.top_logprobs?.[given + place] ?? {})),
        );
      const [said] = await generate(base.decoder, [ids.slice(0, given)], {
        maxNewTokens: ids.length - given,
        batchSize: 1,
        eos: base.tokenizer.special.eos,
        compile: false,
      });
      assert.equal(isGreedy, JSON.stringify(said?.ids) === JSON.stringify(ids.slice(given)));
    }
  });

  it("echo with logprobs: the end token is told, so that slices by numbers of tokens are right", async () => {
    const { tokenizer } = base;
    const ask = { model: "decoder", temperature: 0, logprobs: 1, echo: true };
    // Where the model ends: the greedy answer goes before, and the end alone is left.
    const prompt = encodePromptText(" Write the fruit.\n Nora found a red plum.\n", tokenizer, {});
    const [answer] = await generate(base.decoder, [prompt], {
      maxNewTokens: 200,
      batchSize: 1,
      eos: tokenizer.special.eos,
      compile: false,
    });
    assert.equal(answer?.ending, "eos");
    const ids = [...prompt, ...answer.ids];
    const { choices } = await client.completions.create({ ...ask, prompt: ids, max_tokens: 1 });
    assert.equal(choices[0]?.finish_reason, "stop");
    assert.equal(choices[0].logprobs?.token_logprobs?.length, ids.length + 1);
    const stream = await client.completions.create({ ...ask, prompt: ids, max_tokens: 1, stream: true });
    const streamed: (number | null)[] = [];
    let text = "";
    for await (const { choices: parts } of stream) {
      streamed.push(...(parts[0]?.logprobs?.token_logprobs ?? []));
      text += parts[0]?.text ?? "";
    }
    assert.deepEqual(streamed, choices[0].logprobs.token_logprobs);
    assert.equal(text, choices[0].text);
    const plain = await client.completions.create({ ...ask, prompt: ids, max_tokens: 1, echo: false });
    assert.equal(plain.choices[0]?.logprobs?.tokens?.length, 0, "without echo an answer has no end token");
  });

  it("what does not fit is refused with its code; so are messages that a template would drop", async () => {
    const refused = async (body: object, code: string | null, message: RegExp): Promise<void> => {
      const ask = { model: "decoder", messages: [{ role: "user" as const, content: "hello" }] };
      await assert.rejects(client.chat.completions.create({ ...ask, ...body }), (error: unknown) => {
        assert.ok(error instanceof BadRequestError, String(error));
        assert.equal(error.code, code);
        assert.match(error.message, message);
        return true;
      });
    };
    await refused(
      { max_tokens: 300 },
      "context_length_exceeded",
      /an answer of 300 does not fit the context of 256/,
    );
    const long = [{ role: "user", content: "red plum ".repeat(200) }];
    await refused({ messages: long }, "context_length_exceeded", /does not fit/);
    const turns = ["user", "assistant", "user"].map((role) => ({ role, content: "hello" }));
    await refused({ messages: turns }, null, /shows single rows/);
    await refused({ messages: turns.slice(0, 2) }, null, /the last is the user's/);
    await refused({ template: "/etc/passwd.json" }, null, /has no template/);
    const shown = await client.post<{ text: string }>("/prompt", {
      body: { model: "decoder", messages: turns, template: "chatml" },
    });
    assert.equal(shown.text.match(/hello/g)?.length, 3);
  });

  it("a full queue says when to come again; the client's own patience is enough", async () => {
    const ask = { model: "decoder", prompt: PROMPT, max_tokens: 30, temperature: 0 };
    const all = await Promise.allSettled(
      Array.from({ length: 12 }, () => client.completions.create(ask).asResponse()),
    );
    const busy = all.flatMap((each) => (each.status === "rejected" ? [each.reason as unknown] : []));
    assert.ok(busy.length > 0, "six places are fewer than twelve requests");
    for (const error of busy) {
      assert.ok(error instanceof APIError && error.status === 429);
      assert.equal((error.headers as Headers).get("retry-after"), "1");
    }
    const patient = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none", maxRetries: 10 });
    const texts = await Promise.all(Array.from({ length: 12 }, () => patient.completions.create(ask)));
    assert.equal(new Set(texts.map(({ choices }) => choices[0]?.text)).size, 1);
  });

  it("a client that goes away gives its slot free, in a stream and before it", async () => {
    const ask = {
      model: "decoder",
      prompt: PROMPT,
      max_tokens: 240,
      temperature: 1,
      seed: 5,
      logit_bias: {},
    };
    const stream = await client.completions.create({ ...ask, stream: true });
    for await (const { choices } of stream) if (choices.length > 0) break;
    const controller = new AbortController();
    const whole = client.completions.create(ask, { signal: controller.signal });
    while (served.load.active === 0) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    await assert.rejects(whole);
    while (served.load.active > 0) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(served.load, { waiting: 0, active: 0, room: 6 });
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    assert.match(metrics, /ift_kit_requests_total\{model="decoder",outcome="cancelled"\} [12]/);
    assert.match(metrics, /ift_kit_active_slots\{model="decoder"\} 0/);
    assert.match(metrics, /ift_kit_first_token_seconds_count\{model="decoder"\} \d+/);
    assert.match(metrics, /ift_kit_tokens_total\{model="decoder",kind="completion"\} \d+/);
  });
});
