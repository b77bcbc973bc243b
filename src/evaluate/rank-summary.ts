import { groupBy } from "../support/group.js";
import { brierScore, calibration } from "./metrics/calibration.js";
import {
  bestOption,
  type OptionPanel,
  optionProbabilities,
  RANK_METHODS,
  type RankFlips,
  rankFlips,
  type RankMethod,
} from "./panel.js";
import { type BootstrapInterval, type BootstrapOptions, meanInterval } from "./statistics/bootstrap.js";

/** One row and its options. */
export interface RankedExample {
  readonly id: string;
  readonly task: string;
  readonly taskType: string;
  readonly options: readonly string[];
  /** Places of the right options. */
  readonly right: readonly number[];
  /** One for each option. */
  readonly panels: readonly OptionPanel[];
  /** The prompt's token ids, for hashes. */
  readonly prompt: readonly number[];
}

/** Accuracy by each method, with floors. */
export interface RankAccuracy {
  readonly rows: number;
  readonly accuracy: Readonly<Record<RankMethod, BootstrapInterval>>;
  readonly floors: {
    /** Choosing at random: the mean of 1 / options (times right options). */
    readonly random: number;
    /** The one answer that is right most often in each task, found on these rows: no constant answer does better. */
    readonly majorityLabel: number;
  };
}

/** What a rank classification says. */
export interface RankSummary extends RankAccuracy {
  /** Each task type, sorted by name. The interval of one is over its examples alone. */
  readonly taskTypes: readonly (RankAccuracy & { readonly taskType: string })[];
  /** Where methods disagree. */
  readonly flips: readonly RankFlips[];
  /** Of the probabilities of the options by their sums: error over ten equal bins, and Brier's score. */
  readonly calibration: { readonly expectedError: number; readonly bins: number; readonly brier: number };
}

const BINS = 10;

/** Accuracy by each method, its floors, flips and calibration. */
export function summarizeRanks(examples: readonly RankedExample[], bootstrap: BootstrapOptions): RankSummary {
  const types = [...new Set(examples.map(({ taskType }) => taskType))].sort();
  const rows = examples.map(({ panels, right }) => ({ probabilities: optionProbabilities(panels), right }));
  const sure = rows.map(({ probabilities, right }) => {
    const chosen = probabilities.indexOf(Math.max(...probabilities));
    return { probability: probabilities[chosen] ?? 0, right: right.includes(chosen) };
  });
  return {
    ...accuracies(examples, bootstrap),
    taskTypes: types.map((taskType) => ({
      taskType,
      ...accuracies(
        examples.filter((row) => row.taskType === taskType),
        bootstrap,
      ),
    })),
    flips: rankFlips(examples),
    calibration: {
      expectedError: calibration(sure, BINS).expectedError,
      bins: BINS,
      brier: brierScore(rows.map(({ probabilities, right }) => ({ probabilities, right: right[0] ?? 0 }))),
    },
  };
}

function accuracies(examples: readonly RankedExample[], bootstrap: BootstrapOptions): RankAccuracy {
  const interval = (method: RankMethod): BootstrapInterval =>
    meanInterval(
      examples.map(({ id, taskType, panels, right }) => ({
        seed: 0,
        taskType,
        id,
        score: right.includes(bestOption(panels, method)) ? 1 : 0,
      })),
      bootstrap,
    );
  const mean = (valueOf: (row: RankedExample) => number): number => {
    const types = groupBy(examples, ({ taskType }) => taskType);
    const means = [...types.values()].map(
      (rows) => rows.reduce((sum, row) => sum + valueOf(row), 0) / rows.length,
    );
    return means.reduce((sum, value) => sum + value, 0) / means.length;
  };
  const majority = majorityAnswers(examples);
  return {
    rows: examples.length,
    accuracy: Object.fromEntries(RANK_METHODS.map((method) => [method, interval(method)])) as Record<
      RankMethod,
      BootstrapInterval
    >,
    floors: {
      random: mean(({ right, options }) => right.length / options.length),
      majorityLabel: mean(({ task, right, options }) =>
        right.some((place) => options[place] === majority.get(task)) ? 1 : 0,
      ),
    },
  };
}

/** For each task the option text that is right most often; of equal ones the first met. */
function majorityAnswers(examples: readonly RankedExample[]): Map<string, string> {
  const tasks = groupBy(examples, ({ task }) => task);
  return new Map(
    [...tasks].map(([task, rows]) => {
      const answers = groupBy(
        rows.flatMap(({ right, options }) => right.map((place) => options[place] ?? "")),
        (text) => text,
      );
      const [most = ["", []]] = [...answers].sort(([, a], [, b]) => b.length - a.length);
      return [task, most[0]];
    }),
  );
}
