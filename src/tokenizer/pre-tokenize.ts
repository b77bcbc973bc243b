/**
 * Unicode white space. JavaScript's `\s` is another set (it has U+FEFF and lacks U+0085), and the words would then differ
 * from those of Python's `tokenizers`.
 */
export const SPACE = "\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";

/** GPT-2's words: `self.pat` in `src/encoder.py` of openai/gpt-2. */
const WORD = new RegExp(
  `'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^${SPACE}\\p{L}\\p{N}]+|[${SPACE}]+(?![^${SPACE}])|[${SPACE}]+`,
  "gu",
);

/** Cuts a text into pieces that joined are the text. */
export type Cutter = (text: string) => string[];

/**
 * Cuts a text into the words inside which a byte-level BPE merges. A word takes the blank before it along; joined, the
 * words are the text.
 */
export function words(text: string): string[] {
  return text.match(WORD) ?? [];
}

/** A pre-tokenizer of a `tokenizer.json`, as far as the kit reads it. */
export interface PreTokenizer {
  readonly type: string;
  readonly [field: string]: unknown;
}

/**
 * The cutter of a byte-level BPE: GPT-2's words, or what newer models cut with before the bytes (SmolLM2 single digits,
 * Llama 3 and Qwen2 a regular expression of their own).
 * @returns a text that says what the kit cannot do, instead of a cutter
 */
export function cutterOf(preTokenizer: PreTokenizer | null | undefined): Cutter | string {
  if (preTokenizer == null) return "it has no pre-tokenizer";
  const { type } = preTokenizer;
  if (type === "Sequence") {
    const parts = preTokenizer.pretokenizers;
    if (!Array.isArray(parts) || parts.length === 0) return "its sequence of pre-tokenizers is empty";
    const cutters = (parts as PreTokenizer[]).map(cutterOf);
    const problem = cutters.find((cutter) => typeof cutter === "string");
    if (problem !== undefined) return problem;
    return (text) =>
      (cutters as Cutter[]).reduce<string[]>((pieces, cutter) => pieces.flatMap(cutter), [text]);
  }
  if (type === "ByteLevel") {
    if (preTokenizer.add_prefix_space === true) return "it adds a blank before the text";
    return preTokenizer.use_regex === false ? (text) => [text] : words;
  }
  if (type === "Digits") return isolating(preTokenizer.individual_digits === true ? "\\p{N}" : "\\p{N}+");
  if (type === "Split") return splitterOf(preTokenizer);
  return `its pre-tokenizer is ${type}`;
}

function splitterOf({ pattern, behavior, invert }: PreTokenizer): Cutter | string {
  if (behavior !== "Isolated" || invert === true) return "its pre-tokenizer drops or joins what it splits at";
  const source: unknown =
    typeof pattern === "object" && pattern !== null ? Reflect.get(pattern, "Regex") : undefined;
  if (typeof source !== "string")
    return "its pre-tokenizer splits at something else than a regular expression";
  return isolating(toJavaScript(source));
}

/** A regular expression of Rust's or Oniguruma's kind for JavaScript: their white space, and `(?i:...)` spelled out. */
function toJavaScript(source: string): string {
  const spelled = source.replace(/\(\?i:([^()]*)\)/g, (_, inner: string) => {
    const anyCase = inner.replace(/\p{L}/gu, (letter) => `[${letter.toLowerCase()}${letter.toUpperCase()}]`);
    return `(?:${anyCase})`;
  });
  // Inside a class the characters alone, outside in a class of their own.
  return spelled.replace(/\[(?:[^\\\]]|\\.)*\]|\\[sS]/g, (part) => {
    if (part === "\\s") return `[${SPACE}]`;
    if (part === "\\S") return `[^${SPACE}]`;
    return part.replaceAll("\\s", SPACE);
  });
}

/** Matches are pieces, and so is what lies between them. */
function isolating(source: string): Cutter | string {
  let expression: RegExp;
  try {
    expression = new RegExp(source, "gu");
  } catch {
    return `JavaScript cannot read the regular expression of its pre-tokenizer (${source.slice(0, 60)})`;
  }
  return (text) => {
    const pieces: string[] = [];
    let done = 0;
    for (const { 0: match, index } of text.matchAll(expression)) {
      if (match === "") continue;
      if (index > done) pieces.push(text.slice(done, index));
      pieces.push(match);
      done = index + match.length;
    }
    if (done < text.length) pieces.push(text.slice(done));
    return pieces;
  };
}
