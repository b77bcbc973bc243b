import type { Example } from "../data/example.js";
import { endToken } from "../data/render.js";
import { renderExamples } from "../data/render-all.js";
import type { Spans } from "../data/spans.js";
import type { Template } from "../data/template.js";
import { loadBertFolder } from "../evaluate/bert-folder.js";
import { generateGreedy } from "../evaluate/generate.js";
import { loadModelFolder, type LoadedModel } from "../evaluate/model-folder.js";
import { scoreTargets } from "../evaluate/score.js";
import {
  type ExampleScore,
  pairedDifference,
  type PairedDifference,
} from "../evaluate/statistics/bootstrap.js";
import { classify } from "../evaluate/text-pairs.js";
import { LoraAdapter } from "../model/lora/adapter.js";
import type { AdaptableConfig } from "../model/lora/config.js";
import { saveModelAdapter } from "../model/lora/save.js";
import { T5 } from "../model/t5/t5.js";
import { KitError } from "../support/errors.js";
import type { TrainConfig } from "../train/config.js";
import { classification, classifiedRow } from "../train/objectives/classification.js";
import { encodeTexts } from "../train/objectives/sentence-pairs.js";
import type { ObjectiveOptions, TrainResult } from "../train/options.js";
import { train, trainObjective, trainSequences } from "../train/train.js";
import { usualTargets } from "./cost/public-models.js";
import { REPORT_BOOTSTRAP } from "./scores.js";

/** What a model is tuned on, and the rows that it is measured on before and after. */
export interface TuningRows {
  readonly train: readonly Example[];
  readonly held: readonly Example[];
}

/** How a public model is tuned: low-rank updates of the queries and values of every attention. */
export interface PublicTuningSettings {
  readonly rank: number;
  readonly training: TrainConfig;
  /** Longest row (of an encoder-decoder: longest prompt and longest response), in tokens; longer ones are left out. */
  readonly maxTokens: number;
}

/** What does not change the numbers, but for the folder of the adapter. */
export interface PublicTuningOptions extends Pick<ObjectiveOptions, "signal" | "onStep"> {
  /** Where the adapter is written, as PEFT has it. */
  readonly adapterFolder?: string;
}

/** A tuned model, held against itself. */
export interface PublicTuning {
  readonly family: "decoder" | "encoder-decoder" | "BERT";
  /** Of the model, and those that were trained. */
  readonly parameters: number;
  readonly trained: number;
  readonly trainedRows: number;
  readonly heldRows: number;
  /** After minus before on the held rows (`a` is after, `b` before), over rows: see `measure`. */
  readonly change: PairedDifference;
  readonly measure: "nats per token of the response" | "accuracy";
  /** Of accuracy: always saying the most frequent label. */
  readonly floor?: number;
  /** Of each step, in nats. */
  readonly losses: readonly number[];
  readonly seconds: number;
  readonly samples: readonly TunedSample[];
}

/** What a model says to a held row. */
export interface TunedSample {
  readonly input: string;
  readonly wanted: string;
  readonly before: string;
  readonly after: string;
}

/** Rows that are shown with their answers. */
const SAMPLES = 3;
const LONGEST_ANSWER = 24;
const BATCH_TOKENS = 4096;

/**
 * Tunes a decoder or an encoder-decoder of a folder (the kit's, or one that Python's `transformers` wrote) to answer rows,
 * and measures the loss on held rows before and after. The engine must have been started.
 * @throws KitError when the folder is not whole, or no row fits (of those to train on or of the held ones)
 */
export async function tuneAnswers(
  folder: string,
  rows: TuningRows,
  template: Template,
  settings: PublicTuningSettings,
  options: PublicTuningOptions = {},
): Promise<PublicTuning> {
  const loaded = loadModelFolder(folder);
  const { decoder: base, tokenizer } = loaded;
  const maxTokens = Math.min(settings.maxTokens, base.config.contextLength);
  const policy = { maxTokens, overlong: "drop", lossOn: "response" } as const;
  const spansOf = (some: readonly Example[]): readonly Spans[] =>
    renderExamples(some, template, tokenizer, policy).spans;
  const [trainSpans, heldSpans] = [spansOf(rows.train), spansOf(rows.held)];
  const model = base.withAdapter(adapterOf(base.config, settings));
  const asked = heldSpans.slice(0, SAMPLES);
  const answer = (one: LoadedModel): Promise<string[]> => answersOf(one, asked, template);
  try {
    const [before, said] = [await rowLosses(loaded, heldSpans), await answer(loaded)];
    const result =
      model instanceof T5
        ? await trainSequences(model, trainSpans, settings.training, options)
        : await train(model, trainSpans, settings.training, options);
    const tuned = { decoder: model, tokenizer };
    const [after, says] = [await rowLosses(tuned, heldSpans), await answer(tuned)];
    if (options.adapterFolder !== undefined) saveModelAdapter(options.adapterFolder, model, folder);
    const byId = new Map(rows.held.map((example) => [example.id, example]));
    return {
      family: model instanceof T5 ? "encoder-decoder" : "decoder",
      parameters: base.parameterCount,
      trained: model.parameterCount,
      trainedRows: trainSpans.length,
      heldRows: heldSpans.length,
      change: pairedDifference({ a: after, b: before }, REPORT_BOOTSTRAP),
      measure: "nats per token of the response",
      ...courseOf(result),
      samples: asked.map(({ id }, row) => ({
        input: byId.get(id)?.input ?? "",
        wanted: byId.get(id)?.outputs[0] ?? "",
        before: said[row] ?? "",
        after: says[row] ?? "",
      })),
    };
  } finally {
    model.dispose();
    base.dispose();
  }
}

/**
 * Gives a BERT of a folder a new head for the labels of rows (their first outputs), tunes it on their inputs, and measures
 * the accuracy on held rows before and after. The engine must have been started.
 * @throws KitError when the folder is not whole, or no row fits
 */
export async function tuneLabels(
  folder: string,
  rows: TuningRows,
  settings: PublicTuningSettings,
  options: PublicTuningOptions = {},
): Promise<PublicTuning> {
  const { bert: pretrained, tokenizer } = loadBertFolder(folder);
  const maxTokens = Math.min(settings.maxTokens, pretrained.config.contextLength);
  const encode = ({ input }: Example): ReturnType<typeof encodeTexts> =>
    encodeTexts(tokenizer.marks, tokenizer.encode(input).ids, undefined);
  const fits = (example: Example): boolean => encode(example).ids.length <= maxTokens;
  const [trained, held] = [rows.train.filter(fits), rows.held.filter(fits)];
  if (trained.length === 0 || held.length === 0) {
    pretrained.dispose();
    throw noRows(maxTokens);
  }
  const labels = [...new Set(trained.map(labelOf))].sort();
  const base = pretrained.withHead({ kind: "classification", labels }, settings.training.seed);
  pretrained.dispose();
  const model = base.withAdapter(adapterOf(base.config, settings), { trainHead: true });
  const answers = async (): Promise<string[]> => {
    const texts = held.map(({ input }) => ({ a: input }));
    return ((await classify({ bert: model, tokenizer }, texts)) ?? []).map(({ label }) => label);
  };
  const scored = (said: readonly string[]): ExampleScore[] =>
    held.map((example, row) => scoreOf(example.id, said[row] === labelOf(example) ? 1 : 0));
  try {
    const before = await answers();
    const result = await trainObjective(
      classification(model),
      trained.map((example) => ({
        ...classifiedRow(example.id, encode(example), labelOf(example), labels),
        taskType: example.taskType,
      })),
      settings.training,
      options,
    );
    const after = await answers();
    if (options.adapterFolder !== undefined) saveModelAdapter(options.adapterFolder, model, folder);
    const most = Math.max(
      ...labels.map((label) => held.filter((example) => labelOf(example) === label).length),
    );
    return {
      family: "BERT",
      parameters: base.parameterCount,
      trained: model.parameterCount,
      trainedRows: trained.length,
      heldRows: held.length,
      change: pairedDifference({ a: scored(after), b: scored(before) }, REPORT_BOOTSTRAP),
      measure: "accuracy",
      floor: most / held.length,
      ...courseOf(result),
      samples: held.slice(0, SAMPLES).map((example, row) => ({
        input: example.input,
        wanted: labelOf(example),
        before: before[row] ?? "",
        after: after[row] ?? "",
      })),
    };
  } finally {
    model.dispose();
    base.dispose();
  }
}

const labelOf = ({ outputs }: Example): string => (outputs[0] ?? "").trim();

function adapterOf(config: AdaptableConfig, { rank, training }: PublicTuningSettings): LoraAdapter {
  const targets = usualTargets(config);
  return LoraAdapter.create(config, { rank, alpha: 2 * rank, dropout: 0, targets, seed: training.seed });
}

function noRows(maxTokens: number): KitError {
  return new KitError(
    `no row fits into ${maxTokens} tokens`,
    "give shorter rows, a larger maxTokens, or a model with a longer context",
    { field: "maxTokens" },
  );
}

/** Of each row: nats per token of the response. */
async function rowLosses({ decoder }: LoadedModel, spans: readonly Spans[]): Promise<ExampleScore[]> {
  const requests = spans.map(({ ids, promptLength }) => ({
    prompt: ids.slice(0, promptLength),
    target: ids.slice(promptLength),
  }));
  const scores = await scoreTargets(decoder, requests, { batchTokens: BATCH_TOKENS });
  return spans.map(({ id }, row) => {
    const { logprob = Number.NaN, tokenLogprobs = [] } = scores[row] ?? {};
    return scoreOf(id, -logprob / tokenLogprobs.length);
  });
}

/** Rows are what is drawn again: one seed, and no task types. */
function scoreOf(id: string, score: number): ExampleScore {
  return { seed: 0, taskType: "all", id, score };
}

async function answersOf(
  { decoder, tokenizer }: LoadedModel,
  spans: readonly Spans[],
  template: Template,
): Promise<string[]> {
  const prompts = spans.map(({ ids, promptLength }) => ids.slice(0, promptLength));
  const room = decoder.config.contextLength - Math.max(...prompts.map(({ length }) => length));
  const maxNewTokens = decoder instanceof T5 ? LONGEST_ANSWER : Math.min(LONGEST_ANSWER, room);
  const eos = endToken(template, tokenizer);
  const answers = await generateGreedy(decoder, prompts, { maxNewTokens, eos, batchSize: SAMPLES });
  return answers.map((ids) => tokenizer.decode(ids).trim());
}

function courseOf({ history, progress }: TrainResult): Pick<PublicTuning, "losses" | "seconds"> {
  return { losses: history.map(({ loss }) => loss), seconds: progress.seconds };
}
