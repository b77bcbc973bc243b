/** How much a run may use. Arms that are compared have the same amount of the same unit (design rule 4.7). */
export interface RunBudget {
  /**
   * - "supervised-tokens": targets of the loss;
   * - "total-tokens": all tokens of the rows, prompts and special tokens included, padding not;
   * - "steps": optimizer steps;
   * - "flops": floating-point operations of forward and backward passes over those tokens (`cost/flops.ts`).
   */
  readonly unit: "supervised-tokens" | "total-tokens" | "steps" | "flops";
  /** How many of them. */
  readonly amount: number;
}
