import type { Example } from "../../../data/example.js";
import type { Template } from "../../../data/template.js";
import type { TensorFlow } from "../../../engine/tensorflow.js";
import { type AskedRow, askPlaces } from "../../../evaluate/encoder-batches.js";
import { classificationScores, scoresPerLabel } from "../../../evaluate/metrics/classification.js";
import { mostProbable } from "../../../evaluate/most-probable.js";
import type { TextPair } from "../../../evaluate/text-pairs.js";
import type { Bert } from "../../../model/bert/bert.js";
import { KitError } from "../../../support/errors.js";
import { classification, classifiedRow } from "../../../train/objectives/classification.js";
import { encodeTexts } from "../../../train/objectives/sentence-pairs.js";
import { checkEncoderRows } from "../../../train/preflight/rows.js";
import type { TrainingRow } from "../../../train/rows.js";
import type { WordPieceTokenizer } from "../../../tokenizer/wordpiece.js";
import { textTable } from "../data/shared.js";
import { chooseBert, chooseWordPiece, longestRow } from "./bert-model.js";
import type { ClassificationConfig } from "./encoder-config.js";
import { readLabelledRows, setRowsAside } from "./labelled-rows.js";
import { type RunEvaluation, type ObjectiveRun, summaryOf } from "./objective-run.js";

/** A row as a text, or two, and its label. */
interface LabelledText extends TextPair {
  readonly id: string;
  readonly taskType: string;
  readonly label: string;
}

/**
 * Reads the rows of a classification and makes the model. The engine must have been started.
 * @throws KitError for anything that does not fit together
 */
export async function prepareClassification(
  config: ClassificationConfig,
  file: string,
): Promise<ObjectiveRun> {
  const { examples: allowed, ledger } = await readLabelledRows(config.data, file);
  const { seed } = config.train;
  const texts = new Map<Example, LabelledText>();
  let notRenderable = 0;
  for (const example of allowed) {
    const text = labelledText(example, config);
    if (text === undefined) notRenderable++;
    else texts.set(example, text);
  }
  const examples = [...texts.keys()];
  if (examples.length === 0) {
    throw new KitError("no row is left to train on", "check the data, or the template", { file });
  }
  // Texts that the tokenizer takes for the same stay on one side; case and blanks are all that it may overlook.
  const groupOf = (example: Example): string => normalized(texts.get(example));
  const split = setRowsAside(examples, config.data, seed, groupOf);
  const textOf = (some: readonly Example[]): LabelledText[] =>
    some.flatMap((example) => texts.get(example) ?? []);
  const trained = textOf(split.train);
  const held = split.validation && textOf(split.validation);
  const labels = labelsOf(config, [...trained, ...(held ?? [])], file);
  const tokenizer = chooseWordPiece(config.tokenizer, config.bert, () =>
    trained.flatMap(({ a, b }) => (b === undefined ? [a] : [a, b])),
  );
  const models = chooseBert(config.bert, tokenizer, {
    head: { kind: "classification", labels },
    lora: config.lora,
    trainHead: config.lora !== undefined || config.tune === "head",
    ...{ seed, file },
  });
  const maxTokens = longestRow(config.maxTokens, models.base, file);
  const encode = (some: readonly LabelledText[]): EncodedRows =>
    encodeRows(some, tokenizer, { labels, maxTokens, overlong: config.overlong });
  const { rows, overlong, cut } = encode(trained);
  if (rows.length === 0) {
    throw new KitError(
      `all ${trained.length} rows are longer than ${maxTokens} tokens`,
      'give a larger maxTokens, or overlong "cut-end"',
      { file, field: "maxTokens" },
    );
  }
  const kept = held && encode(held).rows;
  return {
    objective: classification(models.model),
    rows,
    validation: kept,
    tokenizer,
    models,
    resolved: { bert: models.base.config, maxTokens, labels },
    ledgers: {
      read: ledger,
      rows: {
        rowsIn: allowed.length,
        setAside: held?.length ?? 0,
        trained: rows.length,
        notRenderable,
        overlong,
        cut,
      },
    },
    summary:
      summaryOf(rows, { supervised: "labels", left: `${overlong + notRenderable} dropped, ${cut} cut` }) +
      `; ${labels.length} labels`,
    made: { template: config.template, from: split.train },
    rowChecks: () => checkEncoderRows(rows, tokenizer.marks),
    evaluate: (signal) => evaluateLabels(models.model, kept ?? [], labels, signal),
  };
}

/** What a template shows of a row as text, and its answer as the label; undefined where it shows nothing and may not. */
export function labelledText(
  example: Example,
  {
    template,
    pairAt,
    data,
  }: Pick<ClassificationConfig, "template" | "pairAt"> & {
    readonly data: Pick<ClassificationConfig["data"], "onUnrenderable">;
  },
): LabelledText | undefined {
  let messages: ReturnType<Template["render"]>;
  try {
    messages = template.render(example);
  } catch (error) {
    if (data.onUnrenderable === "error" || !(error instanceof KitError)) throw error;
    return undefined;
  }
  const text = messages
    .slice(0, -1)
    .flatMap(({ segments }) => segments.filter(({ source }) => source !== "special"))
    .map((segment) => segment.text)
    .join("")
    .trim();
  const { id, taskType, outputs } = example;
  const row = { id, taskType, label: (outputs[0] ?? "").trim() };
  if (pairAt === undefined) return { ...row, a: text };
  const at = text.indexOf(pairAt);
  if (at >= 0) return { ...row, a: text.slice(0, at).trim(), b: text.slice(at + pairAt.length).trim() };
  throw new KitError(
    `the text of the row "${id}" has no ${JSON.stringify(pairAt)} to be cut in two at`,
    "show the rows with another template, or give another pairAt (none for rows of one text)",
    { field: "pairAt" },
  );
}

function normalized(text: LabelledText | undefined): string {
  return JSON.stringify([text?.a, text?.b].map((part) => part?.toLowerCase().replace(/\s+/g, " ")));
}

function labelsOf(
  { labels }: Pick<ClassificationConfig, "labels">,
  texts: readonly LabelledText[],
  file: string,
): readonly string[] {
  const found = [...new Set(texts.map(({ label }) => label))].sort();
  if (labels !== undefined) return labels;
  if (found.length >= 2) return found;
  throw new KitError(
    `all rows have the label ${JSON.stringify(found[0])}`,
    "give rows of at least two labels, or name the labels",
    { file, field: "labels" },
  );
}

interface EncodedRows {
  readonly rows: readonly TrainingRow[];
  /** Rows that are too long and left out. */
  readonly overlong: number;
  /** Rows whose text was cut. */
  readonly cut: number;
}

/** Texts as rows of ids, and how many were too long. @throws KitError for a label that is not one of the labels */
export function encodeRows(
  texts: readonly LabelledText[],
  tokenizer: WordPieceTokenizer,
  {
    labels,
    maxTokens,
    overlong,
  }: { labels: readonly string[]; maxTokens: number; overlong: "drop" | "cut-end" },
): EncodedRows {
  const rows: TrainingRow[] = [];
  let [left, cut] = [0, 0];
  for (const { id, taskType, a, b, label } of texts) {
    const [first, second] = [tokenizer.encode(a).ids, b === undefined ? undefined : tokenizer.encode(b).ids];
    const whole = encodeTexts(tokenizer.marks, first, second);
    const room = first.length - (whole.ids.length - maxTokens);
    const fits = whole.ids.length <= maxTokens;
    if (!fits && (overlong === "drop" || room < 1)) {
      left++;
      continue;
    }
    if (!fits) cut++;
    const encoded = fits ? whole : encodeTexts(tokenizer.marks, first.slice(0, room), second);
    rows.push({ ...classifiedRow(id, encoded, label, labels), taskType });
  }
  return { rows, overlong: left, cut };
}

/** Accuracy and F measure on rows beside the floor of always saying the most frequent label. */
export async function evaluateLabels(
  bert: Bert,
  rows: readonly TrainingRow[],
  labels: readonly string[],
  signal: AbortSignal,
  which = "set aside",
): Promise<RunEvaluation | undefined> {
  if (rows.length === 0) return undefined;
  const asked = rows.map(({ inputs, tokenTypes = [] }): AskedRow => ({
    ids: [...inputs],
    tokenTypes: [...tokenTypes],
    places: [0],
  }));
  const question = {
    head: (first: TensorFlow.Tensor2D) => bert.classLogits(first),
    answer: (probabilities: Float32Array): string => labels[mostProbable(probabilities, 1)[0] ?? 0] ?? "",
  };
  const predicted = (await askPlaces(bert, asked, question, { signal }))?.flat();
  if (predicted === undefined) return undefined;
  const wanted = rows.map(({ targets }) => labels[targets[0] ?? 0] ?? "");
  const scores = classificationScores({ predicted, wanted });
  const perLabel = scoresPerLabel({ predicted, wanted });
  const [majority] = [...perLabel].sort((a, b) => b.rows - a.rows);
  const floor = (majority?.rows ?? 0) / rows.length;
  const percent = (share: number): string => (100 * share).toFixed(1);
  return {
    scores: {
      rows: rows.length,
      ...scores,
      floor: { label: majority?.label, accuracy: floor },
      perLabel,
      predictions: rows.map(({ id }, index) => ({ id, label: wanted[index], predicted: predicted[index] })),
    },
    text: [
      `on ${rows.length} rows ${which}: accuracy ${percent(scores.accuracy)} (always "${majority?.label ?? ""}": ` +
        `${percent(floor)}), macro F1 ${percent(scores.macroF1)}, Matthews ${scores.matthews.toFixed(3)}`,
      textTable(
        ["label", "rows", "precision", "recall", "F1"],
        perLabel.map((one) => [one.label, one.rows, ...[one.precision, one.recall, one.f1].map(percent)]),
      ),
    ].join("\n"),
  };
}
