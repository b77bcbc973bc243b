import { join } from "node:path";
import { z } from "zod";
import { KitError } from "../support/errors.js";
import { readJsonFile, writeFileAtomic } from "../support/files.js";
import type { SpecialTokens } from "../data/tokenizer.js";

/** Texts of the special tokens; they stand for ids and are never found in ordinary text. */
export const SPECIAL_TEXTS = { pad: "<|pad|>", bos: "<|bos|>", eos: "<|endoftext|>" } as const;

/** An entry of `added_tokens`. */
export const addedTokenSchema = z.looseObject({
  id: z.int().nonnegative(),
  content: z.string().min(1),
  special: z.boolean().optional(),
});

const component = z.looseObject({ type: z.string() });

const tokenizerJsonSchema = z.looseObject({
  added_tokens: z.array(addedTokenSchema).default([]),
  normalizer: component.nullish(),
  pre_tokenizer: component.nullish(),
  post_processor: component.nullish(),
  decoder: component.nullish(),
  model: z.looseObject({
    type: z.literal("BPE"),
    vocab: z.record(z.string(), z.int().nonnegative()),
    merges: z.array(z.union([z.string(), z.tuple([z.string(), z.string()])])),
  }),
});

/** The parts of a Hugging Face `tokenizer.json` with a BPE model that the kit reads; other fields are kept. */
export type TokenizerJson = z.infer<typeof tokenizerJsonSchema>;

const tokenName = z.union([z.string(), z.looseObject({ content: z.string() })]).nullish();
const configSchema = z.looseObject({
  bos_token: tokenName,
  eos_token: tokenName,
  pad_token: tokenName,
  add_bos_token: z.boolean().nullish(),
});

/** The entry of a special token among `added_tokens`, all fields as Hugging Face `tokenizers` writes them. */
export function specialTokenEntry(content: string, id: number): TokenizerJson["added_tokens"][number] {
  return {
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  };
}

/** What the files of every kind of tokenizer have. */
export type AnyTokenizerJson = Pick<TokenizerJson, "added_tokens" | "post_processor">;

/** The files of a tokenizer whose vocabulary has an id for each token: BPE and WordPiece. */
export interface VocabularyJson {
  readonly added_tokens: TokenizerJson["added_tokens"];
  readonly model: Pick<TokenizerJson["model"], "vocab">;
}

/** A tokenizer's two files, read and checked. */
export interface TokenizerFiles {
  readonly json: TokenizerJson;
  readonly special: SpecialTokens;
  /** The whole of `tokenizer_config.json`: also the chat template and what else is in it. */
  readonly config: object;
  /** Path of `tokenizer.json`, for messages. */
  readonly file: string;
}

/**
 * Writes `tokenizer.json` and `tokenizer_config.json` in the form of Hugging Face `tokenizers` and `transformers`.
 * @param given the config that a loaded tokenizer came with; default: one that names the special tokens
 * @throws KitError when the folder cannot be written
 */
export function writeTokenizerFiles(
  directory: string,
  json: AnyTokenizerJson,
  special: SpecialTokens,
  given?: object,
): void {
  const nameOf = (id: number | undefined): string | undefined =>
    json.added_tokens.find((token) => token.id === id)?.content;
  const config = given ?? {
    tokenizer_class: "PreTrainedTokenizerFast",
    bos_token: nameOf(special.bos) ?? null,
    eos_token: nameOf(special.eos),
    pad_token: nameOf(special.pad),
    clean_up_tokenization_spaces: false,
  };
  writeFileAtomic(join(directory, "tokenizer.json"), `${JSON.stringify(json)}\n`);
  writeFileAtomic(join(directory, "tokenizer_config.json"), `${JSON.stringify(config, undefined, 1)}\n`);
}

/**
 * Reads and checks a tokenizer's files: ids from 0 without a gap, merges of tokens that exist, special tokens that exist.
 * @throws KitError when a file is missing or corrupt, naming file and field
 */
export function readTokenizerFiles(directory: string): TokenizerFiles {
  const file = join(directory, "tokenizer.json");
  const json = checkJson(tokenizerJsonSchema, readJsonFile(file), file);
  checkIds(json, file);
  checkMerges(json, file);
  return { json, ...readSpecialTokens(directory, json), file };
}

/**
 * Reads `tokenizer_config.json` and finds the special tokens that it names.
 * @throws KitError when the file is missing or corrupt, or a token is not among the added ones
 */
export function readSpecialTokens(
  directory: string,
  json: AnyTokenizerJson,
): Pick<TokenizerFiles, "special" | "config"> {
  const configFile = join(directory, "tokenizer_config.json");
  const config = checkJson(configSchema, readJsonFile(configFile), configFile);
  const idOf = (field: "bos_token" | "eos_token" | "pad_token"): number | undefined => {
    const name = typeof config[field] === "string" ? config[field] : config[field]?.content;
    if (name === undefined) return undefined;
    const id = json.added_tokens.find((token) => token.content === name)?.id;
    if (id === undefined) {
      throw new KitError(
        `"${name}" is not among the added_tokens of tokenizer.json`,
        "add it there or correct the name",
        { file: configFile, field },
      );
    }
    return id;
  };
  const [named, eos] = [idOf("bos_token"), idOf("eos_token")];
  if (eos === undefined) {
    throw new KitError(
      "the token is not set",
      "add a token of its own for it, special, to tokenizer.json and name it here",
      { file: configFile, field: "eos_token" },
    );
  }
  const bos = named !== undefined && startsWithBos(json, named, config.add_bos_token) ? { bos: named } : {};
  // What is padding is told by the lengths of rows, never by this id: many models have none, or use EOS for it.
  return { special: { ...bos, eos, pad: idOf("pad_token") ?? eos }, config };
}

/**
 * Whether texts begin with the BOS token: many tokenizers name one and never write it (GPT-2, SmolLM2). The kit's own
 * has no post-processor, because the renderer writes the special tokens.
 */
function startsWithBos(json: AnyTokenizerJson, bos: number, added: boolean | null | undefined): boolean {
  const text = json.added_tokens.find(({ id }) => id === bos)?.content;
  if (text === SPECIAL_TEXTS.bos || added != null) return added ?? true;
  const steps = json.post_processor?.processors ?? [json.post_processor];
  return JSON.stringify(steps).includes(`"SpecialToken":{"id":${JSON.stringify(text)}`);
}

/** The token of each id, special tokens included: `[vocabularySize]`. */
export function tokenTexts(json: VocabularyJson): string[] {
  const texts: string[] = [];
  for (const [token, id] of Object.entries(json.model.vocab)) texts[id] = token;
  for (const { content, id } of json.added_tokens) texts[id] = content;
  return texts;
}

/** The two sides of each merge, in order of rank. */
export function mergePairs(json: TokenizerJson): [string, string][] {
  return json.model.merges.map((merge) => {
    if (typeof merge !== "string") return merge;
    const border = merge.indexOf(" ", 1);
    return [merge.slice(0, border), merge.slice(border + 1)];
  });
}

/** A checked `tokenizer.json` or part of one. @throws KitError that names file and field */
export function checkJson<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  file: string,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const field = issue?.path.map(String).join(".") ?? "";
  throw new KitError(
    `this is not a tokenizer that the kit can load (${issue?.message ?? "wrong shape"})`,
    "give a folder written by ift-kit data tokenizer, or a Hugging Face tokenizer of the type BPE, Unigram or WordPiece",
    field === "" ? { file } : { file, field },
  );
}

/** Ids from 0 without a gap, one for each token. @throws KitError that names the file */
export function checkIds(json: VocabularyJson, file: string): void {
  const ids = new Map<number, string>();
  const entries = [
    ...Object.entries(json.model.vocab),
    ...json.added_tokens.map(({ content, id }): [string, number] => [content, id]),
  ];
  for (const [token, id] of entries) {
    const other = ids.get(id);
    if (other !== undefined && other !== token) {
      throw new KitError(`the tokens "${other}" and "${token}" have the same id ${id}`, "restore the file", {
        file,
        field: "model.vocab",
      });
    }
    ids.set(id, token);
  }
  for (let id = 0; id < ids.size; id++) {
    if (!ids.has(id)) {
      throw new KitError(`no token has the id ${id}, but there are higher ones`, "restore the file", {
        file,
        field: "model.vocab",
      });
    }
  }
}

function checkMerges(json: TokenizerJson, file: string): void {
  const known = (token: string): boolean => Object.hasOwn(json.model.vocab, token);
  mergePairs(json).forEach(([left, right], rank) => {
    if (left !== "" && right !== "" && known(left) && known(right) && known(left + right)) return;
    throw new KitError(
      `merge ${rank} ("${left}" and "${right}") is not made of tokens of the vocabulary`,
      "restore the file",
      { file, field: `model.merges.${rank}` },
    );
  });
}
