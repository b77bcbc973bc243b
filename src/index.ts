/**
 * The way in: what a first script needs. Everything else has a path of its own, such as `ift-kit/evaluate/metrics/rouge`, and this
 * module loads all that it names; a script that is in a hurry takes the paths.
 */
export { startEngine } from "./engine/start.js";

export type { Example } from "./data/example.js";
export type { RenderPolicy, Spans } from "./data/spans.js";
export type { Template } from "./data/template.js";
export { readExamples } from "./data/read/index.js";
export { splitByTaskType } from "./data/split.js";
export { carveValidation } from "./data/split/validation.js";
export { patternTemplate, templateByName } from "./data/templates/index.js";
export { renderExamples } from "./data/render-all.js";
export { compareFormats, matchFormats } from "./data/compare/index.js";

export { trainByteLevelBpe } from "./tokenizer/byte-level-bpe.js";
export { loadTokenizer } from "./tokenizer/load.js";

export { Bert } from "./model/bert/bert.js";
export { Decoder } from "./model/decoder.js";
export { T5 } from "./model/t5/t5.js";
export { LoraAdapter } from "./model/lora/adapter.js";
export { loadAdapter, saveAdapter } from "./model/lora/peft.js";
export { fetchModel } from "./model/hub.js";
export { loadModel, saveModel } from "./model/load.js";

export type { TrainConfig } from "./train/config.js";
export type { TrainResult } from "./train/options.js";
export { train, trainObjective, trainSequences } from "./train/train.js";

export { loadBase } from "./evaluate/base-checkpoint.js";
export { loadBertFolder } from "./evaluate/bert-folder.js";
export { loadModelFolder } from "./evaluate/model-folder.js";
export { evaluate } from "./evaluate/evaluate.js";
export { generate } from "./evaluate/generate.js";
export { rankClassify } from "./evaluate/rank-classification.js";
export { scoreTargets } from "./evaluate/score.js";
export { meanInterval, pairedDifference } from "./evaluate/statistics/bootstrap.js";

export { tuneAnswers, tuneLabels } from "./experiment/public-tuning.js";
