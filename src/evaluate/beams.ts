/** What a beam search decides; all of it changes the answers. */
export interface BeamSearch {
  /** Answers that are followed at once, and found at last. */
  readonly beams: number;
  /** Log-probabilities are divided by the length to this power: above 0 long answers gain, below they lose; 0 for none. */
  readonly lengthPenalty: number;
  /**
   * When the search of a prompt ends, besides the longest answer. true: as soon as there are as many answers as beams.
   * false: when the best beam, at its present length, is no better than the worst answer. "never": when it could not
   * become better at any length.
   */
  readonly earlyStopping: boolean | "never";
}

/** A token that may follow. */
export interface Candidate {
  readonly token: number;
  /** Natural log of its probability. */
  readonly logprob: number;
}

/** How a beam goes on. */
export interface Step {
  /** The beam that it goes on from, in the order of the last step. */
  readonly parent: number;
  readonly token: number;
}

/** An answer, or the beginning of one. */
interface Hypothesis {
  readonly ids: readonly number[];
  /** Nats; of a finished one with the length penalty. */
  readonly score: number;
}

/** Of what must not be followed, as `transformers` writes it. */
const IMPOSSIBLE = -1e9;

/**
 * The beams of one prompt, step by step as in `_beam_search` of transformers 5 (`generation/utils.py`), rounded to float32
 * where it is. There whole batches are searched, but no prompt changes anything for another one.
 */
export class Beams {
  readonly search: BeamSearch;
  readonly #eos: number;
  readonly #maxTokens: number;
  #running: readonly Hypothesis[];
  #finished: readonly Hypothesis[] = [];
  #ended = false;

  /** @param maxTokens longest answer, in tokens, EOS included */
  constructor(search: BeamSearch, eos: number, maxTokens: number) {
    this.search = search;
    this.#eos = eos;
    this.#maxTokens = maxTokens;
    this.#running = [{ ids: [], score: 0 }];
  }

  /** Whether nothing better can be found, by the rule of `earlyStopping`. */
  get ended(): boolean {
    return this.#ended;
  }

  /** The answers found so far, best first; EOS is in them. */
  get finished(): readonly Hypothesis[] {
    return this.#finished;
  }

  /**
   * Takes the next step.
   * @param candidates for each beam at least twice as many tokens as there are beams
   * @returns how each of the beams goes on
   */
  advance(candidates: readonly (readonly Candidate[])[]): Step[] {
    const { beams } = this.search;
    // Twice the beams, because at most half of them end with EOS.
    const best = this.#continuations(candidates).slice(0, 2 * beams);
    const [ending, open] = [best.filter(({ ends }) => ends), best.filter(({ ends }) => !ends)];
    const going = open.slice(0, beams);
    this.#running = going;
    this.#collect(best.slice(0, beams).filter(({ ends }) => ends));
    // At the longest length all of them end.
    this.#ended = ending.length === best.length || !this.#mayImprove();
    return going;
  }

  /** All ways to go on, best first; of equal ones the earlier beam's and the smaller token. */
  #continuations(
    candidates: readonly (readonly Candidate[])[],
  ): (Hypothesis & Step & { readonly ends: boolean })[] {
    return this.#running
      .flatMap(({ ids, score }, parent) =>
        (candidates[parent] ?? []).map(({ token, logprob }) => ({
          ids: [...ids, token],
          score: Math.fround(score + logprob),
          parent,
          token,
          ends: token === this.#eos || ids.length + 1 >= this.#maxTokens,
        })),
      )
      .sort((a, b) => b.score - a.score || a.parent - b.parent || a.token - b.token);
  }

  /** Keeps the best of the earlier and the new answers. */
  #collect(ending: readonly Hypothesis[]): void {
    const penalized = ending.map(({ ids, score }) => ({ ids, score: this.#penalized(score, ids.length) }));
    this.#finished = [...this.#finished, ...penalized]
      .sort((a, b) => b.score - a.score)
      .slice(0, this.search.beams);
  }

  #mayImprove(): boolean {
    const { beams, lengthPenalty, earlyStopping } = this.search;
    if (this.#finished.length < beams) return true;
    if (earlyStopping === true) return false;
    const [best] = this.#running;
    const worst = this.#finished.at(-1);
    const length =
      earlyStopping === "never" && lengthPenalty > 0
        ? this.#maxTokens
        : (best?.ids.length ?? this.#maxTokens);
    return this.#penalized(best?.score ?? IMPOSSIBLE, length) > (worst?.score ?? IMPOSSIBLE);
  }

  #penalized(score: number, length: number): number {
    return Math.fround(score / Math.fround(length ** this.search.lengthPenalty));
  }
}
