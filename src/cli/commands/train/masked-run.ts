import { maskedWords, pairScores, wordScores } from "../../../evaluate/masked-words.js";
import type { Bert } from "../../../model/bert/bert.js";
import { KitError } from "../../../support/errors.js";
import { hashJson } from "../../../support/hash.js";
import { dealEvenly } from "../../../support/deal-evenly.js";
import { Random } from "../../../support/random.js";
import type { WordPieceTokenizer } from "../../../tokenizer/wordpiece.js";
import { maskedLanguage } from "../../../train/objectives/masked-language.js";
import { maskRow, type MaskingRule } from "../../../train/objectives/masking.js";
import { encodeTexts, sentencePairRows } from "../../../train/objectives/sentence-pairs.js";
import { checkEncoderRows } from "../../../train/preflight/rows.js";
import type { TrainingRow } from "../../../train/rows.js";
import { chooseBert, chooseWordPiece, longestRow } from "./bert-model.js";
import { documentLedgers, readDocuments, sentencesOf, type TextDocument } from "./documents.js";
import type { MaskedConfig } from "./encoder-config.js";
import { type RunEvaluation, type ObjectiveRun, summaryOf } from "./objective-run.js";

/**
 * Reads the texts of a run on masked words and makes the model. The engine must have been started.
 * @throws KitError for anything that does not fit together
 */
export async function prepareMasked(config: MaskedConfig, file: string): Promise<ObjectiveRun> {
  const { seed } = config.train;
  const pairs = config.objective === "masked-language-next-sentence";
  const documents = await readDocuments(config.data, seed, file);
  const tokenizer = chooseWordPiece(config.tokenizer, config.bert, () =>
    documents.train.map(({ text }) => text),
  );
  const models = chooseBert(config.bert, tokenizer, {
    head: { kind: pairs ? "pre-training" : "masked-language" },
    lora: config.lora,
    trainHead: config.lora !== undefined,
    ...{ seed, file },
  });
  const maxTokens = longestRow(config.maxTokens, models.base, file);
  const { vocabularySize, marks, specialIds } = tokenizer;
  const rule: MaskingRule = {
    vocabularySize,
    mask: marks.mask,
    special: specialIds,
    share: config.maskedShare,
  };
  const making = { tokenizer, rule, maxTokens, seed, pairs };
  const rows = rowsOf(documents.train, making, file);
  const validation = documents.validation && rowsOf(documents.validation, making, file);
  return {
    objective: maskedLanguage(models.model, rule),
    rows,
    validation,
    tokenizer,
    models,
    resolved: { bert: models.base.config, maxTokens, maskedShare: config.maskedShare },
    ledgers: documentLedgers(documents, rows, validation),
    summary: summaryOf(rows, { supervised: "masked", left: `of ${documents.train.length} documents` }),
    made: {
      template: {
        name: config.objective,
        hash: hashJson({ ...rule, special: [...specialIds], maxTokens, pairs }),
      },
      from: documents.train,
    },
    rowChecks: () => checkEncoderRows(rows, tokenizer.marks),
    evaluate: (signal) => evaluateMasked(models.model, tokenizer, validation ?? [], pairs, signal),
  };
}

interface RowMaking {
  readonly tokenizer: WordPieceTokenizer;
  readonly rule: MaskingRule;
  readonly maxTokens: number;
  readonly seed: number;
  /** Whether rows are pairs of texts. */
  readonly pairs: boolean;
}

function rowsOf(documents: readonly TextDocument[], making: RowMaking, file: string): TrainingRow[] {
  const { tokenizer, rule, maxTokens, seed } = making;
  const encoded = documents.map(({ text }) =>
    sentencesOf(text).map((sentence) => tokenizer.encode(sentence).ids),
  );
  if (making.pairs && encoded.filter((sentences) => sentences.length > 0).length < 2) {
    throw new KitError(
      "the second text of a pair may be from another document, and there is only one",
      "give text with blank lines between documents, or the objective masked-language",
      { file, field: "data.path" },
    );
  }
  const rows = making.pairs
    ? sentencePairRows(encoded, tokenizer.marks, { maxTokens, rule, seed })
    : encoded.flatMap((sentences, index) => textRows(documents[index]?.id ?? "", sentences.flat(), making));
  if (rows.length > 0) return rows;
  throw new KitError("no row comes of the texts", "give longer texts", { file, field: "data.path" });
}

/** A document as rows of one text each. */
function textRows(
  id: string,
  ids: readonly number[],
  { tokenizer, rule, maxTokens, seed }: RowMaking,
): TrainingRow[] {
  const pieces = dealEvenly(ids, maxTokens - 2).filter((piece) =>
    piece.some((token) => !rule.special.has(token)),
  );
  return pieces.map((piece, number) => {
    const name = `${id}, row ${number}`;
    const encoded = encodeTexts(tokenizer.marks, piece);
    const row: TrainingRow = {
      id: name,
      inputs: Int32Array.from(encoded.ids),
      tokenTypes: Int32Array.from(encoded.tokenTypes),
      targetOffsets: new Int32Array(0),
      targets: new Int32Array(0),
      tokens: encoded.ids.length,
    };
    return maskRow(row, rule, Random.derive(seed, `masks of ${name}`));
  });
}

/** Words filled in beside the most frequent word, and pairs told apart beside the more frequent answer. */
async function evaluateMasked(
  bert: Bert,
  tokenizer: WordPieceTokenizer,
  rows: readonly TrainingRow[],
  pairs: boolean,
  signal: AbortSignal,
): Promise<RunEvaluation | undefined> {
  if (rows.length === 0) return undefined;
  const words = await maskedWords({ bert, tokenizer }, rows, { signal });
  const nextSentence = pairs ? await pairScores({ bert, tokenizer }, rows, { signal }) : undefined;
  if (words === undefined || (pairs && nextSentence === undefined)) return undefined;
  const masked = wordScores(words.flat());
  const percent = (share: number): string => (100 * share).toFixed(1);
  return {
    scores: { rows: rows.length, masked, ...(nextSentence === undefined ? {} : { nextSentence }) },
    text:
      `on ${rows.length} rows set aside: ${masked.maskedWords} masked words, ${percent(masked.accuracy)} % right ` +
      `(the most frequent word: ${percent(masked.floor)} %), ${percent(masked.topFive)} % among the first five, ` +
      `${masked.loss.toFixed(4)} nats a word` +
      (nextSentence === undefined
        ? ""
        : `\nnext sentence: ${percent(nextSentence.accuracy)} % right (the more frequent answer: ` +
          `${percent(nextSentence.floor)} %)`),
  };
}
