import type { EvaluationResult, ResultMetric } from "./schema.js";

/** lm-evaluation-harness 0.4's names of metrics that it has too. */
const NAMES: Readonly<Record<string, string>> = {
  "exact match": "exact_match",
  "ROUGE-L": "rougeL",
  "accuracy sum": "acc",
  "accuracy perByte": "acc_bytes",
  "accuracy perCharacter": "acc_norm",
  "accuracy pmi": "acc_mutual_info",
  "prompt strict": "prompt_level_strict_acc",
  "prompt loose": "prompt_level_loose_acc",
  "instruction strict": "inst_level_strict_acc",
  "instruction loose": "inst_level_loose_acc",
};

/** The parts of lm-evaluation-harness's results file that tools read. */
export interface LmEvalResults {
  readonly results: Readonly<Record<string, Readonly<Record<string, string | number>>>>;
  readonly versions: Readonly<Record<string, number>>;
  readonly "n-samples": Readonly<Record<string, { readonly original: number; readonly effective: number }>>;
  readonly higher_is_better: Readonly<Record<string, Readonly<Record<string, boolean>>>>;
  readonly configs: Readonly<Record<string, unknown>>;
  readonly config: { readonly model: string; readonly model_args: string };
}

/**
 * An evaluation in the form of lm-evaluation-harness's `results_*.json` (0.4): a task for each task type and template,
 * and "<metric>,none" with its standard error. The harness's standard error of a mean is one over independent rows; here
 * it is the half width of the 95% interval over 1.96, which may be over task types.
 */
export function toLmEval({ config, metrics }: EvaluationResult): LmEvalResults {
  const tasks = new Map<string, ResultMetric[]>();
  for (const metric of metrics) {
    const task = taskName(metric, config.templates.length);
    tasks.set(task, [...(tasks.get(task) ?? []), metric]);
  }
  const entries = <Value>(
    valueOf: (metrics: readonly ResultMetric[], task: string) => Value,
  ): Record<string, Value> => Object.fromEntries([...tasks].map(([task, own]) => [task, valueOf(own, task)]));
  return {
    results: entries((own, task) => ({
      alias: task,
      ...Object.fromEntries(
        own.flatMap((metric): (readonly [string, string | number])[] => [
          [`${metricName(metric)},none`, metric.mean],
          [
            `${metricName(metric)}_stderr,none`,
            metric.interval === undefined
              ? "N/A"
              : (metric.interval.high - metric.interval.low) / (2 * 1.959964),
          ],
        ]),
      ),
    })),
    versions: entries(() => 1),
    "n-samples": entries(([first]) => ({ original: first?.rows ?? 0, effective: first?.rows ?? 0 })),
    higher_is_better: entries((own) => Object.fromEntries(own.map((metric) => [metricName(metric), true]))),
    configs: entries((_, task) => ({ task, metadata: { protocol: config.protocol, ...config.settings } })),
    config: { model: "ift-kit", model_args: `pretrained=${config.model}` },
  };
}

function taskName({ scope, of, template }: ResultMetric, templates: number): string {
  const base = scope === "all" ? "all" : of;
  return templates === 1 ? base : `${base}@${template}`;
}

function metricName({ metric }: ResultMetric): string {
  return NAMES[metric] ?? metric.replaceAll(/[^\p{L}\p{N}]+/gu, "_");
}
