/** The score of one example under one trained model; `seed` names the training run. */
export interface ExampleScore {
  readonly seed: number;
  readonly taskType: string;
  readonly id: string;
  readonly score: number;
}

/** How an interval is made. Both numbers change the result, so neither has a default. */
export interface BootstrapOptions {
  /** Number of bootstrap resamples, at least 100; 10,000 for a report. */
  readonly resamples: number;
  /** Coverage that is asked for, such as 0.95. */
  readonly level: number;
  /** Of the resampling, not of the training runs. */
  readonly seed: number;
  /**
   * Whether every seed has task types of its own ("nested") or all seeds are scored on the same ones ("shared", drawn
   * once per resample for all seeds together). Read off the names where it is not given; `levels` says which it was.
   */
  readonly taskTypes?: "nested" | "shared";
}

/** A mean and what the data allow to say about it. */
export interface Interval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** What was drawn again, with replacement, and how many of them there are. */
export interface ResampledLevel {
  readonly unit: "seed" | "task type" | "example";
  /** Units in the data: task types and examples over all seeds when nested, once when shared. */
  readonly count: number;
  /** False where there is only one unit: its variation cannot be seen and is not in the interval. */
  readonly resampled: boolean;
  /** The same draws serve all units of the level above. */
  readonly shared: boolean;
}

/** A percentile bootstrap interval. */
export interface BootstrapInterval extends Interval {
  readonly level: number;
  readonly resamples: number;
  /** Standard deviation of the resampled means. */
  readonly standardError: number;
  /** From the outermost unit to the innermost. */
  readonly levels: readonly ResampledLevel[];
  /** One sentence for a caption: what the interval covers and what it cannot. */
  readonly basis: string;
}

/** `a` minus `b`, and the two arms by the same draws. */
export interface PairedDifference extends BootstrapInterval {
  readonly a: BootstrapInterval;
  readonly b: BootstrapInterval;
}
