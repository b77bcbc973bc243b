/** What `ift-kit train --help` says of the part "train" of the file, with the usual values of each optimizer. */
export const TRAIN_FIELDS = `
The part "train" of the file:
  budget     { unit: "supervised-tokens" | "total-tokens" | "steps", amount }
  batch      { kind: "bucketed", rowsPerStep } or { kind: "packed", tokensPerRow, rowsPerStep }
  optimizer  weightDecay (matrices only) and clipNorm (or "off") for each; with its usual values:
             AdamW      { learningRate: 1e-3, beta1: 0.9, beta2: 0.95, epsilon: 1e-8 }
             Adafactor  { kind: "adafactor", learningRate: 1e-3, scaleParameter: false, epsilonSquare: 1e-30,
                          epsilonScale: 1e-3, clipThreshold: 1, decayRate: 0.8, beta1: "off" }
                        or learningRate "relative" | "relative-warmup", scaleParameter: true, schedule "constant"
             SGD        { kind: "sgd", learningRate: 0.1, momentum: 0.9, nesterov: false }
             Lion       { kind: "lion", learningRate: 1e-4, beta1: 0.9, beta2: 0.99 }
  schedule   { kind: "cosine" | "linear" | "constant", warmupFraction (or warmupSteps), finalFraction }
             or { kind: "warmup-stable-decay", warmupFraction, decayFraction (or decaySteps),
                  decayShape: "linear" | "cosine" | "1-sqrt", finalFraction }
  seed       decides the order of the rows and the start values
  optional:
  microBatchRows          rows of one pass; saves memory, changes nothing but rounding
  loss                    { labelSmoothing: 0.1, zLoss: 1e-4 }, either or both
  weightAverage           { decay: 0.999, use: "average" | "latest" }: which weights end in model/
  activationCheckpointing true: each block is computed again in the backward pass; takes --eager
  precision               "float32" or "bfloat16"
`;
