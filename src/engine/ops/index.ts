export { causalAttention } from "./attention.js";
export { type AttentionMask, causalMask, segmentMask } from "./attention-mask.js";
export { softmaxCrossEntropySum, targetLogProbabilities, type TokenLoss } from "./cross-entropy.js";
export { embeddingLookup } from "./embedding.js";
export { gelu } from "./gelu.js";
export { layerNorm } from "./layer-norm.js";
export { linear } from "./linear.js";
export { rmsNorm } from "./rms-norm.js";
export { silu, swiglu } from "./silu.js";
