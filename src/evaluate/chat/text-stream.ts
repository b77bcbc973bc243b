import type { Tokenizer } from "../../data/tokenizer.js";

/** Stands for bytes that are no character; at the end of a text that still grows, for the beginning of one. */
const NO_CHARACTER = /\uFFFD+$/u;

/**
 * The text of an answer while its tokens come. Only what no later token can change is given out: a character of which
 * some bytes are missing waits for the others, and what may be the beginning of a stop text waits until it is known.
 */
export class TextStream {
  readonly #tokenizer: Pick<Tokenizer, "decode">;
  readonly #stop: readonly string[];
  readonly #onText: (piece: string) => void;
  #given = "";

  /**
   * @param stop texts that end the answer and are not in it
   * @param onText is given the pieces; joined they are the text of `finish`
   */
  constructor(
    tokenizer: Pick<Tokenizer, "decode">,
    stop: readonly string[],
    onText: (piece: string) => void = () => undefined,
  ) {
    this.#tokenizer = tokenizer;
    this.#stop = stop;
    this.#onText = onText;
  }

  /** What was given out so far. */
  get text(): string {
    return this.#given;
  }

  /** Gives out what is certain. @param ids all tokens of the answer so far */
  update(ids: readonly number[]): void {
    const whole = this.#tokenizer.decode(ids).replace(NO_CHARACTER, "");
    this.#give(whole.slice(0, whole.length - waiting(whole, this.#stop)));
  }

  /** Gives out the rest. @param text of the whole answer */
  finish(text: string): void {
    this.#give(text);
  }

  #give(text: string): void {
    const piece = text.slice(this.#given.length);
    if (piece === "") return;
    this.#given = text;
    this.#onText(piece);
  }
}

/** Length of the longest end of a text that a stop text begins with. */
function waiting(text: string, stop: readonly string[]): number {
  const lengths = stop.map((stopText) => {
    let length = Math.min(text.length, stopText.length - 1);
    while (length > 0 && !text.endsWith(stopText.slice(0, length))) length--;
    return length;
  });
  return Math.max(0, ...lengths);
}
