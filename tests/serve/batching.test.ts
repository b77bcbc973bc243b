import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { startEngine } from "../../src/engine/start.js";
import { generate } from "../../src/evaluate/generate.js";
import { GrowingAnswer } from "../../src/evaluate/growing-answer.js";
import { DecodingLoop } from "../../src/serve/decoding/loop.js";
import { tokenLogprobs } from "../../src/serve/decoding/token-logprobs.js";
import { CompiledSlots, type Move, SingleSlots, type Slots } from "../../src/serve/decoding/slots.js";
import { WrittenAnswer } from "../../src/serve/decoding/written-answer.js";
import { Problem } from "../../src/serve/problem.js";
import type { CompletionEvent } from "../../src/serve/served-model.js";
import { CompiledDecoder } from "../../src/model/compiled/compiled-decoder.js";
import type { DecoderConfig } from "../../src/model/config.js";
import type { Decoder } from "../../src/model/decoder.js";
import { T5 } from "../../src/model/t5/t5.js";
import { encodePromptText } from "../../src/evaluate/requests.js";
import { serveLoaded } from "../../src/serve/kit-model.js";
import { Random } from "../../src/support/random.js";
import { CharacterTokenizer } from "../../src/tokenizer/character.js";
import { FAMILIES, largeDecoder, LLAMA, T5_SMALL } from "../model/models.js";

const TOKENIZER = CharacterTokenizer.fromTexts(["abcdefghijklmnopqrstuvwxyz "]);
const SHAPE: Partial<DecoderConfig> = { contextLength: 80, vocabularySize: TOKENIZER.vocabularySize };
/** An id that no model has, so that answers are long. */
const NEVER = 1000;

/** What one request of the test asks for. */
interface Request {
  readonly prompt: readonly number[];
  readonly maxNewTokens: number;
  readonly temperature: number;
  readonly seed: number;
}

const REQUESTS: readonly Request[] = (() => {
  const random = new Random(3);
  const { vocabularySize } = TOKENIZER;
  return Array.from({ length: 24 }, (_, index) => ({
    prompt: Array.from({ length: 1 + random.integer(40) }, () => random.integer(vocabularySize)),
    maxNewTokens: 1 + random.integer(35),
    temperature: index % 3 === 0 ? 0 : 0.8,
    seed: random.integer(1000),
  }));
})();

before(() => startEngine());

function optionsOf({ maxNewTokens, temperature, seed }: Request) {
  return { maxNewTokens, eos: NEVER, ...(temperature === 0 ? {} : { sampling: { temperature, seed } }) };
}

function written(
  decoder: Decoder,
  request: Request,
  topLogprobs?: number,
  signal?: AbortSignal,
): WrittenAnswer {
  const answer = new GrowingAnswer(decoder, request.prompt, 0, optionsOf(request));
  return new WrittenAnswer(answer, TOKENIZER, {
    stop: [],
    topLogprobs,
    signal: signal ?? new AbortController().signal,
  });
}

async function eventsOf({ events }: WrittenAnswer): Promise<CompletionEvent[]> {
  const all: CompletionEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

async function textOf(answer: WrittenAnswer): Promise<string> {
  return (await eventsOf(answer)).map((event) => (event.kind === "piece" ? event.text : "")).join("");
}

/** The answers that `generate` gives each request alone. */
async function alone(decoder: Decoder): Promise<string[]> {
  const texts: string[] = [];
  for (const request of REQUESTS) {
    const [answer] = await generate(decoder, [request.prompt], {
      ...optionsOf(request),
      batchSize: 1,
      compile: false,
    });
    texts.push(TOKENIZER.decode(answer?.ids ?? []));
  }
  return texts;
}

/** The answers in one loop: requests come at different times, in an order of their own, and some go away. */
async function together(decoder: Decoder, slots: Slots, seed: number): Promise<string[]> {
  const loop = new DecodingLoop("model", slots, { slots: 7, queue: 100 });
  const random = new Random(seed);
  const texts: Promise<string>[] = [];
  for (const index of random.shuffled([...REQUESTS.keys()])) {
    const request = REQUESTS[index];
    if (request === undefined) continue;
    if (random.next() < 0.3) {
      const leaving = new AbortController();
      const gone = written(decoder, { ...request, maxNewTokens: 30 }, undefined, leaving.signal);
      loop.add(gone);
      const rejected = assert.rejects(textOf(gone));
      setImmediate(() => setImmediate(() => leaving.abort(new Error("gone"))));
      await rejected;
    }
    const answer = written(decoder, request);
    loop.add(answer);
    texts[index] = textOf(answer);
    for (let turn = random.integer(6); turn > 0; turn--)
      await new Promise((resolve) => setImmediate(resolve));
  }
  const all = await Promise.all(texts);
  assert.deepEqual(loop.load, { waiting: 0, active: 0, room: 107 });
  await loop.close();
  return all;
}

async function compiledSlots(decoder: Decoder): Promise<CompiledSlots> {
  const compiled = CompiledDecoder.of(decoder);
  await compiled.acquireCache();
  return new CompiledSlots(compiled, decoder.config.contextLength);
}

/** A batch with a defect: it forgets that rows have lengths of their own. */
class ForgetfulSlots extends CompiledSlots {
  override read(moves: readonly Move[], following: "next" | "logits"): ReturnType<CompiledSlots["read"]> {
    const longest = Math.max(...moves.map(({ seat }) => seat.length));
    for (const { seat } of moves) seat.length = longest;
    return super.read(moves, following);
  }
}

describe("continuous batching", () => {
  for (const [family, config] of Object.entries(FAMILIES)) {
    it(`${family}: an answer is what it is alone, whoever joins and leaves`, async () => {
      const decoder = largeDecoder({ ...config, ...SHAPE, tiedHead: false });
      const wanted = await alone(decoder);
      assert.ok(
        new Set(wanted).size > 20,
        "the requests must get different answers, or the test could not fail",
      );
      const slots = await compiledSlots(decoder);
      for (const seed of [1, 2]) assert.deepEqual(await together(decoder, slots, seed), wanted);
      decoder.dispose();
    });
  }

  it("answers that are read one by one are the same too", async () => {
    const decoder = largeDecoder({ ...LLAMA, ...SHAPE });
    assert.deepEqual(await together(decoder, new SingleSlots(decoder), 1), await alone(decoder));
    decoder.dispose();
  });

  it("a T5, of which each answer is read alone, answers as generate does", async () => {
    const decoder = T5.create({ ...T5_SMALL, vocabularySize: TOKENIZER.vocabularySize }, 3);
    const prompts = ["plum", "a pear"];
    const options = { maxNewTokens: 12, batchSize: 1, eos: TOKENIZER.special.eos };
    const ids = prompts.map((prompt) => encodePromptText(prompt, TOKENIZER, {}));
    const wanted = await generate(decoder, ids, options);
    const model = await serveLoaded({ decoder, tokenizer: TOKENIZER }, "/nowhere", { id: "t5" });
    const request = { maxTokens: 12, temperature: 0, seed: 1, choice: 0, stop: [] };
    const answers = prompts.map(async (text) => {
      const prompt = { kind: "text", text } as const;
      let answer = "";
      for await (const event of model.complete({ ...request, prompt }, new AbortController().signal))
        if (event.kind === "piece") answer += event.text;
      return answer;
    });
    assert.deepEqual(
      await Promise.all(answers),
      wanted.map((answer) => TOKENIZER.decode(answer.ids)),
    );
    await model.close();
  });

  it("control: a batch that mixes up its rows gives other answers", async () => {
    const decoder = largeDecoder({ ...LLAMA, ...SHAPE });
    const compiled = CompiledDecoder.of(decoder);
    await compiled.acquireCache();
    const slots = new ForgetfulSlots(compiled, 80);
    const loop = new DecodingLoop("model", slots, { slots: 4, queue: 10 });
    const answers = REQUESTS.slice(0, 4).map((request) => written(decoder, { ...request, maxNewTokens: 12 }));
    for (const answer of answers) loop.add(answer);
    const texts = await Promise.all(answers.map(textOf));
    const wanted = (await alone(decoder)).map((text) => text.slice(0, 12));
    assert.ok(
      texts.some((text, index) => !wanted[index]?.startsWith(text) && !text.startsWith(wanted[index] ?? "")),
    );
    decoder.dispose();
  });

  it("a request joins while another is answered, and ends before it", async () => {
    const decoder = largeDecoder({ ...LLAMA, ...SHAPE });
    const loop = new DecodingLoop("model", await compiledSlots(decoder), { slots: 2, queue: 10 });
    const order: string[] = [];
    const ask = async (name: string, maxNewTokens: number): Promise<void> => {
      const answer = written(decoder, { prompt: [1, 2, 3], maxNewTokens, temperature: 0, seed: 1 });
      loop.add(answer);
      for await (const event of answer.events) order.push(`${name} ${event.kind}`);
    };
    const long = ask("long", 40);
    while (order.length < 5) await new Promise((resolve) => setImmediate(resolve));
    await ask("short", 3);
    assert.ok(!order.includes("long end"), "the short one must not wait for the long one");
    assert.equal(order.filter((line) => line === "short piece").length, 3);
    await long;
    assert.equal(order.at(-1), "long end");
    decoder.dispose();
  });

  it("the queue has an end, and a client that goes away gives its slot and its place free", async () => {
    const decoder = largeDecoder({ ...LLAMA, ...SHAPE });
    const loop = new DecodingLoop("model", await compiledSlots(decoder), { slots: 1, queue: 1 });
    const request = { prompt: [1, 2], maxNewTokens: 60, temperature: 0, seed: 1 };
    const leaving = [new AbortController(), new AbortController()];
    const answers = leaving.map(({ signal }) => written(decoder, request, undefined, signal));
    for (const answer of answers) loop.add(answer);
    const ends = answers.map((answer) => assert.rejects(eventsOf(answer), /gone/));
    while (loop.load.active === 0) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(loop.load, { waiting: 1, active: 1, room: 0 });
    assert.throws(
      () => loop.add(written(decoder, request)),
      (error: unknown) => error instanceof Problem && error.details.status === 429,
    );
    leaving[1]?.abort(new Error("gone"));
    assert.deepEqual(loop.load, { waiting: 0, active: 1, room: 1 }, "a place in the queue is free at once");
    leaving[0]?.abort(new Error("gone"));
    const next = written(decoder, { ...request, maxNewTokens: 2 });
    loop.add(next);
    assert.equal((await textOf(next)).length, 2);
    await Promise.all(ends);
    assert.deepEqual(loop.load, { waiting: 0, active: 0, room: 2 });
    decoder.dispose();
  });

  it("log-probabilities are those of a softmax, best first, and sum to at most one", () => {
    const logits = Float32Array.of(1, 3, 2, 3, -1);
    const { chosen, top } = tokenLogprobs(logits, 2, 3);
    const sum = [...logits].reduce((all, value) => all + Math.exp(value), 0);
    assert.deepEqual(
      top.map(({ id }) => id),
      [1, 3, 2],
    );
    for (const { id, logprob } of top)
      assert.ok(Math.abs(logprob - Math.log(Math.exp(logits[id] ?? 0) / sum)) < 1e-6);
    assert.ok(Math.abs(chosen - (top[2]?.logprob ?? 0)) < 1e-12);
    assert.deepEqual(tokenLogprobs(logits, 0, 0).top, []);
  });
});
