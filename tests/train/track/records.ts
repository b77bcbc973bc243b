import type { StepRecord } from "../../../src/train/progress.js";

/** Steps with numbers by a formula; every third is followed by a validation. */
export function madeUpRecords(count: number): StepRecord[] {
  return Array.from({ length: count }, (_, index) => {
    const step = index + 1;
    const loss = 3 / step;
    const measure = { loss: 4 / step, supervisedTokens: 50, rows: 5, bitsPerByte: 2 / step };
    return {
      ...{ step, loss, learningRate: 0.01, gradientNorm: 0.5, supervisedTokens: 10 * step },
      ...{ totalTokens: 30 * step, positions: 40 * step, rows: 4 * step, epochs: step / 10, seconds: step },
      ...{
        tokensPerSecond: 30,
        supervisedTokensPerSecond: 10,
        supervisedBytes: 25 * step,
        memoryBytes: 2 ** 28,
      },
      bitsPerByte: loss / 2,
      ...(step % 3 === 0
        ? {
            validation: {
              step,
              ...measure,
              taskTypeMean: 5 / step,
              byTaskType: { "Word analogy (a→b)": measure },
            },
          }
        : {}),
    };
  });
}
