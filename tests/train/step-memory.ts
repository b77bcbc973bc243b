import type { BatchArrays } from "../../src/train/batch.js";
import type { Objective } from "../../src/train/objective.js";
import { CompiledStep } from "../../src/train/step/compiled-step.js";

/** What compiled steps took. */
export interface StepMemory {
  /** By how much the process grew at most, in MiB: recording and compiling are in it. */
  readonly mebibytes: number;
  /** Of the fastest step after the first one. */
  readonly secondsPerStep: number;
}

/** Which compiled step is measured. */
export interface StepChoice {
  readonly again: boolean;
  readonly fuse: boolean;
  readonly steps: number;
}

/** The shape of made-up rows that are full; `decoderTime` where there is a decoder beside an encoder. */
export interface RowsShape {
  readonly batch: number;
  readonly time: number;
  readonly decoderTime?: number;
}

/** Takes compiled steps on one made-up batch. For a process of its own, as a process gives little memory back. */
export function measureSteps(
  objective: Objective,
  { batch, time, decoderTime }: RowsShape,
  { again, fuse, steps }: StepChoice,
): StepMemory {
  const optimizer = {
    ...{ learningRate: 0.001, beta1: 0.9, beta2: 0.98, epsilon: 1e-8 },
    ...{ weightDecay: 0.1, clipNorm: 1 },
  } as const;
  const step = new CompiledStep(
    objective,
    { optimizer, activationCheckpointing: again },
    {
      ...{ longestRow: time, packed: false, timeUnit: 1, fuse },
      ...(decoderTime === undefined ? {} : { longestDecoderRow: decoderTime }),
    },
  );
  const { needs, model } = objective;
  const arrays = madeUp({ batch, time, decoderTime }, model.config.vocabularySize, needs);
  const before = process.memoryUsage.rss() / 2 ** 20;
  const seconds: number[] = [];
  for (let count = 0; count < steps; count++) {
    const start = performance.now();
    step.update(0.001, step.measure([arrays]).gradientNorm);
    seconds.push((performance.now() - start) / 1000);
  }
  const mebibytes = process.resourceUsage().maxRSS / 2 ** 10 - before;
  return { mebibytes, secondsPerStep: Math.min(...seconds.slice(1)) };
}

/** Every place of the last stack has a target for a decoder, one in seven for a BERT. */
function madeUp(
  { batch, time, decoderTime }: { batch: number; time: number; decoderTime: number | undefined },
  vocabulary: number,
  { padding, tokenTypes, targetClasses }: Objective["needs"],
): BatchArrays {
  const size = batch * (decoderTime ?? time);
  const fill = (length: number, of: (place: number) => number): Int32Array =>
    Int32Array.from({ length }, (_, place) => of(place));
  const every = tokenTypes === undefined ? 1 : 7;
  const targets = Math.floor(size / every);
  return {
    ...{ batch, time },
    ids: fill(batch * time, (place) => (place * 7) % vocabulary),
    targets: fill(targets, (place) => (place * 7) % Math.min(targetClasses, 11)),
    targetPositions: fill(targets, (place) => place * every),
    ...(padding === true ? { segments: fill(batch * time, () => 1) } : {}),
    ...(tokenTypes === undefined ? {} : { tokenTypes: fill(batch * time, () => 0) }),
    ...(decoderTime === undefined
      ? {}
      : { decoderTime, decoderIds: fill(size, (place) => (place * 5) % vocabulary) }),
  };
}
