import type { Example } from "../data/example.js";
import type { ProgressBar } from "../support/progress.js";
import { findDuplicates, type DuplicateOptions } from "./duplicates.js";
import { type TextOf, textOf, type TextPart } from "./example-text.js";

export interface DedupeOptions extends Pick<DuplicateOptions, "threshold" | "shingles" | "minHash"> {
  /** What is compared: a named part of a row, or any text of it. */
  readonly on: TextPart | TextOf;
  readonly progress?: ProgressBar;
}

/** A row that was left out because an earlier one is like it. */
export interface DuplicateRow {
  readonly id: string;
  readonly task: string;
  /** The row that was kept in its stead: the first of the cluster. */
  readonly keptId: string;
  /** How it came into the cluster: by a row with the same text, or by one that is similar. */
  readonly kind: "exact" | "near";
  /** Jaccard similarity to the row by which it came; in a long chain the kept row can be less similar. */
  readonly similarity: number;
}

/** What became of the rows of a task. `rowsIn` = `kept` + `exact` + `near`. */
export interface DedupeLine {
  readonly task: string;
  readonly rowsIn: number;
  readonly kept: number;
  readonly exact: number;
  readonly near: number;
}

export interface DedupeLedger {
  /** One line a task, in alphabetical order. */
  readonly lines: readonly DedupeLine[];
  readonly total: DedupeLine;
  readonly dropped: readonly DuplicateRow[];
}

/**
 * Keeps the first of the rows that are alike and books the others.
 * @throws KitError when the threshold is not above 0 and at most 1
 */
export function dedupe(
  examples: readonly Example[],
  options: DedupeOptions,
): { readonly examples: readonly Example[]; readonly ledger: DedupeLedger } {
  const { on, ...search } = options;
  const texts = examples.map(textOf(on));
  const { pairs, clusters } = findDuplicates(texts, { ...search, linksOnly: true });
  const keptOf = new Map(
    clusters.flatMap((rows) => rows.slice(1).map((row) => [row, rows[0] ?? row] as const)),
  );
  // A row is told by the link that names it as the later one; in a chain it may only be the earlier one of a link.
  const linkOf = new Map<number, (typeof pairs)[number]>();
  for (const pair of pairs) if (!linkOf.has(pair.b)) linkOf.set(pair.b, pair);
  for (const pair of pairs) if (!linkOf.has(pair.a)) linkOf.set(pair.a, pair);
  const dropped: DuplicateRow[] = [];
  const kept: Example[] = [];
  for (const [row, example] of examples.entries()) {
    const link = linkOf.get(row);
    const first = examples[keptOf.get(row) ?? row];
    if (link === undefined || first === undefined || first === example) {
      kept.push(example);
      continue;
    }
    const { kind, similarity } = link;
    dropped.push({ id: example.id, task: example.task, keptId: first.id, kind, similarity });
  }
  return { examples: kept, ledger: ledgerOf(examples, dropped) };
}

function ledgerOf(examples: readonly Example[], dropped: readonly DuplicateRow[]): DedupeLedger {
  const lines = new Map<string, { rowsIn: number; exact: number; near: number }>();
  for (const task of [...new Set(examples.map((example) => example.task))].sort()) {
    lines.set(task, { rowsIn: 0, exact: 0, near: 0 });
  }
  const total = { rowsIn: 0, exact: 0, near: 0 };
  const book = (task: string, what: keyof typeof total): void => {
    total[what]++;
    const line = lines.get(task);
    if (line !== undefined) line[what]++;
  };
  for (const { task } of examples) book(task, "rowsIn");
  for (const { task, kind } of dropped) book(task, kind);
  const lineOf = (task: string, counts: typeof total): DedupeLine => {
    const { rowsIn, exact, near } = counts;
    return { task, rowsIn, kept: rowsIn - exact - near, exact, near };
  };
  return {
    lines: [...lines].map(([task, counts]) => lineOf(task, counts)),
    total: lineOf("(all)", total),
    dropped,
  };
}
