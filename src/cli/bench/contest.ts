import { progressBar } from "../../support/progress.js";

/** A number of several laps: median, smallest and largest. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** What one lap of a contestant took. */
export interface Lap {
  readonly seconds: number;
  /** How much was done, in the unit of the contest. */
  readonly amount: number;
  /** Most memory that its process has had, in MB. */
  readonly peakMegabytes: number;
  /** Something to compare with the others: a loss, a sum of scores. */
  readonly value: number;
}

/** One that does the work. */
export interface Contestant {
  readonly name: string;
  /** @param amount how much: steps, rows; what it means is the contest's affair */
  lap(amount: number): Promise<Lap>;
  close(): void;
}

/** The same work by several. */
export interface Contest {
  readonly part: string;
  readonly what: string;
  /** Of the rates, e.g. "tokens/s". */
  readonly unit: string;
  /** The kit's first; each is started when it is its turn to warm up. */
  readonly contestants: readonly (() => Promise<Contestant>)[];
  /** How much the first does in a lap of about the given seconds, from how long `amount` 1 takes; default 1 always. */
  readonly lapSeconds?: number;
  /** A fixed amount of each lap, instead of `lapSeconds`. */
  readonly lapAmount?: number;
  readonly laps: { readonly least: number; readonly most: number; readonly warmUp: boolean };
  /** Floating-point operations of a unit, to state the share of the measured peak of matrix products; or none. */
  readonly flopsPerUnit?: number;
}

/** One side of a contest. */
export interface Side {
  readonly name: string;
  readonly rate: Spread;
  /** Rate of the first contestant divided by this one's, lap by lap. */
  readonly ratio: Spread | null;
  readonly peakMegabytes: number;
  /** Of the last lap. */
  readonly value: number;
  /** Share of the peak of float32 and of bfloat16 matrix products, in the kit's own kernels. */
  readonly peakShare: number | null;
}

export interface ContestResult {
  readonly part: string;
  readonly what: string;
  readonly unit: string;
  readonly laps: number;
  readonly sides: readonly Side[];
  /** Contestants that could not run, and why. */
  readonly absent: readonly string[];
}

/** Lets all contestants take turns; who goes first alternates, because the second may find the machine warmer or busier. */
export async function runContest(
  contest: Contest,
  options: { readonly seconds: number; readonly peak: (name: string) => number | undefined },
): Promise<ContestResult> {
  const { laps: limits, lapSeconds, flopsPerUnit } = contest;
  const bar = progressBar(contest.what);
  const contestants: Contestant[] = [];
  const absent: string[] = [];
  try {
    for (const start of contest.contestants) {
      try {
        bar.update(0, "warming up");
        const contestant = await start();
        contestants.push(contestant);
        if (limits.warmUp) await contestant.lap(1);
      } catch (error) {
        if (contestants.length === 0) throw error;
        absent.push(error instanceof Error ? error.message : String(error));
      }
    }
    const [first] = contestants;
    if (first === undefined) throw new Error("nobody takes part");
    const amount =
      contest.lapAmount ??
      (lapSeconds === undefined ? 1 : Math.max(1, Math.round(lapSeconds / (await first.lap(1)).seconds)));
    const laps: Lap[][] = contestants.map(() => []);
    const begun = performance.now();
    const end = begun + options.seconds * 1000;
    for (let lap = 0; lap < limits.least || (performance.now() < end && lap < limits.most); lap++) {
      const order = contestants.map((_, index) => index);
      for (const index of lap % 2 === 0 ? order : order.reverse()) {
        const done = await contestants[index]?.lap(amount);
        if (done !== undefined) laps[index]?.push(done);
      }
      bar.update(Math.min(1, (lap + 1) / limits.least), `lap ${lap + 1}`);
    }
    const rateOf = ({ amount: done, seconds }: Lap): number => done / seconds;
    const sides = contestants.map(({ name }, index): Side => {
      const own = laps[index] ?? [];
      const rate = spreadOf(own.map(rateOf));
      const peak = options.peak(name);
      const last = own.at(-1);
      return {
        name,
        rate,
        ratio:
          index === 0 ? null : spreadOf(own.map((lap, turn) => rateOf(laps[0]?.[turn] ?? lap) / rateOf(lap))),
        peakMegabytes: last?.peakMegabytes ?? NaN,
        value: last?.value ?? NaN,
        peakShare:
          flopsPerUnit === undefined || peak === undefined ? null : (rate.median * flopsPerUnit) / peak,
      };
    });
    const { part, what, unit } = contest;
    return { part, what, unit, laps: laps[0]?.length ?? 0, sides, absent };
  } finally {
    bar.stop();
    for (const contestant of contestants) contestant.close();
  }
}

/** Median, smallest and largest of some numbers. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? NaN;
  const middle = (sorted.length - 1) / 2;
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    low: at(0),
    high: at(sorted.length - 1),
  };
}

/** A lap of this process. */
export async function ownLap(
  work: () => Promise<{ readonly amount: number; readonly value: number }>,
): Promise<Lap> {
  const start = performance.now();
  const { amount, value } = await work();
  const seconds = (performance.now() - start) / 1000;
  // Kilobytes.
  return { seconds, amount, value, peakMegabytes: Math.round(process.resourceUsage().maxRSS / 1000) };
}
