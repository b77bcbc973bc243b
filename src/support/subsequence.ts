/**
 * Length of the longest common subsequence of two sequences of words or of their numbers; time is the product of the
 * lengths, memory the second one.
 */
export function longestCommonSubsequence(
  a: Iterable<string | number>,
  b: ArrayLike<string | number>,
): number {
  let above = new Uint32Array(b.length + 1);
  let row = new Uint32Array(b.length + 1);
  for (const word of a) {
    for (let j = 1; j <= b.length; j++) {
      row[j] = word === b[j - 1] ? (above[j - 1] ?? 0) + 1 : Math.max(above[j] ?? 0, row[j - 1] ?? 0);
    }
    [above, row] = [row, above];
  }
  return above[b.length] ?? 0;
}
