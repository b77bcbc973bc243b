/**
 * Time of Self-Instruct's ROUGE-L filter for one new instruction in front of a pool of 50,000: the index of `RougePool` beside
 * the plain loop over all pairs (words split once for both, the usual table for the subsequence). Both decide; they must agree.
 *
 *     node --import ./src/cli/register.js tests/bench/rouge-filter.ts [SIZE] [CANDIDATES] PATH...
 *
 * PATHs are instruction data of any format that the kit reads. Their different instructions come first in the pool; the rest, up
 * to SIZE, are seeded copies with words replaced, dropped or put in. Candidates are instructions that are not in the pool, half of
 * them changed copies of some that are. The plain loop stops at the first text above the limit, as the index does.
 */
import { readExamples } from "../../src/data/read/index.js";
import { fMeasure } from "../../src/evaluate/metrics/ngrams.js";
import { rougeTokens } from "../../src/evaluate/metrics/rouge.js";
import { RougePool } from "../../src/generate/pipeline/rouge-pool.js";
import { Random } from "../../src/support/random.js";
import { longestCommonSubsequence } from "../../src/support/subsequence.js";

const LIMIT = 0.7;

const [size = "50000", candidates = "60", ...paths] = process.argv.slice(2);
await bench(Number(size), Number(candidates), paths);

async function bench(poolSize: number, count: number, files: readonly string[]): Promise<void> {
  const random = Random.derive(1, "rouge filter");
  const texts = random.shuffled(await instructionsOf(files));
  const fresh = texts.slice(0, count / 2);
  const pool = texts.slice(count / 2, count / 2 + poolSize);
  const own = pool.length;
  while (pool.length < poolSize) pool.push(changed(random.choice(texts), texts, 0.6, random));
  const asked = [
    ...fresh,
    ...Array.from({ length: count - fresh.length }, () => changed(random.choice(pool), texts, 0.3, random)),
  ];

  const buildStart = performance.now();
  const index = new RougePool(pool);
  const build = performance.now() - buildStart;
  for (const text of asked.slice(0, 10)) index.findAbove(text, LIMIT);
  const byIndex = asked.map((text) => timed(() => index.findAbove(text, LIMIT) !== undefined));
  const words = pool.map((text) => rougeTokens(text, { stem: false }));
  const byLoop = asked.map((text) => timed(() => anyAbove(rougeTokens(text, { stem: false }), words)));
  const wrong = asked.filter((_, at) => byIndex[at]?.value !== byLoop[at]?.value).length;

  const lengths = words.map(({ length }) => length).sort((a, b) => a - b);
  console.log(
    `pool: ${pool.length} instructions, ${own} as they are, median ${lengths[Math.floor(lengths.length / 2)] ?? 0} words; built in ${build.toFixed(0)} ms`,
  );
  console.log(
    `candidates: ${asked.length}, ${byIndex.filter(({ value }) => value).length} above ${LIMIT}, ${wrong} decided differently`,
  );
  print("index", byIndex);
  print("all pairs", byLoop);
  for (const value of [false, true]) {
    const of = (runs: readonly Timed[]): Timed[] => runs.filter((run) => run.value === value);
    print(`index, ${value ? "rejected" : "kept"}`, of(byIndex));
    print(`all pairs, ${value ? "rejected" : "kept"}`, of(byLoop));
  }
  if (wrong > 0) process.exitCode = 1;
}

async function instructionsOf(paths: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  for (const path of paths) {
    const { examples } = await readExamples(path, { onMalformed: "skip" });
    for (const { instruction } of examples) if (instruction !== undefined) found.add(instruction);
  }
  return [...found];
}

/** A copy with up to a share of its words replaced, dropped, or with others put in. */
function changed(text: string, others: readonly string[], share: number, random: Random): string {
  const words = text.split(/\s+/);
  const edits = 1 + random.integer(Math.max(1, Math.round(share * words.length)));
  for (let edit = 0; edit < edits; edit++) {
    const at = random.integer(words.length + 1);
    const word = random.choice(random.choice(others).split(/\s+/));
    words.splice(at, random.integer(2), ...(random.next() < 0.7 ? [word] : []));
    if (words.length === 0) words.push(word);
  }
  return words.join(" ");
}

function anyAbove(words: readonly string[], pool: readonly (readonly string[])[]): boolean {
  return pool.some((other) => {
    if (words.length === 0 || other.length === 0) return false;
    const common = longestCommonSubsequence(words, other);
    return fMeasure(common / words.length, common / other.length) > LIMIT;
  });
}

interface Timed {
  readonly value: boolean;
  readonly milliseconds: number;
}

function timed(run: () => boolean): Timed {
  const start = performance.now();
  const value = run();
  return { value, milliseconds: performance.now() - start };
}

function print(name: string, runs: readonly Timed[]): void {
  const sorted = runs.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(3);
  const mean = sorted.reduce((sum, value) => sum + value, 0) / Math.max(1, sorted.length);
  console.log(
    `${name.padEnd(22)} mean ${mean.toFixed(3)} ms, median ${at(0.5)}, 95th percentile ${at(0.95)}, most ${at(1)}`,
  );
}
