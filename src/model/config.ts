/** The shape of a decoder-only transformer. Every field is a number of units named in its comment. */
export interface DecoderConfig {
  /** Number of token ids. */
  readonly vocabularySize: number;
  /** Width of the residual stream, in features. */
  readonly width: number;
  /** Number of transformer blocks. */
  readonly layers: number;
  /** Number of attention heads; divides `width`. */
  readonly heads: number;
  /** Width of the feed-forward layer, in features (of each of the two halves for SwiGLU). */
  readonly feedForwardWidth: number;
  /** Longest sequence, in tokens. */
  readonly contextLength: number;
  readonly positions: { readonly kind: "learned" } | { readonly kind: "rotary"; readonly base: number };
  readonly norm: { readonly kind: "layer" | "rms"; readonly epsilon: number };
  readonly activation: "gelu-tanh" | "swiglu";
  /** Whether linear layers have biases (GPT-2) or not (Llama). */
  readonly biases: boolean;
  /** Whether the output head is the token embedding. */
  readonly tiedHead: boolean;
}
