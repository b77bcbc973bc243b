import { KitError } from "../../support/errors.js";

/** What a run may cost, earlier parts of it included. */
export interface Budget {
  /** Tokens of prompts and answers together. */
  readonly tokens?: number;
  /** In the currency of the prices. */
  readonly money?: number;
}

/** Prices of a million tokens. */
export interface Prices {
  readonly prompt: number;
  readonly answer: number;
}

/** Tokens that were paid for. */
export interface Usage {
  readonly promptTokens: number;
  readonly answerTokens: number;
}

/** What some tokens cost. */
export function costOf({ promptTokens, answerTokens }: Usage, { prompt, answer }: Prices): number {
  return (promptTokens * prompt + answerTokens * answer) / 1e6;
}

/**
 * Keeps the spending of a run below its budget: a question is asked only where its prompt and the longest answer to it would
 * still fit beside those that are being answered.
 */
export class Spending {
  readonly #budget: Budget;
  readonly #prices: Prices;
  #paid: Usage;
  #reserved: Usage = { promptTokens: 0, answerTokens: 0 };

  /**
   * @param paid what earlier parts of the run cost
   * @throws KitError for a budget in money without prices
   */
  constructor(budget: Budget, prices: Prices | undefined, paid: Usage) {
    if (budget.money !== undefined && prices === undefined) {
      throw new KitError(
        "a budget in money needs prices",
        "give the prices of a million tokens of prompts and of answers (--price-in, --price-out)",
        { field: "budget-money" },
      );
    }
    this.#budget = budget;
    this.#prices = prices ?? { prompt: 0, answer: 0 };
    this.#paid = paid;
  }

  get paid(): Usage & { readonly money: number } {
    return { ...this.#paid, money: costOf(this.#paid, this.#prices) };
  }

  /** Whether a question fits; it then counts until `settle`. */
  reserve(usage: Usage): boolean {
    const all = plus(plus(this.#paid, this.#reserved), usage);
    const { tokens = Infinity, money = Infinity } = this.#budget;
    const fits = all.promptTokens + all.answerTokens <= tokens && costOf(all, this.#prices) <= money;
    if (fits) this.#reserved = plus(this.#reserved, usage);
    return fits;
  }

  /** Puts what a question did cost in the place of what was reserved for it. */
  settle(reserved: Usage, paid: Usage): void {
    this.#reserved = {
      promptTokens: this.#reserved.promptTokens - reserved.promptTokens,
      answerTokens: this.#reserved.answerTokens - reserved.answerTokens,
    };
    this.#paid = plus(this.#paid, paid);
  }
}

function plus(a: Usage, b: Usage): Usage {
  return {
    promptTokens: a.promptTokens + b.promptTokens,
    answerTokens: a.answerTokens + b.answerTokens,
  };
}
