/** Sets of rows that grow together; the first row of a set stands for it. */
export class UnionFind {
  readonly #parent: Uint32Array;

  constructor(count: number) {
    this.#parent = Uint32Array.from({ length: count }, (_, row) => row);
  }

  /** The first row of the set that a row is in. */
  find(row: number): number {
    let root = row;
    for (let above = this.#up(root); above !== root; above = this.#up(root)) root = above;
    // The next search takes one step.
    for (let at = row; at !== root;) {
      const above = this.#up(at);
      this.#parent[at] = root;
      at = above;
    }
    return root;
  }

  /** Joins the sets of two rows; false where they were one set already. */
  union(a: number, b: number): boolean {
    const [first, second] = [this.find(a), this.find(b)].sort((x, y) => x - y);
    if (first === undefined || second === undefined || first === second) return false;
    this.#parent[second] = first;
    return true;
  }

  /** The sets of at least two rows: rows ascending, sets by their first row. */
  sets(): number[][] {
    const byRoot = new Map<number, number[]>();
    for (let row = 0; row < this.#parent.length; row++) {
      const root = this.find(row);
      if (root === row) continue;
      const set = byRoot.get(root) ?? [root];
      byRoot.set(root, set);
      set.push(row);
    }
    return [...byRoot.values()].sort(([a = 0], [b = 0]) => a - b);
  }

  #up(row: number): number {
    return this.#parent[row] ?? row;
  }
}
