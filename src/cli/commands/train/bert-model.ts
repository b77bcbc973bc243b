import { baseFolder } from "../../../evaluate/base-checkpoint.js";
import { loadBertFolder } from "../../../evaluate/bert-folder.js";
import { Bert } from "../../../model/bert/bert.js";
import { type BertHead, parseBertConfig } from "../../../model/bert/config.js";
import { isHeadParameter } from "../../../model/bert/parameters.js";
import type { LoraConfig } from "../../../model/lora/config.js";
import { KitError } from "../../../support/errors.js";
import { trainWordPiece } from "../../../tokenizer/train-wordpiece.js";
import { WordPieceTokenizer } from "../../../tokenizer/wordpiece.js";
import { newAdapter } from "./adapter.js";
import type { ModelChoice } from "./common-config.js";
import type { WordPieceChoice } from "./encoder-config.js";
import type { RunModels } from "./objective-run.js";

/** As published, but for the sizes, which have no usual value. */
const SHAPE = { tokenTypes: 2, activation: "gelu", epsilon: 1e-12, dropout: 0.1 } as const;

/** The folder that is meant: "base" is the BERT that ships. */
export function bertFolderOf(from: string): string {
  return from === "base" ? baseFolder("bert") : from;
}

/**
 * The tokenizer of a BERT's run.
 * @param texts that are trained on, where it is trained too
 */
export function chooseWordPiece(
  choice: WordPieceChoice | undefined,
  bert: ModelChoice,
  texts: () => Iterable<string>,
): WordPieceTokenizer {
  if (choice === undefined) {
    // The config is refused where there is no saved model either.
    return WordPieceTokenizer.load(bertFolderOf("from" in bert ? bert.from : ""));
  }
  if ("directory" in choice) return WordPieceTokenizer.load(bertFolderOf(choice.directory));
  return trainWordPiece(texts(), { vocabularySize: choice.vocabularySize });
}

/** What is trained of a BERT. */
export interface BertTuning {
  readonly head: BertHead;
  readonly lora?: LoraConfig | undefined;
  /** The head alone, or with an adapter the head beside it. */
  readonly trainHead: boolean;
  readonly seed: number;
  /** Of the configuration, for messages. */
  readonly file: string;
}

/**
 * The BERT of a run: new, or a saved one, whose head is replaced where it is another.
 * @throws KitError when the model does not fit the tokenizer, or a field of its shape is wrong
 */
export function chooseBert(
  choice: ModelChoice,
  { vocabularySize }: WordPieceTokenizer,
  { head, lora, trainHead, seed, file }: BertTuning,
): RunModels<Bert> {
  const base = "from" in choice ? saved(choice.from) : created(choice.shape);
  if (lora === undefined) return withFrom(base, trainHead ? base.withFrozenEncoder() : base);
  const adapter = newAdapter(base.config, lora, file);
  const ofHead = adapter.pairs.find(({ target }) => trainHead && isHeadParameter(`${target.layer}.`));
  if (ofHead !== undefined) {
    throw new KitError(
      `"${ofHead.target.name}" is of the head, which is trained whole beside the updates`,
      "leave it out of the targets",
      { file, field: "lora.targets" },
    );
  }
  return withFrom(base, base.withAdapter(adapter, { trainHead }));

  function withFrom(whole: Bert, model: Bert): RunModels<Bert> {
    return "from" in choice ? { base: whole, model, from: choice.from } : { base: whole, model };
  }

  function saved(from: string): Bert {
    const { bert } = loadBertFolder(bertFolderOf(from));
    if (bert.config.vocabularySize < vocabularySize) {
      const known = bert.config.vocabularySize;
      bert.dispose();
      throw new KitError(
        `the saved model has ${known} token ids, the tokenizer ${vocabularySize}`,
        "leave the tokenizer out: the saved model has its own",
        { file, field: "tokenizer" },
      );
    }
    if (JSON.stringify(bert.config.head) === JSON.stringify(head)) return bert;
    const changed = bert.withHead(head, seed);
    bert.dispose();
    return changed;
  }

  function created(shape: Readonly<Record<string, unknown>>): Bert {
    for (const field of ["vocabularySize", "head"]) {
      if (!(field in shape)) continue;
      throw new KitError(`the ${field} is decided by the rest of the file`, "remove this field", {
        file,
        field: `bert.${field}`,
      });
    }
    const place = { file, field: "bert" };
    return Bert.create(parseBertConfig({ ...SHAPE, ...shape, vocabularySize, head }, place), seed);
  }
}

/**
 * The longest row of a run.
 * @throws KitError when it is longer than the context of the model
 */
export function longestRow(asked: number | undefined, { config }: Bert, file: string): number {
  if (asked === undefined || asked <= config.contextLength) return asked ?? config.contextLength;
  throw new KitError(
    `rows of ${asked} tokens do not fit into the model's context of ${config.contextLength}`,
    "give a smaller number, or leave it out",
    { file, field: "maxTokens" },
  );
}
