import { endToken } from "../../../data/render.js";
import { supervisedBytes } from "../../../data/supervised-bytes.js";
import type { Spans } from "../../../data/spans.js";
import { evaluate } from "../../../evaluate/evaluate.js";
import type { Interval } from "../../../evaluate/statistics/bootstrap.js";
import { T5 } from "../../../model/t5/t5.js";
import type { Objective } from "../../../train/objective.js";
import { nextToken } from "../../../train/objectives/next-token.js";
import { sequenceRows, sequenceToSequence } from "../../../train/objectives/sequence-to-sequence.js";
import { checkRows, checkSequenceRows } from "../../../train/preflight/rows.js";
import { prepareRows, type TrainingRow } from "../../../train/rows.js";
import { textTable } from "../data/shared.js";
import { BOOTSTRAP } from "../evaluate/flags.js";
import type { FinalEvaluation, ObjectiveRun } from "./objective-run.js";
import type { PreparedRun } from "./prepare.js";
import type { AnswerEvaluation, RunConfig } from "./run-config.js";

/** With more task types, the table is in evaluation.json alone. */
const SHOWN_TYPES = 20;

/** A prepared run on answers, as any other run. @throws KitError for an unfit row */
export function answerRun(run: PreparedRun, config: RunConfig): ObjectiveRun {
  const { decoder, base, tokenizer, spans, validation, ledgers, examples } = run;
  const bytesOf = (row: Spans): number => supervisedBytes(row, tokenizer);
  const rowsOf = (some: readonly Spans[]): TrainingRow[] =>
    decoder instanceof T5
      ? sequenceRows(some, decoder.config, bytesOf)
      : prepareRows(some, decoder.config, bytesOf);
  const objective: Objective = decoder instanceof T5 ? sequenceToSequence(decoder) : nextToken(decoder);
  const { total } = ledgers.render;
  const { evaluation } = config;
  const rows = rowsOf(spans);
  const ends = [tokenizer.special.eos, endToken(config.template, tokenizer)];
  const { bos } = tokenizer.special;
  return {
    objective,
    rows,
    validation: validation && rowsOf(validation),
    tokenizer,
    models: { model: decoder, base, ...("from" in config.decoder ? { from: config.decoder.from } : {}) },
    resolved: { [config.modelField]: decoder.config },
    ledgers: { ...ledgers },
    summary:
      `${spans.length} rows (${total.rowsIn - total.rendered} dropped, ${total.truncated} cut), ` +
      `${total.supervisedTokens} supervised of ${total.totalTokens} tokens`,
    made: { template: config.template, from: examples },
    rowChecks: () =>
      decoder instanceof T5
        ? checkSequenceRows(rows, { ...decoder.config, ends })
        : checkRows(spans, { ...(bos === undefined ? {} : { bos }), ends }),
    evaluate: async (signal) =>
      evaluation === undefined ? undefined : evaluateAnswers(run, config, evaluation, signal),
  };
}

/** The answers to rows that are set aside, scored as `ift-kit evaluate` scores them. */
async function evaluateAnswers(
  { decoder, tokenizer, heldExamples }: PreparedRun,
  { template, render }: RunConfig,
  { rows, maxNewTokens }: AnswerEvaluation,
  signal: AbortSignal,
): Promise<FinalEvaluation | undefined> {
  const settings = {
    template,
    policy: { maxTokens: decoder.config.contextLength, overlong: render.overlong },
    maxNewTokens,
    match: "normalized",
    stem: true,
    bootstrap: { ...BOOTSTRAP, resamples: 10_000 },
  } as const;
  const asked = heldExamples.slice(0, rows);
  const evaluation = await evaluate({ decoder, tokenizer }, asked, settings, { batchSize: 32, signal });
  if (evaluation === undefined) return undefined;
  const { taskTypes, overall, predictions, leftOut } = evaluation;
  const percent = ({ mean, low, high }: Interval): string =>
    `${(100 * mean).toFixed(1)} [${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}]`;
  const line = (name: string, count: number, scores: typeof overall): (string | number)[] => [
    name,
    count,
    ...[scores.exactMatch, scores.f1, scores.rougeL].map(percent),
  ];
  return {
    scores: { rows: asked.length, maxNewTokens, overall, taskTypes, leftOut, predictions },
    text: [
      `on ${predictions.length} rows set aside:`,
      textTable(
        ["task type", "rows", "exact match", "F1", "ROUGE-L"],
        [
          ...(taskTypes.length > SHOWN_TYPES ? [] : taskTypes).map((one) =>
            line(one.taskType, one.rows, one),
          ),
          line("all, each task type the same", predictions.length, overall),
        ],
      ),
    ].join("\n"),
  };
}
