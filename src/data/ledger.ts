import type { RenderOutcome } from "./spans.js";

/**
 * Why a row was not rendered: the outcomes of the renderer, and rows that the template cannot show. In a comparison of
 * formats also rows that another format dropped, and rows whose formats have different targets.
 */
export type DropReason =
  | Extract<RenderOutcome, { kind: "dropped" }>["reason"]
  | "not-renderable"
  | "not-in-every-format"
  | "target-differs";

/** What became of the rows of one task type. `rowsIn` = `rendered` + all of `dropped`. */
export interface LedgerLine {
  readonly taskType: string;
  readonly rowsIn: number;
  readonly rendered: number;
  /** Rows by the reason why they were dropped; only reasons that occurred. */
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>;
  /** Rendered rows whose input was cut. */
  readonly truncated: number;
  /** Tokens cut from inputs. */
  readonly cutTokens: number;
  /** Demonstrations left out of rendered rows that were too long. */
  readonly demonstrationsDropped: number;
  /** Targets of the rendered rows, end tokens included. */
  readonly supervisedTokens: number;
  /** Tokens of the rendered rows, special tokens included. */
  readonly totalTokens: number;
}

/** One line for each task type, in alphabetical order, and their sum. */
export interface Ledger {
  readonly lines: readonly LedgerLine[];
  readonly total: LedgerLine;
}

interface Counts {
  rowsIn: number;
  rendered: number;
  dropped: Partial<Record<DropReason, number>>;
  truncated: number;
  cutTokens: number;
  demonstrationsDropped: number;
  supervisedTokens: number;
  totalTokens: number;
}

/** Fills a ledger row by row. */
export class LedgerBuilder {
  readonly #counts = new Map<string, Counts>();

  /** Books what the renderer did with a row. */
  add(
    taskType: string,
    outcome: RenderOutcome | { readonly kind: "dropped"; readonly reason: DropReason },
  ): void {
    const counts = this.#counts.get(taskType) ?? newCounts();
    this.#counts.set(taskType, counts);
    counts.rowsIn++;
    if (outcome.kind === "dropped") {
      counts.dropped[outcome.reason] = (counts.dropped[outcome.reason] ?? 0) + 1;
      return;
    }
    counts.rendered++;
    counts.truncated += outcome.cut > 0 ? 1 : 0;
    counts.cutTokens += outcome.cut;
    counts.demonstrationsDropped += outcome.demonstrationsDropped;
    counts.totalTokens += outcome.spans.ids.length;
    for (const target of outcome.spans.supervised) counts.supervisedTokens += target ? 1 : 0;
  }

  build(): Ledger {
    const total = newCounts();
    const lines = [...this.#counts.entries()]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([taskType, counts]): LedgerLine => {
        addInto(total, counts);
        return { taskType, ...counts };
      });
    return { lines, total: { taskType: "(all)", ...total } };
  }
}

function newCounts(): Counts {
  return {
    rowsIn: 0,
    rendered: 0,
    dropped: {},
    truncated: 0,
    cutTokens: 0,
    demonstrationsDropped: 0,
    supervisedTokens: 0,
    totalTokens: 0,
  };
}

function addInto(total: Counts, counts: Counts): void {
  total.rowsIn += counts.rowsIn;
  total.rendered += counts.rendered;
  total.truncated += counts.truncated;
  total.cutTokens += counts.cutTokens;
  total.demonstrationsDropped += counts.demonstrationsDropped;
  total.supervisedTokens += counts.supervisedTokens;
  total.totalTokens += counts.totalTokens;
  for (const [reason, rows] of Object.entries(counts.dropped) as [DropReason, number][]) {
    total.dropped[reason] = (total.dropped[reason] ?? 0) + rows;
  }
}
