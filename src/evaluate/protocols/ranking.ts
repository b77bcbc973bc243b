import type { Example } from "../../data/example.js";
import type { Template } from "../../data/template.js";
import { hashJson, sha256 } from "../../support/hash.js";
import { bestOption, RANK_METHODS, type RankMethod } from "../panel.js";
import { type RankClassification, rankClassify, withTaskLabels } from "../rank-classification.js";
import type { RankAccuracy } from "../rank-summary.js";
import type { ResultExample, ResultMetric } from "../result/schema.js";
import { withLetters } from "./letters.js";
import { metricOf, type Protocol, type ProtocolInput, type ProtocolOutcome } from "./types.js";

/** Tasks with more different answers are no classification. */
export const MOST_LABELS = 20;

/** All five scores of one pass, for one template or several. */
export const rank: Protocol = {
  name: "rank",
  description:
    "rank the options by log-probability: sum, per token, character and byte, PMI; where they disagree",
  severalTemplates: true,
  evaluate: (input) => evaluateRanking(input, { methods: RANK_METHODS, overTemplates: [] }),
};

/** T0 (Sanh et al. 2022): accuracy of the summed log-probability over templates, as median and spread. */
export const t0: Protocol = {
  name: "t0",
  description: "rank classification over several templates; median and spread (give several --template)",
  severalTemplates: true,
  evaluate: (input) =>
    evaluateRanking(input, { methods: ["sum"], overTemplates: ["median", "lowest", "highest"] }),
};

/** FLAN (Wei et al. 2022): best and average accuracy over templates, for a held-out cluster. */
export const flan: Protocol = {
  name: "flan",
  description: "rank classification over several templates; average and best (give several --template)",
  severalTemplates: true,
  evaluate: (input) => evaluateRanking(input, { methods: ["sum"], overTemplates: ["average", "highest"] }),
};

/** MMLU (Hendrycks et al. 2021): the options are listed with letters and the letters are ranked. */
export const mmluLetters: Protocol = {
  name: "mmlu-letters",
  description: "list the options with letters, rank the letters",
  severalTemplates: true,
  evaluate: (input) =>
    evaluateRanking(input, { methods: ["sum", "pmi"], overTemplates: [], change: withLetters }),
};

interface RankingShape {
  /** The scores that the table shows; the panel has all. */
  readonly methods: readonly RankMethod[];
  /** What is said of the summed score over templates. */
  readonly overTemplates: readonly SpreadKind[];
  readonly change?: (example: Example) => Example;
}

interface TemplateScores {
  readonly template: Template;
  readonly ranks: RankClassification;
}

async function evaluateRanking(
  { model, examples, templates, settings, run }: ProtocolInput,
  { methods, overTemplates, change = (example) => example }: RankingShape,
): Promise<ProtocolOutcome | undefined> {
  const rows = withTaskLabels(examples, MOST_LABELS)
    .filter(({ options }) => options !== undefined)
    .map(change);
  const without = examples.length - rows.length;
  const scores: TemplateScores[] = [];
  for (const [index, template] of templates.entries()) {
    const ranks = await rankClassify(
      model,
      rows,
      { ...settings, template },
      {
        ...run,
        onProgress: (done, total) => run.onProgress?.(index * total + done, templates.length * total),
      },
    );
    if (ranks === undefined) return undefined;
    scores.push({ template, ranks });
  }
  return {
    metrics: [
      ...templateMetrics(scores, overTemplates),
      ...scores.flatMap(({ template, ranks }) => rankMetrics(ranks, template.name, methods)),
    ],
    examples: scores.flatMap(({ template, ranks }) =>
      rankExamples(ranks, template.name, rows, model.tokenizer),
    ),
    notes: [
      ...(without === 0
        ? []
        : [
            `${without} rows left out: they have no options, and their task more than ${MOST_LABELS} answers.`,
          ]),
      ...scores.flatMap(({ template, ranks }) => describeRanks(template.name, ranks)),
    ],
  };
}

function rankMetrics(
  ranks: RankClassification,
  template: string,
  methods: readonly RankMethod[],
): ResultMetric[] {
  const of = (
    place: Pick<ResultMetric, "scope" | "of">,
    { accuracy, floors, rows }: RankAccuracy,
  ): ResultMetric[] =>
    methods.map((method) =>
      metricOf({ ...place, metric: `accuracy ${method}`, template, rows }, accuracy[method], {
        random: floors.random,
        "majority label": floors.majorityLabel,
      }),
    );
  return [
    ...of({ scope: "all", of: "all" }, ranks),
    ...ranks.taskTypes.flatMap((one) => of({ scope: "task type", of: one.taskType }, one)),
  ];
}

function rankExamples(
  ranks: RankClassification,
  template: string,
  rows: readonly Example[],
  tokenizer: ProtocolInput["model"]["tokenizer"],
): ResultExample[] {
  const references = new Map(rows.map(({ id, outputs }) => [id, outputs]));
  return ranks.examples.map(({ id, task, taskType, options, right, panels, prompt }) => {
    const output = options[bestOption(panels, "sum")] ?? "";
    return {
      id,
      task,
      taskType,
      template,
      promptHash: sha256(tokenizer.decode(prompt)),
      targetHash: hashJson(references.get(id) ?? []),
      outputHash: sha256(output),
      output,
      scores: Object.fromEntries(
        RANK_METHODS.map((method) => [
          `accuracy ${method}`,
          right.includes(bestOption(panels, method)) ? 1 : 0,
        ]),
      ),
    };
  });
}

type SpreadKind = "median" | "average" | "lowest" | "highest";

/** The summed score's accuracy over templates, for all rows and each task type. */
function templateMetrics(scores: readonly TemplateScores[], kinds: readonly SpreadKind[]): ResultMetric[] {
  const types = scores[0]?.ranks.taskTypes.map(({ taskType }) => taskType) ?? [];
  const over = (
    place: Pick<ResultMetric, "scope" | "of">,
    accuracyOf: (ranks: RankClassification) => RankAccuracy | undefined,
  ): ResultMetric[] => {
    const all = scores.flatMap(({ ranks }) => accuracyOf(ranks) ?? []);
    const values = all.map(({ accuracy }) => accuracy.sum.mean).sort((a, b) => a - b);
    return kinds.map((kind) => ({
      ...place,
      metric: `accuracy sum, ${kind}`,
      template: "all templates",
      rows: all[0]?.rows ?? 0,
      mean: spreadOf(values, kind),
      floors: { random: all[0]?.floors.random ?? 0, "majority label": all[0]?.floors.majorityLabel ?? 0 },
    }));
  };
  return [
    ...over({ scope: "all", of: "all" }, (ranks) => ranks),
    ...types.flatMap((type) =>
      over({ scope: "task type", of: type }, (ranks) =>
        ranks.taskTypes.find(({ taskType }) => taskType === type),
      ),
    ),
  ];
}

/** @param sorted ascending, at least one value */
function spreadOf(sorted: readonly number[], kind: SpreadKind): number {
  const at = (place: number): number => sorted[place] ?? Number.NaN;
  const last = sorted.length - 1;
  if (kind === "lowest") return at(0);
  if (kind === "highest") return at(last);
  if (kind === "average") return sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  return (at(Math.floor(last / 2)) + at(Math.ceil(last / 2))) / 2;
}

function describeRanks(
  template: string,
  { flips, examples, calibration, leftOut }: RankClassification,
): string[] {
  const differing = flips.filter(({ rows }) => rows > 0).sort((a, b) => b.rows - a.rows);
  const [most] = differing;
  return [
    most === undefined
      ? `${template}: all five scores choose the same options.`
      : `${template}: ${most.a} and ${most.b} differ most, on ${most.rows} of ${examples.length} rows ` +
        `(only ${most.a} right on ${most.onlyA}, only ${most.b} on ${most.onlyB}).`,
    `${template}: calibration error ${(100 * calibration.expectedError).toFixed(1)} points over ${calibration.bins} bins, Brier ${calibration.brier.toFixed(3)}.`,
    ...(leftOut.length === 0 ? [] : [`${template}: ${leftOut.length} rows left out: they are too long.`]),
  ];
}
