/**
 * Rendering and tokenizing Alpaca rows, in rows a second, beside Python's `tokenizers` and a plain loop over the same file
 * with the same tokenizer.json. The two take turns in one run:
 *
 *     node --import ./src/cli/register.js tests/bench/render-tokenize.ts FILE [PYTHON] [ROUNDS]
 *
 * FILE is an Alpaca JSON file, PYTHON a Python with `tokenizers` (without it only the kit runs). "first" is a tokenizer that
 * has seen no text yet, "again" one that remembers the words of the rows.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { readExamples } from "../../src/data/read/index.js";
import { renderExamples } from "../../src/data/render-all.js";
import { alpaca } from "../../src/data/templates/index.js";
import { trainByteLevelBpe } from "../../src/tokenizer/byte-level-bpe.js";
import { loadTokenizer } from "../../src/tokenizer/load.js";

const [file = "", python = "", rounds = "7"] = process.argv.slice(2);
const { examples } = await readExamples(file, { onMalformed: "skip" });
const folder = mkdtempSync(join(tmpdir(), "ift-kit-bench-"));
const texts = examples.flatMap(({ instruction = "", input, outputs }) => [instruction, input, ...outputs]);
trainByteLevelBpe(texts, { vocabularySize: 8192 }).save(folder);

/** Seconds of one pass over all rows. */
function ownPass(tokenizer: ReturnType<typeof loadTokenizer>): { seconds: number; tokens: number } {
  const policy = { maxTokens: 1_000_000, overlong: "drop", lossOn: "response" } as const;
  const start = performance.now();
  const { ledger } = renderExamples(examples, alpaca, tokenizer, policy);
  return { seconds: (performance.now() - start) / 1000, tokens: ledger.total.totalTokens };
}

/** A Python process that makes one pass for each line it gets. */
function startPeer(): { pass: () => Promise<{ seconds: number; tokens: number }>; stop: () => void } {
  const child = spawn(python, [join(import.meta.dirname, "render_tokenize.py"), file, folder], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async pass() {
      child.stdin.write("go\n");
      const line = (await lines.next()) as { readonly value: string };
      return JSON.parse(line.value) as { seconds: number; tokens: number };
    },
    stop: () => child.stdin.end(),
  };
}

const peer = python === "" ? undefined : startPeer();
const results = { first: [] as number[], again: [] as number[], python: [] as number[] };
for (let round = 0; round < Number(rounds); round++) {
  const tokenizer = loadTokenizer(folder);
  const first = ownPass(tokenizer);
  const theirs = await peer?.pass();
  const again = ownPass(tokenizer);
  if (theirs !== undefined && theirs.tokens !== first.tokens)
    throw new Error(`${theirs.tokens} tokens in Python, ${first.tokens} here`);
  results.first.push(examples.length / first.seconds);
  results.again.push(examples.length / again.seconds);
  if (theirs !== undefined) results.python.push(examples.length / theirs.seconds);
}
peer?.stop();
rmSync(folder, { recursive: true });

console.log(`${examples.length} rows, ${rounds} rounds in turn; rows/s: median (lowest to highest)`);
for (const [name, values] of Object.entries(results)) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): string =>
    Math.round(sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toString();
  if (sorted.length > 0) console.log(`${name.padEnd(7)} ${at(0.5)} (${at(0)} to ${at(1)})`);
}
