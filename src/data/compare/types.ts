import type { InstructionDiversity } from "../diversity/index.js";
import type { LedgerLine } from "../ledger.js";
import type { RenderPolicy } from "../spans.js";
import type { Source } from "../template.js";
import type { LabelBalance } from "./labels.js";
import type { Distribution } from "./lengths.js";

/** What formats make of the same rows. Plain data: `JSON.stringify` keeps all of it. */
export interface FormatComparison {
  readonly version: 1;
  /** Changes when a row, a template, the tokenizer or the policy does. */
  readonly hash: string;
  readonly dataHash: string;
  readonly tokenizer: { readonly kind: string; readonly vocabularySize: number; readonly hash: string };
  readonly policy: RenderPolicy;
  /** The first is the base that the others are measured against. */
  readonly formats: readonly ComparedFormat[];
  /** One for each task type, in alphabetical order. */
  readonly taskTypes: readonly TaskTypeComparison[];
  readonly total: TaskTypeComparison;
  /** Rows that are not in every format, with what each format said; the first 100. */
  readonly leftOut: readonly LeftOutRow[];
}

export interface ComparedFormat {
  readonly name: string;
  readonly template: string;
  readonly kind: "sft" | "ift";
  readonly templateHash: string;
}

/** The rows of one task type, or all. */
export interface TaskTypeComparison {
  readonly taskType: string;
  readonly tasks: number;
  readonly rowsIn: number;
  /** Rows that every format shows with the same target; all token counts below are over these. */
  readonly rows: number;
  /** Of these, rows whose input is cut by another number of tokens in one format than in another. */
  readonly cutUnequally: number;
  /** In the order of `FormatComparison.formats`. */
  readonly formats: readonly FormatNumbers[];
  /** Lengths of the first references of all rows, in tokens and in characters (code points); null without references. */
  readonly outputTokens: Distribution | null;
  readonly outputCharacters: Distribution | null;
  /** Null where no task has few answers that repeat. */
  readonly labels: LabelBalance | null;
}

/** One format's side; the fields of the ledger line are over the rows that every format shows. */
export interface FormatNumbers extends LedgerLine {
  readonly format: string;
  /** What the format shows by itself, whatever the others do. */
  readonly alone: Alone;
  /** Supervised over total tokens; null without rows. */
  readonly supervisedShare: number | null;
  /** Where the tokens come from; what the instruction costs stands under "instruction" and "scaffold". */
  readonly tokensBySource: Readonly<Partial<Record<Source, number>>>;
  /** Against the first format; null without rows. */
  readonly budget: BudgetFactors | null;
  /** Of the instructions as the format shows them; null where it shows none. */
  readonly diversity: InstructionDiversity | null;
}

/** Rows and tokens of one format, whether the others show the rows or not. */
export interface Alone {
  readonly rows: number;
  readonly supervisedTokens: number;
  readonly totalTokens: number;
}

/** How many rows of a format use up what one row of the first format uses, and what a row costs more. */
export interface BudgetFactors {
  /** Rows for each row of the first format, at the same budget of supervised tokens ... */
  readonly rowsAtSameSupervisedTokens: number;
  /** ... of total tokens (also of steps that hold a fixed number of tokens) ... */
  readonly rowsAtSameTotalTokens: number;
  /** ... of steps that hold a fixed number of rows: always 1. */
  readonly rowsAtSameSteps: 1;
  /** Tokens of a row beyond those of the same row in the first format, in the mean. */
  readonly extraTokensPerRow: number;
}

export interface LeftOutRow {
  readonly id: string;
  readonly taskType: string;
  /** By format, why it does not show the row. */
  readonly reasons: Readonly<Record<string, string>>;
}
