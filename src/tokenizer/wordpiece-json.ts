import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { KitError } from "../support/errors.js";
import { readJsonFile } from "../support/files.js";
import type { BertNormalizer } from "./bert-words.js";
import { addedTokenSchema, checkIds, checkJson, specialTokenEntry } from "./json.js";

const normalizerSchema = z.looseObject({
  type: z.literal("BertNormalizer"),
  clean_text: z.boolean(),
  handle_chinese_chars: z.boolean(),
  strip_accents: z.boolean().nullish(),
  lowercase: z.boolean(),
});

const schema = z.looseObject({
  added_tokens: z.array(addedTokenSchema).default([]),
  normalizer: normalizerSchema,
  pre_tokenizer: z.looseObject({ type: z.literal("BertPreTokenizer") }),
  post_processor: z.looseObject({ type: z.string() }).nullish(),
  decoder: z.looseObject({
    type: z.literal("WordPiece"),
    prefix: z.string(),
    cleanup: z.boolean(),
  }),
  model: z.looseObject({
    type: z.literal("WordPiece"),
    unk_token: z.string().min(1),
    continuing_subword_prefix: z.string().min(1),
    max_input_chars_per_word: z.int().positive(),
    vocab: z.record(z.string(), z.int().nonnegative()),
  }),
});

/** The parts of a Hugging Face `tokenizer.json` with a WordPiece model that the kit reads; other fields are kept. */
export type WordPieceJson = z.infer<typeof schema>;

/** Texts of BERT's special tokens, in the order in which a trained vocabulary has them. */
export const BERT_TEXTS = {
  pad: "[PAD]",
  unknown: "[UNK]",
  first: "[CLS]",
  separator: "[SEP]",
  mask: "[MASK]",
} as const;

export type BertMark = keyof typeof BERT_TEXTS;

const tokenName = z.union([z.string(), z.looseObject({ content: z.string() })]).nullish();
const configSchema = z.looseObject({
  pad_token: tokenName,
  unk_token: tokenName,
  cls_token: tokenName,
  sep_token: tokenName,
  mask_token: tokenName,
  do_lower_case: z.boolean().nullish(),
  strip_accents: z.boolean().nullish(),
  tokenize_chinese_chars: z.boolean().nullish(),
});
type WordPieceConfig = z.infer<typeof configSchema>;

/** A WordPiece tokenizer's files, read and checked. */
export interface WordPieceFiles {
  readonly json: WordPieceJson;
  /** Ids of the special tokens. */
  readonly marks: Readonly<Record<BertMark, number>>;
  /** The whole of `tokenizer_config.json`; what `transformers` would assume where there is none. */
  readonly config: object;
  /** The file with the vocabulary, for messages. */
  readonly file: string;
}

const VOCABULARY_FILE = "vocab.txt";

/** Whether a folder has BERT's older kind of vocabulary and nothing newer. */
export function hasVocabularyFile(directory: string): boolean {
  return existsSync(join(directory, VOCABULARY_FILE)) && !existsSync(join(directory, "tokenizer.json"));
}

/**
 * Reads `tokenizer.json`, or a `vocab.txt` where there is none, with `tokenizer_config.json` where there is one.
 * @throws KitError when a file is missing or corrupt, or asks for something that the kit does not do
 */
export function readWordPieceFiles(directory: string): WordPieceFiles {
  const configFile = join(directory, "tokenizer_config.json");
  const config = existsSync(configFile)
    ? checkJson(configSchema, readJsonFile(configFile), configFile)
    : { tokenizer_class: "BertTokenizer" };
  const names = markNames(config);
  const old = hasVocabularyFile(directory);
  const file = join(directory, old ? VOCABULARY_FILE : "tokenizer.json");
  const json = old
    ? jsonOfVocabulary(readVocabulary(file), names, config)
    : checkJson(schema, readJsonFile(file), file);
  checkIds(json, file);
  const idOf = (text: string): number => {
    const id = json.added_tokens.find(({ content }) => content === text)?.id ?? json.model.vocab[text];
    if (id !== undefined) return id;
    throw new KitError(
      `the vocabulary has no token "${text}"`,
      "add it, or name the token of that kind in tokenizer_config.json",
      { file },
    );
  };
  const { unk_token: unknown } = json.model;
  const marks = {
    pad: idOf(names.pad),
    unknown: idOf(unknown),
    first: idOf(names.first),
    separator: idOf(names.separator),
    mask: idOf(names.mask),
  };
  checkProcessor(json, names, file);
  return { json, marks, config, file };
}

function markNames(config: WordPieceConfig): Record<BertMark, string> {
  const nameOf = (name: z.infer<typeof tokenName>, mark: BertMark): string =>
    (typeof name === "string" ? name : name?.content) ?? BERT_TEXTS[mark];
  return {
    pad: nameOf(config.pad_token, "pad"),
    unknown: nameOf(config.unk_token, "unknown"),
    first: nameOf(config.cls_token, "first"),
    separator: nameOf(config.sep_token, "separator"),
    mask: nameOf(config.mask_token, "mask"),
  };
}

/** One token a line; the id is the number of the line, from 0. */
function readVocabulary(file: string): string[] {
  const tokens = readFileSync(file, "utf8").split(/\r?\n/);
  if (tokens.at(-1) === "") tokens.pop();
  const seen = new Set<string>();
  tokens.forEach((token, index) => {
    if (token === "" || seen.has(token)) {
      throw new KitError(
        token === "" ? "an empty line in the vocabulary" : `the token "${token}" comes twice`,
        "restore the file: one token a line, in the order of their ids",
        { file, line: index + 1 },
      );
    }
    seen.add(token);
  });
  return tokens;
}

/** The `tokenizer.json` that `transformers` makes of a vocabulary of BERT. */
export function jsonOfVocabulary(
  tokens: readonly string[],
  names: Readonly<Record<BertMark, string>>,
  config: Pick<WordPieceConfig, "do_lower_case" | "strip_accents" | "tokenize_chinese_chars">,
): WordPieceJson {
  const marks = new Set(Object.values(names));
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  const sequence = (id: "A" | "B", type: 0 | 1): object => ({ Sequence: { id, type_id: type } });
  const special = (id: string, type: 0 | 1): object => ({ SpecialToken: { id, type_id: type } });
  const { first, separator } = names;
  const single = [special(first, 0), sequence("A", 0), special(separator, 0)];
  const described = [first, separator].map((id) => [id, { id, ids: [vocab[id] ?? 0], tokens: [id] }]);
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: tokens.flatMap((content, id) =>
      marks.has(content) ? [specialTokenEntry(content, id)] : [],
    ),
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: config.tokenize_chinese_chars ?? true,
      strip_accents: config.strip_accents ?? null,
      lowercase: config.do_lower_case ?? true,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: {
      type: "TemplateProcessing",
      single,
      pair: [...single, sequence("B", 1), special(separator, 1)],
      special_tokens: Object.fromEntries(described) as Record<string, object>,
    },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: names.unknown,
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab,
    },
  };
}

/** The normaliser of the file. */
export function bertNormalizer({ normalizer }: WordPieceJson): BertNormalizer {
  const { lowercase, clean_text: cleanText, handle_chinese_chars: handleChinese } = normalizer;
  return { cleanText, handleChinese, lowercase, stripAccents: normalizer.strip_accents ?? lowercase };
}

/** Rows are `[CLS] a [SEP]` and `[CLS] a [SEP] b [SEP]`: a file that says otherwise is refused. */
function checkProcessor(json: WordPieceJson, names: Readonly<Record<BertMark, string>>, file: string): void {
  const processor = json.post_processor;
  if (processor == null) return;
  const { first, separator } = names;
  const pair = `${first}:0 A:0 ${separator}:0 B:1 ${separator}:1`;
  if (processor.type === "BertProcessing") {
    const [firstName, separatorName] = [processor.cls, processor.sep].map((mark) =>
      Array.isArray(mark) ? (mark[0] as unknown) : undefined,
    );
    if (firstName === first && separatorName === separator) return;
  } else if (processor.type === "TemplateProcessing" && templateText(processor.pair) === pair) {
    if (templateText(processor.single) === `${first}:0 A:0 ${separator}:0`) return;
  }
  throw new KitError(
    `the kit cannot load this tokenizer: its post-processor does not write ${first} a ${separator} b ${separator}`,
    "use a tokenizer built as BERT's is",
    { file, field: "post_processor" },
  );
}

/** "[CLS]:0 A:0 [SEP]:0" */
function templateText(template: unknown): string {
  if (!Array.isArray(template)) return "";
  return (template as Record<string, { readonly id?: unknown; readonly type_id?: unknown } | undefined>[])
    .map((piece) => piece.SpecialToken ?? piece.Sequence)
    .map((piece) => `${String(piece?.id)}:${String(piece?.type_id)}`)
    .join(" ");
}
