/** What is known after an optimizer step; counts are totals since the start of the run, also across a resume. */
export interface TrainProgress {
  /** Optimizer steps taken. */
  readonly step: number;
  /** Of this step, in nats per supervised token. */
  readonly loss: number;
  /** Of this step. */
  readonly learningRate: number;
  /** Norm of this step's gradient over all parameters, before clipping. */
  readonly gradientNorm: number;
  /** Targets of the loss so far. */
  readonly supervisedTokens: number;
  /** Tokens of the rows so far, prompt and special tokens included, padding not. */
  readonly totalTokens: number;
  /** Positions computed so far, padding included: what `totalTokens` cost. */
  readonly positions: number;
  /** Rows of data so far. */
  readonly rows: number;
  /** Passes over the data so far: rows so far / rows. */
  readonly epochs: number;
  /** Time spent training so far. */
  readonly seconds: number;
  /** Total tokens / seconds. */
  readonly tokensPerSecond: number;
}

/** What a progress bar shows of a step. */
export function describeProgress({ step, loss, tokensPerSecond }: TrainProgress): string {
  const speed = Math.round(tokensPerSecond).toLocaleString("en");
  return `step ${step} | loss ${loss.toFixed(3)} | ${speed} tokens/s`;
}
