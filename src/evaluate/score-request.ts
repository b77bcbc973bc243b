import { tf, type TensorFlow } from "../engine/tensorflow.js";
import type { CompileOption, Work } from "./compiling.js";

/** How probable is `target` after `prompt`? */
export interface ScoreRequest {
  /** Token ids, BOS included where the tokenizer has one; at least one. */
  readonly prompt: readonly number[];
  /** Token ids; at least one. */
  readonly target: readonly number[];
}

/** The answer to a `ScoreRequest`, in nats. */
export interface TargetScore {
  /** Natural log of the probability of the whole target: the sum of `tokenLogprobs`. */
  readonly logprob: number;
  /** Natural log of each target token's probability given all tokens before it: `[target tokens]`. */
  readonly tokenLogprobs: readonly number[];
}

export interface ScoreOptions extends CompileOption {
  /** Most tokens in a batch, padding included; changes the time and the memory, not the scores. */
  readonly batchTokens: number;
  /** Stops before the next batch; the result is then an empty list. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Logits that are held at once: 64 MB of float32. */
export const MOST_LOGITS = 16_777_216;

/** The values of a tensor that `make` computes; everything it makes on the way is freed. */
export async function readFloats(make: () => TensorFlow.Tensor): Promise<Float32Array> {
  const tensor = tf.tidy(make);
  const values = await tensor.data();
  tensor.dispose();
  return Float32Array.from(values);
}

/** What scoring some requests takes. */
export function scoringWork(requests: readonly ScoreRequest[], { batchTokens }: ScoreOptions): Work {
  const positions = requests.reduce((sum, request) => sum + fedLength(request), 0);
  return { passes: Math.ceil(positions / batchTokens), positions };
}

/** Tokens of a row that are fed: the last target token predicts nothing. */
export function fedLength({ prompt, target }: ScoreRequest): number {
  return prompt.length + target.length - 1;
}
