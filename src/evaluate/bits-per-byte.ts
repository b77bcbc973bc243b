import type { Tokenizer } from "../data/tokenizer.js";
import type { Decoder } from "../model/decoder.js";
import { scoreTargets } from "./score.js";

/** How much a model needs to say a text. */
export interface TextBits {
  /** Bits of the text and its end: minus the logarithm to base 2 of their probability. */
  readonly bits: number;
  /** UTF-8 bytes of the text. */
  readonly bytes: number;
}

const BATCH_TOKENS = 8192;

/**
 * The bits of each text, from its beginning to its end of sequence.
 * @returns an empty list when the signal aborts
 * @throws KitError when a text is longer than the model's context
 */
export async function textBits(
  { decoder, tokenizer }: { readonly decoder: Decoder; readonly tokenizer: Tokenizer },
  texts: readonly string[],
  options: { readonly signal?: AbortSignal } = {},
): Promise<TextBits[]> {
  const { bos, eos } = tokenizer.special;
  const scores = await scoreTargets(
    decoder,
    texts.map((text) => ({ prompt: [bos ?? eos], target: [...tokenizer.encode(text).ids, eos] })),
    { batchTokens: BATCH_TOKENS, ...options },
  );
  return scores.map(({ logprob }, index) => ({
    bits: -logprob / Math.LN2,
    bytes: Buffer.byteLength(texts[index] ?? ""),
  }));
}

/** Bits for each byte of all texts together; NaN of none. */
export function bitsPerByte(texts: readonly TextBits[]): number {
  const sum = (of: (text: TextBits) => number): number => texts.reduce((total, text) => total + of(text), 0);
  return sum(({ bits }) => bits) / sum(({ bytes }) => bytes);
}
