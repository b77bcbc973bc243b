import type { Lap } from "./own-training.js";
import { OwnTraining } from "./own-training.js";
import { PeerTraining } from "./peer-training.js";
import type { Workload } from "./workload.js";

/** A number of several laps: median, smallest and largest. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** One side of a comparison. */
export interface Side {
  readonly name: string;
  readonly tokensPerSecond: Spread;
  readonly peakMegabytes: number;
  /** Nats per token of the last step of the last lap; the sides start from different weights. */
  readonly loss: number;
}

/** A workload measured. */
export interface Measurement {
  readonly workload: Workload["name"];
  readonly what: string;
  readonly parameters: number;
  readonly tokensPerStep: number;
  readonly stepsPerLap: number;
  readonly laps: number;
  /** Before the first step of the kit: recording and loading the graph, in seconds. */
  readonly preparation: number;
  readonly kit: Side;
  /** The kit with a step that is not compiled, where it was asked for. */
  readonly eager: Side | null;
  readonly peer: Side | null;
  /** Tokens/s of the kit divided by that of the peer, lap by lap; null without a peer. */
  readonly ratio: Spread | null;
}

/** How to measure. */
export interface MeasureOptions {
  readonly peerPython: string | undefined;
  readonly threads: number;
  /** For the laps of one workload. */
  readonly seconds: number;
  readonly kitName: string;
  /** Whether the first side's step is compiled; the native engine can. */
  readonly compile: boolean;
  /** Whether the kit's eager step runs too. */
  readonly withEager: boolean;
}

const MIN_LAPS = 3;
const MAX_LAPS = 25;
const LAP_SECONDS = 1;

/**
 * Trains in laps, the kit and the peer in turns, so that what else the machine does meets both alike.
 * @throws KitError when the peer does not run
 */
export async function measure(workload: Workload, options: MeasureOptions): Promise<Measurement> {
  const own = new OwnTraining(workload, options.compile ? "compiled" : "eager");
  const eager = options.withEager ? new OwnTraining(workload, "eager") : undefined;
  let other: { readonly peer: PeerTraining; readonly version: string } | undefined;
  try {
    if (options.peerPython !== undefined) {
      other = await PeerTraining.start(options.peerPython, workload, options.threads, own.parameterCount);
    }
    const contestants = { own, eager, peer: other?.peer };
    const { laps, steps } = await runLaps(contestants, options.seconds);
    const tokensPerStep = workload.batch * workload.time;
    const speed = ({ seconds }: Lap): number => (tokensPerStep * steps) / seconds;
    const sideNamed = (name: string, side: keyof LapOfAll): Side => {
      const own = laps.flatMap((lap) => lap[side] ?? []);
      return sideOf(name, own, speed);
    };
    return {
      workload: workload.name,
      what: workload.what,
      parameters: own.parameterCount,
      tokensPerStep,
      stepsPerLap: steps,
      laps: laps.length,
      preparation: own.preparation,
      kit: sideNamed(options.kitName, "own"),
      eager: eager === undefined ? null : sideNamed(`${options.kitName}, eager`, "eager"),
      peer: other === undefined ? null : sideNamed(other.version, "peer"),
      ratio:
        other === undefined
          ? null
          : spreadOf(
              laps.flatMap((lap) => (lap.peer === undefined ? [] : lap.peer.seconds / lap.own.seconds)),
            ),
    };
  } finally {
    other?.peer.close();
    eager?.close();
    own.close();
  }
}

/** One that takes steps. */
interface Contestant {
  run(steps: number): Promise<Lap>;
}

/** A lap of each. */
interface LapOfAll {
  readonly own: Lap;
  readonly eager: Lap | undefined;
  readonly peer: Lap | undefined;
}

async function runLaps(
  { own, eager, peer }: { own: Contestant; eager: Contestant | undefined; peer: Contestant | undefined },
  seconds: number,
): Promise<{ readonly laps: readonly LapOfAll[]; readonly steps: number }> {
  // The first steps make buffers and compile kernels; the last of them says how many steps a lap has.
  await own.run(2);
  await eager?.run(2);
  await peer?.run(2);
  const steps = Math.max(1, Math.round(LAP_SECONDS / (await own.run(1)).seconds));
  const laps: LapOfAll[] = [];
  const end = performance.now() + seconds * 1000;
  while (laps.length < MIN_LAPS || (performance.now() < end && laps.length < MAX_LAPS)) {
    // Who goes first alternates: the second may find the machine warmer or busier.
    if (laps.length % 2 === 0) {
      const first = await own.run(steps);
      laps.push({ own: first, eager: await eager?.run(steps), peer: await peer?.run(steps) });
    } else {
      const [first, second] = [await peer?.run(steps), await eager?.run(steps)];
      laps.push({ own: await own.run(steps), eager: second, peer: first });
    }
  }
  return { laps, steps };
}

function sideOf(name: string, laps: readonly Lap[], speed: (lap: Lap) => number): Side {
  const last = laps.at(-1);
  return {
    name,
    tokensPerSecond: spreadOf(laps.map(speed)),
    peakMegabytes: last?.peakMegabytes ?? NaN,
    loss: last?.loss ?? NaN,
  };
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
