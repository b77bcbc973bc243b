import type { HeadLayout } from "../engine/ops/attention.js";
import { rotaryAngles } from "../engine/ops/rotary.js";
import type { TensorFlow } from "../engine/tensorflow.js";
import { type DecoderConfig, headShape } from "./config.js";

/**
 * How the attention of a decoder reads a batch.
 * @param positions int32 `[batch, time]`; without them each row counts from 0
 */
export function attentionLayout(
  config: DecoderConfig,
  batch: number,
  time: number,
  positions: TensorFlow.Tensor2D | undefined,
): HeadLayout {
  const { positions: kind, contextLength } = config;
  const { heads, keyValueHeads, headWidth } = headShape(config);
  const rotary =
    kind.kind === "rotary"
      ? rotaryAngles(positions ?? time, { ...kind, contextLength, headWidth, heads, keyValueHeads })
      : undefined;
  return { batch, time, heads, keyValueHeads, rotary };
}
