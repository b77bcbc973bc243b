import { readFloats } from "../evaluate/score-request.js";
import { tf, type TensorFlow } from "../engine/tensorflow.js";
import type { Decoder } from "../model/decoder.js";
import { type LogprobOfId, tokenLogprobs } from "./decoding/token-logprobs.js";

/** How probable a token of a prompt is after those before it; the first has none before it. */
export interface PromptLogprob {
  readonly id: number;
  readonly after?: { readonly logprob: number; readonly top: readonly LogprobOfId[] };
}

/** Logits that are held at once: 16 MB of float32. */
const MOST_LOGITS = 4_194_304;

/**
 * Log-probabilities of the tokens of a prompt, in one forward pass: natural, of the model as it is, as `scoreTargets` gives them.
 * @param ids token ids; at least one, and no more than the context
 * @param count of the most probable tokens in each place
 */
export async function promptLogprobs(
  decoder: Decoder,
  ids: readonly number[],
  count: number,
): Promise<PromptLogprob[]> {
  const { vocabularySize, width } = decoder.config;
  const [first = 0, ...rest] = ids;
  const found: PromptLogprob[] = [{ id: first }];
  if (rest.length === 0) return found;
  const hidden = tf.tidy(() =>
    tf.reshape(decoder.hiddenStates({ ids: tf.tensor2d([ids.slice(0, -1)], undefined, "int32") }), [
      rest.length,
      width,
    ]),
  );
  try {
    const atOnce = Math.max(1, Math.floor(MOST_LOGITS / vocabularySize));
    for (let start = 0; start < rest.length; start += atOnce) {
      const rows = rest.slice(start, start + atOnce);
      const logits = await readFloats(() =>
        decoder.logits(tf.slice(hidden as TensorFlow.Tensor2D, [start, 0], [rows.length, width])),
      );
      rows.forEach((id, row) => {
        const { chosen, top } = tokenLogprobs(
          logits.subarray(row * vocabularySize, (row + 1) * vocabularySize),
          id,
          count,
        );
        found.push({ id, after: { logprob: chosen, top } });
      });
    }
  } finally {
    hidden.dispose();
  }
  return found;
}
