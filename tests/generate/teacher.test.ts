import assert from "node:assert/strict";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { Asker, RunStopped, type StopReason, waitBefore } from "../../src/generate/teacher/asker.js";
import { Spending } from "../../src/generate/teacher/budget.js";
import { openAiTeacher, retryAfter } from "../../src/generate/teacher/openai-teacher.js";
import { type Clock, RateLimiter, type RateLimits } from "../../src/generate/teacher/rate-limit.js";
import { ReplyStore, requestKey } from "../../src/generate/teacher/reply-store.js";
import { keyFromEnvironment, secretRemover } from "../../src/generate/teacher/secret.js";
import {
  type Teacher,
  TeacherFault,
  type TeacherReply,
  type TeacherRequest,
} from "../../src/generate/teacher/teacher.js";
import { KitError } from "../../src/support/errors.js";
import { Random } from "../../src/support/random.js";
import { temporaryFolder } from "../data/fixtures.js";
import { completion, type MadeUpAnswer, madeUpEndpoint } from "./endpoint.js";

const NEVER = new AbortController().signal;
const KEY = "sk-canary/4711+secret=";

function question(content: string, more: Partial<TeacherRequest> = {}): TeacherRequest {
  return { messages: [{ role: "user", content }], maxTokens: 50, temperature: 0, seed: 0, ...more };
}

/** A clock on which sleeping takes no time. */
class MadeUpClock implements Clock {
  time = 0;
  readonly slept: number[] = [];
  now(): number {
    return this.time;
  }
  async sleep(milliseconds: number): Promise<void> {
    this.slept.push(milliseconds);
    // Whoever is awake goes on before time passes.
    await new Promise((resolve) => setImmediate(resolve));
    this.time += milliseconds;
  }
}

interface AskerSettings {
  readonly concurrency?: number;
  readonly limits?: RateLimits;
  readonly retries?: number;
  readonly signal?: AbortSignal;
}

function askerOf(context: TestContext, teacher: Teacher, settings: AskerSettings = {}) {
  const clock = new MadeUpClock();
  const store = new ReplyStore(join(temporaryFolder(context), "replies.jsonl"));
  context.after(() => store.close());
  const { concurrency = 4, limits = {}, retries = 5, signal = NEVER } = settings;
  const asker = new Asker({
    teacher,
    store,
    spending: new Spending({}, undefined, store.paid),
    limiter: new RateLimiter(limits, clock),
    concurrency,
    clock,
    signal,
    retry: { retries, firstWait: 500, longestWait: 8000 },
  });
  return { asker, clock, store };
}

async function stopOf(asked: Promise<unknown>): Promise<StopReason> {
  try {
    await asked;
  } catch (error) {
    assert.ok(error instanceof RunStopped, String(error));
    return error.reason;
  }
  return assert.fail("it was not stopped");
}

/** What a teacher behind a made-up endpoint does with one question. */
async function askOnce(context: TestContext, answer: MadeUpAnswer): Promise<TeacherReply | TeacherFault> {
  const { url } = await madeUpEndpoint(context, () => answer);
  try {
    return await openAiTeacher({ endpoint: url, model: "m", key: KEY }).ask(question("q"), NEVER);
  } catch (error) {
    assert.ok(error instanceof TeacherFault, String(error));
    return error;
  }
}

describe("generate: the endpoint", () => {
  it("replies of all kinds come with their ending and their tokens", async (context) => {
    const good = { promptTokens: 7, answerTokens: 5 };
    const cases: [MadeUpAnswer, Partial<TeacherReply>][] = [
      [{ body: completion("a plum") }, { text: "a plum", ending: "stop", ...good }],
      [{ body: completion("a pl", { finish: "length" }) }, { text: "a pl", ending: "length", ...good }],
      [{ body: completion("", { finish: "content_filter" }) }, { ending: "refused" }],
      [{ body: completion("", { refusal: "I will not" }) }, { text: "I will not", ending: "refused" }],
      [
        { status: 400, body: { error: { message: "too long" } } },
        { ending: "not-taken", promptTokens: 0 },
      ],
      [{ status: 400, body: { error: { message: "no", code: "content_filter" } } }, { ending: "refused" }],
      [
        { body: { choices: [{ message: { content: null } }] } },
        { text: "", ending: "stop", estimated: true },
      ],
    ];
    for (const [answer, expected] of cases) {
      const reply = await askOnce(context, answer);
      assert.ok(!(reply instanceof TeacherFault));
      assert.deepEqual({ ...reply, ...expected }, reply);
    }
  });

  it("faults are told apart: those that may pass, with the wait that is asked for, and those that do not", async (context) => {
    const cases: [MadeUpAnswer, boolean, number?][] = [
      [{ status: 429, headers: { "retry-after": "3" }, body: {} }, true, 3000],
      [{ status: 429, headers: { "retry-after-ms": "150" }, body: {} }, true, 150],
      [{ status: 429, body: { error: { code: "insufficient_quota", message: "spent" } } }, false],
      [{ status: 503, body: "<html>busy</html>" }, true],
      [{ status: 401, body: { error: { message: `Incorrect API key provided: ${KEY}` } } }, false],
      [{ status: 404, body: { error: { message: "no such model" } } }, false],
      [{ body: "this is not JSON" }, true],
      [{ body: { hello: "world" } }, true],
      [{ body: { choices: [] } }, true],
      [{ body: completion("half of"), breaks: true }, true],
    ];
    for (const [answer, passing, wait] of cases) {
      const fault = await askOnce(context, answer);
      assert.ok(fault instanceof TeacherFault, JSON.stringify(answer));
      assert.equal(fault.passing, passing, fault.message);
      assert.equal(fault.waitMilliseconds, wait);
      assert.ok(!fault.message.includes("canary") && fault.cause === undefined, fault.message);
    }
  });

  it("Retry-After as seconds, as a date, and as nonsense", () => {
    const now = Date.parse("2026-01-01T00:00:00Z");
    const of = (name: string, value: string): number | undefined =>
      retryAfter(new Headers({ [name]: value }), now);
    assert.equal(of("retry-after", "2"), 2000);
    assert.equal(of("retry-after", "Thu, 01 Jan 2026 00:00:07 GMT"), 7000);
    assert.equal(of("retry-after", "Thu, 01 Jan 2025 00:00:07 GMT"), 0);
    assert.equal(of("retry-after", "soon"), undefined);
    assert.equal(retryAfter(undefined), undefined);
  });

  it("an address with a secret in it is refused and not repeated", () => {
    for (const endpoint of [
      "http://u:canary@host/v1",
      "http://host/v1?key=canary",
      "file:///canary",
      "canary",
    ]) {
      assert.throws(
        () => openAiTeacher({ endpoint, model: "m" }),
        (error: unknown) => error instanceof KitError && !error.message.includes("canary"),
      );
    }
  });
});

describe("generate: asking", () => {
  it("asks again with growing waits, heeds Retry-After, and counts", async (context) => {
    let calls = 0;
    const teacher: Teacher = {
      name: "t",
      ask: () => {
        calls++;
        if (calls <= 3)
          throw new TeacherFault("busy", {
            passing: true,
            ...(calls === 3 ? { waitMilliseconds: 20_000 } : {}),
          });
        return Promise.resolve({ text: "yes", ending: "stop", promptTokens: 1, answerTokens: 1 });
      },
    };
    const { asker, clock } = askerOf(context, teacher);
    const [reply] = await asker.askAll([question("q")]);
    assert.equal(reply?.text, "yes");
    assert.deepEqual([asker.counts.sent, asker.counts.retries, asker.counts.answered], [4, 3, 1]);
    const [first = 0, second = 0, third = 0] = clock.slept;
    assert.ok(first >= 250 && first <= 500 && second >= 500 && second <= 1000, `${first} ${second}`);
    assert.equal(third, 20_000);
    assert.ok(
      waitBefore(40, { waitMilliseconds: undefined }, { retries: 50, firstWait: 500, longestWait: 8000 }) <=
        8000,
    );
  });

  it("gives up after the last retry, or at once where that is of no use; other answers are kept", async (context) => {
    const failing = (passing: boolean): Teacher => ({
      name: "t",
      ask: ({ messages }) => {
        if (messages[0]?.content === "bad") throw new TeacherFault("it broke", { passing });
        return Promise.resolve({ text: "ok", ending: "stop", promptTokens: 1, answerTokens: 1 });
      },
    });
    for (const [passing, sent] of [
      [true, 3],
      [false, 1],
    ] as const) {
      const { asker, store } = askerOf(context, failing(passing), { retries: 2 });
      const reason = await stopOf(asker.askAll([question("good"), question("bad")]));
      assert.deepEqual(reason, { kind: "teacher", problem: "it broke" });
      assert.equal(asker.counts.sent, sent + 1);
      assert.equal(store.size, 1);
    }
  });

  it("equal questions are asked once, different seeds are different questions", async (context) => {
    let calls = 0;
    const teacher: Teacher = {
      name: "t",
      ask: async () => {
        await new Promise((resolve) => setImmediate(resolve));
        return { text: String(calls++), ending: "stop", promptTokens: 1, answerTokens: 1 };
      },
    };
    const { asker } = askerOf(context, teacher);
    const replies = await asker.askAll([
      question("q"),
      question("q"),
      question("q", { seed: 1 }),
      question("q"),
    ]);
    assert.deepEqual(
      replies.map(({ text }) => text),
      ["0", "0", "1", "0"],
    );
    assert.notEqual(requestKey("t", question("q")), requestKey("u", question("q")));
  });

  it("never more at the same time than the concurrency allows, and as many", async (context) => {
    let [active, most] = [0, 0];
    const teacher: Teacher = {
      name: "t",
      ask: async () => {
        most = Math.max(most, ++active);
        await new Promise((resolve) => setTimeout(resolve, 2));
        active--;
        return { text: "", ending: "stop", promptTokens: 1, answerTokens: 1 };
      },
    };
    const { asker } = askerOf(context, teacher, { concurrency: 3 });
    await asker.askAll(Array.from({ length: 20 }, (_, index) => question(`q${index}`)));
    assert.equal(most, 3);
  });

  it("an interrupt waits for the answers on their way and keeps them", async (context) => {
    const stop = new AbortController();
    const teacher: Teacher = {
      name: "t",
      ask: async () => {
        stop.abort();
        await new Promise((resolve) => setTimeout(resolve, 2));
        return { text: "late", ending: "stop", promptTokens: 1, answerTokens: 1 };
      },
    };
    const { asker, store } = askerOf(context, teacher, { concurrency: 2, signal: stop.signal });
    const reason = await stopOf(asker.askAll(Array.from({ length: 9 }, (_, index) => question(`q${index}`))));
    assert.equal(reason.kind, "interrupted");
    assert.ok(store.size >= 1 && store.size <= 2 && store.size === asker.counts.sent);
  });
});

describe("generate: rate limits", () => {
  /** The times at which so many questions of so many tokens pass. */
  async function passages(limits: RateLimits, count: number, tokens: number): Promise<number[]> {
    const clock = new MadeUpClock();
    const limiter = new RateLimiter(limits, clock);
    const times: number[] = [];
    await Promise.all(
      Array.from({ length: count }, async () => {
        await limiter.enter(tokens, NEVER);
        times.push(clock.now());
      }),
    );
    return times;
  }

  function mostInAMinute(times: readonly number[]): number {
    return Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + 60_000).length));
  }

  it("no minute has more requests or tokens than allowed; without limits all pass at once", async () => {
    assert.equal(mostInAMinute(await passages({ requestsPerMinute: 10 }, 35, 1)), 10);
    assert.equal(mostInAMinute(await passages({ tokensPerMinute: 1000 }, 20, 300)), 3);
    assert.equal(mostInAMinute(await passages({}, 35, 1)), 35);
    const large = await passages({ tokensPerMinute: 100 }, 3, 500);
    assert.deepEqual(large, [0, 60_000, 120_000]);
  });
});

describe("generate: the store of replies", () => {
  const reply: TeacherReply = { text: 'a "plum" – 梅\n', ending: "stop", promptTokens: 3, answerTokens: 4 };

  it("what a kill left of the last line is cut off, at any byte; the rest is whole", (context) => {
    const path = join(temporaryFolder(context), "replies.jsonl");
    const keys = [1, 2, 3].map((number) => requestKey("t", question(`q${number}`)));
    const store = new ReplyStore(path);
    for (const key of keys) store.add(key, reply);
    store.close();
    const whole = readFileSync(path);
    const start = whole.lastIndexOf("\n", whole.length - 2) + 1;
    for (let cut = start; cut < whole.length; cut++) {
      writeFileSync(path, whole.subarray(0, cut));
      const opened = new ReplyStore(path);
      assert.equal(opened.size, 2);
      opened.add(keys[2] ?? "", reply);
      opened.close();
      assert.ok(readFileSync(path).equals(whole));
    }
  });

  it("other damage is an error with its line", (context) => {
    const path = join(temporaryFolder(context), "replies.jsonl");
    const store = new ReplyStore(path);
    store.add(requestKey("t", question("q")), reply);
    store.close();
    appendFileSync(path, '{"key": "no"}\n');
    assert.throws(() => new ReplyStore(path), /replies\.jsonl:2: this is not a reply/);
  });
});

describe("generate: keys", () => {
  it("come from a variable that is named, and an error never repeats what was given", () => {
    assert.equal(keyFromEnvironment("KEY", { KEY: ` ${KEY}\n` }), KEY);
    const wrong: [string, Record<string, string>][] = [
      ["sk-canary", {}],
      ["sk_canary", {}],
      ["KEY", {}],
      ["KEY", { KEY: "two canary\nlines" }],
      ["KEY", { KEY: "canary" }],
    ];
    for (const [name, environment] of wrong) {
      assert.throws(
        () => keyFromEnvironment(name, environment),
        (error: unknown) => error instanceof KitError && !error.message.includes("canary"),
      );
    }
  });

  it("are taken out of any text, in any of their forms", () => {
    const remove = secretRemover(KEY);
    const forms = [
      KEY,
      encodeURIComponent(KEY),
      Buffer.from(KEY).toString("base64"),
      Buffer.from(KEY).toString("hex"),
    ];
    for (const form of forms) assert.equal(remove(`a ${form} b ${form}`), "a [key] b [key]");
    const random = Random.derive(1, "harmless");
    const harmless = Array.from({ length: 50 }, () => String.fromCodePoint(32 + random.integer(90))).join("");
    assert.equal(remove(harmless), harmless);
  });
});
