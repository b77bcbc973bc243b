/** A pair of tokens and how often it occurred when it was pushed. */
export interface HeapEntry {
  readonly count: number;
  readonly key: number;
}

/** A binary heap: the most frequent pair comes first, of equally frequent ones the one with the smallest key. */
export class PairHeap {
  readonly #entries: HeapEntry[] = [];

  push(count: number, key: number): void {
    const entries = this.#entries;
    const entry = { count, key };
    let at = entries.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = entries[parent];
      if (above === undefined || !comesFirst(entry, above)) break;
      entries[at] = above;
      at = parent;
    }
    entries[at] = entry;
  }

  pop(): HeapEntry | undefined {
    const entries = this.#entries;
    const first = entries[0];
    const last = entries.pop();
    if (last === undefined || entries.length === 0) return first;
    let at = 0;
    for (;;) {
      const left = entries[2 * at + 1];
      const right = entries[2 * at + 2];
      if (left === undefined) break;
      const rightFirst = right !== undefined && comesFirst(right, left);
      const child = rightFirst ? right : left;
      if (!comesFirst(child, last)) break;
      entries[at] = child;
      at = 2 * at + (rightFirst ? 2 : 1);
    }
    entries[at] = last;
    return first;
  }
}

function comesFirst(a: HeapEntry, b: HeapEntry): boolean {
  return a.count !== b.count ? a.count > b.count : a.key < b.key;
}
