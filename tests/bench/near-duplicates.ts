/**
 * Near-duplicates among 52,000 texts: `findDuplicates` beside Python's datasketch (MinHash of 128 permutations, MinHashLSH of
 * threshold 0.8) on the same texts with the same shingles. Each pass is a process of its own, so that its peak memory is its
 * own; the two take turns in one run:
 *
 *     node --import ./src/cli/register.js tests/bench/near-duplicates.ts FOLDER [PYTHON] [ROUNDS] [ROWS]
 *
 * FOLDER has Alpaca files, PYTHON is a Python with `datasketch` (without it only the kit runs). The different rows come first;
 * then, up to ROWS, seeded copies of them with some words replaced, so that pairs lie on both sides of the threshold. All texts
 * are different, and are given as words with a blank between, so that both cut them alike. Seconds are from texts to pairs.
 * datasketch runs twice: with its own weights of false positives and negatives (0.5 and 0.5), and with the kit's (0.1 and 0.9).
 * It is timed for its candidates, as its users have them, and with each verified by the exact Jaccard similarity; its recall and
 * precision are those of the candidates.
 * Recall and precision are those of the pairs of a sample of rows with all others, against the exact Jaccard similarity of all.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readExamples } from "../../src/data/read/index.js";
import { DEFAULT_WEIGHTS } from "../../src/similarity/banding.js";
import { findDuplicates } from "../../src/similarity/duplicates.js";
import { textOf } from "../../src/similarity/example-text.js";
import { wordsOf } from "../../src/similarity/words.js";
import { Random } from "../../src/support/random.js";

const THRESHOLD = 0.8;
const SAMPLE = 2000;

/** What a pass prints. Memory in MiB: the peak of the process, and what it held with the texts before the search. */
interface Pass {
  readonly seconds: number;
  /** datasketch: with the candidates verified. */
  readonly verifiedSeconds?: number;
  readonly peak: number;
  readonly before: number;
}

type Pair = readonly [number, number];

if (process.argv[2] === "--pass") ownPass(process.argv[3] ?? "", process.argv[4] ?? "");
else await compare(process.argv.slice(2));

/** One pass of the kit, in its own process. */
function ownPass(texts: string, out: string): void {
  const rows = JSON.parse(readFileSync(texts, "utf8")) as string[];
  const before = process.memoryUsage.rss() / 2 ** 20;
  const start = performance.now();
  const { pairs } = findDuplicates(rows, { threshold: THRESHOLD });
  const seconds = (performance.now() - start) / 1000;
  const peak = process.resourceUsage().maxRSS / 1024;
  writeFileSync(out, JSON.stringify(pairs.map(({ a, b }) => [a, b])));
  console.log(JSON.stringify({ seconds, peak, before } satisfies Pass));
}

async function compare([path = "", python = "", rounds = "5", count = "52000"]: string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "ift-kit-bench-"));
  try {
    const { texts, different } = await makeTexts(path, Number(count));
    const file = join(folder, "texts.json");
    writeFileSync(file, JSON.stringify(texts));
    const passes: Record<string, Pass[]> = {};
    const pairs: Record<string, Pair[]> = {};
    const run = (name: string, command: string, ...options: string[]): void => {
      const out = join(folder, `${name}.json`);
      const printed = execFileSync(command, [...options, file, out], { encoding: "utf8" });
      (passes[name] ??= []).push(JSON.parse(printed) as Pass);
      pairs[name] = JSON.parse(readFileSync(out, "utf8")) as Pair[];
    };
    for (let round = 0; round < Number(rounds); round++) {
      run("ift-kit", process.execPath, ...process.execArgv, import.meta.filename, "--pass");
      if (python === "") continue;
      const script = join(import.meta.dirname, "near_duplicates.py");
      const { falsePositive, falseNegative } = DEFAULT_WEIGHTS;
      run("datasketch", python, script, "0.5", "0.5");
      run("datasketch, the kit's weights", python, script, String(falsePositive), String(falseNegative));
    }
    console.log(`${texts.length} texts, ${different} of them different rows, ${rounds} rounds, in turn`);
    console.log("seconds and MiB: median (lowest to highest)");
    for (const [name, list] of Object.entries(passes)) printPasses(name, list);
    const { truth, sampled } = exactPairs(texts);
    console.log(`${truth.size} pairs of ${SAMPLE} sampled rows are ${THRESHOLD} or more alike`);
    for (const [name, found] of Object.entries(pairs)) printQuality(name, found, truth, sampled);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The different rows of all Alpaca files of a folder, then copies of them with words replaced. */
async function makeTexts(path: string, count: number): Promise<{ texts: string[]; different: number }> {
  const { examples } = await readExamples(path, { onMalformed: "skip" });
  const seen = new Set(examples.map((example) => wordsOf(textOf("row")(example)).join(" ")));
  const rows = [...seen].slice(0, count).map((text) => text.split(" "));
  const random = Random.derive(1, "near-duplicates");
  while (seen.size < count) {
    const words = [...random.choice(rows)];
    // Of the words 0 to 12 in a hundred: a Jaccard similarity of 1 down to about 0.5.
    const edits = Math.max(1, Math.round(words.length * 0.12 * random.next()));
    for (let edit = 0; edit < edits; edit++) {
      words[random.integer(words.length)] = random.choice(random.choice(rows));
    }
    seen.add(words.join(" "));
  }
  return { texts: [...seen].slice(0, count), different: rows.length };
}

/** Pairs of sampled rows with all rows, by counting common shingles, as strings, in an inverted index. */
function exactPairs(texts: readonly string[]): { truth: Set<string>; sampled: Set<number> } {
  const sets = texts.map(stringShingles);
  const rowsWith = new Map<string, number[]>();
  for (const [row, set] of sets.entries()) {
    for (const shingle of set) {
      const rows = rowsWith.get(shingle);
      if (rows === undefined) rowsWith.set(shingle, [row]);
      else rows.push(row);
    }
  }
  const all = Random.derive(2, "sample").shuffled([...texts.keys()]);
  const sampled = new Set(all.slice(0, SAMPLE));
  const truth = new Set<string>();
  for (const row of sampled) {
    const common = new Map<number, number>();
    const set = sets[row] ?? new Set();
    for (const shingle of set) {
      for (const other of rowsWith.get(shingle) ?? []) common.set(other, (common.get(other) ?? 0) + 1);
    }
    for (const [other, both] of common) {
      const union = set.size + (sets[other]?.size ?? 0) - both;
      if (other !== row && both / union >= THRESHOLD) truth.add(keyOf([row, other]));
    }
  }
  return { truth, sampled };
}

/** Runs of three words; a shorter text is one run. */
function stringShingles(text: string): Set<string> {
  const words = text.split(" ");
  const runs = Math.max(1, words.length - 2);
  return new Set(Array.from({ length: runs }, (_, at) => words.slice(at, at + 3).join(" ")));
}

function keyOf([a, b]: Pair): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}

function printPasses(name: string, passes: readonly Pass[]): void {
  const shown = (values: readonly number[], digits: number): string => {
    const sorted = [...values].sort((a, b) => a - b);
    const at = (share: number): string =>
      (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(digits);
    return `${at(0.5)} (${at(0)} to ${at(1)})`;
  };
  const of = (value: (pass: Pass) => number, digits: number): string => shown(passes.map(value), digits);
  const verified = passes.flatMap(({ verifiedSeconds }) => verifiedSeconds ?? []);
  const also = verified.length === 0 ? "" : `, ${shown(verified, 2)} s with candidates verified`;
  console.log(
    `${name.padEnd(30)} ${of(({ seconds }) => seconds, 2)} s${also}; peak ${of(({ peak }) => peak, 0)} MiB, before ${of(({ before }) => before, 0)} MiB`,
  );
}

function printQuality(
  name: string,
  found: readonly Pair[],
  truth: ReadonlySet<string>,
  sampled: ReadonlySet<number>,
): void {
  const keys = new Set(found.filter(([a, b]) => sampled.has(a) || sampled.has(b)).map(keyOf));
  const right = [...keys].filter((key) => truth.has(key)).length;
  console.log(
    `${name.padEnd(30)} ${found.length} pairs in all; of the sample recall ${(right / truth.size).toFixed(4)}, precision ${(right / keys.size).toFixed(4)}`,
  );
}
