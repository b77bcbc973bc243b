import { tf, type TensorFlow } from "../engine/tensorflow.js";
import { CompiledDecoder } from "../model/compiled/compiled-decoder.js";
import type { Decoder } from "../model/decoder.js";
import { byLength } from "./batches.js";
import {
  MOST_LOGITS,
  readFloats,
  type ScoreOptions,
  type ScoreRequest,
  type TargetScore,
} from "./score-request.js";

/** A prompt and the targets that are asked for after it. */
interface Tree {
  readonly prompt: readonly number[];
  readonly branches: Branch[];
  /** Tokens that are fed: the last one of each target predicts nothing. */
  fed: number;
}

interface Branch {
  readonly target: readonly number[];
  /** Which request it is. */
  readonly index: number;
}

/** Positions up to which short prompts with many targets stay one tree: beyond it, attention costs more than the prompt. */
const LARGE_TREE = 128;

/**
 * Log-probabilities of targets by the compiled decoder: the numbers of `scoreTargets`. Requests with equal prompts are
 * one row, in which the prompt is computed once and no target sees another.
 *
 *     fed        <bos> Is it good? => yes . no .      (the last token of each target predicts nothing)
 *     segments       0  0  0    0   0   1 1  2 2
 *     positions      0  1  2    3   4   5 6  5 6
 *
 * @returns one score for each request, in their order; an empty list when the signal aborts
 */
export async function scoreTrees(
  decoder: Decoder,
  requests: readonly ScoreRequest[],
  options: Pick<ScoreOptions, "batchTokens" | "signal" | "onProgress">,
): Promise<TargetScore[]> {
  const compiled = CompiledDecoder.of(decoder);
  const trees = plantTrees(requests);
  const mostRows = Math.max(
    ...trees.map(({ branches, fed, prompt }) => branches.length + fed - prompt.length),
  );
  const rowsAtOnce = MOST_LOGITS / decoder.config.vocabularySize;
  const fits = (count: number, longest: number): boolean =>
    count * longest <= options.batchTokens && count * mostRows <= rowsAtOnce;
  const scores = new Array<TargetScore>(requests.length);
  let done = 0;
  for (const batch of byLength(trees, ({ fed }) => fed, fits)) {
    if (options.signal?.aborted === true) return [];
    const logprobs = await readFloats(() => compiled.logProbabilities(layOut(batch)));
    let start = 0;
    for (const { index, target } of batch.flatMap(({ branches }) => branches)) {
      const tokenLogprobs = Array.from(logprobs.subarray(start, start + target.length));
      start += target.length;
      scores[index] = { logprob: tokenLogprobs.reduce((sum, value) => sum + value, 0), tokenLogprobs };
      done++;
    }
    options.onProgress?.(done, requests.length);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return scores;
}

/** Requests with equal prompts together, as long as the trees do not become large. */
function plantTrees(requests: readonly ScoreRequest[]): Tree[] {
  const trees: Tree[] = [];
  const growing = new Map<string, Tree>();
  requests.forEach(({ prompt, target }, index) => {
    const key = prompt.join(" ");
    const known = growing.get(key);
    const limit = Math.max(LARGE_TREE, 2 * prompt.length);
    const more = target.length - 1;
    if (known !== undefined && known.fed + more <= limit) {
      known.branches.push({ target, index });
      known.fed += more;
      return;
    }
    const tree = { prompt, branches: [{ target, index }], fed: prompt.length + more };
    trees.push(tree);
    growing.set(key, tree);
  });
  return trees;
}

/** The tensors of a batch, see `recordScoring`; its pairs are the targets' tokens, one tree after another. */
function layOut(trees: readonly Tree[]): Parameters<CompiledDecoder["logProbabilities"]>[0] {
  const time = Math.max(...trees.map(({ fed }) => fed));
  const size = trees.length * time;
  const [ids, positions, segments] = [new Int32Array(size), new Int32Array(size), new Int32Array(size)];
  const rows: number[] = [];
  const pairRows: number[] = [];
  const targets: number[] = [];
  trees.forEach(({ prompt, branches }, row) => {
    let place = row * time;
    const feed = (id: number, position: number, segment: number): void => {
      ids[place] = id;
      positions[place] = position;
      segments[place] = segment;
      place++;
    };
    prompt.forEach((id, position) => feed(id, position, 0));
    const fork = rows.push(place - 1) - 1;
    branches.forEach(({ target }, branch) => {
      target.forEach((id, step) => {
        pairRows.push(step === 0 ? fork : rows.length - 1);
        targets.push(id);
        if (step === target.length - 1) return;
        rows.push(place);
        feed(id, prompt.length + step, branch + 1);
      });
    });
  });
  const table = (values: Int32Array): TensorFlow.Tensor2D =>
    tf.tensor2d(values, [trees.length, time], "int32");
  const list = (values: readonly number[]): TensorFlow.Tensor1D => tf.tensor1d([...values], "int32");
  return {
    ids: table(ids),
    positions: table(positions),
    segments: table(segments),
    rows: list(rows),
    pairRows: list(pairRows),
    targets: list(targets),
  };
}
