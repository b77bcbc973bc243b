import { countNgrams, type WordNumbers } from "./word-numbers.js";

/** The longest n-grams that are looked at. */
const ORDERS = [1, 2, 3, 4] as const;

/** For n = 1 to 4. */
export type PerOrder = readonly [number, number, number, number];

/**
 * Distinct-n (Li et al. 2016, arXiv 1510.03055): different n-grams over all n-grams of the texts together, for n = 1 to
 * 4. It falls as texts are added, so compare sets of the same size. 0 where no text has n words.
 */
export function distinctNgrams(texts: readonly WordNumbers[]): PerOrder {
  const share = (n: number): number => {
    const seen = new Set<string>();
    let all = 0;
    for (const words of texts) {
      all += Math.max(0, words.length - n + 1);
      for (const key of countNgrams(words, n).keys()) seen.add(key);
    }
    return all === 0 ? 0 : seen.size / all;
  };
  return [share(1), share(2), share(3), share(4)];
}

/** The two highest counts of an n-gram in a text, and whose the higher is: enough to leave any one text out. */
interface TopCounts {
  owner: number;
  first: number;
  second: number;
}

/** A precision of 0 becomes this share of an n-gram (method 1 of Chen and Cherry 2014). */
const EPSILON = 0.1;

/**
 * Self-BLEU (Zhu et al. 2018, arXiv 1802.01886): the mean over texts of BLEU-4 with all other texts as references, 0 for
 * texts with no word in common, 1 for copies. As NLTK's `sentence_bleu` with smoothing method 1 on the same words. The
 * time grows with the number of words, not with the number of pairs: a clipped count needs the highest count elsewhere.
 * @returns undefined for fewer than two texts
 */
export function selfBleu(texts: readonly WordNumbers[]): number | undefined {
  if (texts.length < 2) return undefined;
  const logPrecisions = new Float64Array(texts.length);
  const noCommonWord = new Uint8Array(texts.length);
  for (const n of ORDERS) {
    const top = topCounts(texts, n);
    texts.forEach((words, index) => {
      let matched = 0;
      for (const [key, count] of countNgrams(words, n)) {
        const { owner, first, second } = top.get(key) ?? { owner: -1, first: 0, second: 0 };
        matched += Math.min(count, owner === index ? second : first);
      }
      if (n === 1 && matched === 0) noCommonWord[index] = 1;
      const all = Math.max(1, words.length - n + 1);
      logPrecisions[index] =
        (logPrecisions[index] ?? 0) + Math.log((matched || EPSILON) / all) / ORDERS.length;
    });
  }
  const closest = closestLengths(texts);
  let sum = 0;
  texts.forEach((words, index) => {
    if (noCommonWord[index] === 1) return;
    const reference = closest.get(words.length) ?? words.length;
    const brevity = words.length > reference ? 1 : Math.exp(1 - reference / words.length);
    sum += brevity * Math.exp(logPrecisions[index] ?? 0);
  });
  return sum / texts.length;
}

function topCounts(texts: readonly WordNumbers[], n: number): Map<string, TopCounts> {
  const top = new Map<string, TopCounts>();
  texts.forEach((words, index) => {
    for (const [key, count] of countNgrams(words, n)) {
      const known = top.get(key);
      if (known === undefined) top.set(key, { owner: index, first: count, second: 0 });
      else if (count > known.first) {
        known.second = known.first;
        known.first = count;
        known.owner = index;
      } else known.second = Math.max(known.second, count);
    }
  });
  return top;
}

/** For each length, the closest length of another text; the shorter one at a tie. */
function closestLengths(texts: readonly WordNumbers[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { length } of texts) counts.set(length, (counts.get(length) ?? 0) + 1);
  const lengths = [...counts.keys()].sort((a, b) => a - b);
  return new Map(
    lengths.map((own) => {
      const others = lengths.filter((length) => length !== own || (counts.get(own) ?? 0) > 1);
      const closest = others.reduce((best, length) =>
        Math.abs(length - own) < Math.abs(best - own) ? length : best,
      );
      return [own, closest];
    }),
  );
}
