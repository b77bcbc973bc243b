/**
 * `ift-kit serve` under load: a server in a process of its own, and many clients in this one, each of which asks again as soon
 * as it has its answer. Every request is accounted for: it is completed, or refused by a full queue and asked again.
 *
 *     node --import ./src/cli/register.js tests/bench/serve-load.ts [CLIENTS] [SECONDS] [MODEL]
 *
 * Defaults: 200 clients, 120 seconds, the decoder that ships with the kit. The clients are the official one for JavaScript;
 * half of them stream. Prompts, lengths and seeds are drawn from a seed; a request that comes again must get the same
 * answer, whoever is beside it. Memory is the server's resident set, from /proc, each second. The exit code is 1 when a request was
 * lost, an answer differed, or the requests that the server counted are not those that the clients did.
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import OpenAI, { APIError } from "openai";
import { Random } from "../../src/support/random.js";

const NAMES = ["Nora", "Ruth", "Iris", "Max", "Oscar", "Vera"];
const THINGS = ["a red plum", "three stars", "an old hat", "a brown camera", "two green pears", "a bicycle"];

/** What one client saw. */
interface Counts {
  asked: number;
  completed: number;
  /** Refused with 429; each is asked again. */
  busy: number;
  lost: number;
  different: number;
  tokens: number;
}

const [clients = 200, seconds = 120] = process.argv.slice(2, 4).map(Number);
const model = process.argv[4] ?? "decoder";
await main();

async function main(): Promise<void> {
  const program = fileURLToPath(new URL("../../src/cli/ift-kit.js", import.meta.url));
  const server = spawn(
    process.execPath,
    [program, "serve", "--model", `model=${model}`, "--port", "0", "--queue", "128", "--timeout", "600"],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let url = "";
  for await (const line of createInterface({ input: server.stdout })) {
    url = line;
    break;
  }
  const counts: Counts = { asked: 0, completed: 0, busy: 0, lost: 0, different: 0, tokens: 0 };
  const latencies: number[] = [];
  const firsts: number[] = [];
  const memory: number[] = [];
  const known = new Map<string, string>();
  const began = performance.now();
  const isOver = (): boolean => performance.now() - began > seconds * 1000;

  const sample = setInterval(() => memory.push(residentMiB(server.pid ?? 0)), 1000);
  await Promise.all(
    Array.from({ length: clients }, async (_, index) => {
      const random = Random.derive(1, `client ${index}`);
      const client = new OpenAI({ baseURL: `${url}v1`, apiKey: "none", maxRetries: 0, timeout: 600_000 });
      while (!isOver()) await ask(client, random, index % 2 === 0);
    }),
  );
  clearInterval(sample);
  const elapsed = (performance.now() - began) / 1000;
  const metrics = await (await fetch(`${url}metrics`)).text();
  server.kill("SIGINT");
  const code = await new Promise((resolve) => server.once("exit", resolve));

  const served = { completed: counted(metrics, "completed"), busy: counted(metrics, "busy") };
  const late = memory.slice(10);
  console.log(
    JSON.stringify(
      {
        clients,
        seconds: Number(elapsed.toFixed(1)),
        ...counts,
        served,
        answersPerSecond: Number((counts.completed / elapsed).toFixed(1)),
        tokensPerSecond: Math.round(counts.tokens / elapsed),
        latencySeconds: percentiles(latencies),
        firstPieceSeconds: percentiles(firsts),
        memoryMiB: {
          at10Seconds: late[0],
          middle: late[Math.floor(late.length / 2)],
          end: late.at(-1),
          largest: Math.max(...memory),
        },
        serverExit: code,
      },
      undefined,
      2,
    ),
  );
  const isAccounted =
    counts.asked === counts.completed + counts.busy &&
    served.completed === counts.completed &&
    served.busy === counts.busy;
  if (counts.lost > 0 || counts.different > 0 || !isAccounted) process.exitCode = 1;

  /** Asks until there is an answer, and checks it. */
  async function ask(client: OpenAI, random: Random, isStreamed: boolean): Promise<void> {
    const prompt = `On Monday at noon ${random.choice(NAMES)} found ${random.choice(THINGS)} and`;
    const greedy = random.next() < 0.5;
    const body = {
      model: "model",
      prompt,
      max_tokens: 8 + 8 * random.integer(8),
      ...(greedy ? { temperature: 0 } : { temperature: 1, seed: random.integer(1000) }),
    };
    const start = performance.now();
    for (;;) {
      counts.asked++;
      try {
        const text = await answer(client, body, isStreamed, start);
        latencies.push((performance.now() - start) / 1000);
        counts.completed++;
        const key = JSON.stringify(body);
        if ((known.get(key) ?? text) !== text) counts.different++;
        known.set(key, text);
        return;
      } catch (error) {
        if (!(error instanceof APIError) || error.status !== 429) {
          counts.lost++;
          console.error(String(error));
          return;
        }
        counts.busy++;
        await sleep(500 + random.integer(1000));
      }
    }
  }

  async function answer(
    client: OpenAI,
    body: OpenAI.CompletionCreateParamsNonStreaming,
    isStreamed: boolean,
    start: number,
  ): Promise<string> {
    if (!isStreamed) {
      const { choices, usage } = await client.completions.create(body);
      counts.tokens += usage?.completion_tokens ?? 0;
      return choices[0]?.text ?? "";
    }
    let text = "";
    let ended = false;
    const options = { stream: true, stream_options: { include_usage: true } } as const;
    for await (const { choices, usage } of await client.completions.create({ ...body, ...options })) {
      if (text === "") firsts.push((performance.now() - start) / 1000);
      text += choices[0]?.text ?? "";
      ended ||= usage != null;
      counts.tokens += usage?.completion_tokens ?? 0;
    }
    if (!ended) throw new Error("a stream ended without its last chunk");
    return text;
  }
}

function residentMiB(process: number): number {
  const kibibytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${process}/status`, "utf8"))?.[1];
  return Math.round(Number(kibibytes) / 1024);
}

function counted(metrics: string, outcome: string): number {
  const value = new RegExp(`ift_kit_requests_total\\{model="model",outcome="${outcome}"\\} (\\d+)`).exec(
    metrics,
  );
  return Number(value?.[1] ?? 0);
}

function percentiles(values: readonly number[]): Readonly<Record<string, number>> {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number =>
    Number((sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0).toFixed(2));
  return { median: at(0.5), p95: at(0.95), p99: at(0.99), largest: at(1) };
}
