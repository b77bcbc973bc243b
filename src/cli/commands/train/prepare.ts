import type { Ledger } from "../../../data/ledger.js";
import type { ReadLedger } from "../../../data/read/index.js";
import { renderExamples, type RenderedExamples } from "../../../data/render-all.js";
import type { Example } from "../../../data/example.js";
import type { Spans } from "../../../data/spans.js";
import type { Template } from "../../../data/template.js";
import type { Tokenizer } from "../../../data/tokenizer.js";
import { parseDecoderConfig } from "../../../model/config.js";
import { Decoder } from "../../../model/decoder.js";
import { type LanguageModel, loadModel } from "../../../model/load.js";
import { folderOf } from "../../../evaluate/base-checkpoint.js";
import { parseT5Config } from "../../../model/t5/config.js";
import { T5 } from "../../../model/t5/t5.js";
import { KitError } from "../../../support/errors.js";
import { trainByteLevelBpe } from "../../../tokenizer/byte-level-bpe.js";
import { CharacterTokenizer } from "../../../tokenizer/character.js";
import { loadTokenizer } from "../../../tokenizer/load.js";
import { newAdapter } from "./adapter.js";
import { readLabelledRows, setRowsAside } from "./labelled-rows.js";
import type { RunConfig } from "./run-config.js";
import { newT5 } from "./t5-shape.js";

/** What a run trains, and on what. */
export interface PreparedRun {
  readonly examples: readonly Example[];
  readonly spans: readonly Spans[];
  /** Those that are set aside. */
  readonly heldExamples: readonly Example[];
  /** Rows that are only measured; undefined where the config has none. */
  readonly validation: readonly Spans[] | undefined;
  readonly tokenizer: Tokenizer;
  /** What is trained: `base`, or `base` with an adapter. */
  readonly decoder: LanguageModel;
  readonly base: LanguageModel;
  readonly ledgers: { readonly read: ReadLedger; readonly render: Ledger };
}

/**
 * Reads, splits and renders the data and makes the model. The engine must have been started.
 * @param file of the configuration, for messages
 * @throws KitError for anything that does not fit together
 */
export async function prepareRun(config: RunConfig, file: string): Promise<PreparedRun> {
  const { examples: allowed, ledger: read } = await readLabelledRows(config.data, file);
  const { train: examples, validation } = setRowsAside(allowed, config.data, config.train.seed);
  const tokenizer = chooseTokenizer(config, examples);
  const render = (some: readonly Example[]): RenderedExamples =>
    renderExamples(some, config.template, tokenizer, config.render, {
      onUnrenderable: config.data.onUnrenderable,
    });
  const { spans, ledger } = render(examples);
  const held = validation && render(validation).spans;
  const base = chooseDecoder(config, tokenizer, file);
  const decoder =
    config.lora === undefined ? base : base.withAdapter(newAdapter(base.config, config.lora, file));
  return {
    ...{ examples, spans, heldExamples: validation ?? [], validation: held },
    ...{ tokenizer, decoder, base, ledgers: { read, render: ledger } },
  };
}

function chooseTokenizer({ tokenizer, template }: RunConfig, examples: readonly Example[]): Tokenizer {
  if ("directory" in tokenizer) return loadTokenizer(folderOf(tokenizer.directory));
  const texts = textsOf(examples, template);
  return tokenizer.train === "character"
    ? CharacterTokenizer.fromTexts(texts)
    : trainByteLevelBpe(texts, { vocabularySize: tokenizer.vocabularySize });
}

/** What training shows: inputs and responses as often as they occur, instructions and other fixed text once. */
function textsOf(examples: readonly Example[], template: Template): string[] {
  const varying: string[] = [];
  const fixed = new Set<string>();
  for (const example of examples) {
    let messages: ReturnType<Template["render"]>;
    try {
      messages = template.render(example);
    } catch (error) {
      if (error instanceof KitError) continue; // The renderer drops the row or stops at it, as the config says.
      throw error;
    }
    for (const { text, source } of messages.flatMap(({ segments }) => segments)) {
      if (source === "input" || source === "response") varying.push(text);
      else fixed.add(text);
    }
  }
  return [...fixed, ...varying].filter((text) => text !== "");
}

function chooseDecoder(
  { decoder, modelField, objective, train }: RunConfig,
  tokenizer: Tokenizer,
  file: string,
): LanguageModel {
  const { vocabularySize } = tokenizer;
  if ("shape" in decoder) {
    const given = decoder.shape.vocabularySize;
    if (given !== undefined && given !== vocabularySize) {
      throw new KitError(
        `the vocabulary has ${JSON.stringify(given)} ids here, the tokenizer ${vocabularySize}`,
        "remove this field; it is taken from the tokenizer",
        { file, field: `${modelField}.vocabularySize` },
      );
    }
    if (modelField === "t5") return newT5(decoder.shape, tokenizer, train.seed, { file, field: modelField });
    if ("encoderLayers" in decoder.shape && objective === undefined) {
      const shape = parseT5Config({ ...decoder.shape, vocabularySize }, { file, field: "decoder" });
      return T5.create(shape, train.seed);
    }
    const shape = parseDecoderConfig({ ...decoder.shape, vocabularySize }, { file, field: "decoder" });
    return Decoder.create(shape, train.seed);
  }
  const saved = loadModel(folderOf(decoder.from));
  const other = otherFamily(saved, objective);
  if (other !== undefined) {
    saved.dispose();
    throw new KitError(other.problem, other.cure, { file, field: `${modelField}.from` });
  }
  if (saved.config.vocabularySize < vocabularySize) {
    const known = saved.config.vocabularySize;
    saved.dispose();
    throw new KitError(
      `the saved decoder has ${known} token ids, the tokenizer ${vocabularySize}`,
      "use the tokenizer of the saved decoder",
      { file, field: "tokenizer" },
    );
  }
  return saved;
}

/** Why a saved model cannot learn what is asked. */
function otherFamily(
  model: LanguageModel,
  objective: RunConfig["objective"],
): { readonly problem: string; readonly cure: string } | undefined {
  const isT5 = model instanceof T5;
  if (objective === undefined || isT5 === (objective === "sequence-to-sequence")) return undefined;
  return isT5
    ? { problem: "a T5 does not learn the next token", cure: 'give the objective "sequence-to-sequence"' }
    : { problem: "a decoder has no encoder to read with", cure: 'give the objective "next-token"' };
}
