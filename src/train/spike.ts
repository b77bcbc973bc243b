/**
 * When a loss counts as a spike: more than `deviations` robust standard deviations (1.4826 times the median absolute
 * deviation, which is the standard deviation of normal noise) and more than `rise` nats above the median of the last
 * `window` steps, and more than half of `rise` above the hardest step of the last epoch: where easy rows are known by heart
 * and a few are not, the median falls while the same hard rows come back in every epoch, and nothing has jumped. The
 * first `window` steps of a run are not judged. A run stops before the spiking step is taken, so that the model is the
 * one of the step before.
 */
export interface SpikeRule {
  /** Steps that a loss is compared with, 5 at least. */
  readonly window: number;
  readonly deviations: number;
  /** Nats per supervised token. */
  readonly rise: number;
}

/**
 * The rule where a config has none. It is meant for broken data and diverging runs only: rows of one step that are harder
 * than others, or a learning rate that is a little high, stay below it.
 */
export const DEFAULT_SPIKE_RULE: SpikeRule = { window: 50, deviations: 10, rise: 2 };

/** A loss above its limit. */
export interface Spike {
  /** Of the steps before, in nats per supervised token. */
  readonly median: number;
  /** The largest loss that is no spike, in nats per supervised token. */
  readonly limit: number;
}

/**
 * Judges the loss of a step.
 * @param before the losses of the steps so far, oldest first: all, or the last `rule.window + epochSteps`
 * @param epochSteps steps in which every row came once
 * @returns undefined where it is no spike, or there are too few steps to tell
 */
export function findSpike(
  before: readonly number[],
  loss: number,
  rule: SpikeRule,
  epochSteps: number,
): Spike | undefined {
  if (before.length < rule.window) return undefined;
  const recent = before.slice(-rule.window);
  const median = medianOf(recent);
  const deviation = 1.4826 * medianOf(recent.map((value) => Math.abs(value - median)));
  const hardest = Math.max(...before.slice(Math.max(rule.window, before.length - epochSteps)));
  const limit = Math.max(median + Math.max(rule.rise, rule.deviations * deviation), hardest + rule.rise / 2);
  return loss > limit ? { median, limit } : undefined;
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [lower = NaN, upper = NaN] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (lower + upper) / 2;
}
