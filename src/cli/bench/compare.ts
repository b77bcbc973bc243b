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
  readonly kit: Side;
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
}

const MIN_LAPS = 3;
const MAX_LAPS = 25;
const LAP_SECONDS = 1;

/**
 * Trains in laps, the kit and the peer in turns, so that what else the machine does meets both alike.
 * @throws KitError when the peer does not run
 */
export async function measure(workload: Workload, options: MeasureOptions): Promise<Measurement> {
  const own = new OwnTraining(workload);
  let other: { readonly peer: PeerTraining; readonly version: string } | undefined;
  try {
    if (options.peerPython !== undefined) {
      other = await PeerTraining.start(options.peerPython, workload, options.threads, own.parameterCount);
    }
    const { laps, steps } = await runLaps(own, other?.peer, options.seconds);
    const tokensPerStep = workload.batch * workload.time;
    const speed = ({ seconds }: Lap): number => (tokensPerStep * steps) / seconds;
    const peers = laps.flatMap(({ peer }) => peer ?? []);
    return {
      workload: workload.name,
      what: workload.what,
      parameters: own.parameterCount,
      tokensPerStep,
      stepsPerLap: steps,
      laps: laps.length,
      kit: sideOf(
        options.kitName,
        laps.map((lap) => lap.own),
        speed,
      ),
      peer: other === undefined ? null : sideOf(other.version, peers, speed),
      ratio:
        other === undefined
          ? null
          : spreadOf(
              laps.flatMap((lap) => (lap.peer === undefined ? [] : lap.peer.seconds / lap.own.seconds)),
            ),
    };
  } finally {
    other?.peer.close();
    own.close();
  }
}

interface LapPair {
  readonly own: Lap;
  readonly peer: Lap | undefined;
}

async function runLaps(
  own: OwnTraining,
  peer: PeerTraining | undefined,
  seconds: number,
): Promise<{ readonly laps: readonly LapPair[]; readonly steps: number }> {
  // The first steps make buffers and compile kernels; the last of them says how many steps a lap has.
  await own.run(2);
  await peer?.run(2);
  const steps = Math.max(1, Math.round(LAP_SECONDS / (await own.run(1)).seconds));
  const laps: LapPair[] = [];
  const end = performance.now() + seconds * 1000;
  while (laps.length < MIN_LAPS || (performance.now() < end && laps.length < MAX_LAPS)) {
    // Who goes first alternates: the second may find the machine warmer or busier.
    if (laps.length % 2 === 0) laps.push({ own: await own.run(steps), peer: await peer?.run(steps) });
    else {
      const first = await peer?.run(steps);
      laps.push({ own: await own.run(steps), peer: first });
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
