/** A statement that the numbers of an experiment either support or not. */
export interface Claim {
  readonly statement: string;
  readonly holds: boolean;
  /** The numbers, with their intervals. */
  readonly evidence: string;
}

/** A share as a percentage with one decimal. */
export function percent(share: number): string {
  return (100 * share).toFixed(1);
}

/** A mean and its interval, in percent: "81.3 [76.0, 85.9]". */
export function percentInterval({
  mean,
  low,
  high,
}: {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}): string {
  return `${percent(mean)} [${percent(low)}, ${percent(high)}]`;
}
