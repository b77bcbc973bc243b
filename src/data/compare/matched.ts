import { KitError } from "../../support/errors.js";
import type { Example } from "../example.js";
import { type Ledger, LedgerBuilder } from "../ledger.js";
import type { RenderPolicy, Spans } from "../spans.js";
import type { Tokenizer } from "../tokenizer.js";
import { checkFormats, type FormatOutcome, type Formats, isRendered, renderPair } from "./pair.js";

/** What all runs of a comparison may use: the budget of their training configuration. */
export interface MatchedBudget {
  readonly unit: "supervised-tokens" | "total-tokens" | "steps";
  readonly amount: number;
}

/** The training input of one format. */
export interface MatchedInput {
  readonly format: string;
  /** Rows in the order of the examples: the row at an index is the same example in every format. */
  readonly spans: readonly Spans[];
  /** `rendered` is the same in every format; a row that another format lost is booked as "not-in-every-format". */
  readonly ledger: Ledger;
  readonly supervisedTokens: number;
  readonly totalTokens: number;
  /** How often the run goes through its rows on that budget; undefined where the budget is in steps. */
  readonly epochs: number | undefined;
}

/** The same rows for every run, and what each may use. */
export interface MatchedInputs {
  readonly budget: MatchedBudget;
  /** Ids of the rows, in order. */
  readonly ids: readonly string[];
  /** In the order of the formats. */
  readonly inputs: readonly MatchedInput[];
}

/**
 * Turns a comparison into the inputs of identical runs: the same rows in the same order in every format, and one budget
 * for all. A row that one format cannot show, or whose target would differ, is in none of them, and every ledger says so.
 * With one seed the training loop shuffles them alike; within a pool of steps it then sorts by length, which differs.
 * @throws KitError when a row is for evaluation only, an id occurs twice, no row is left, or the budget is not a whole
 *   number of at least 1
 */
export function matchFormats(
  examples: readonly Example[],
  formats: Formats,
  tokenizer: Tokenizer,
  policy: RenderPolicy,
  budget: MatchedBudget,
): MatchedInputs {
  checkFormats(formats);
  checkBudget(budget);
  checkRows(examples);
  const names = Object.keys(formats);
  const ledgers = names.map(() => new LedgerBuilder());
  const spans: Spans[][] = names.map(() => []);
  const ids: string[] = [];
  let problem: string | undefined;
  for (const example of examples) {
    const { outcomes } = renderPair(example, formats, tokenizer, policy);
    outcomes.forEach((outcome, index) => {
      ledgers[index]?.add(example.taskType, outcome);
      if (isRendered(outcome)) spans[index]?.push(outcome.spans);
    });
    if (outcomes.every(isRendered)) ids.push(example.id);
    else problem ??= problemOf(outcomes);
  }
  if (ids.length === 0) {
    throw new KitError(
      `no row can be shown in every format (${problem ?? "there are no rows"})`,
      "use templates that can all show the rows, or raise maxTokens",
    );
  }
  const inputs = names.map((format, index): MatchedInput => {
    const ledger = ledgers[index]?.build() ?? new LedgerBuilder().build();
    const { supervisedTokens, totalTokens } = ledger.total;
    const perEpoch = { "supervised-tokens": supervisedTokens, "total-tokens": totalTokens, steps: undefined };
    const once = perEpoch[budget.unit];
    const epochs = once === undefined ? undefined : budget.amount / once;
    return { format, spans: spans[index] ?? [], ledger, supervisedTokens, totalTokens, epochs };
  });
  return { budget, ids, inputs };
}

function checkBudget({ unit, amount }: MatchedBudget): void {
  if (Number.isSafeInteger(amount) && amount >= 1) return;
  throw new KitError(`a budget of ${amount} ${unit}`, "give a whole number of at least 1", {
    field: "budget.amount",
  });
}

function checkRows(examples: readonly Example[]): void {
  const ids = new Set<string>();
  for (const { id, evaluationOnly } of examples) {
    if (evaluationOnly === true) {
      throw new KitError(
        `row "${id}" is for evaluation only`,
        "leave such rows out: example.evaluationOnly is true",
        { field: "evaluationOnly" },
      );
    }
    if (ids.has(id)) {
      throw new KitError(`two rows have the id "${id}"`, "give each row an id of its own", { field: "id" });
    }
    ids.add(id);
  }
}

function problemOf(outcomes: readonly FormatOutcome[]): string | undefined {
  for (const outcome of outcomes) {
    if (isRendered(outcome) || outcome.reason === "not-in-every-format") continue;
    return "problem" in outcome ? outcome.problem : outcome.reason;
  }
  return undefined;
}
