import type { Example } from "../../data/example.js";
import { groupBy } from "../../support/group.js";
import { hashJson, sha256 } from "../../support/hash.js";
import { evaluate, type Prediction } from "../evaluate.js";
import { overallFloors, randomAnswer } from "../floors.js";
import type { ResultMetric } from "../result/schema.js";
import { metricOf, type Protocol, type ProtocolInput, type ProtocolOutcome } from "./types.js";

/** Instances of a task that count. */
const ROWS_PER_TASK = 100;

/**
 * Super-NaturalInstructions (Wang et al. 2022): the first 100 instances of each task, greedy answers, stemmed ROUGE-L and
 * exact match, averaged over each category and each task. The paper reads exact match for classification categories only.
 */
export const superNi: Protocol = {
  name: "super-ni",
  description:
    "official test tasks where the folder lists them; greedy answers to 100 rows a task; ROUGE-L and exact match per category and task",
  severalTemplates: false,
  evaluate: evaluateSuperNi,
};

async function evaluateSuperNi({
  model,
  examples,
  templates: [template],
  settings,
  run,
}: ProtocolInput): Promise<ProtocolOutcome | undefined> {
  if (template === undefined) return undefined;
  const rows = [...groupBy(examples, ({ task }) => task).values()].flatMap((own) =>
    own.slice(0, ROWS_PER_TASK),
  );
  const evaluation = await evaluate(model, rows, { ...settings, template }, run);
  if (evaluation === undefined) return undefined;
  const { predictions, taskTypes, overall, leftOut } = evaluation;
  const answered = new Set(predictions.map(({ id }) => id));
  const scored = rows.filter(({ id }) => answered.has(id));
  const random = (own: readonly Example[]): number => randomAnswer(own, settings.match);
  const all = { scope: "all", of: "all", template: template.name, rows: predictions.length } as const;
  const floor = overallFloors(taskTypes.map(({ floors }) => floors));
  return {
    metrics: [
      metricOf({ ...all, metric: "ROUGE-L" }, overall.rougeL, {
        "copy input": floor.copyInput.rougeL,
        "copy demonstration": floor.copyDemonstration?.rougeL,
      }),
      metricOf({ ...all, metric: "exact match" }, overall.exactMatch, {
        "majority label": floor.majorityLabel.exactMatch,
        random: random(scored),
      }),
      ...taskTypes.flatMap(({ taskType, rows: count, rougeL, exactMatch, floors }) => {
        const place = { scope: "task type", of: taskType, template: template.name, rows: count } as const;
        return [
          metricOf({ ...place, metric: "ROUGE-L" }, rougeL, {
            "copy input": floors.copyInput.rougeL,
            "copy demonstration": floors.copyDemonstration?.rougeL,
          }),
          metricOf({ ...place, metric: "exact match" }, exactMatch, {
            "majority label": floors.majorityLabel.exactMatch,
            random: random(scored.filter((row) => row.taskType === taskType)),
          }),
        ];
      }),
      ...taskMetrics(predictions, template.name),
    ],
    examples: predictions.map(
      ({ id, task, taskType, output, references, promptHash, exactMatch, rougeL }) => ({
        id,
        task,
        taskType,
        template: template.name,
        promptHash,
        targetHash: hashJson(references),
        outputHash: sha256(output),
        output,
        scores: { "exact match": exactMatch, "ROUGE-L": rougeL },
      }),
    ),
    notes:
      leftOut.length === 0
        ? []
        : [
            `${leftOut.length} rows left out: their prompt leaves no room for ${settings.maxNewTokens} tokens.`,
          ],
  };
}

function taskMetrics(predictions: readonly Prediction[], template: string): ResultMetric[] {
  return [...groupBy(predictions, ({ task }) => task)].flatMap(([task, own]) =>
    (["rougeL", "exactMatch"] as const).map((kind): ResultMetric => ({
      metric: kind === "rougeL" ? "ROUGE-L" : "exact match",
      scope: "task",
      of: task,
      template,
      rows: own.length,
      mean: own.reduce((sum, row) => sum + row[kind], 0) / own.length,
    })),
  );
}
