import type { Example } from "../../../data/example.js";
import { evaluate } from "../../../evaluate/evaluate.js";
import { MOST_LABELS } from "../../../evaluate/protocols/ranking.js";
import { rankClassify, withTaskLabels } from "../../../evaluate/rank-classification.js";
import type { Interval } from "../../../evaluate/statistics/bootstrap.js";
import { KitError } from "../../../support/errors.js";
import { textTable } from "../data/shared.js";
import { BOOTSTRAP } from "../evaluate/flags.js";
import type { RunEvaluation } from "./objective-run.js";
import type { PreparedRun } from "./prepare.js";
import type { AnswerEvaluation, RunConfig } from "./run-config.js";

/** With more task types, the table is in evaluation.json alone. */
const SHOWN_TYPES = 20;
const RESAMPLES = { ...BOOTSTRAP, resamples: 10_000 };
/** Rows answered, and tokens scored, together. */
const BATCH_ROWS = 32;
const BATCH_TOKENS = 16_384;

type Kind<Answers> = Extract<AnswerEvaluation, { readonly answers?: Answers }>;

/** The answers to rows that are set aside, scored as `ift-kit evaluate` scores them. */
export async function evaluateAnswers(
  { decoder, tokenizer, heldExamples }: PreparedRun,
  { template, render }: RunConfig,
  { rows, maxNewTokens }: Kind<"generated" | undefined>,
  signal: AbortSignal,
): Promise<RunEvaluation | undefined> {
  const settings = {
    template,
    policy: { maxTokens: decoder.config.contextLength, overlong: render.overlong },
    maxNewTokens,
    match: "normalized",
    stem: true,
    bootstrap: RESAMPLES,
  } as const;
  const asked = heldExamples.slice(0, rows);
  const evaluation = await evaluate({ decoder, tokenizer }, asked, settings, {
    batchSize: BATCH_ROWS,
    signal,
  });
  if (evaluation === undefined) return undefined;
  const { taskTypes, overall, predictions, leftOut } = evaluation;
  const line = (name: string, count: number, scores: typeof overall): (string | number)[] => [
    name,
    count,
    ...[scores.exactMatch, scores.f1, scores.rougeL].map(percent),
  ];
  return {
    curves: {
      "exact match": overall.exactMatch.mean,
      F1: overall.f1.mean,
      "ROUGE-L": overall.rougeL.mean,
    },
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

/**
 * The options of rows that are set aside, ranked by their summed log-probability, end included; rows without options have
 * the labels of their task, where these are few.
 */
export async function evaluateRanks(
  run: PreparedRun,
  { template, render }: RunConfig,
  { rows }: Kind<"ranked">,
  signal: AbortSignal,
): Promise<RunEvaluation | undefined> {
  const { decoder, tokenizer } = run;
  const asked = rankable(run).slice(0, rows);
  const ranks = await rankClassify(
    { decoder, tokenizer },
    asked,
    {
      template,
      policy: { maxTokens: decoder.config.contextLength, overlong: render.overlong },
      scoreEnd: true,
      bootstrap: RESAMPLES,
    },
    { batchTokens: BATCH_TOKENS, signal },
  );
  if (ranks === undefined) return undefined;
  const { accuracy, taskTypes, floors, calibration, leftOut } = ranks;
  const line = (
    name: string,
    one: Pick<typeof ranks, "rows" | "accuracy" | "floors">,
  ): (string | number)[] => [
    name,
    one.rows,
    percent(one.accuracy.sum),
    percentOf(one.floors.random),
    percentOf(one.floors.majorityLabel),
  ];
  return {
    curves: { accuracy: accuracy.sum.mean, "calibration error": calibration.expectedError },
    scores: { rows: asked.length, accuracy, floors, calibration, taskTypes, leftOut },
    text: [
      `options ranked on ${ranks.rows} rows set aside:`,
      textTable(
        ["task type", "rows", "accuracy", "at random", "one label"],
        [
          ...(taskTypes.length > SHOWN_TYPES ? [] : taskTypes).map((one) => line(one.taskType, one)),
          line("all", ranks),
        ],
      ),
    ].join("\n"),
  };
}

/**
 * The rows that are set aside and have options, or are of tasks with few labels in all rows.
 * @throws KitError when there are none
 */
export function rankable({
  examples,
  heldExamples,
}: Pick<PreparedRun, "examples" | "heldExamples">): Example[] {
  const rows = withTaskLabels([...examples, ...heldExamples], MOST_LABELS)
    .slice(examples.length)
    .filter(({ options }) => options !== undefined);
  if (rows.length > 0) return rows;
  throw new KitError(
    `no row that is set aside has options, or is of a task with 2 to ${MOST_LABELS} labels`,
    'leave "answers" out and give maxNewTokens, so that answers are written, or use data with options',
    { field: "evaluation.answers" },
  );
}

const percentOf = (share: number): string => (100 * share).toFixed(1);
const percent = ({ mean, low, high }: Interval): string =>
  `${percentOf(mean)} [${percentOf(low)}, ${percentOf(high)}]`;
